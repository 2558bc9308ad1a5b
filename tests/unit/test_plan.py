"""What applying a pillar would do to the file that stands there."""

import pytest

from keepalived_core import conf, plan
from keepalived_core.check.gate import GateResult

TEXT = """global_defs {
    script_user root
}

vrrp_instance VI_1 {
    interface eth1
    virtual_router_id 51
    priority 101
    virtual_ipaddress {
        192.0.2.1 dev eth1
    }
}
"""

#: (what stands there, the file, what applying TEXT would be)
LIVE = [
    ("nothing", None, "create"),
    ("the same text", TEXT, "nothing"),
    ("comments and blanks", "! by hand\n" + TEXT.replace("    ", "\t"), "form"),
    ("a mask keepalived adds by itself", TEXT.replace("2.1 dev", "2.1/32 dev"), "form"),
    ("definitions", "$IF=eth1\n" + TEXT.replace("eth1", "${IF}"), "form"),
    (
        "a line for another host",
        TEXT.replace("    priority 101", "    @elsewhere priority 200\n    priority 101"),
        "form",
    ),
    ("another priority", TEXT.replace("101", "102"), "change"),
    ("another order of addresses", TEXT.replace("192.0.2.1", "192.0.2.9"), "change"),
    ("a file that cannot be read", TEXT + "}\n", "change"),
]


@pytest.mark.parametrize(("what", "live", "action"), LIVE, ids=[row[0] for row in LIVE])
def test_what_stands_there_counts_by_its_meaning(what, live, action):
    found, diff = plan.compare(TEXT, live)
    assert found == action
    assert bool(diff) == (action != "nothing")


def test_an_include_counts_by_what_it_brings(tmp_path):
    (tmp_path / "rest.conf").write_text(TEXT.partition("\n\n")[2])
    live = TEXT.partition("\n\n")[0] + "\ninclude rest.conf\n"
    assert plan.compare(TEXT, live, str(tmp_path / "keepalived.conf"))[0] == "form"


def test_a_byte_that_is_no_utf_8_shows_in_the_diff_and_can_be_sent(tmp_path):
    path = tmp_path / "keepalived.conf"
    path.write_bytes(b"! Z\xfcrich\n" + TEXT.replace("101", "102").encode())
    action, diff = plan.compare(TEXT, plan.read(str(path)), str(path))
    assert action == "change"
    assert "-! Z\\udcfcrich" in diff
    assert diff.encode("utf-8")


def test_a_changed_secret_is_a_change_that_shows_no_secret():
    secret = TEXT.replace(
        "    priority", "    authentication {\n        auth_pass %s\n    }\n    priority"
    )
    action, diff = plan.compare(secret % "hunter2b", secret % "hunter2a")
    assert action == "change"
    assert "hunter2" not in diff
    assert "secret" in diff


def judge(verdicts):
    """A gate that gives each text the exit status that the first matching word asks for."""

    def run(text):
        for word, rc, ok in verdicts:
            if word in text:
                return GateResult(ok=ok, rc=rc)
        return GateResult(ok=True, rc=0)

    return run


#: (what, installed version, the gate, whether reload_check_config is in the text)
GUARD = [
    ("keepalived is content", (2, 2, 7), judge([]), True),
    ("a tolerated message", (2, 2, 7), judge([("VI_1", 5, True)]), False),
    ("refused with the guard alone", (2, 2, 7), judge([("reload_check", None, False)]), False),
    ("a keepalived that does not know it", (2, 1, 5), judge([]), False),
    ("no keepalived installed", None, judge([]), False),
]


@pytest.mark.parametrize(("what", "version", "gate", "guarded"), GUARD, ids=[r[0] for r in GUARD])
def test_reload_check_config_is_written_only_where_it_does_no_harm(what, version, gate, guarded):
    text, result = plan.choose_text(conf.parse(TEXT), version, gate)
    assert result.ok
    assert ("reload_check_config" in text) is guarded


#: (what the file has already, the keyword the watch's FIFO gets, whether that is worth a note)
FIFOS = [
    ("", "vrrp_notify_fifo", False),
    ("    vrrp_notify_fifo /run/other\n", "notify_fifo", False),
    ("    vrrp_notify_fifo /run/other\n    notify_fifo /run/third\n", None, True),
    ("    vrrp_notify_fifo /run/ours\n", "vrrp_notify_fifo", False),
]


@pytest.mark.parametrize(("present", "keyword", "noted"), FIFOS)
def test_the_watch_gets_a_fifo_of_its_own_and_takes_none_from_anybody(present, keyword, noted):
    config = {
        "global_defs": {},
        "vrrp_instance": {
            "VI_1": {
                "interface": "eth1",
                "virtual_router_id": 51,
                "virtual_ipaddress": ["192.0.2.1"],
            }
        },
    }
    for line in present.splitlines():
        name, value = line.split()
        config["global_defs"][name] = value
    tree, notes = plan.desired({"config": config}, "n1", (2, 2, 7), "/run/ours")
    lines = [line.strip() for line in plan.render(tree).splitlines()]
    ours = [line for line in lines if line.endswith(" /run/ours")]
    assert ours == ([f"{keyword} /run/ours"] if keyword else [])
    assert [line.strip() for line in present.splitlines() if line.strip() not in lines] == []
    assert bool(notes) is noted


def test_no_line_of_what_is_written_starts_with_a_comment_mark():
    tree = conf.parse("! one\n# two\n" + TEXT + "# three\n")
    assert [line for line in plan.render(tree).splitlines() if line[:1] in "#!" and line] == []
