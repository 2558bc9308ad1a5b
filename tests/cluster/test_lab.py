"""The lab itself: its machines are alike and apart, its faults do what they say, nothing stays."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import CommandError, Lab, LabError, machine, processes

pytestmark = [pytest.mark.lab, pytest.mark.root]

VIP = "192.168.1.220"


@pytest.fixture(scope="module")
def pair(lab_prerequisites: None) -> Iterator[Lab]:
    """Two machines without Salt, for this file alone."""
    lab = Lab(f"t{os.getpid()}-pair", nodes=2, salt=False, quiet=True).up()
    yield lab
    lab.down()


@pytest.fixture
def whole(pair: Lab) -> Iterator[Lab]:
    """The pair without faults, before and after."""
    yield pair
    pair.heal()


def until(question: Callable[[], Any], timeout: float = 10) -> Any:
    """Ask until the answer is true; return the last answer."""
    deadline = time.monotonic() + timeout
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


# -- what a machine is ---------------------------------------------------------------------------


def test_a_machine_runs_systemd_firewalld_and_haproxy_but_not_yet_keepalived(pair: Lab) -> None:
    for node in pair.controllers:
        seen = {
            unit: node.run(["systemctl", "is-active", unit], check=False).stdout.strip()
            for unit in ("firewalld", "haproxy", "keepalived")
        }
        assert seen == {"firewalld": "active", "haproxy": "active", "keepalived": "inactive"}
        assert node.run(["systemctl", "is-system-running"]).stdout.strip() == "running"
        assert "Keepalived v2" in node.run(["keepalived", "--version"]).stderr


def test_the_client_sees_which_machine_answers(pair: Lab) -> None:
    answers = {
        node.name: pair.client_command(["curl", "-sS", f"http://{node.vip_address}/"]).stdout
        for node in pair.controllers
    }
    assert answers == {name: f"{name}\n" for name in answers}


def test_machines_differ_in_name_id_and_address(pair: Lab) -> None:
    ids = [node.read_file("/etc/machine-id") for node in pair.controllers]
    names = [node.run(["hostname"]).stdout.strip() for node in pair.controllers]
    addresses = [node.addresses("eth1")[0] for node in pair.controllers]
    assert names == ["controller1", "controller2"]
    assert addresses == ["192.168.1.11", "192.168.1.12"]
    assert len(set(ids)) == len(ids), ids


def test_a_written_file_has_the_mode_asked_for_and_reads_back(pair: Lab) -> None:
    node = pair.node("controller1")
    node.write_file("/var/tmp/new/place", "a\nä\n", mode=0o640)
    assert node.read_file("/var/tmp/new/place") == "a\nä\n"
    assert node.run(["stat", "-c", "%a %U", "/var/tmp/new/place"]).stdout == "640 root\n"


def test_a_command_that_hangs_is_ended_with_its_children(pair: Lab) -> None:
    node = pair.node("controller1")
    with pytest.raises(CommandError, match="timed out"):
        node.run(["sh", "-c", "sleep 4321 & sleep 4322"], timeout=0.5)
    left = node.run(["pgrep", "-f", "sleep 432"], check=False).stdout
    assert left == ""


def test_a_command_finds_nothing_of_the_callers_environment(
    pair: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTSIDE", "leaks")
    assert "OUTSIDE" not in pair.node("controller1").run(["env"]).stdout


# -- wires ---------------------------------------------------------------------------------------

RADIO = Path(__file__).with_name("radio.py").read_text()


def heard(lab: Lab) -> dict[str, set[str]]:
    """ "A>B" -> kinds of frames that B heard from A, over all machines and the client."""
    inside = ["nsenter", f"--net={lab.state.netns}", "python3", "-c", RADIO, "br-vip", "client"]
    commands = {"client": inside}
    for node in lab.controllers:
        commands[node.name] = node.command(["python3", "-c", RADIO, "eth1", node.name])
    radios = {
        name: subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for name, argv in commands.items()
    }
    for radio in radios.values():
        assert radio.stdout is not None and radio.stdout.readline() == "ready\n"
    for radio in radios.values():
        assert radio.stdin is not None
        radio.stdin.write("go\n")
    found: dict[str, set[str]] = {
        f"{sender}>{receiver}": set() for sender in radios for receiver in radios
        if sender != receiver
    }  # fmt: skip
    for receiver, radio in radios.items():
        for sender, kind in json.loads(radio.communicate(timeout=10)[0]):
            found[f"{sender}>{receiver}"].add(kind)
    return found


ONE, TWO, CLIENT = "controller1", "controller2", "client"
ALL_KINDS = {"ipv4", "ipv6", "arp"}
SENT_BY_ONE = {f"{ONE}>{TWO}", f"{ONE}>{CLIENT}"}
SENT_TO_ONE = {f"{TWO}>{ONE}", f"{CLIENT}>{ONE}"}

#: What is done to controller1 -> which hears which no more, and whether it still has a carrier.
WIRE_FAULTS: dict[str, tuple[Callable[[Lab], Any], set[str], str]] = {
    "nothing": (lambda lab: None, set(), "1"),
    "cut": (lambda lab: lab.cut(ONE), SENT_BY_ONE | SENT_TO_ONE, "0"),
    "partition": (lambda lab: lab.partition(ONE), SENT_BY_ONE | SENT_TO_ONE, "1"),
    "partition out": (lambda lab: lab.partition(ONE, direction="out"), SENT_BY_ONE, "1"),
    "partition in": (lambda lab: lab.partition(ONE, direction="in"), SENT_TO_ONE, "1"),
    "partition from a peer": (
        lambda lab: lab.partition(ONE, peer=TWO), {f"{ONE}>{TWO}", f"{TWO}>{ONE}"}, "1"
    ),
    "partition to a peer, one way": (
        lambda lab: lab.partition(ONE, peer=TWO, direction="out"), {f"{ONE}>{TWO}"}, "1"
    ),
    "partition from the client, one way": (
        lambda lab: lab.partition(ONE, peer=CLIENT, direction="in"), {f"{CLIENT}>{ONE}"}, "1"
    ),
    "partition of the other link": (lambda lab: lab.partition(ONE, link="mgmt"), set(), "1"),
}  # fmt: skip


@pytest.mark.parametrize("fault", WIRE_FAULTS)
def test_a_fault_of_the_wire_loses_exactly_what_it_names(whole: Lab, fault: str) -> None:
    act, lost, carrier = WIRE_FAULTS[fault]
    act(whole)
    expected = {
        f"{sender}>{receiver}": set() if f"{sender}>{receiver}" in lost else ALL_KINDS
        for sender in (ONE, TWO, CLIENT)
        for receiver in (ONE, TWO, CLIENT)
        if sender != receiver
    }
    assert heard(whole) == expected
    assert whole.node(ONE).read_file("/sys/class/net/eth1/carrier").strip() == carrier


def test_heal_undoes_every_fault_of_the_wire_at_once(whole: Lab) -> None:
    whole.cut(ONE)
    whole.cut(TWO, link="mgmt")
    whole.partition(TWO, direction="in")
    whole.partition(ONE, peer=TWO)
    whole.heal()
    assert all(kinds == ALL_KINDS for kinds in heard(whole).values())
    assert whole.node(TWO).read_file("/sys/class/net/mgmt0/carrier").strip() == "1"
    assert [whole.faults(node.name) for node in whole.nodes] == [[], []]


def test_healing_one_machine_leaves_the_others_fault(whole: Lab) -> None:
    whole.cut(ONE)
    whole.cut(TWO)
    whole.heal(ONE)
    carriers = [n.read_file("/sys/class/net/eth1/carrier").strip() for n in whole.controllers]
    assert carriers == ["1", "0"]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda lab: lab.cut("controller9"), "no machine 'controller9' .it has: controller1"),
        (lambda lab: lab.cut(ONE, link="power"), "no link 'power' .it has: mgmt, vip"),
        (lambda lab: lab.partition(ONE, direction="up"), "direction 'up': one of in, out, both"),
        (lambda lab: lab.kill(ONE, what="all"), "kill 'all': one of parent, child, both"),
        (lambda lab: Lab("Über"), "a name has 1 to 31"),
        (lambda lab: Lab.attach("nobody"), "no lab 'nobody' is up"),
        (lambda lab: Lab("x", suite="potato").up(), "'potato' is not one of bookworm"),
    ],
)
def test_a_wrong_request_says_what_would_be_right(
    whole: Lab, act: Callable[[Lab], Any], message: str
) -> None:
    with pytest.raises(LabError, match=message):
        act(whole)


# -- keepalived and power ------------------------------------------------------------------------

KEEPALIVED_CONF = f"""
vrrp_instance VI {{
    interface eth1
    state MASTER
    virtual_router_id 52
    priority 255
    virtual_ipaddress {{
        {VIP} dev eth1
    }}
}}
"""


@pytest.fixture
def serving(whole: Lab) -> machine.Node:
    """controller1 with keepalived up and holding the VIP."""
    node = whole.node(ONE)
    node.write_file("/etc/keepalived/keepalived.conf", KEEPALIVED_CONF, mode=0o640)
    node.run(["systemctl", "restart", "keepalived"])
    assert until(lambda: node.holds(VIP)), node.logs()
    return node


def family(node: machine.Node) -> tuple[set[int], set[int]]:
    """Process ids of keepalived's parent and of its children."""
    found = machine.process_ids(node, "keepalived")
    parents = {pid for pid, parent in found.items() if parent not in found}
    return parents, set(found) - parents


def test_kill_child_leaves_the_parent_which_starts_another(
    whole: Lab, serving: machine.Node
) -> None:
    parents, children = family(serving)
    whole.kill(ONE, what="child")
    new = until(lambda: (now := family(serving))[1] and now[1].isdisjoint(children) and now)
    assert new and new[0] == parents, (parents, children, family(serving))


def test_kill_both_leaves_an_address_that_nobody_looks_after(
    whole: Lab, serving: machine.Node
) -> None:
    whole.kill(ONE, what="both")
    assert until(lambda: family(serving) == (set(), set())), family(serving)
    assert serving.holds(VIP)


def test_a_frozen_keepalived_is_there_but_silent_until_thawed(
    whole: Lab, serving: machine.Node
) -> None:
    def states() -> set[str]:
        return {
            processes.fields(pid)["State"][0]
            for pid in machine.process_ids(serving, "keepalived")
        }  # fmt: skip

    whole.freeze(ONE)
    assert until(lambda: states() == {"T"}), states()
    whole.thaw(ONE)
    assert until(lambda: "T" not in states()), states()
    assert whole.faults(ONE) == []


def test_a_frozen_machine_keeps_its_address_and_is_healed(
    whole: Lab, serving: machine.Node
) -> None:
    whole.freeze(ONE, what="node")
    assert serving.holds(VIP), "the kernel does not need the frozen processes"
    web = ["curl", "-sS", "--max-time", "1", f"http://{serving.vip_address}/"]
    assert whole.client_command(web, check=False).returncode != 0
    whole.heal(ONE)
    assert until(lambda: whole.client_command(web, check=False).stdout == f"{ONE}\n")


def test_a_stopped_unit_runs_again_after_heal(whole: Lab, serving: machine.Node) -> None:
    whole.stop(ONE)
    assert not serving.holds(VIP)
    whole.heal(ONE)
    assert until(lambda: serving.holds(VIP)), serving.logs()


@pytest.mark.parametrize("hard", [False, True])
def test_a_reboot_keeps_files_and_faults_of_the_wire(whole: Lab, hard: bool) -> None:
    node = whole.node(TWO)
    node.write_file("/var/tmp/kept", "yes")
    whole.cut(TWO)
    before = node.pid
    whole.reboot(TWO, hard=hard)
    assert node.pid != before
    assert node.read_file("/var/tmp/kept") == "yes"
    assert node.read_file("/sys/class/net/eth1/carrier").strip() == "0"
    whole.heal(TWO)
    assert all(kinds == ALL_KINDS for kinds in heard(whole).values())


def test_heal_switches_on_a_machine_that_is_off(whole: Lab) -> None:
    node = whole.node(TWO)
    node.stop(hard=True)
    assert not node.running
    with pytest.raises(LabError, match=r"controller2 of lab .* is not running"):
        node.run(["true"])
    whole.heal()
    assert node.run(["hostname"]).stdout == "controller2\n"


def test_a_machine_can_be_added_without_keepalived_and_taken_away(whole: Lab) -> None:
    extra = whole.add_node("extra1", salt=False, keepalived=False)
    try:
        assert extra.run(["sh", "-c", "command -v keepalived"], check=False).returncode != 0
        assert whole.node(ONE).run(["getent", "hosts", "extra1"]).stdout.split()[0] == (
            extra.mgmt_address
        )
        assert extra.name not in [node.name for node in whole.controllers]
    finally:
        whole.remove_node("extra1")
    assert [node.name for node in whole.nodes] == [ONE, TWO]
    assert not extra.root.exists()
    assert whole.node(ONE).run(["getent", "hosts", "extra1"], check=False).returncode != 0


# -- apart from each other and from the world ----------------------------------------------------


def test_two_labs_side_by_side_do_not_touch_each_other(whole: Lab) -> None:
    other = Lab(f"t{os.getpid()}-other", nodes=1, salt=False, quiet=True)
    try:
        other.up()
        # The same names and addresses twice: each client meets its own.
        marks = {}
        for lab in (whole, other):
            lab.node(ONE).write_file("/etc/hostname", lab.name)
            marks[lab.name] = lab.node(ONE).vip_address
        assert len(set(marks.values())) == 1, marks
        other.cut(ONE)
        web = ["curl", "-sS", "--max-time", "1", "http://192.168.1.11/"]
        assert other.client_command(web, check=False).returncode != 0
        assert whole.client_command(web).stdout == f"{ONE}\n"
        assert other.node(ONE).read_file("/etc/hostname") == other.name
        assert whole.node(ONE).read_file("/etc/hostname") == whole.name
    finally:
        other.down()
    assert all(kinds == ALL_KINDS for kinds in heard(whole).values())


def test_while_the_door_is_shut_no_machine_has_a_way_out(whole: Lab) -> None:
    for node in whole.nodes:
        assert "default" not in node.run(["ip", "route"]).stdout
        assert "default" not in node.run(["ip", "-6", "route"]).stdout
    assert "default" not in whole.client_command(["ip", "route"]).stdout
    links = json.loads(whole.client_command(["ip", "-json", "-details", "link"]).stdout)
    outward = [
        link["ifname"]
        for link in links
        if not re.fullmatch(r"lo|br-(mgmt|vip)|(mgmt|vip)\d+", link["ifname"])
        and link["operstate"] != "DOWN"
    ]
    assert outward == []
    proxy = ["curl", "-sS", "-x", "http://10.77.0.1:3142", "http://example.com/"]
    with pytest.raises(CommandError, match=r"Failed to connect|Couldn't connect"):
        whole.client_command(proxy)


def test_the_open_door_lets_through_package_hosts_only_and_shuts_again(whole: Lab) -> None:
    node, conf = whole.node(ONE), "/etc/apt/apt.conf.d/90lab-door"
    whole.door(True)
    try:
        proxy = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"]
        proxy += ["-x", "http://10.77.0.1:3142"]
        foreign = whole.client_command([*proxy, "http://203.0.113.1/"]).stdout
        local = whole.client_command([*proxy, "http://127.0.0.1/"]).stdout
        assert (foreign, local) == ("403", "403")
        fetched = node.run(["apt-get", "update", "-q"], check=False, timeout=120)
        assert "Get:1 http" in fetched.stdout or "Hit:1 http" in fetched.stdout, fetched
    finally:
        whole.door(False)
    assert node.run(["test", "-e", conf], check=False).returncode != 0
    with pytest.raises(CommandError):
        whole.client_command(["curl", "-sS", "http://10.77.0.1:3142/"])


# -- Salt ----------------------------------------------------------------------------------------


def test_every_minion_answers_and_the_master_can_work_masterless(healed_lab: Lab) -> None:
    answers = healed_lab.salt("controller*", "test.ping")
    assert answers == {f"controller{i}": True for i in (1, 2, 3)}
    assert healed_lab.salt_call("master", "grains.get", "id", local=True) == "master"


def test_a_cut_vrrp_cable_does_not_silence_salt_but_a_cut_management_cable_does(
    healed_lab: Lab,
) -> None:
    healed_lab.cut("controller1", link="vip")
    assert healed_lab.salt("controller1", "test.ping", timeout=10) == {"controller1": True}
    healed_lab.cut("controller1", link="mgmt")
    assert not healed_lab.salt("controller1", "test.ping", timeout=2).get("controller1")
