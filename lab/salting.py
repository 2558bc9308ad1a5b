"""Salt in a lab: its commands, run on the master, and the tree it serves."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.host import REPO, CommandError, LabError
from lab.machine import Node

if TYPE_CHECKING:
    from lab.state import State

MASTER = "master"


class Salting:
    """What a Lab does with Salt."""

    state: State

    def node(self, name: str) -> Node:
        """The machine of that name."""
        raise NotImplementedError

    @property
    def master(self) -> Node:
        """The machine that runs salt-master."""
        return self.node(MASTER)

    def minions(self) -> list[str]:
        """Ids of the minions this lab started."""
        known = self.state.read()["nodes"]
        return [name for name, it in known.items() if it["salt"] and it["minion"]]

    def wait_minions(self, ids: Sequence[str] | None = None, timeout: float = 90) -> None:
        """Wait until the master has accepted these minions (default: all) and each answers."""
        wanted = set(self.minions() if ids is None else ids)
        deadline = time.monotonic() + timeout
        accepted = self.master.root / "etc/salt/pki/master/minions"
        missing = wanted
        while missing:
            if time.monotonic() > deadline:
                raise LabError(
                    f"minions without an answer after {timeout:.0f} s: {sorted(missing)}"
                )
            present = {path.name for path in accepted.glob("*")} if accepted.is_dir() else set()
            if wanted <= present:
                try:
                    answers = self.salt(
                        ",".join(sorted(wanted)), "test.ping", tgt_type="list", timeout=3
                    )
                    missing = wanted - {name for name, value in answers.items() if value is True}
                except LabError:
                    pass
            if missing:
                time.sleep(0.1)

    def salt(
        self,
        target: str,
        function: str,
        *args: Any,
        timeout: float = 60,
        tgt_type: str = "glob",
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Run `salt` on the master and return {minion: result}.

        Positional and keyword arguments go to the function (anything but text as JSON). `timeout`
        in seconds is what the minions get; one that does not answer is missing or False.
        `tgt_type`: glob, list, grain, compound. Raises LabError if the output is not JSON.
        """
        option = {"glob": [], "list": ["-L"], "grain": ["-G"], "compound": ["-C"]}[tgt_type]
        argv = ["salt", "--out=json", "--static", "--log-level=quiet", "-t", f"{timeout:.0f}"]
        argv += [*option, target, function, *_arguments(args, kwargs)]
        answer = _parse(self.master.run(argv, check=False, timeout=timeout * 2 + 30))
        if not isinstance(answer, dict):
            raise LabError(f"{' '.join(argv)}: {answer!r}")
        return answer

    def salt_run(self, function: str, *args: Any, timeout: float = 120, **kwargs: Any) -> Any:
        """Run `salt-run` on the master and return its result."""
        argv = ["salt-run", "--out=json", "--log-level=quiet", function, *_arguments(args, kwargs)]
        return _parse(self.master.run(argv, check=False, timeout=timeout))

    def salt_call(
        self,
        node: str,
        function: str,
        *args: Any,
        local: bool = False,
        timeout: float = 120,
        **kwargs: Any,
    ) -> Any:
        """Run `salt-call` on a machine and return its result; `local`: masterless."""
        argv = ["salt-call", "--out=json", "--log-level=quiet", *(["--local"] if local else [])]
        argv += [function, *_arguments(args, kwargs)]
        answer = _parse(self.node(node).run(argv, check=False, timeout=timeout))
        if not isinstance(answer, dict) or "local" not in answer:
            raise LabError(f"{' '.join(argv)} on {node}: {answer!r}")
        return answer["local"]

    def push(self, src: str | Path | None = None, node: str = MASTER) -> None:
        """Copy `salt/` and `pillar/` of a tree (default: this repository) to a machine's /srv.

        What was there before is replaced. `node`: the master, or a masterless machine.
        """
        source = Path(src) if src is not None else REPO
        target = self.node(node)
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".mypy_cache", ".ruff_cache")
        for part in ("salt", "pillar"):
            if not (source / part).is_dir():
                raise LabError(f"{source / part} is not a directory")
            # Copied first, swapped then: the master hardly sees a moment without the tree.
            new = target.root / "srv" / f".{part}.new"
            shutil.rmtree(new, ignore_errors=True)
            shutil.copytree(source / part, new, ignore=ignore)
            old = target.root / "srv" / part
            shutil.rmtree(old, ignore_errors=True)
            new.rename(old)


def _arguments(args: Sequence[Any], kwargs: dict[str, Any]) -> list[str]:
    words = [arg if isinstance(arg, str) else json.dumps(arg) for arg in args]
    return words + [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in kwargs.items()
    ]


def _parse(done: subprocess.CompletedProcess[str]) -> Any:
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        raise CommandError(done.args[-6:], done.returncode, done.stdout, done.stderr) from None
