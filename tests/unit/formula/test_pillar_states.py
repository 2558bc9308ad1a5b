"""The pillar is judged on the node, and addresses go to the mine once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import salt.config
import salt.state
import yaml

from tests.unit.formula.rendering import ROOT

CLASSIC = yaml.safe_load((ROOT / "pillar" / "keepalived" / "classic.sls").read_text())["keepalived"]

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Run a function of keepalived_pillar as a masterless minion does."""

    def run(fun: str, keepalived: Any, test: bool = False) -> dict[str, Any]:
        opts = salt.config.minion_config(None)
        opts.update(
            id="controller1",
            test=test,
            file_client="local",
            pillar_roots={"base": []},
            module_dirs=[str(ROOT / "salt")],
            cachedir=str(tmp_path / "cache"),
            extension_modules=str(tmp_path / "extmods"),
            conf_file=str(tmp_path / "minion"),
            grains={"os_family": "Debian", "kernel": "Linux", "os": "Debian"},
        )
        low = {
            "state": "keepalived_pillar",
            "fun": fun,
            "name": fun,
            "__id__": fun,
            "__sls__": "keepalived.valid",
            "__env__": "base",
            "order": 1,
        }
        pillar = {} if keepalived is None else {"keepalived": keepalived}
        (tmp_path / "cache").mkdir(exist_ok=True)
        return salt.state.State(opts, pillar_override=pillar).call(low)

    return run


def test_the_classic_pillar_is_valid_and_changes_nothing(call: Call) -> None:
    ret = call("valid", CLASSIC)
    assert (ret["result"], ret["changes"]) == (True, {})


@pytest.mark.parametrize("pillar", [None, {}], ids=["no pillar", "empty pillar"])
def test_a_missing_pillar_is_refused_with_an_example(call: Call, pillar: Any) -> None:
    ret = call("valid", pillar)
    assert ret["result"] is False
    assert "virtual_router_id" in ret["comment"]


def test_mistakes_in_config_and_beside_it_are_listed_together(call: Call) -> None:
    pillar = {**CLASSIC, "sysctl": {"ip_nonlocal_bind": "yes"}}
    pillar["config"] = {**CLASSIC["config"], "vrrp_scrpt": {}}
    comment = call("valid", pillar)["comment"]
    assert "keepalived:sysctl:ip_nonlocal_bind" in comment
    assert "keepalived:config:vrrp_scrpt" in comment


def test_a_secret_is_not_in_the_comment(call: Call) -> None:
    instance = {**CLASSIC["config"]["vrrp_instance"]["VI_PUBLIC"], "virtual_router_id": 999}
    instance["authentication"] = {"auth_type": "PASS", "auth_pass": "s3cr3t!"}
    pillar = {**CLASSIC, "config": {**CLASSIC["config"], "vrrp_instance": {"VI_PUBLIC": instance}}}
    ret = call("valid", pillar)
    assert ret["result"] is False
    assert "s3cr3t!" not in str(ret)


def unicast(peers: Any) -> dict[str, Any]:
    return {
        "nodes": {"controller1": {}},
        "config": {"vrrp_instance": {"VI": {"interface": "lo", "unicast_peer": peers}}},
    }


def test_addresses_go_to_the_mine_once(call: Call) -> None:
    first, second = (call("addresses_shared", unicast("auto")) for _ in range(2))
    assert (first["result"], bool(first["changes"])) == (True, True)
    assert (second["result"], second["changes"]) == (True, {})


def test_test_mode_sends_nothing(call: Call) -> None:
    assert call("addresses_shared", unicast("auto"), test=True)["result"] is None
    assert call("addresses_shared", unicast("auto"))["changes"]


@pytest.mark.parametrize("pillar", [None, {}, CLASSIC, unicast(["10.0.0.1"]), "text", {"nodes": 5}])
def test_without_unicast_peer_auto_the_mine_is_left_alone(call: Call, pillar: Any) -> None:
    ret = call("addresses_shared", pillar)
    assert (ret["result"], ret["changes"]) == (True, {})
