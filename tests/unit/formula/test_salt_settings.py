"""The states that write the settings of Salt's own daemons hide nothing and show no secret."""

from __future__ import annotations

import importlib.util
import os
import pwd
import subprocess
import sys
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


def test_the_relay_is_configured_beside_other_engines(daemons: Daemons) -> None:
    daemons.write("minion", "id: x\n")
    daemons.write("minion.d/other.conf", "engines: [{script: {cmd: /x}}]\n")
    assert daemons.minion_settings()["result"] is True
    names = [next(iter(engine)) for engine in daemons.minion_config()["engines"]]
    assert sorted(names) == ["keepalived_relay", "script"]


def test_the_code_of_the_relay_is_all_that_it_imports() -> None:
    """A minion is restarted for a new version of these, and of nothing else."""
    code = (
        "import sys, pathlib, keepalived_core.node.relay as relay;"
        "root = pathlib.Path(relay.__file__).parents[1];"
        "print(*(pathlib.Path(m.__file__).relative_to(root) for n, m in sys.modules.items()"
        " if n.startswith('keepalived_core')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "salt/_utils")},
        capture_output=True,
        text=True,
        check=True,
    )
    path = ROOT / "salt/_modules/keepalived_minion.py"
    spec = importlib.util.spec_from_file_location("keepalived_minion", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert sorted(done.stdout.split()) == sorted(module.RELAY_LIBRARY)
    assert [name for name in module.relay_code() if not Path(name).is_file()] == []


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
            "engines: [{script: {cmd: /x}}]\n",
            {},
            ["minion sets engines", "minion.d/local-engines.conf"],
            id="engines in the main file, which ours would replace",
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
    alerts = {
        "webhook": {"url": "https://hooks.invalid/s3cret"},
        "mail": {"to": ["a", "b"]},
        "routes": {"oncall": {"apprise": "sdb://vault/pager"}, "chat": {"apprise": "x://s3cret"}},
    }
    ret = daemons.master_settings(pillar={"keepalived_master": {"alerts": alerts}})
    assert ret["result"] is True
    assert daemons.master_config()["keepalived"] == {"alerts": alerts}
    assert "s3cret" not in str(ret)
    assert daemons.master_file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("main", "pillar", "named"),
    [
        pytest.param("reactor: [{a: [b]}]\n", {}, "master sets reactor", id="reactor in main file"),
        pytest.param("engines: [{a: {}}]\n", {}, "master sets engines", id="engines in main file"),
        pytest.param(
            "keepalived: {a: b}\n",
            {"keepalived_master": {"alerts": {"log": True}}},
            "master sets keepalived",
            id="our key in main file",
        ),
        pytest.param(
            "ext_pillar: [{cmd_yaml: x}]\n",
            {},
            "master sets ext_pillar",
            id="ext_pillar in main file",
        ),
        pytest.param("", {"keepalived_master": {"alert": {}}}, "alert: unknown", id="unknown key"),
        pytest.param("", {"keepalived_master": ["x"]}, "must be a mapping", id="not a mapping"),
        pytest.param(
            "",
            {"keepalived_master": {"metrics": {"textfile": "hub.prom"}}},
            "pillar keepalived_master:metrics:textfile: 'hub.prom' is no absolute path",
            id="metrics",
        ),
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


def test_metrics_are_no_setting_of_the_master(daemons: Daemons) -> None:
    daemons.write("master", "")
    metrics = {"textfile": "/srv/metrics/hub.prom"}
    ret = daemons.master_settings(pillar={"keepalived_master": {"metrics": metrics}})
    assert ret["result"] is True
    assert "keepalived" not in daemons.master_config()


def test_the_secret_is_made_once_for_the_user_the_master_runs_as(daemons: Daemons) -> None:
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    secret = daemons.base / "pki" / "keepalived-events.secret"
    secret.parent.mkdir()
    daemons.write("master", f"user: {user.pw_name}\nroot_dir: {daemons.base}\npki_dir: /pki\n")
    first = daemons.state("event_secret", name="x", test=True)
    assert (first["result"], secret.exists()) == (None, False)
    made = daemons.state("event_secret", name="x")
    assert (made["result"], made["changes"]) == (True, {str(secret): "made"})
    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (user.pw_uid, 0o600)
    content = secret.read_text()
    again = daemons.state("event_secret", name="x")
    assert (again["result"], again["changes"], secret.read_text()) == (True, {}, content)
    secret.chmod(0o644)
    assert daemons.state("event_secret", name="x")["result"] is False


def test_the_master_hands_out_event_keys_beside_other_external_pillars(daemons: Daemons) -> None:
    daemons.write("master", "")
    daemons.write("master.d/other.conf", "ext_pillar: [{cmd_yaml: cat /x}]\n")
    pillar = {"keepalived_master": {"secret_file": "/srv/events.secret"}}
    assert daemons.master_settings(pillar=pillar)["result"] is True
    names = [next(iter(entry)) for entry in daemons.master_config()["ext_pillar"]]
    assert sorted(names) == ["cmd_yaml", "keepalived"]
    assert daemons.master_config()["keepalived"] == {"secret_file": "/srv/events.secret"}


def test_the_hub_runs_on_the_master_beside_other_engines(daemons: Daemons) -> None:
    daemons.write("master", "")
    daemons.write("master.d/other.conf", "engines: [{webhook: {port: 1}}]\n")
    assert daemons.master_settings()["result"] is True
    names = [next(iter(entry)) for entry in daemons.master_config()["engines"]]
    assert sorted(names) == ["keepalived_hub", "webhook"]


def test_the_code_of_the_hub_is_all_that_it_imports() -> None:
    """A master is restarted for a new version of these, and of nothing else."""
    path = ROOT / "salt/_modules/keepalived_minion.py"
    spec = importlib.util.spec_from_file_location("minion_module", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program = (
        "import sys, runpy; before = set(sys.modules); "
        f"runpy.run_path({str(ROOT / 'salt/_engines/keepalived_hub.py')!r}); "
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('keepalived_core')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "salt/_utils")},
    )
    library = ROOT / "salt/_utils/keepalived_core"
    found = [str(Path(name).relative_to(library)) for name in done.stdout.split()]
    assert sorted(found) == sorted(module.HUB_LIBRARY)
