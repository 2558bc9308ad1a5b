"""Lint against a machine: what the text names and the machine does not have."""

import os

import pytest

from keepalived_core import conf
from keepalived_core.check import host
from keepalived_core.check.host import HostFacts, Program
from keepalived_core.check.lint import lint

PROGRAMS = {
    "/usr/bin/check": Program(),
    "check": Program(),
    "/usr/bin/notes.txt": Program(executable=False),
    "/bin/check": Program(linked=True),
    "/tmp/check": Program(writable=True),
}
MACHINE = HostFacts(
    interfaces={"lo", "eth0", "eth1"},
    addresses={"10.0.0.8", "fd00::8"},
    namespaces={"blue"},
    user={"root", "joe"}.__contains__,
    group={"root", "staff"}.__contains__,
    program=PROGRAMS.get,
    directory={"/run"}.__contains__,
)
SECURE = "global_defs {\nenable_script_security\nscript_user root\n}\n"


def vi(body="", interface="eth0", address="10.0.0.1/24"):
    return (
        f"vrrp_instance A {{\ninterface {interface}\nvirtual_router_id 5\n{body}\n"
        f"virtual_ipaddress {{\n{address}\n}}\n}}\n"
    )


def script(command, more="", head=SECURE):
    return f"{head}vrrp_script s {{\nscript {command}\n{more}}}\n" + vi("track_script {\ns\n}")


# text, release -> findings that the machine adds
CASES = {
    "it has everything": (vi("track_interface {\neth1\n}", address="10.0.0.1/24 dev eth1"), "", []),
    "no interface": (vi(interface="eth7"), "", ["error KA601 2"]),
    "no interface to track": (vi("track_interface {\neth7\n}"), "", ["error KA601 5"]),
    "no interface for an address": (vi(address="10.0.0.1/24 dev eth7"), "", ["error KA601 6"]),
    "no interface for a route": (
        vi("virtual_routes {\n10.1.0.0/16 via 10.0.0.3 dev eth7\n}"),
        "",
        ["error KA601 5"],
    ),
    "an interface that may come later": (
        "global_defs {\ndynamic_interfaces\n}\n" + vi(interface="eth7"),
        "",
        ["warning KA601 5"],
    ),
    "an interface that keepalived makes": (
        vi("use_vmac vrrp5", address="10.0.0.1/24 dev vrrp5"),
        "",
        [],
    ),
    "an interface of another namespace": ("net_namespace blue\n" + vi(interface="eth7"), "", []),
    "no namespace": ("net_namespace red\n" + vi(), "", ["warning KA602 1"]),
    "itself among its peers": (
        vi("unicast_peer {\n10.0.0.8\n10.0.0.9\n}"),
        "",
        ["warning KA312 5"],
    ),
    "a script": (script("/usr/bin/check"), "", []),
    "a script with arguments": (script('"/usr/bin/check -x y"'), "", []),
    "a script found by name": (script("check"), "", []),
    "no script": (script('"/usr/bin/gone -x"'), "", ["error KA605 6"]),
    "a script nobody may run": (script("/usr/bin/notes.txt"), "", ["error KA606 6"]),
    "a linked directory, before 2.3.0": (script("/bin/check"), "2.2.8", []),
    "a linked directory": (script("/bin/check"), "2.3.0", ["error KA607 6"]),
    "a linked directory without script security": (
        script("/bin/check", head="global_defs {\n\n}\n"),
        "2.3.0",
        [],
    ),
    "a linked directory, run by another user": (script("/bin/check", "user joe\n"), "2.3.0", []),
    "a script that others may change": (script("/tmp/check"), "", ["error KA608 6"]),
    "an unknown user of a script": (script("check", "user jane\n"), "", ["error KA603 7"]),
    "an unknown group of a script": (script("check", "user joe crew\n"), "", ["error KA603 7"]),
    "an unknown user of all scripts": (
        "global_defs {\nenable_script_security\nscript_user jane\n}\n" + vi("notify check"),
        "",
        ["error KA603 3"],
    ),
    "an unknown user of a notify script": (
        SECURE + vi('notify "check" jane'),
        "",
        ["warning KA603 8"],
    ),
    # keepalived -t exits 0 and says nothing of these.
    "a notify script that is not there": (
        SECURE + vi('notify "/usr/bin/gone"'),
        "",
        ["warning KA605 8"],
    ),
    "a check of a server that is not there": (
        SECURE + "virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n"
        "real_server 10.0.0.2 80 {\nMISC_CHECK {\nmisc_path /usr/bin/gone\n}\n}\n}\n",
        "",
        ["warning KA605 11"],
    ),
    "nobody to run scripts": (
        "global_defs {\nenable_script_security\n}\n" + vi("notify check"),
        "",
        ["error KA604 2"],
    ),
    "nobody to run scripts, and none without a user": (
        "global_defs {\nenable_script_security\n}\n" + vi('notify "check" joe'),
        "",
        [],
    ),
    "a directory to watch": ("track_file f {\nfile /run/f\n}\n", "", []),
    "no directory to watch": ("track_file f {\nfile /gone/f\n}\n", "", ["warning KA609 2"]),
}


@pytest.mark.parametrize("text, release, expected", CASES.values(), ids=CASES.keys())
def test_findings(text, release, expected):
    tree = conf.parse(text)
    alone = lint(tree, release or None)
    found = lint(tree, release or None, host=MACHINE)
    added = [f"{one.severity} {one.code} {one.line}" for one in found if one not in alone]
    assert added == expected


def test_without_facts_no_machine_is_looked_at():
    text = vi(interface="eth7") + SECURE + 'vrrp_script s {\nscript "/gone"\n}\n'
    assert not [one for one in lint(conf.parse(text)) if one.code.startswith("KA6")]


def test_this_machine_is_described():
    facts = host.this_host()
    assert "lo" in facts.interfaces
    assert facts.user("root") and not facts.user("no such user")
    assert facts.group("root") and not facts.group("no such group")
    assert facts.directory("/") and not facts.directory("/no such directory")


@pytest.fixture
def folder(tmp_path):
    """real/check, and link -> real; open to nobody else."""
    real = tmp_path / "real"
    real.mkdir(mode=0o755)
    check = real / "check"
    check.write_text("#!/bin/sh\n", encoding="utf-8")
    check.chmod(0o755)
    (tmp_path / "link").symlink_to(real)
    return tmp_path


def test_a_program_is_looked_at_where_it_is(folder):
    check = folder / "real" / "check"
    found = host.program(str(check))
    assert found.executable and not found.linked
    check.chmod(0o644)
    assert not host.program(str(check)).executable


def test_a_directory_on_the_way_may_be_a_link(folder):
    assert host.program(str(folder / "link" / "check")).linked


def test_a_link_to_the_program_itself_is_none_of_a_directory(folder):
    (folder / "check").symlink_to(folder / "real" / "check")
    assert not host.program(str(folder / "check")).linked


@pytest.mark.skipif(os.getuid() != 0, reason="only root's own files can be safe")
def test_a_program_that_others_may_change_is_told(folder):
    check = folder / "real" / "check"
    assert not host.program(str(check)).writable
    check.chmod(0o775)
    assert host.program(str(check)).writable
    check.chmod(0o755)
    check.parent.chmod(0o777)
    assert host.program(str(check)).writable


def test_a_command_is_looked_for_on_the_path(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder / "real"))
    assert host.program("check") is not None
    assert host.program("no_such_check") is None
    assert host.program(str(folder)) is None  # a directory is no program
