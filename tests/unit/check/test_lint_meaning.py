"""What a file means as a whole; each case says what keepalived 2.2.7 does with it."""

import pytest

from keepalived_core import conf
from keepalived_core.check.lint import lint

SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n"


def vi(body="", addresses="10.0.0.1/24", name="A", vrid=5):
    return (
        f"vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{body}\n"
        f"virtual_ipaddress {{\n{addresses}\n}}\n}}\n"
    )


def server(body="", reals="real_server 10.0.0.2 80 {\nTCP_CHECK {\n}\n}\n", head="10.0.0.1 80"):
    return f"virtual_server {head} {{\n{body}\n{reals}}}\n"


SOUND = "protocol TCP\nlb_algo rr\nlb_kind NAT"
DIRECT = "protocol TCP\nlb_algo rr\nlb_kind DR"
PEERS = "unicast_peer {\n10.0.0.9\n}\n"


def real(inside="TCP_CHECK {\n}\n", head="10.0.0.2 80"):
    return f"real_server {head} {{\n{inside}}}\n"


def script(body='script "/x"\n'):
    return SECURE + f"vrrp_script s {{\n{body}}}\n"


# text -> the findings: severity, code, line; () for a sound file
CASES = {
    # definitions that lack what they are for: dropped
    "a script without a command": (
        script("interval 3\n") + vi("track_script {\ns\n}"),
        ("error KA208 5",),
    ),
    "a tracked file without a path": ("track_file f {\nweight 1\n}\n", ("error KA209 1",)),
    "a tracked process without a name": (
        "vrrp_track_process p {\nweight 1\n}\n",
        ("error KA210 1",),
    ),
    "BFD without a neighbour": ("bfd_instance b {\n}\n", ("error KA211 1",)),
    "BFD with addresses of two families": (
        "bfd_instance b {\nneighbor_ip 10.0.0.1\nsource_ip fd00::1\n}\n",
        ("error KA212 3",),
    ),
    "BFD with one neighbour twice": (
        "bfd_instance b {\nneighbor_ip 10.0.0.1\n}\nbfd_instance c {\nneighbor_ip 10.0.0.1\n}\n",
        ("error KA213 4",),
    ),
    "sound BFD": (
        "bfd_instance b {\nneighbor_ip fd00::2\nsource_ip fd00::1\n}\n",
        (),
    ),
    "a garp group without a delay": ("garp_group {\ninterface eth0\n}\n", ("error KA214 1",)),
    "an empty list of recipients": (
        "global_defs {\nnotification_email {\n}\n}\n",
        ("warning KA116 2",),
    ),
    "recipients": ("global_defs {\nnotification_email {\na@b\n}\n}\n", ()),
    # names
    "a sync daemon that follows nobody": (
        "global_defs {\nlvs_sync_daemon eth0 NOBODY\n}\n" + vi(),
        ("warning KA207 2",),
    ),
    "a sync daemon that follows an instance": (
        "global_defs {\nlvs_sync_daemon eth0 A\n}\n" + vi(),
        (),
    ),
    "a member of two groups": (
        vi()
        + vi(name="B", vrid=6, addresses="10.0.0.2/24")
        + "vrrp_sync_group G {\ngroup {\nA\nB\n}\n}\nvrrp_sync_group H {\ngroup {\nB\nA\n}\n}\n",
        ("warning KA215 25", "warning KA215 26"),
    ),
    "a group of nobody": ("vrrp_sync_group G {\n}\n", ("error KA216 1",)),
    "a track of nothing": (vi("track_script {\ns\n}"), ("error KA201 5",)),
    "a track of what comes later": (
        "vrrp_sync_group G {\ngroup {\nA\nB\n}\ntrack_file {\nf\n}\n}\n"
        "track_file f {\nfile /f\n}\n" + vi() + vi(name="B", vrid=6, addresses="10.0.0.2/24"),
        ("error KA201 7",),
    ),
    # unicast
    "unicast without peers": (vi("unicast_src_ip 10.0.0.8"), ("warning KA313 4",)),
    "no peers, and that is a fault": (vi("unicast_src_ip 10.0.0.8\nunicast_fault_no_peer"), ()),
    "a VMAC with unicast": (vi("use_vmac\n" + PEERS), ("warning KA314 4",)),
    "a VMAC with unicast on the base": (vi("use_vmac\nvmac_xmit_base\n" + PEERS), ()),
    "a VMAC with multicast": (vi("use_vmac"), ()),
    "one device for two instances": (
        vi("use_vmac v") + vi("use_vmac v", "10.0.0.2/24", "B", 6),
        ("error KA328 12",),
    ),
    # timers
    "parts of a second in version 2": (vi("advert_int 1.5"), ("warning KA315 4",)),
    "parts of a second in version 3": (vi("version 3\nadvert_int 0.25"), ()),
    "milliseconds in version 3": (vi("version 3\nadvert_int 0.255"), ("warning KA315 5",)),
    "too long for version 3": (vi("version 3\nadvert_int 41"), ("warning KA315 5",)),
    # preemption
    "a delay that nopreempt makes vain": (vi("nopreempt\npreempt_delay 5"), ("warning KA325 5",)),
    "a delay that MASTER makes vain": (vi("state MASTER\npreempt_delay 5"), ("warning KA325 5",)),
    "a delay": (vi("preempt_delay 5"), ()),
    "nopreempt of the owner": (vi("priority 255\nnopreempt"), ("warning KA326 5",)),
    "strict, and a password": (
        "global_defs {\nvrrp_strict\n}\n" + vi("authentication {\nauth_type PASS\nauth_pass x\n}"),
        ("error KA327 7",),
    ),
    "the loopback": (vi().replace("eth0", "lo"), ("error KA324 2",)),
    "an address that is none": (vi("", "10.0.0.300"), ("error KA113 6",)),
    "a block that is none": (vi("priority {\n}"), ("error KA110 4",)),
    # addresses
    "the network for an address": (vi("", "10.0.0.0/24"), ("warning KA319 6",)),
    "the broadcast address": (vi("", "10.0.0.255/24"), ("warning KA319 6",)),
    "the whole internet": (vi("", "10.0.0.1/0"), ("warning KA319 6",)),
    "both ends of a point-to-point network": (vi("", "10.0.0.0/31"), ()),
    "no mask": (vi("", "10.0.0.0"), ()),
    "an address twice": (vi("", "10.0.0.1/24\n10.0.0.1/24"), ("warning KA320 7",)),
    "an address on two interfaces": (
        vi("", "10.0.0.1/24 dev eth0\n10.0.0.1/24 dev eth1"),
        (),
    ),
    "an address of two instances": (
        vi() + vi(name="B", vrid=6),
        ("warning KA320 14",),
    ),
    # routes and rules
    "a route without an interface": (
        vi("virtual_routes {\n10.1.0.0/16 via 10.0.0.3\n}"),
        ("warning KA317 5",),
    ),
    "a route that need not be tracked": (
        vi("virtual_routes {\n10.1.0.0/16 via 10.0.0.3 no_track\n}"),
        (),
    ),
    "a route with an interface": (
        vi("virtual_routes {\n10.1.0.0/16 via 10.0.0.3 dev eth0\n}"),
        (),
    ),
    "a route whose hops alone have one": (
        vi("virtual_routes {\n10.1.0.0/16 nexthop via 10.0.0.3 dev eth0 weight 1\n}"),
        ("warning KA317 5",),
    ),
    "a static route without an interface": (
        "static_routes {\n10.1.0.0/16 via 10.0.0.3\n}\n",
        ("warning KA317 2",),
    ),
    # weights
    "a weight that cannot go higher": (
        script('script "/x"\nweight 10\n') + vi("priority 254\ntrack_script {\ns\n}"),
        ("warning KA321 14",),
    ),
    "a weight that cannot go lower": (
        script('script "/x"\nweight -10\n') + vi("priority 1\ntrack_script {\ns\n}"),
        ("warning KA321 14",),
    ),
    "a reversed weight that can": (
        script('script "/x"\nweight 10 reverse\n') + vi("priority 254\ntrack_script {\ns\n}"),
        (),
    ),
    "a weight that counts": (
        script('script "/x"\nweight -10\n') + vi("priority 254\ntrack_script {\ns\n}"),
        (),
    ),
    "the weight of a file, which is a factor": (
        "track_file f {\nfile /f\n}\n" + vi("priority 254\ntrack_file {\nf weight 1\n}"),
        (),
    ),
    "a weight beside nopreempt": (
        script('script "/x"\nweight -10\n') + vi("nopreempt\ntrack_script {\ns\n}"),
        ("info KA322 14",),
    ),
    # scripts
    "a checker's script without security": (
        server(SOUND, real('MISC_CHECK {\nmisc_path "/x"\n}\n')),
        ("warning KA401 7",),
    ),
    "a script at the start without security": (
        "global_defs {\nstartup_script /x\n}\n",
        ("warning KA401 2",),
    ),
    # servers
    "a sound server": (server(SOUND), ()),
    "no protocol": (server("lb_algo rr\nlb_kind NAT"), ("warning KA501 1",)),
    "no scheduler": (server("protocol TCP\nlb_kind NAT"), ("warning KA502 1",)),
    "an unknown scheduler": (server(SOUND.replace("rr", "rrr")), ("error KA103 3",)),
    "no forwarding method": (server("protocol TCP\nlb_algo rr"), ("warning KA503 1",)),
    "the forwarding method of each real server": (
        server("protocol TCP\nlb_algo rr", real("lvs_method DR\nTCP_CHECK {\n}\n")),
        (),
    ),
    "an unknown forwarding method": (server(SOUND.replace("NAT", "X")), ("error KA513 4",)),
    "no port": (server(SOUND, head="10.0.0.1"), ("warning KA504 1",)),
    "no port, but persistent": (server(SOUND + "\npersistence_timeout 9", head="10.0.0.1"), ()),
    "no address": (server(SOUND, head="10.0.0.300 80"), ("error KA516 1",)),
    "no number for a port": (server(SOUND, head="10.0.0.1 http"), ("error KA516 1",)),
    "a quorum beyond reach": (server(SOUND + "\nquorum 2"), ("warning KA505 5",)),
    "a quorum within reach": (
        server(SOUND + "\nquorum 2", real("weight 2\nTCP_CHECK {\n}\n")),
        (),
    ),
    "hysteresis as high as the quorum": (server(SOUND + "\nhysteresis 1"), ("warning KA510 5",)),
    "another port without NAT": (
        server(DIRECT, real(head="10.0.0.2 81")),
        ("warning KA506 5",),
    ),
    "another port with NAT": (server(SOUND, real(head="10.0.0.2 81")), ()),
    "a port behind a mark": (
        server("lb_algo rr\nlb_kind DR", head="fwmark 3"),
        ("warning KA506 4",),
    ),
    "the protocol of a mark": (server(SOUND, head="fwmark 3"), ("warning KA509 2",)),
    "no real server": (server(SOUND, ""), ("warning KA507 1",)),
    "a real server that nobody checks": (server(SOUND, real("")), ("info KA508 5",)),
    "a real server twice": (server(SOUND, real() + real()), ("error KA511 9",)),
    "one packet at a time over TCP": (server(SOUND + "\nops"), ("warning KA512 5",)),
    "a real server of another family": (
        server(SOUND, real() + real(head="fd00::1 80")),
        ("error KA514 9",),
    ),
    "an unknown group of addresses": (server(SOUND, head="group g"), ("warning KA217 1",)),
    "a group of addresses": (
        "virtual_server_group g {\n10.0.0.1 80\n}\n" + server(SOUND, head="group g"),
        (),
    ),
    "a sorry server that is inhibited alone": (
        server(SOUND + "\nsorry_server 10.0.0.2 80\nsorry_server_inhibit"),
        ("warning KA517 5",),
    ),
    "a checker without its script": (
        SECURE + server(SOUND, real("MISC_CHECK {\n}\n")),
        ("error KA518 10",),
    ),
    "a page to check without a path": (
        server(SOUND, real("HTTP_GET {\nurl {\nstatus_code 200\n}\n}\n")),
        ("error KA518 6",),
    ),
    "a checker of an unknown file": (
        server(SOUND, real("FILE_CHECK {\ntrack_file f\n}\n")),
        ("error KA519 7",),
    ),
    "a checker of an unknown session": (
        server(SOUND, real("BFD_CHECK {\nname b\n}\n")),
        ("error KA519 7",),
    ),
    # comments
    "a comment in the first column": ("# x\n" + vi(), ("info KA117 1",)),
    "a comment in the first column, guarded": (
        "# x\nglobal_defs {\nreload_check_config\n}\n" + vi(),
        (),
    ),
    "a comment further right": (" # x\n" + vi(), ()),
}


@pytest.mark.parametrize("text, expected", CASES.values(), ids=CASES.keys())
def test_findings(text, expected):
    found = lint(conf.parse(text), "2.2.7")
    assert [f"{one.severity} {one.code} {one.line}" for one in found] == list(expected)


@pytest.mark.parametrize(
    "guard, said",
    [("", "runs without it"), ("reload_check_config\n", "ends keepalived")],
)
def test_an_unused_script_is_fatal_beside_reload_check_config_and_keepalived_does_not_say_so(
    guard, said
):
    text = f'global_defs {{\n{guard}enable_script_security\n}}\nvrrp_script s {{\nscript "/x"\n}}\n'
    (found,) = lint(conf.parse(text), "2.2.7")
    assert (found.severity, found.code) == ("warning", "KA206")
    assert said in found.message


@pytest.mark.parametrize("release, expected", [("2.1.5", []), ("2.2.0", ["KA117"])])
def test_releases_that_write_no_marks_do_not_die_of_comments(release, expected):
    assert [found.code for found in lint(conf.parse("# x\n"), release)] == expected
