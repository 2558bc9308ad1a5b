"""The states that write the settings of Salt's own daemons hide nothing and show no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import salt.config
import salt.state

ROOT = Path(__file__).resolve().parents[3]


class Daemons:
    """A configuration directory of Salt, and states run against it by Salt itself."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.minion_file = base / "minion.d" / "keepalived.conf"
        self.master_file = base / "master.d" / "keepalived.conf"
        for directory in ("minion.d", "master.d"):
            (base / directory).mkdir()

    def write(self, name: str, text: str) -> None:
        (self.base / name).write_text(text)

    def state(
        self, fun: str, pillar: dict[str, Any] | None = None, test: bool = False, **kwargs: Any
    ) -> dict[str, Any]:
        opts = salt.config.minion_config(None)
        opts.update(
            id="master1",
            test=test,
            file_client="local",
            pillar_roots={"base": []},
            module_dirs=[str(ROOT / "salt")],
            cachedir=str(self.base / "cache"),
            extension_modules=str(self.base / "extmods"),
            conf_file=str(self.base / "minion"),
            grains={"os_family": "Debian", "kernel": "Linux", "os": "Debian"},
        )
        low = {
            "state": "keepalived_minion",
            "fun": fun,
            "__id__": fun,
            "__sls__": "keepalived.events",
            "__env__": "base",
            "order": 1,
            **kwargs,
        }
        return salt.state.State(opts, pillar_override=pillar or {}).call(low)

    def minion_settings(self, **kwargs: Any) -> dict[str, Any]:
        return self.state("minion_settings", name=str(self.minion_file), **kwargs)

    def master_settings(self, **kwargs: Any) -> dict[str, Any]:
        return self.state("master_settings", name=str(self.master_file), **kwargs)

    def minion_config(self) -> dict[str, Any]:
        return salt.config.minion_config(str(self.base / "minion"), cache_minion_id=False)

    def master_config(self) -> dict[str, Any]:
        return salt.config.master_config(str(self.base / "master"))


@pytest.fixture
def daemons(tmp_path: Path) -> Daemons:
    return Daemons(tmp_path)


def test_the_beacon_is_configured_beside_those_of_other_files(daemons: Daemons) -> None:
    daemons.write("minion", "id: x\n")
    daemons.write("minion.d/other.conf", "beacons: {load: [{averages: {1m: [0, 2]}}]}\n")
    assert daemons.minion_settings()["result"] is True
    assert set(daemons.minion_config()["beacons"]) == {"keepalived", "load"}


def test_a_second_run_changes_nothing(daemons: Daemons) -> None:
    assert daemons.minion_settings()["changes"]
    again = daemons.minion_settings()
    assert (again["result"], again["changes"]) == (True, {})


def test_test_mode_writes_nothing(daemons: Daemons) -> None:
    assert daemons.minion_settings(test=True)["result"] is None
    assert not daemons.minion_file.exists()


@pytest.mark.parametrize(
    ("main", "pillar", "named"),
    [
        pytest.param(
            "beacons: {load: [{averages: {1m: [0, 2]}}]}\n",
            {},
            ["minion sets beacons", "minion.d/local-beacons.conf"],
            id="beacons in the main file, which ours would replace",
        ),
        pytest.param(
            "",
            {"beacons": {"load": []}},
            ["pillar 'beacons'", "keepalived: [{limit:"],
            id="beacons in pillar, which silence ours",
        ),
        pytest.param("a: [\n", {}, ["not valid YAML"], id="main file that is not YAML"),
        pytest.param("- a\n", {}, ["not a YAML mapping"], id="main file that is a list"),
    ],
)
def test_settings_that_could_not_work_are_refused_and_not_written(
    daemons: Daemons, main: str, pillar: dict[str, Any], named: list[str]
) -> None:
    daemons.write("minion", main)
    ret = daemons.minion_settings(pillar=pillar)
    assert ret["result"] is False
    assert [part for part in named if part not in ret["comment"]] == []
    assert not daemons.minion_file.exists()


def test_beacons_in_pillar_that_hold_ours_are_accepted(daemons: Daemons) -> None:
    ret = daemons.minion_settings(pillar={"beacons": {"keepalived": [{"limit": 500}]}})
    assert ret["result"] is True


def test_reactions_are_added_to_those_of_other_files(daemons: Daemons) -> None:
    daemons.write("master", "")
    daemons.write("master.d/other.conf", "reactor: [{a/b: [/x.sls]}]\n")
    assert daemons.master_settings()["result"] is True
    globs = [next(iter(entry)) for entry in daemons.master_config()["reactor"]]
    assert "a/b" in globs
    assert any(glob.endswith("/keepalived/*/FAULT") for glob in globs)


def test_alert_targets_reach_the_master_but_no_return(daemons: Daemons) -> None:
    daemons.write("master", "")
    alerts = {"webhook": {"url": "https://hooks.invalid/s3cret"}, "mail": {"to": ["a", "b"]}}
    ret = daemons.master_settings(pillar={"keepalived_master": {"alerts": alerts}})
    assert ret["result"] is True
    assert daemons.master_config()["keepalived"] == {"alerts": alerts}
    assert "s3cret" not in str(ret)
    assert daemons.master_file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("main", "pillar", "named"),
    [
        pytest.param("reactor: [{a: [b]}]\n", {}, "master sets reactor", id="reactor in main file"),
        pytest.param(
            "keepalived: {a: b}\n",
            {"keepalived_master": {"alerts": {"log": True}}},
            "master sets keepalived",
            id="our key in main file",
        ),
        pytest.param("", {"keepalived_master": {"alert": {}}}, "alert: unknown", id="unknown key"),
        pytest.param("", {"keepalived_master": ["x"]}, "must be a mapping", id="not a mapping"),
    ],
)
def test_wrong_master_settings_are_refused_and_not_written(
    daemons: Daemons, main: str, pillar: dict[str, Any], named: str
) -> None:
    daemons.write("master", main)
    ret = daemons.master_settings(pillar=pillar)
    assert ret["result"] is False
    assert named in ret["comment"]
    assert not daemons.master_file.exists()
