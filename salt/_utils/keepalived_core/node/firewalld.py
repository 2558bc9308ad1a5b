"""firewalld of this host, spoken to with its own tools (questions over D-Bus where that is open).

firewalld has two configurations: *runtime* (in force now, gone at its next reload or start) and
*permanent* (what that next reload or start brings). Each is read and changed by a call of its
own, so nothing here ever needs ``--reload``, which would throw away what others set at runtime.
While firewalld is installed but does not run, the permanent one is reached through
``firewall-offline-cmd``.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import firewalld_bus
from .firewalld_bus import Bus, Run
from .firewalld_zone import Zone, parse_zones

RUNTIME = "runtime"
PERMANENT = "permanent"

ONLINE = "firewall-cmd"
OFFLINE = "firewall-offline-cmd"
CONFIG = Path("/etc/firewalld/firewalld.conf")

# firewall-cmd's exit codes: firewall/errors.py, NOT_RUNNING and DBUS_ERROR.
NOT_RUNNING = 252
DBUS_ERROR = 36


class FirewallError(Exception):
    """What firewalld refused, or could not be asked; the text is for the person in charge."""


@dataclass(frozen=True)
class Outcome:
    """What a wish came to, in a Salt state's words.

    result: None when it was only asked what would change. changes: {place: {"old", "new"}}.
    """

    result: bool | None
    comment: str
    changes: dict[str, dict[str, Any]]


class Firewalld:
    """Asks and changes firewalld.

    run: see :data:`Run`. which: finds a program, None when there is none. config: firewalld.conf.
    """

    def __init__(
        self,
        run: Run,
        which: Callable[[str], str | None] = shutil.which,
        config: Path = CONFIG,
    ):
        self._run = run
        self._which = which
        self._config = config
        self._stopped = False
        self._bus = Bus(run) if which(firewalld_bus.PROGRAM) else None

    @property
    def installed(self) -> bool:
        return self._which(ONLINE) is not None

    def require(self) -> None:
        """Raise :class:`FirewallError` when firewalld is not installed."""
        if not self.installed:
            raise FirewallError(
                f"firewalld is not installed (no {ONLINE}): install and start it, or take the "
                "rules out of the pillar"
            )

    def backend(self) -> str:
        """``nftables`` or ``iptables``, from firewalld.conf.

        Without the setting it is nftables: firewalld's default since 0.6.0.
        """
        try:
            text = self._config.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "nftables"
        found = re.findall(r"^\s*FirewallBackend\s*=\s*(\w+)", text, re.MULTILINE)
        return found[-1].lower() if found else "nftables"

    def ask(self, where: str, arguments: list[str]) -> str | None:
        """What firewalld answers to *arguments*; None for the runtime part while it is stopped.

        Raises :class:`FirewallError` with firewalld's own words when the command fails.
        """
        command, answer = self._call(where, arguments)
        if answer is None:
            return None
        if answer["retcode"] != 0:
            raise FirewallError(_failure(command, answer))
        return str(answer["stdout"])

    def query(self, where: str, arguments: list[str]) -> bool | None:
        """The answer to a ``--query-…``; None for the runtime part while firewalld is stopped.

        "no" has exit code 1, which a crash has too: the printed word decides.
        """
        command, answer = self._call(where, arguments)
        if answer is None:
            return None
        word = str(answer["stdout"]).strip()
        if word not in ("yes", "no"):
            raise FirewallError(_failure(command, answer))
        return word == "yes"

    def holds(self, where: str, kind: str, words: Sequence[str]) -> bool | None:
        """Whether a direct rule, chain or passthrough is there; None as in :meth:`query`."""
        self.require()
        if self._bus and not self._stopped:
            held = self._bus.holds(where == PERMANENT, kind, list(words))
            if held is not None:
                return held
        return self.query(where, ["--direct", f"--query-{kind}", *words])

    def zones(self, where: str) -> dict[str, Zone] | None:
        """All zones by name; None for the runtime part while firewalld is stopped."""
        self.require()
        if self._bus and not self._stopped:
            zones = self._bus.zones(where == PERMANENT)
            if zones is not None:
                return zones
        text = self.ask(where, ["--list-all-zones"])
        return None if text is None else parse_zones(text)

    def default_zone(self) -> str:
        """The zone of every interface that no zone names (one setting, runtime and permanent)."""
        self.require()
        if self._bus and not self._stopped and (name := self._bus.default_zone()):
            return name
        arguments = ["--get-default-zone"]
        answer = self.ask(RUNTIME, arguments)
        if answer is None:  # firewall-cmd refuses --permanent here, firewall-offline-cmd does not
            answer = self.ask(PERMANENT, arguments)
        return str(answer).strip()

    def _call(self, where: str, arguments: list[str]) -> tuple[list[str], Mapping[str, Any] | None]:
        """The command that was run and its answer; firewall-cmd's own word says what runs."""
        self.require()
        if not self._stopped:
            command = [ONLINE, *(["--permanent"] if where == PERMANENT else []), *arguments]
            answer = self._run(command)
            if not _is_stopped(answer):
                return command, answer
            self._stopped = True
        if where == RUNTIME:
            return [], None
        if self._which(OFFLINE) is None:
            raise FirewallError(
                f"firewalld does not run and {OFFLINE} is missing: start firewalld, or install "
                f"the package that holds {OFFLINE}"
            )
        command = [OFFLINE, *arguments]
        return command, self._run(command)


def _is_stopped(answer: Mapping[str, Any]) -> bool:
    # Without the system bus firewalld cannot run either (an image being built, a container).
    no_bus = answer["retcode"] == DBUS_ERROR and "Failed to connect" in _words(answer)
    return answer["retcode"] == NOT_RUNNING or no_bus


def _words(answer: Mapping[str, Any]) -> str:
    return f"{answer.get('stdout') or ''}\n{answer.get('stderr') or ''}".strip()


def _failure(command: list[str], answer: Mapping[str, Any]) -> str:
    said = _words(answer) or "nothing was said"
    return f"{shlex.join(command)}: exit code {answer['retcode']}: {said}"
