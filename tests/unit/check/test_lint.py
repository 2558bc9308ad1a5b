"""Findings: code, severity, place and remedy."""

import pytest

from keepalived_core import conf
from keepalived_core.check.lint import lint

GLOBAL = "global_defs {\nenable_script_security\nscript_user root\n}\n"
VI = "vrrp_instance %s {\ninterface eth0\nvirtual_router_id 5\n%s\nvirtual_ipaddress {\n%s\n}\n}\n"
SERVER = (
    "virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n"
    "real_server 10.0.0.2 80 {\n%s\n}\n}\n"
)
SCRIPT = 'vrrp_script s {\nscript "/x"\n}\n'


def vi(body="", addresses="10.0.0.1", name="A"):
    return VI % (name, body, addresses)


# text, and the findings: severity, code, line, a piece of the message
CASES = {
    "a sound file": (
        GLOBAL + SCRIPT + vi("track_script {\ns\n}"),
        [],
    ),
    "unknown keyword": (vi("prioritty 5"), [("error", "KA101", 4, "prioritty")]),
    "unknown block": (vi("nonsense {\nx\n}"), [("error", "KA101", 4, "loses the rest")]),
    "removed keyword": ("lvs_id x\n", [("error", "KA101", 1, "lvs_id")]),
    "value missing": (vi("priority"), [("error", "KA102", 4, "its value is missing")]),
    "name missing": (
        "vrrp_track_process {\nprocess x\n}\n",
        [("error", "KA102", 1, "a name must follow")],
    ),
    "out of range": (vi("priority 256"), [("error", "KA103", 4, "from 1 to 255")]),
    "not a number": (vi("priority high"), [("error", "KA103", 4, "no whole number")]),
    "decimals": (vi("advert_int 0.001"), [("error", "KA103", 4, "0.01 to 255")]),
    "no switch": (vi("smtp_alert maybe"), [("error", "KA103", 4, "true, on, yes")]),
    "no choice": (vi("state SLAVE"), [("error", "KA103", 4, "MASTER, BACKUP")]),
    "no address": (vi("mcast_src_ip here"), [("error", "KA103", 4, "no IP address")]),
    "protocol in any case": (
        "virtual_server 10.0.0.1 80 {\nprotocol tcp\nlb_algo rr\nlb_kind NAT\n"
        "real_server 10.0.0.2 80 {\nTCP_CHECK {\n}\n}\n}\n",
        [],
    ),
    "newer than the daemon": (vi("timer_expired_backup 5"), [("error", "KA104", 4, "2.2.8")]),
    "fraction of a second": (
        GLOBAL + 'vrrp_script s {\nscript "/x"\ninterval 0.5\n}\n' + vi("track_script {\ns\n}"),
        [("error", "KA104", 7, "2.3.3")],
    ),
    "deprecated": ("vrrp_track_file f {\nfile /f\n}\n", [("warning", "KA106", 1, "deprecated")]),
    "twice, last wins": (vi("priority 5\npriority 6"), [("warning", "KA107", 5, "last one wins")]),
    "twice, first kept": (
        GLOBAL + vi("notify /a\nnotify /b"),
        [("error", "KA107", 9, "the first one counts")],
    ),
    "flag twice": (vi("nopreempt\nnopreempt"), []),
    "surplus words": (vi("priority 5 6"), [("warning", "KA108", 4, "ignores '6'")]),
    "argument of a flag": (vi("nopreempt false"), [("warning", "KA108", 4, "ignores 'false'")]),
    "command without quotes": (
        GLOBAL + "vrrp_script s {\nscript /x -0 y\n}\n" + vi("track_script {\ns\n}"),
        [("warning", "KA108", 6, "ignores '-0 y'")],
    ),
    "user behind a notify script": (GLOBAL + vi('notify "/x" joe'), []),
    "a name of two words": (
        vi(name="A B"),
        [("error", "KA103", 1, "its name must be one word")],
    ),
    "a name of two words that keepalived takes the first of": (
        "track_file F 7 {\nfile /f\n}\n" + vi("track_file {\nF\n}"),
        [("warning", "KA108", 1, "ignores '7'")],
    ),
    "a switch that is none before 2.3.0": (
        "global_defs {\nvrrp_skip_check_adv_addr false\nvrrp_strict maybe\n}\n",
        [("warning", "KA118", 2, "switches it on"), ("warning", "KA118", 3, "'maybe'")],
    ),
    "a switch that is none before 2.3.0 is on": (
        "global_defs {\nvrrp_strict true\n}\n"
        + vi("authentication {\nauth_type PASS\nauth_pass x\n}"),
        [("error", "KA327", 7, "vrrp_strict")],
    ),
    "a second one that 2.2.8 reports": (
        SERVER % "HTTP_GET {\nurl {\npath /\npath /a\n}\n}",
        [("warning", "KA107", 9, "the last one wins")],
    ),
    "a second one after the default": (
        "track_file f {\nfile /f\nweight 1\nweight 5\n}\n" + vi("track_file {\nf\n}"),
        [("warning", "KA107", 4, "twice")],
    ),
    "a value that is missed by nobody": (
        SERVER % "HTTP_GET {\nurl {\npath /\nstatus_code\n}\n}",
        [("warning", "KA102", 9, "status_code")],
    ),
    "a server with a mask": (
        SERVER.replace("10.0.0.1 80", "10.0.0.1/24 80").replace("10.0.0.2 80", "10.0.0.2-9 80")
        % "TCP_CHECK {\nbindto 10.0.0.3/8\n}",
        [("warning", "KA108", 7, "ignores '/8'")],
    ),
    "a peer with a mask": (
        vi("unicast_peer {\n10.0.0.9/24\n}"),
        [("warning", "KA108", 5, "takes 10.0.0.9")],
    ),
    "a fraction with a sign": ("global_defs {\nvrrp_garp_interval +5\n}\n", []),
    "a negative nothing": (vi("garp_master_refresh -0"), [("error", "KA103", 4, "out of range")]),
    "a word of a route that is skipped": (
        "static_routes {\n10.0.0.0/8 dev eth0 inet 10.0.0.1\n}\n",
        [("warning", "KA108", 2, "skips '10.0.0.1' after 'inet'")],
    ),
    "a backslash at the end of a command": (
        GLOBAL + vi('notify "/x" \\'),
        [("warning", "KA103", 8, "a backslash ends")],
    ),
    "comment in a word": (
        vi("authentication {\nauth_type PASS\nauth_pass pa#ss\n}"),
        [("warning", "KA109", 6, "cuts a word")],
    ),
    "escaped comment": (vi("vrf a\\#b"), [("warning", "KA109", 4, "does not save")]),
    "block without brace": (
        vi()
        + vi(name="B").replace("5", "6").replace("0.1", "0.2")
        + "vrrp_sync_group G\ngroup {\nA\nB\n}\n}\n",
        [("error", "KA100", 17, "'{' is missing")],
    ),
    "no such instance": (
        "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n" + vi(),
        [("error", "KA202", 4, "no vrrp_instance B")],
    ),
    "instance twice": (vi() + vi(), [("error", "KA203", 9, "defined twice")]),
    "VRID twice": (
        vi() + vi(name="B", addresses="10.0.0.2"),
        [("error", "KA204", 11, "A already")],
    ),
    "VRID twice, other family": (vi() + vi(name="B", addresses="2001:db8::1"), []),
    "VRID twice, unicast": (
        vi("unicast_peer {\n10.0.0.9\n}") + vi("unicast_peer {\n10.0.0.8\n}", "10.0.0.2", "B"),
        [],
    ),
    "one member": (
        "vrrp_sync_group G {\ngroup {\nA\n}\n}\n" + vi(),
        [("warning", "KA205", 1, "only one member")],
    ),
    "unused script": (GLOBAL + SCRIPT, [("warning", "KA206", 5, "not used")]),
    "families mixed": (
        vi(addresses="10.0.0.1\n2001:db8::1"),
        [("error", "KA301", 7, "one family")],
    ),
    "families mixed, excluded": (
        vi("virtual_ipaddress_excluded {\n2001:db8::1\n}"),
        [],
    ),
    "MASTER and nopreempt": (
        vi("state MASTER\nnopreempt"),
        [("error", "KA302", 5, "does not work")],
    ),
    "long password": (
        vi("authentication {\nauth_type PASS\nauth_pass ninechars\n}"),
        [("error", "KA303", 6, "longer than 8")],
    ),
    "authentication in version 3": (
        vi("version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}"),
        [("error", "KA304", 5, "version 3")],
    ),
    "authentication in version 3 by default": (
        "global_defs {\nvrrp_version 3\n}\n"
        + vi("authentication {\nauth_type PASS\nauth_pass x\n}"),
        [("error", "KA304", 7, "version 3")],
    ),
    "no password": (
        vi("authentication {\nauth_type PASS\n}"),
        [("error", "KA305", 4, "auth_pass")],
    ),
    "no interface": (
        "vrrp_instance A {\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n",
        [("error", "KA306", 1, "no interface")],
    ),
    "no VRID": (
        "vrrp_instance A {\ninterface e\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n",
        [("error", "KA307", 1, "no virtual_router_id")],
    ),
    "no address at all": (
        "vrrp_instance A {\ninterface e\nvirtual_router_id 1\n}\n",
        [("error", "KA308", 1, "no virtual_ipaddress")],
    ),
    "peer of another family": (
        vi("unicast_peer {\n2001:db8::1\n}"),
        [("error", "KA309", 5, "is IPv6")],
    ),
    "own interface tracked": (
        vi("track_interface {\neth0 weight 5\neth1\n}"),
        [("error", "KA310", 5, "own interface")],
    ),
    "weight in a sync group": (
        GLOBAL
        + 'vrrp_script s {\nscript "/x"\nweight 5\n}\n'
        + "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\n"
        + vi("track_script {\ns\n}")
        + VI.replace("5", "6") % ("B", "track_script {\ns weight 0\n}", "10.0.0.2"),
        [("error", "KA311", 19, "a member of a sync group")],
    ),
    "weight in a sync group that lets it count": (
        "track_file f {\nfile /f\n}\n"
        "vrrp_sync_group G {\nsync_group_tracking_weight\ngroup {\nA\nB\n}\n}\n"
        + vi("track_file {\nf\n}")
        + VI.replace("5", "6") % ("B", "", "10.0.0.2"),
        [],
    ),
    "weight of the owner": (
        "track_file f {\nfile /f\n}\n" + vi("priority 255\ntrack_file {\nf\n}"),
        [("error", "KA311", 9, "address owner")],
    ),
    "its own peer": (
        vi("unicast_src_ip 10.0.0.8\nunicast_peer {\n10.0.0.9\n10.0.0.8\n}"),
        [("warning", "KA312", 7, "own address")],
    ),
    "script without security": (
        SCRIPT + vi("track_script {\ns\n}"),
        [("warning", "KA401", 1, "enable_script_security")],
    ),
    "security below the script": (
        SCRIPT + GLOBAL + vi("track_script {\ns\n}"),
        [("warning", "KA401", 1, "enable_script_security")],
    ),
}


@pytest.mark.parametrize("text, expected", CASES.values(), ids=CASES.keys())
def test_findings(text, expected):
    found = lint(conf.parse(text, strict=False), "2.2.7")
    if expected is None:
        assert [(one.severity, one.code) for one in found] == [("error", "KA112")]
        return
    assert [(one.severity, one.code, one.line) for one in found] == [case[:3] for case in expected]
    for one, (*_, piece) in zip(found, expected, strict=True):
        assert piece in one.message


@pytest.mark.parametrize("code", ["KA201", "KA202", "KA206", "KA306", "KA307", "KA308", "KA401"])
def test_what_an_include_may_bring_is_not_missed(code):
    text = (
        SCRIPT
        + "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\nvrrp_instance A {\ntrack_script {\nt\n}\n}\n"
    )
    assert code in {found.code for found in lint(conf.parse(text))}
    assert code not in {found.code for found in lint(conf.parse("include conf.d/*\n" + text))}


def test_a_finding_says_where_and_what_to_do():
    (found,) = lint(conf.parse(vi("authentication {\nauth_typ PASS\n}")))
    assert found.path == "vrrp_instance A: authentication"
    assert found.hint == "did you mean auth_type?"


def test_a_word_of_another_block_is_sent_home():
    (found,) = lint(conf.parse(vi("router_id x")))
    assert "it belongs in global_defs" in found.hint


def test_a_secret_is_not_shown():
    text = vi("authentication {\nauth_type PASS\nauth_pass s3cr3tlong s3cr3t\n}") + (
        "SSL {\npassword a s3cr3t\n}\n"
    )
    assert "s3cr3t" not in repr(lint(conf.parse(text)))


def test_a_switch_is_read_where_the_release_reads_it():
    text = "global_defs {\nvrrp_strict false\n}\n" + vi(
        "authentication {\nauth_type PASS\nauth_pass x\n}"
    )
    assert lint(conf.parse(text), "2.3.0") == []
    assert [one.code for one in lint(conf.parse(text), "2.2.8")] == ["KA118", "KA327"]


def test_a_second_path_is_an_error_where_the_release_reports_it():
    text = SERVER % "HTTP_GET {\nurl {\npath /\npath /a\n}\n}"
    (found,) = lint(conf.parse(text), "2.2.8")
    assert (found.severity, found.code) == ("error", "KA107")


def test_the_newest_release_is_the_default():
    assert lint(conf.parse(vi("timer_expired_backup 5"))) == []


def test_what_the_daemon_sees_is_judged_not_what_is_written():
    text = (
        "$VI=vrrp_instance VI_$N { \\\ninterface eth0 \\\nvirtual_router_id $N \\\n"
        "virtual_ipaddress { \\\n10.0.0.$N \\\n} \\\n@low priority 300 \\\n}\n"
        "~SEQ(N, 254, 257) $VI\n"
    )
    high = lint(conf.parse(text), config_id="high")
    low = lint(conf.parse(text), config_id="low")
    assert {found.code for found in high} == {"KA103", "KA113"}
    assert len(low) == len(high) + 4
    assert all(found.line == 9 for found in low)


def test_a_file_that_stands_for_too_much_is_a_finding():
    (found,) = lint(conf.parse("~SEQ(N, 1, 99999999) a $N\n"))
    assert (found.code, found.line) == ("KA100", 1)


def test_garbage_is_judged_quickly():
    text = "global_defs {\n" + "".join(f"word_{number} x\n" for number in range(5000)) + "}\n"
    found = lint(conf.parse(text))
    assert len(found) == 5000
