"""What keepalived -t answers with 0: refused where it is the file or the machine, and where it is
the text, refused in a generated file and told of a person's."""

import dataclasses
import os

import pytest

from keepalived_core.check import gate, host, own
from keepalived_core.check.host import HostFacts

HOST = HostFacts(
    interfaces={"eth0"},
    addresses=set(),
    namespaces={"blue"},
    user=lambda name: name in ("root", "someone"),
    group=lambda name: name == "root",
    program=lambda _path: None,
    directory=lambda path: path in ("/run", "/etc"),
)


WITHOUT_IPVS = dataclasses.replace(HOST, ipvs=False)


def text(inside="", defs="", outside="", interface="eth0", vip="192.0.2.1/24"):
    return f"""{outside}
global_defs {{
    {defs}
}}
vrrp_instance VI {{
    interface {interface}
    virtual_router_id 51
    {inside}
    virtual_ipaddress {{
        {vip}
    }}
}}
"""


def found(given, ours=()):
    wrong, doubtful = own.inside(given, "/etc/keepalived/keepalived.conf", (2, 2, 7), HOST, ours)
    return [str(one) for one in wrong], [str(one) for one in doubtful]


def test_a_virtual_server_is_refused_where_the_kernel_has_no_ipvs():
    given = text(outside="virtual_server 192.0.2.9 80 {\n protocol TCP\n}")
    path, version = "/etc/keepalived/keepalived.conf", (2, 2, 7)
    assert not any("IPVS" in one for one in found(given)[0])
    wrong, _doubtful = own.inside(given, path, version, WITHOUT_IPVS)
    assert ["line 1" in str(one) and "ip_vs" in str(one) for one in wrong] == [True]


@pytest.mark.parametrize(
    ("files", "there"),
    [
        ({}, False),
        ({"proc": "IP Virtual Server"}, True),
        ({"modules.dep": "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/lib/x.ko"}, True),
        ({"modules.builtin": "kernel/net/netfilter/ipvs/ip_vs.ko"}, True),
        ({"modules.dep": "kernel/net/netfilter/ipvs/ip_vs_rr.ko:"}, False),
    ],
)
def test_ipvs_is_there_or_a_module_of_this_kernel(tmp_path, files, there):
    folder = tmp_path / "modules" / os.uname().release
    folder.mkdir(parents=True)
    for name, content in files.items():
        (tmp_path / name if name == "proc" else folder / name).write_text(content)
    assert host._ipvs(str(tmp_path / "proc"), str(tmp_path / "modules")) is there


#: (what, the text, a part of the reason)
REFUSED = [
    ("a keyword without its value", text("priority"), "its value is missing"),
    ("an interface that is not there", text(interface="eth7"), "no interface eth7"),
    ("a namespace that is not there", text(outside="net_namespace red"), "no network namespace"),
    ("a FIFO's directory", text(defs="vrrp_notify_fifo /none/f"), "no directory /none"),
    ("a FIFO's user", text(defs="notify_fifo /run/f nobody-here"), "no user nobody-here"),
    ("a FIFO's group", text(defs="notify_fifo /run/f root nobody-here"), "no group nobody-here"),
    (
        "a tracked file's directory",
        text(outside="track_file t {\n file /none/t\n}"),
        "no directory /none",
    ),
    (
        "an unused script beside reload_check_config",
        text(defs="reload_check_config", outside="vrrp_script s {\n script /usr/bin/true\n}"),
        "is not used",
    ),
]


@pytest.mark.parametrize(("what", "given", "reason"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_lies_in_the_file_or_the_machine_is_refused_from_whoever(what, given, reason):
    wrong, doubtful = found(given)
    assert any(reason in one for one in wrong), (wrong, doubtful)


#: (what, the text, a part of the reason)
DOUBTFUL = [
    ("words that are ignored", text("priority 100 200"), "ignores '200'"),
    ("a value cut by #", text("authentication {\n auth_type PASS\n auth_pass a#b\n}"), "'#' cuts"),
    ("single quotes", text("authentication {\n auth_type PASS\n auth_pass 'ab'\n}"), "single"),
    ("an include that is not there", text(outside="include /none.conf"), "no such file"),
    (
        "an address twice",
        text()
        + text().replace("VI", "VI_2").replace("51", "52").replace("global_defs {\n    \n}", ""),
        "192.0.2.1",
    ),
]


@pytest.mark.parametrize(("what", "given", "reason"), DOUBTFUL, ids=[row[0] for row in DOUBTFUL])
def test_what_lies_in_the_text_is_doubtful(what, given, reason):
    wrong, doubtful = found(given)
    assert wrong == []
    assert any(reason in one for one in doubtful), doubtful


#: (what, the text)
SOUND = [
    ("a plain file", text("priority 100")),
    ("an interface that may come later", text(defs="dynamic_interfaces", interface="eth7")),
    ("a namespace that is there", text(outside="net_namespace blue")),
    ("the interface of another namespace", text(outside="net_namespace blue", interface="eth7")),
    ("quotes in a command", text("notify_master \"/bin/x 'a b'\"")),
]


@pytest.mark.parametrize(("what", "given"), SOUND, ids=[row[0] for row in SOUND])
def test_what_is_sound_is_neither(what, given):
    assert found(given) == ([], [])


def test_directories_that_we_make_ourselves_need_not_be_there():
    given = text(defs="notify_fifo /var/ours/f", outside="track_file t {\n file /var/ours/t\n}")
    assert len(found(given)[0]) == 2
    assert found(given, ours=("/var/ours",)) == ([], [])


def test_the_gate_refuses_doubtful_words_in_a_generated_file_and_tells_of_a_persons(tmp_path):
    path = tmp_path / "keepalived.conf"
    path.write_text("vrrp_instance VI {\n interface lo\n priority 100 200\n}\n")
    program = tmp_path / "keepalived"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    person = gate.run(str(path), binary=str(program))
    assert person.ok
    assert ["ignores '200'" in str(one) for one in person.warnings] == [True]
    generated = gate.run(str(path), binary=str(program), generated=True)
    assert not generated.ok
    assert "ignores '200'" in generated.report()
