"""The drain file and its record on the disk."""

import datetime
import json
import time

import pytest

from keepalived_core.node import drain, drain_file, drain_status
from keepalived_core.node.drain_file import Record
from keepalived_core.node.drain_keeper import DrainKeeper
from keepalived_core.node.paths import Paths

NOW = 1_795_339_530.0  # 2026-11-22T09:25:30Z


@pytest.fixture
def paths(tmp_path):
    return Paths.under(tmp_path)


#: (what is asked, seconds from now)
MOMENTS = [
    (None, None),
    ("", None),
    (90, 90),
    ("90", 90),
    ("90s", 90),
    ("15m", 900),
    ("2h", 7200),
    (" 3 d ", 259200),
    ("2026-11-22T09:25:40Z", 10),
    ("2026-11-22t10:25:40+01:00", 10),
    ("2026-11-22 09:25:40", 10),
    (datetime.datetime(2026, 11, 22, 9, 25, 40), 10),
    ("2020-01-01T00:00:00Z", 1_577_836_800 - NOW),
]


@pytest.mark.parametrize(("expires", "seconds"), MOMENTS, ids=[str(m[0]) for m in MOMENTS])
def test_an_end_is_a_span_or_a_time(expires, seconds):
    found = drain_file.moment(expires, NOW)
    assert found == (None if seconds is None else NOW + seconds)


@pytest.mark.parametrize("expires", ["tomorrow", "2 weeks", "-5", True, "1h30m", [], "2026-13-01"])
def test_what_is_no_end_is_refused_with_what_would_be(expires):
    with pytest.raises(ValueError, match="give a span from now"):
        drain_file.moment(expires, NOW)


def test_an_end_that_has_no_date_is_refused_before_anything_is_touched(paths):
    assert drain_file.moment("9999-12-31T23:59:59Z", NOW) == drain_file.LAST
    for expires in ("9999999d", "999999999h", "9999-12-31T23:59:59-01:00"):
        with pytest.raises(ValueError, match="later than the year 9999"):
            drain.drain(expires=expires, paths=paths)
    assert not paths.state_dir.exists()


#: (content, what keepalived reads: measured on 2.2.7)
VALUES = [
    ("0\n", 0),
    ("-253", -253),
    ("-253 # x", -253),
    (" 12\n", 12),
    ("garbage", None),
    ("", None),
    ("-99999999999999999999", None),
]


@pytest.mark.parametrize(("content", "number"), VALUES)
def test_the_number_is_read_as_keepalived_does(paths, content, number):
    paths.state_dir.mkdir(parents=True)
    paths.drain.write_text(content)
    assert drain_file.value(paths) == number


def test_a_drain_is_whole_private_and_gone_after_undrain(paths):
    record = Record("fault", NOW, NOW + 9, "new disk", "anna", 6.0)
    drain_file.write(record, paths)
    assert drain_file.read(paths) == record
    assert paths.drain.read_text() == "-254\n"
    for file in (paths.drain, paths.drain_record):
        assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in paths.state_dir.iterdir()) == ["drain", "drain.json"]
    drain_file.clear(paths)
    assert (drain_file.read(paths), paths.drain.read_text()) == (None, "0\n")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"mode": "x", "since": 1, "until": null}'])
def test_a_record_that_cannot_be_read_is_none(paths, text):
    paths.state_dir.mkdir(parents=True)
    paths.drain_record.write_text(text)
    assert drain_file.read(paths) is None


def test_the_file_is_there_before_a_configuration_names_it_and_test_mode_makes_none(paths):
    assert drain_file.prepare(paths, test=True)
    assert not paths.state_dir.exists()
    with drain_file.stand_in(paths):
        assert paths.state_dir.is_dir()
    assert not paths.state_dir.exists()
    assert drain_file.prepare(paths)
    assert paths.drain.read_text() == "0\n"
    assert not drain_file.prepare(paths)


def record_until(seconds):
    return Record("weight", time.time(), time.time() + seconds, "new disk")


#: (what, the drain's time from now, what stands in the file, what then stands there)
KEPT = [
    ("its time is to come", 60, "-253\n", "-253\n"),
    ("its time is over", -1, "-253\n", "0\n"),
    ("somebody's slip", 60, "garbage\n", "-253\n"),
    ("the file is gone", 60, None, "-253\n"),
    ("no end and a slip", None, "0\n", "-253\n"),
]


@pytest.mark.parametrize("who", ["the watch", "the next state"])
@pytest.mark.parametrize(("what", "seconds", "content", "then"), KEPT, ids=[k[0] for k in KEPT])
def test_a_drain_ends_in_time_and_not_before(paths, who, what, seconds, content, then):
    record = record_until(seconds) if seconds is not None else Record("weight", NOW)
    drain_file.write(record, paths)
    paths.drain.write_text(content) if content else paths.drain.unlink()
    if who == "the watch":
        DrainKeeper(paths).tend()
    else:
        drain_file.prepare(paths)
    assert paths.drain.read_text() == then
    assert (drain_file.read(paths) is None) is (then == "0\n")


def test_a_number_without_a_record_is_nobodys_to_end(paths):
    paths.state_dir.mkdir(parents=True)
    paths.drain.write_text("-254\n")
    DrainKeeper(paths).tend()
    assert not drain_file.prepare(paths)
    assert paths.drain.read_text() == "-254\n"


def test_the_watch_leaves_it_to_whoever_is_at_it(paths):
    drain_file.write(record_until(-1), paths)
    with drain_file.lock(paths):
        DrainKeeper(paths).tend()
    assert paths.drain.read_text() == "-253\n"


def test_a_disk_that_takes_nothing_is_said_once(paths, caplog, monkeypatch):
    drain_file.write(record_until(-1), paths)

    def full(_paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drain_file, "keep", full)
    keeper = DrainKeeper(paths)
    keeper.tend()
    keeper.tend()
    assert [row.message for row in caplog.records].count(
        "the drain cannot be kept: [Errno 28] No space left on device"
    ) == 1


@pytest.mark.parametrize("who", ["the watch", "the next state", "undrain"])
def test_a_drain_that_cannot_end_on_a_full_disk_ends_when_there_is_room(paths, who, monkeypatch):
    drain_file.write(record_until(-1), paths)
    paths.run_dir.mkdir(parents=True)
    record = drain_file.read(paths)

    def full(_path, _content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(drain_file, "_durable", full)
        if who == "the watch":
            DrainKeeper(paths).tend()
        else:
            with pytest.raises(OSError, match="No space"):
                {"undrain": drain_file.clear, "the next state": drain_file.prepare}[who](paths)
    assert (drain_file.read(paths), paths.drain.read_text()) == (record, "-253\n")
    DrainKeeper(paths).tend()
    assert (drain_file.read(paths), paths.drain.read_text()) == (None, "0\n")


def test_an_undrain_is_on_the_disk_when_it_returns(paths, monkeypatch):
    drain_file.write(record_until(60), paths)
    synced = []
    monkeypatch.setattr(
        drain_file.files,
        "sync_directory",
        lambda where: synced.append((where, paths.drain_record.exists())),
    )
    drain_file.clear(paths)
    assert synced[-1] == (paths.state_dir, False)


CONFIG = """track_file salt_drain {{
    file {file}
    weight 1
}}
vrrp_instance VI {{
    interface eth1
    virtual_router_id 1
    track_file {{
        salt_drain
    }}
}}
"""
#: (record, number, drained, mode, a word of the problem)
STATUS = [
    (None, "0", False, None, None),
    (None, None, False, None, "takes it for 0"),
    (None, "-254", True, "fault", "by hand"),
    (None, "-60", True, "weight", "by hand"),
    (Record("weight", NOW), "-253", True, "weight", None),
    (Record("weight", NOW), "0", True, "weight", "not in force"),
    (Record("fault", NOW, NOW + 1), "-254", True, "fault", "no watch"),
]


@pytest.mark.parametrize(("record", "number", "drained", "mode", "word"), STATUS)
def test_the_status_says_what_is_so_and_what_is_wrong(paths, record, number, drained, mode, word):
    if record:
        drain_file.write(record, paths)
    paths.state_dir.mkdir(parents=True, exist_ok=True)
    paths.drain.unlink(missing_ok=True)
    if number is not None:
        paths.drain.write_text(number)
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text(CONFIG.format(file=paths.drain))
    found = drain_status.status(paths, version=(2, 2, 7))
    assert (found["drained"], found["mode"], found["missing"]) == (drained, mode, [])
    assert (word in found["problem"]) if word else found["problem"] is None
    assert json.loads(json.dumps(found)) == found


#: (``until`` of a record that an earlier release or a hand wrote, what the status says)
FAR = [
    ("863999913600.0", "9999-12-31T23:59:59Z"),
    ("1e300", "9999-12-31T23:59:59Z"),
    ("Infinity", None),
    ("NaN", None),
    ("-1e20", None),
]


@pytest.mark.parametrize(("until", "said"), FAR)
def test_the_status_of_a_drain_whose_end_has_no_date_says_all_the_same(paths, until, said):
    paths.state_dir.mkdir(parents=True)
    paths.drain_record.write_text(f'{{"mode": "weight", "since": {NOW}, "until": {until}}}')
    paths.drain.write_text("-253\n")
    found = drain_status.status(paths, version=(2, 2, 7))
    assert (found["drained"], found["until"]) == (True, said)


def test_the_status_says_what_the_configuration_lacks(paths):
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text("vrrp_instance VI {\n    interface eth1\n}\n")
    (lack,) = drain_status.status(paths, version=(2, 2, 7))["missing"]
    assert lack == f"keepalived does not track the drain file {paths.drain} for VI"
    (lack,) = drain_status.status(paths, version=(1, 3, 5))["missing"]
    assert "2.0.0" in lack
    paths.config.unlink()
    assert "no VRRP instance" in drain_status.status(paths)["missing"][0]
