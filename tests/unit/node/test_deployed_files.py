"""What is put on a node for the watch: the library's copy, its settings, the planned marker."""

import json
import os
import subprocess
import sys

import pytest

from keepalived_core.node import files, install, planned, settings
from keepalived_core.node.paths import PACKAGE_DIR, Paths


@pytest.fixture
def paths(tmp_path):
    return Paths.under(tmp_path)


@pytest.fixture
def package(tmp_path):
    """A package of our own to install, so that it can change."""
    root = tmp_path / "source" / "keepalived_core"
    for name in ("__init__.py", "node/__init__.py", "node/watch.py", "old/__init__.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    return root


def test_the_library_is_copied_once(package, paths):
    first = install.install_library(package, paths.lib_dir)
    assert first == ["__init__.py", "node/__init__.py", "node/watch.py", "old/__init__.py"]
    assert install.install_library(package, paths.lib_dir) == []
    copy = paths.lib_dir / "keepalived_core" / "node" / "watch.py"
    assert copy.read_text() == "# node/watch.py\n"
    assert oct(copy.stat().st_mode) == "0o100644"


def test_only_what_changed_is_replaced_and_what_is_gone_is_removed(package, paths):
    install.install_library(package, paths.lib_dir)
    (paths.lib_dir / "keepalived_core" / "old" / "__pycache__").mkdir()
    (paths.lib_dir / "keepalived_core" / "old" / "__pycache__" / "x.pyc").touch()
    (package / "node" / "watch.py").write_text("# new\n")
    (package / "old" / "__init__.py").unlink()
    would = install.install_library(package, paths.lib_dir, test=True)
    assert would == ["node/watch.py", "-old/__init__.py"]
    assert install.install_library(package, paths.lib_dir) == would
    assert install.install_library(package, paths.lib_dir) == []
    assert not (paths.lib_dir / "keepalived_core" / "old").exists()


def test_a_copy_that_was_changed_by_hand_is_put_right(package, paths):
    install.install_library(package, paths.lib_dir)
    (paths.lib_dir / "keepalived_core" / "__init__.py").write_text("# mine\n")
    assert install.install_library(package, paths.lib_dir) == ["__init__.py"]


def test_something_else_than_the_library_is_not_installed(tmp_path, paths):
    with pytest.raises(ValueError, match="is not the keepalived_core package"):
        install.install_library(tmp_path, paths.lib_dir)
    assert not paths.lib_dir.exists()


def test_the_installed_library_runs_alone_under_the_standard_library(paths):
    install.install_library(PACKAGE_DIR, paths.lib_dir)
    code = "import keepalived_core.node.watch as w, sys; print(w.__file__, 'salt' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-s", "-S", "-B", "-c", code],
        env={"PYTHONPATH": str(paths.lib_dir)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    file, salt = done.stdout.split()
    assert file == str(paths.lib_dir / "keepalived_core" / "node" / "watch.py")
    assert salt == "False"


def test_everything_for_the_watch_is_deployed_and_then_nothing_changes(paths):
    would = install.install(paths, cluster="c", minion="m", test=True)
    assert not paths.lib_dir.exists()
    assert not paths.state_dir.exists()
    assert not paths.fifo.exists()
    assert install.install(paths, cluster="c", minion="m") == would
    assert {str(paths.settings), str(paths.fifo)} < set(would)
    assert settings.read(paths) == settings.Settings(cluster="c", id="m")
    assert paths.fifo.is_fifo()
    assert install.install(paths, cluster="c", minion="m") == []
    assert install.install(paths, cluster="d", minion="m") == [str(paths.settings)]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '"x"', "5"])
def test_settings_that_cannot_be_read_are_empty_ones(paths, content):
    if content is not None:
        paths.state_dir.mkdir(parents=True)
        paths.settings.write_text(content)
    assert settings.read(paths) == settings.Settings()


def test_changed_settings_are_told_with_old_and_new(paths):
    settings.write("c", "m", paths=paths)
    assert settings.write("c", "m", paths=paths) == {}
    assert settings.write("d", "m", paths=paths) == {"cluster": {"old": "c", "new": "d"}}


# -- the planned marker --


def test_a_planned_action_is_known_until_it_ends(paths):
    assert planned.active(paths) is None
    planned.begin(60, "reload", jid="2026", paths=paths)
    found = planned.active(paths)
    assert (found.reason, found.jid) == ("reload", "2026")
    assert planned.end(paths)
    assert planned.active(paths) is None
    assert not planned.end(paths)


def test_a_forgotten_marker_runs_out(paths, monkeypatch):
    planned.begin(60, "reload", paths=paths)
    now = planned.time.time()
    monkeypatch.setattr(planned.time, "time", lambda: now + 61)
    assert planned.active(paths) is None


def test_a_clock_set_back_does_not_make_a_marker_last_for_years(paths, monkeypatch):
    planned.begin(60, "reload", paths=paths)
    now = planned.time.time()
    monkeypatch.setattr(planned.time, "time", lambda: now - 365 * 86400)
    assert planned.active(paths) is None


@pytest.mark.parametrize("seconds", [0, -1, planned.LONGEST + 1])
def test_a_marker_without_a_sensible_end_is_refused(paths, seconds):
    with pytest.raises(ValueError, match="seconds must be above 0"):
        planned.begin(seconds, "x", paths=paths)
    assert not paths.planned.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"until": "x"}', '{"until": 9e99}'])
def test_a_marker_that_cannot_be_read_does_not_count(paths, content):
    paths.run_dir.mkdir(parents=True)
    paths.planned.write_text(content)
    assert planned.active(paths) is None


# -- files --


def test_a_file_that_cannot_be_written_keeps_its_old_content(tmp_path, monkeypatch):
    path = tmp_path / "x"
    files.write_atomically(path, "old")

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomically(path, json.dumps("new"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_that_somebody_laid_in_the_way_leads_to_no_other_file(tmp_path):
    """The directory may be a web server's, and who writes is root."""
    victim, path = tmp_path / "shadow", tmp_path / "www" / "k.html"
    victim.write_text("secret")
    path.parent.mkdir()
    (path.parent / f".k.html.{os.getpid()}").symlink_to(victim)

    files.write_atomically(path, "page", 0o640)

    assert victim.read_text() == "secret"
    assert not path.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("page", 0o640)


def test_what_has_the_name_of_the_new_file_already_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(files.secrets, "token_hex", lambda _count: "known")
    path, other = tmp_path / "x", tmp_path / ".x.known"
    other.write_text("another's")

    with pytest.raises(FileExistsError):
        files.write_atomically(path, "new")
    assert other.read_text() == "another's"
    assert not path.exists()


def test_a_run_that_is_broken_off_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fchmod", stop)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(tmp_path / "x", "new")
    assert not list(tmp_path.iterdir())
