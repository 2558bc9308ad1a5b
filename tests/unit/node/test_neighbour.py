"""ARP and neighbour discovery as bytes, which answers count, and on which interface is asked."""

from __future__ import annotations

import importlib.util
import ipaddress
import sys
from pathlib import Path
from types import ModuleType

import pytest

from keepalived_core.node import dump, neighbour, netlink, questions, status
from keepalived_core.node.state import Instance, Vip

ME, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000003")
VIP = bytes((192, 168, 1, 220))
VIP6 = ipaddress.ip_address("fd00:1::12:3456").packed


def reply(
    operation: int = 2, sender: bytes = OTHER, to: bytes = ME, kind: str = "0806", more: str = ""
) -> bytes:
    head = to + sender + bytes.fromhex(kind) + bytes.fromhex("00010800 0604".replace(" ", ""))
    return head + operation.to_bytes(2, "big") + sender + VIP + to + b"\0" * 4 + bytes.fromhex(more)


def test_a_probe_says_nothing_that_a_cache_could_learn() -> None:
    frame = neighbour.arp_probe(ME, VIP)

    assert frame[:6] == b"\xff" * 6
    assert frame[6:12] == frame[22:28] == ME
    # RFC 5227, 2.1.1: the sender protocol address is all zeroes
    assert frame[28:32] == b"\0" * 4
    assert (frame[32:38], frame[38:]) == (b"\0" * 6, VIP)


REPLIES = {
    "a reply to me": (reply(), (VIP, OTHER)),
    "padded to the shortest frame": (reply(more="00" * 18), (VIP, OTHER)),
    "a reply to somebody else": (reply(to=OTHER), None),
    "a question": (reply(operation=1), None),
    "no ARP": (reply(kind="0800"), None),
    "cut off": (reply()[:-1], None),
    "empty": (b"", None),
}


@pytest.mark.parametrize(("frame", "found"), REPLIES.values(), ids=REPLIES)
def test_a_reply_to_this_node_counts(frame: bytes, found: tuple | None) -> None:
    assert neighbour.arp_reply(frame, ME) == found


def advertisement(options: str, kind: int = 136) -> bytes:
    return bytes((kind, 0, 0, 0, 0x60, 0, 0, 0)) + VIP6 + bytes.fromhex(options)


ADVERTISEMENTS = {
    "with its hardware address": (advertisement("0201020000000003"), (VIP6, OTHER)),
    "after another option": (advertisement("0e010000000000000201020000000003"), (VIP6, OTHER)),
    "without one": (advertisement(""), None),
    "with somebody else's option": (advertisement("0101020000000003"), None),
    "with an option of no length": (advertisement("0200020000000003"), None),
    "cut off": (advertisement("020102000000"), None),
    "a solicitation": (advertisement("0201020000000003", 135), None),
    "empty": (b"", None),
}


@pytest.mark.parametrize(("message", "found"), ADVERTISEMENTS.values(), ids=ADVERTISEMENTS)
def test_an_advertisement_counts_by_the_address_it_names(message: bytes, found: object) -> None:
    assert neighbour.advertisement(message) == found


def test_a_solicitation_goes_to_the_group_of_the_address_with_my_own_hardware_address() -> None:
    # RFC 4291, 2.7.1: the last 24 bits
    assert neighbour.solicited_node(VIP6) == "ff02::1:ff12:3456"
    message = neighbour.solicitation(ME, VIP6)
    assert (message[0], message[8:24], message[24:]) == (135, VIP6, b"\x01\x01" + ME)


KERNEL = {
    "lo": [("127.0.0.1", 8)],
    "eth0": [("10.0.0.1", 8), ("fd00::1", 64)],
    "eth1": [("10.1.0.1", 16), ("192.168.1.220", 32)],
}


@pytest.mark.parametrize(
    ("address", "interface"),
    [
        ("10.2.0.9", "eth0"),
        ("10.1.0.9", "eth1"),
        ("fd00::9", "eth0"),
        ("fd01::9", None),
        ("192.0.2.9", None),
    ],
)
def test_an_address_is_asked_for_on_the_narrowest_network_it_is_of(
    address: str, interface: str | None
) -> None:
    assert questions.on_link(address, KERNEL) == interface


INSTANCES = (
    Instance("VI_1", interface="eth1", vips=(Vip("192.0.2.1", 24), Vip("192.0.2.2", 24, "eth2"))),
    Instance("VI_2", interface="eth3", vmac="vrrp.7", vips=(Vip("192.0.2.3", 24, "vrrp.7"),)),
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What was asked, of a node that runs INSTANCES and has KERNEL's addresses."""
    asked: list[dict] = []

    def ask(wanted: dict, seconds: float) -> dict:
        asked.append(wanted)
        return {each: neighbour.Answer(name) for each, name in wanted.items()}

    monkeypatch.setattr(questions.dump, "read_json", lambda _: dump.Dump(INSTANCES, 0.0, 0, 1))
    monkeypatch.setattr(questions.addresses, "snapshot", lambda: KERNEL)
    monkeypatch.setattr(questions.neighbour, "ask", ask)
    return asked


def test_all_virtual_addresses_are_asked_for_where_keepalived_has_them(told) -> None:
    """With use_vmac below the macvlan, which has the virtual router's hardware address."""
    questions.answers(None)

    assert told == [{"192.0.2.1": "eth1", "192.0.2.2": "eth2", "192.0.2.3": "eth3"}]


def test_what_this_node_has_is_not_asked_for(told) -> None:
    said = questions.answers(["192.168.1.220", "10.2.0.9"])

    assert told == [{"10.2.0.9": "eth0"}]
    assert "this node has it itself" in said["192.168.1.220"]["problem"]


@pytest.mark.parametrize(
    ("wanted", "seconds", "complaint"),
    [
        (["192.0.2.1/24"], 0.3, "'192.0.2.1/24' is no address"),
        (["$(reboot)"], 0.3, "is no address"),
        ([7.5], 0.3, "7.5 is no address"),
        (["10.2.0.9"], 0, "timeout=0 is not above 0"),
        (["10.2.0.9"], 11.0, "at most 10 seconds"),
        ([f"10.0.{n >> 8}.{n & 255}" for n in range(5000)], 0.3, "5000 addresses are more than"),
    ],
)
def test_what_cannot_be_meant_is_refused(told, wanted, seconds: float, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("$(", r"\$\(")):
        questions.answers(wanted, seconds)
    assert told == []


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The execution module, as Salt loads it on the minion n1."""
    pytest.importorskip("salt.exceptions")
    for name in list(sys.modules):
        if name.partition(".")[0] in ("keepalived_core", "keepalived_node"):
            monkeypatch.setitem(sys.modules, name, sys.modules[name])
    source = Path(__file__).resolve().parents[3] / "salt/_modules/keepalived_answers.py"
    spec = importlib.util.spec_from_file_location("module_under_test", source)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    loaded.__opts__ = {"id": "n1"}
    return loaded


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        ("192.0.2.1, 192.0.2.2", ["192.0.2.1", "192.0.2.2"]),
        (["192.0.2.1"], ["192.0.2.1"]),
        ({"n1": ["192.0.2.1"], "n2": ["192.0.2.2"]}, ["192.0.2.1"]),
        ({"n2": ["192.0.2.2"]}, []),
    ],
)
def test_the_verb_takes_a_list_a_text_or_a_part_for_each_minion(module, given, wanted) -> None:
    asked = []
    module.questions.answers = lambda *arguments: asked.append(arguments[0])

    module.answers(given)

    assert asked == [wanted]


@pytest.mark.parametrize("arguments", [("nonsense",), (None, "soon"), (None, True), (None, 99)])
def test_the_verb_says_what_is_wrong(module, arguments) -> None:
    import salt.exceptions

    with pytest.raises(salt.exceptions.SaltInvocationError, match=r"is no|is not above"):
        module.answers(*arguments)


def test_status_tells_hardware_addresses_without_the_virtual_ones(monkeypatch) -> None:
    """Also of one without an address, for it answers all the same; a bridge's port does not."""
    macs = {name: f"02:00:00:00:00:0{n}" for n, name in enumerate(("eth0", "eth1", "eth2"))}
    links = {name: netlink.Link(mac, False) for name, mac in macs.items()}
    links["veth7"] = netlink.Link("02:00:00:00:00:07", True)
    monkeypatch.setattr(status.netlink, "dump_links", lambda: links)
    one = Instance("VI", interface="eth1", vips=(Vip("192.168.1.220", 32),))

    found = status.interfaces(KERNEL, [status.from_dump(one, KERNEL, None)])

    assert found == {
        "eth0": {"mac": macs["eth0"], "addresses": ["10.0.0.1/8", "fd00::1/64"]},
        "eth1": {"mac": macs["eth1"], "addresses": ["10.1.0.1/16"]},
        "eth2": {"mac": macs["eth2"], "addresses": []},
    }


def test_status_tells_what_all_nodes_must_agree_about_and_no_password() -> None:
    text = (
        '[{"data":{"iname":"VI","ifp_ifname":"eth1","vrid":52,"state":1,"version":2,"adver_int":2,'
        '"vips":["192.0.2.1/24 dev eth1"],"auth_type":1,"auth_data":"s3cret"},'
        '"stats":{"advert_rcvd":7,"advert_sent":1,"auth_failure":3,"addr_list_err":0,'
        '"become_master":2,"release_master":1}}]'
    )
    (one,), _ = dump.parse(text)

    said = status.running(one, ("auth_failure", "addr_list_err"))

    assert said == {
        "family": "ipv4",
        "version": 2,
        "advert_int": 2.0,
        "auth_type": "PASS",
        "use_vmac": False,
        "adverts": {"received": 7, "sent": 1, "rejected": {"auth_failure": 3}},
        "transitions": {"became_master": 2, "released_master": 1},
    }
