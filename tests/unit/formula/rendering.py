"""Render the formula's SLS with Salt itself, for any family of distributions and any pillar."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import salt.config
import salt.state
from salt._logging.impl import shutdown_temp_handler

# Salt keeps log lines for a log file that is never set up here, and prints them at exit, when
# pytest has closed the stream.
shutdown_temp_handler()

ROOT = Path(__file__).resolve().parents[3]

# What Salt reports on real machines, as far as the formula looks at it.
FAMILIES: dict[str, dict[str, Any]] = {
    "debian": {"os": "Debian", "os_family": "Debian", "osmajorrelease": 12},
    "ubuntu": {"os": "Ubuntu", "os_family": "Debian", "osmajorrelease": 24},
    "rhel8": {"os": "RedHat", "os_family": "RedHat", "osmajorrelease": 8},
    "rhel9": {"os": "Rocky", "os_family": "RedHat", "osmajorrelease": 9},
    "suse": {"os": "SUSE", "os_family": "Suse", "osmajorrelease": 15},
    "arch": {"os": "Arch", "os_family": "Arch"},
}


class Rendered:
    """The outcome of one rendering: Salt's own errors, and the states in order of execution."""

    def __init__(self, errors: list[str], chunks: list[dict[str, Any]]) -> None:
        self.errors = errors
        self.chunks = chunks

    def ids(self) -> list[str]:
        return [chunk["__id__"] for chunk in self.chunks]

    def __getitem__(self, state_id: str) -> dict[str, Any]:
        found = [chunk for chunk in self.chunks if chunk["__id__"] == state_id]
        assert found, f"no state {state_id} among {self.ids()}"
        return found[0]

    def functions(self) -> set[str]:
        return {f"{chunk['state']}.{chunk['fun']}" for chunk in self.chunks}


class Renderer:
    """A minion of which only grains, pillar and the presence of the bundle's modules vary."""

    def __init__(self, root_dir: Path) -> None:
        self.known: dict[str, Rendered] = {}
        self.opts = salt.config.minion_config(None)
        self.opts.update(
            id="controller1",
            file_client="local",
            file_roots={"base": [str(ROOT / "salt")]},
            pillar_roots={"base": []},
            root_dir=str(root_dir),
            cachedir=str(root_dir / "cache"),
            extension_modules=str(root_dir / "cache" / "extmods"),
            conf_file=str(root_dir / "minion"),
            fileserver_backend=["roots"],
        )

    def render(self, *sls: str, **given: Any) -> Rendered:
        """The same question is asked by several tests, and an answer takes half a second."""
        key = json.dumps([sls, given], sort_keys=True)
        if key not in self.known:
            self.known[key] = self._render(list(sls), **given)
        return self.known[key]

    def _render(
        self,
        sls: list[str],
        family: str = "debian",
        pillar: dict[str, Any] | None = None,
        synced: bool = True,
        **grains: Any,
    ) -> Rendered:
        opts = copy.deepcopy(self.opts)
        opts["module_dirs"] = [str(ROOT / "salt")] if synced else []
        opts["grains"] = {
            "id": "controller1",
            "kernel": "Linux",
            "init": "systemd",
            "pythonexecutable": "/opt/saltstack/salt/bin/python3",
            **FAMILIES[family],
            **grains,
        }
        # Given ready, so that none is compiled; Salt takes an empty one for none given.
        ready = {"unrelated": True, **(pillar or {})}
        with salt.state.HighState(opts, initial_pillar=ready) as highstate:
            high, errors = highstate.render_highstate({"base": sls})
            if errors:
                return Rendered(errors, [])
            high, errors = highstate.state.reconcile_extend(high)
            high, more = highstate.state.requisite_in(high)
            errors += more + highstate.state.verify_high(high)
            if errors:
                return Rendered(errors, [])
            chunks, errors = highstate.state.compile_high_data(high)
            return Rendered(errors, chunks)
