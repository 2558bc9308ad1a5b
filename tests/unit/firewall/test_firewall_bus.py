"""Questions to firewalld over D-Bus: the same answers as firewall-cmd's, and firewall-cmd's where
the bus says nothing."""

import json

import pytest

from keepalived_core.node.firewalld import PERMANENT, RUNTIME, Firewalld
from keepalived_core.node.firewalld_zone import Zone

VRRP = 'rule family="ipv4" destination address="224.0.0.18" protocol value="vrrp" accept'
ZONE = {"interfaces": ["eth1"], "rules_str": [VRRP]}
RULE = ["ipv4", "filter", "INPUT", "0", "-i", "eth1", "-j", "ACCEPT"]
SAID = {"getDefaultZone": "dmz", "queryRule": True, "queryChain": False, "queryPassthrough": True}


class Busctl:
    """Answers as busctl of systemd 252 and firewalld 1.3.3 were seen to; firewall-cmd beside it."""

    def __init__(self, fake, said=None, spoil=None):
        self.fake, self.said, self.spoil = fake, {**SAID, **(said or {})}, spoil
        self.calls = []

    def __call__(self, argv):
        if argv[0] != "busctl":
            return self.fake(argv)
        assert "--auto-start=no" in argv
        words = argv[argv.index("org.fedoraproject.FirewallD1") :]
        method = words[3]
        self.calls.append(words[1:])
        if not self.fake.running:
            return {"retcode": 1, "stdout": "", "stderr": "Call failed: Name does not exist"}
        if self.spoil == method:
            return {"retcode": 1, "stdout": "", "stderr": "Call failed: Unknown method"}
        return {"retcode": 0, "stdout": json.dumps({"data": [self.answer(method, words)]})}

    def answer(self, method, words):
        if method in self.said:
            return self.said[method]
        if method in ("getZones", "getZoneNames"):
            return ["dmz", "public"]
        if method == "getZoneByName":
            return f"/zone/{words[-1]}"
        name = words[-1] if method == "getZoneSettings2" else words[1].rpartition("/")[2]
        lists = ZONE if name == "dmz" else {}
        return {key: {"type": "as", "data": value} for key, value in lists.items()}


@pytest.fixture
def reach(fake):
    def build(**settings):
        busctl = Busctl(fake, **settings)
        tools = ("firewall-cmd", "firewall-offline-cmd", "busctl")
        return Firewalld(busctl, which={name: name for name in tools}.get), busctl

    return build


@pytest.mark.parametrize("where", [RUNTIME, PERMANENT])
def test_zones_and_default_zone_cost_no_firewall_cmd(reach, fake, where):
    firewalld, _ = reach()
    assert firewalld.default_zone() == "dmz"
    assert firewalld.zones(where) == {
        "dmz": Zone("dmz", ("eth1",), (), (VRRP,)),
        "public": Zone("public"),
    }
    assert fake.calls == []


@pytest.mark.parametrize(
    ("kind", "words", "asked", "held"),
    [
        ("rule", RULE, ["queryRule", "sssias", *RULE[:4], "4", *RULE[4:]], True),
        ("chain", RULE[:3], ["queryChain", "sss", *RULE[:3]], False),
        ("passthrough", ["ipv4", "-A"], ["queryPassthrough", "sas", "ipv4", "1", "-A"], True),
    ],
)
@pytest.mark.parametrize("where", [RUNTIME, PERMANENT])
def test_a_direct_entry_is_asked_for_word_by_word(reach, fake, where, kind, words, asked, held):
    firewalld, busctl = reach()
    assert firewalld.holds(where, kind, words) is held
    ((path, interface, *call),) = busctl.calls
    assert call == asked
    assert (path.endswith("/config"), interface.endswith(".config.direct")) == (
        (where == PERMANENT,) * 2
    )
    assert fake.calls == []


@pytest.mark.parametrize(
    "spoil",
    ["getDefaultZone", "getZones", "getZoneSettings2", "getZoneNames", "getZoneByName",
     "getSettings2", "queryRule"],
)  # fmt: skip
def test_what_the_bus_cannot_say_firewall_cmd_is_asked(reach, connect, fake, spoil):
    firewalld, _ = reach(spoil=spoil)
    other = connect(fake)
    if spoil == "getDefaultZone":
        assert firewalld.default_zone() == other.default_zone()
    elif spoil == "queryRule":
        assert firewalld.holds(RUNTIME, "rule", RULE) is other.holds(RUNTIME, "rule", RULE)
    else:
        where = PERMANENT if spoil in ("getZoneNames", "getZoneByName", "getSettings2") else RUNTIME
        assert firewalld.zones(where) == other.zones(where)


@pytest.mark.parametrize(
    "printed", ['s "dmz"', "", '{"data":[]}', '{"data":[null]}', '{"data":[7]}']
)
def test_what_is_no_answer_is_not_taken_for_one(connect, fake, printed):
    def run(argv):
        return {"retcode": 0, "stdout": printed} if argv[0] == "busctl" else fake(argv)

    tools = ("firewall-cmd", "firewall-offline-cmd", "busctl")
    firewalld, other = Firewalld(run, which={name: name for name in tools}.get), connect(fake)
    assert firewalld.default_zone() == other.default_zone()
    assert firewalld.zones(RUNTIME) == other.zones(RUNTIME)
    assert firewalld.holds(RUNTIME, "rule", RULE) is False


def test_a_stopped_firewalld_is_not_started_by_a_question(reach, fake):
    fake.stop()
    firewalld, _ = reach()
    assert firewalld.holds(RUNTIME, "rule", RULE) is None
    assert firewalld.zones(RUNTIME) is None
    assert firewalld.holds(PERMANENT, "rule", RULE) is False
    assert firewalld.default_zone() == fake.default
