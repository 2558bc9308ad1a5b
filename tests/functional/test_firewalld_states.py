"""The firewall modules, states and SLS as Salt's own loader runs them, beside a firewall-cmd that
only pretends. (Real firewalld: tests/cluster/test_firewall.py.)
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("salt.client", reason="Salt is not installed")

REPO = Path(__file__).resolve().parents[2]
FAKE = REPO / "tests" / "unit" / "firewall"
sys.path.insert(0, str(FAKE))

from fake_firewalld import FakeFirewalld  # noqa: E402

PROGRAM = f"""\
#!{sys.executable}
import os, pickle, sys
sys.path.insert(0, {str(FAKE)!r})
import fake_firewalld
place = os.path.dirname(os.path.abspath(sys.argv[0])) + "/firewalld.pickle"
with open(place, "rb") as file:
    firewalld = pickle.load(file)
answer = firewalld([os.path.basename(sys.argv[0]), *sys.argv[1:]])
with open(place, "wb") as file:
    pickle.dump(firewalld, file)
print(answer["stdout"])
print(answer["stderr"], file=sys.stderr)
sys.exit(answer["retcode"])
"""

# A process of its own: loading the modules replaces the library in the process that does it.
CALLER = """
import json, sys
import salt.client, salt.config, salt.exceptions
for line in sys.stdin:
    config, function, args, kwargs = json.loads(line)
    opts = salt.config.minion_config(None)
    opts.update(config)
    try:
        answer = salt.client.Caller(mopts=opts).cmd(function, *args, **kwargs)
    except salt.exceptions.SaltException as error:
        answer = {type(error).__name__: str(error)}
    print("answer", json.dumps(answer), flush=True)
"""

RULE = {
    "ipv": "ipv4",
    "table": "filter",
    "chain": "INPUT",
    "priority": 0,
    "args": "-i eth1 -d 224.0.0.0/8 -j ACCEPT",
}
WORDS = ("ipv4", "filter", "INPUT", "0", "-i", "eth1", "-d", "224.0.0.0/8", "-j", "ACCEPT")
PILLAR = {
    "config": {
        "vrrp_instance": {
            "VI_1": {
                "interface": "eth1",
                "virtual_router_id": 52,
                "virtual_ipaddress": ["192.0.2.1/24"],
            }
        }
    },
    "firewall": {"direct_rules": [RULE]},
}
VRRP4 = 'rule family="ipv4" destination address="224.0.0.18" protocol value="vrrp" accept'


class Minion:
    """A masterless minion whose PATH begins with the pretended firewall-cmd."""

    def __init__(self, root: Path):
        self.root, self.tools = root, root / "tools"
        self.tools.mkdir()
        self.pillar: object = PILLAR
        self.caller = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", CALLER],
            env={**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(root / "stderr").open("w"),
            text=True,
            bufsize=1,
        )

    def install(self, *programs: str) -> None:
        for name in ("firewall-cmd", "firewall-offline-cmd"):
            (self.tools / name).unlink(missing_ok=True)
        for name in programs:
            (self.tools / name).write_text(PROGRAM)
            (self.tools / name).chmod(0o755)

    @property
    def firewalld(self) -> FakeFirewalld:
        return pickle.loads((self.tools / "firewalld.pickle").read_bytes())

    @firewalld.setter
    def firewalld(self, fake: FakeFirewalld) -> None:
        (self.tools / "firewalld.pickle").write_bytes(pickle.dumps(fake))

    def call(self, function: str, *args: object, **kwargs: object):
        top = {"base": {"*": ["tested"]}}
        pillar = self.root / "pillar"
        pillar.mkdir(exist_ok=True)
        (pillar / "top.sls").write_text(json.dumps(top))
        (pillar / "tested.sls").write_text("#!json\n" + json.dumps({"keepalived": self.pillar}))
        config = {
            "id": "n1",
            "file_client": "local",
            "root_dir": str(self.root),
            "cachedir": str(self.root / "cache"),
            "pki_dir": str(self.root / "pki"),
            "extension_modules": str(self.root / "extmods"),
            "module_dirs": [str(REPO / "salt")],
            "file_roots": {"base": [str(REPO / "salt")]},
            "pillar_roots": {"base": [str(pillar)]},
            "enable_fqdns_grains": False,
        }
        print(json.dumps([config, function, args, kwargs]), file=self.caller.stdin)
        assert self.caller.stdout is not None
        for line in self.caller.stdout:
            if line.startswith("answer "):
                return json.loads(line.partition(" ")[2])
        raise AssertionError((self.root / "stderr").read_text())

    def state(self, function: str, **kwargs: object):
        answer = self.call("state.single", function, name="tested", **kwargs)
        assert isinstance(answer, dict), answer
        (state,) = answer.values()
        return state


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    minion = Minion(tmp_path_factory.mktemp("minion"))
    yield minion
    minion.caller.stdin.close()
    minion.caller.wait(timeout=20)


@pytest.fixture
def minion(started):
    started.install("firewall-cmd", "firewall-offline-cmd")
    started.firewalld = FakeFirewalld()
    started.pillar = PILLAR
    return started


def test_present_and_absent_through_salt(minion):
    predicted = minion.state("firewalld_direct.present", test=True, **RULE)
    assert (predicted["result"], minion.firewalld.changing) == (None, [])
    done = minion.state("firewalld_direct.present", **RULE)
    assert (done["result"], done["changes"]) == (True, predicted["changes"])
    assert minion.firewalld.direct == {
        "runtime": [("rule", WORDS)],
        "permanent": [("rule", WORDS)],
    }
    assert minion.state("firewalld_direct.present", **RULE)["changes"] == {}
    assert set(minion.state("firewalld_direct.absent", **RULE)["changes"]) == set(done["changes"])
    assert minion.firewalld.direct == {"runtime": [], "permanent": []}


KINDS = {
    "rule": RULE,
    "chain": {"ipv": "ipv4", "table": "filter", "chain": "cluster"},
    "passthrough": {"ipv": "ipv6", "args": ["-A", "INPUT", "-j", "DROP"]},
}


@pytest.mark.parametrize("kind, given", KINDS.items(), ids=KINDS)
def test_the_verbs_of_each_kind(minion, kind, given):
    assert minion.call(f"firewalld_direct.query_{kind}", **given) == {
        "runtime": False,
        "permanent": False,
    }
    added = minion.call(f"firewalld_direct.add_{kind}", permanent=True, **given)
    assert added == {"permanent": {"old": False, "new": True}}
    listed = minion.call(f"firewalld_direct.list_{kind}s")
    assert (listed["runtime"], len(listed["permanent"])) == ([], 1)
    assert minion.call(f"firewalld_direct.remove_{kind}", **given) == {
        "runtime": {"old": False, "new": False},
        "permanent": {"old": True, "new": False},
    }


def test_a_wrong_parameter_is_the_caller_s_mistake(minion):
    answer = minion.call("firewalld_direct.add_chain", "ipv4", "filtr", "x")
    assert "table 'filtr'" in answer["SaltInvocationError"]
    state = minion.state("firewalld_direct.present", **{**RULE, "prio": 3})
    assert state["result"] is False
    assert "prio 3: a rule has no such parameter" in state["comment"]
    assert minion.firewalld.calls == []


def test_a_refusal_is_an_execution_error(minion):
    fake = FakeFirewalld()
    fake.refuse = [("runtime", "eth1")]
    minion.firewalld = fake
    answer = minion.call("firewalld_direct.add_rule", **RULE)
    assert "COMMAND_FAILED" in answer["CommandExecutionError"]
    assert minion.state("firewalld_direct.present", **RULE)["result"] is False


def test_nothing_in_args_reaches_a_shell(minion, tmp_path):
    mark = tmp_path / "mark"
    args = f"-m comment --comment '$(touch {mark}); `touch {mark}`' -j ACCEPT; touch {mark}"
    assert minion.state("firewalld_direct.present", **{**RULE, "args": args})["result"] is True
    assert not mark.exists()


def test_the_formula_asks_for_the_pillar_s_rules_and_vrrp(minion):
    answer = minion.call("state.apply", "keepalived.firewall", test=True)
    states = {state["__id__"]: state for state in answer.values()}
    assert list(states) == ["keepalived-firewall-vrrp", "keepalived-firewall-direct-0"]
    opened = states["keepalived-firewall-vrrp"]["changes"]["runtime"]["new"]
    assert VRRP4 in opened["public"]
    assert states["keepalived-firewall-direct-0"]["result"] is None
    assert minion.firewalld.changing == []
    assert minion.call("keepalived_firewall.plan")["changes"]["runtime"]["new"] == opened
    assert minion.call("keepalived_firewall.check")["missing"]["runtime"] == opened


SHAPES = {
    "no pillar": (None, ["keepalived-firewall-vrrp"]),
    "no firewall": ({"config": {}}, ["keepalived-firewall-vrrp"]),
    "a firewall that is a text": ({"firewall": "on"}, ["keepalived-firewall-vrrp"]),
    "VRRP left alone": ({"firewall": {"vrrp": False}}, []),
    "no rules": ({"firewall": {"vrrp": False, "direct_rules": None}}, []),
}


@pytest.mark.parametrize("pillar, expected", SHAPES.values(), ids=SHAPES)
def test_the_formula_renders_with(minion, pillar, expected):
    minion.pillar = pillar
    shown = minion.call("state.show_sls", "keepalived.firewall")
    assert list(shown) == expected


RULES = {
    "a text": ("-j ACCEPT", "entry '-j ACCEPT'"),
    "YAML in a value": ({**RULE, "args": "-j A: [\"'{%"}, "no closing quotation"),
    "a value over two lines": ({**RULE, "chain": "IN\nPUT"}, "chain 'IN\\nPUT'"),
    "a key of Salt's own": ({**RULE, "table": None, "kind": "chains"}, "kind 'chains'"),
}


@pytest.mark.parametrize("rule, said", RULES.values(), ids=RULES)
def test_a_bad_rule_is_an_error_of_its_own_state(minion, rule, said):
    minion.pillar = {"firewall": {"vrrp": False, "direct_rules": [rule, RULE]}}
    answer = minion.call("state.apply", "keepalived.firewall")
    first, second = answer.values()
    assert first["result"] is False
    assert said in first["comment"]
    assert first["comment"].startswith("keepalived:firewall:direct_rules:0: ")
    assert second["result"] is True


def test_a_bad_pillar_is_an_error_of_the_state_not_a_trace(minion):
    minion.pillar = {"config": {"vrrp_instance": {"VI_1": {"interfce": "eth1"}}}}
    state = minion.state("keepalived_firewall.vrrp_allowed")
    assert state["result"] is False
    assert "interfce" in state["comment"]
    assert "Traceback" not in state["comment"]
    assert minion.firewalld.calls == []


def test_cleaning_takes_the_pillar_s_rules_out(minion):
    minion.state("firewalld_direct.present", **RULE)
    answer = minion.call("state.apply", "keepalived.firewall_clean", test=True)
    states = {state["__id__"]: state for state in answer.values()}
    assert states["keepalived-firewall-direct-0-gone"]["result"] is None
    assert "keepalived-firewall-vrrp-closed" in states


def test_without_firewalld_the_error_says_so(minion):
    minion.install()
    answer = minion.call("firewalld_direct.query_rule", **RULE)
    if "runtime" in answer:
        pytest.skip("this machine has a firewalld of its own")
    assert "firewalld is not installed" in answer["CommandExecutionError"]
    assert minion.call("keepalived_firewall.check")["firewalld"] == "absent"
