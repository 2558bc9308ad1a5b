"""Files in a directory that belongs to somebody else."""

from __future__ import annotations

import pytest

from keepalived_core import textfile
from keepalived_core.node import files


def test_the_file_is_replaced_whole_and_everybody_may_read_it(tmp_path) -> None:
    path = tmp_path / "keepalived.prom"
    textfile.write(path, "a 1\n")
    textfile.write(path, "a 2\n")

    assert path.read_text() == "a 2\n"
    assert path.stat().st_mode & 0o7777 == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["keepalived.prom"]


def test_a_link_in_its_place_is_replaced_not_followed(tmp_path) -> None:
    victim = tmp_path / "shadow"
    victim.write_text("secret")
    path = tmp_path / "keepalived.prom"
    path.symlink_to(victim)

    textfile.write(path, "a 1\n")

    assert victim.read_text() == "secret"
    assert not path.is_symlink()


def test_what_lies_in_the_way_of_the_new_file_is_not_written_to(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(files.secrets, "token_hex", lambda _count: "known")
    victim = tmp_path / "shadow"
    victim.write_text("secret")
    path = tmp_path / "keepalived.prom"
    path.with_name(".keepalived.prom.known").symlink_to(victim)

    with pytest.raises(FileExistsError):
        textfile.write(path, "a 1\n")
    assert victim.read_text() == "secret"


def test_what_utf_8_cannot_write_becomes_a_question_mark(tmp_path) -> None:
    path = tmp_path / "keepalived.prom"
    textfile.write(path, "a_B\udcfcro 1\n")
    assert path.read_text() == "a_B?ro 1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_is_missing_is_said(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        textfile.write(tmp_path / "none" / "keepalived.prom", "a 1\n")


@pytest.mark.parametrize("given", ["keepalived.prom", "/x/keepalived.txt", "", 5, None])
def test_only_a_path_that_the_collector_reads_is_taken(given) -> None:
    with pytest.raises(ValueError, match=r"ends in \.prom"):
        textfile.path_of(given)
