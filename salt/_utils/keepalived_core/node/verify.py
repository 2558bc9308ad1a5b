"""Is a change in force, and did it do no harm?  What is looked at before and after a reload.

Before: every instance's state and counters, and the kernel's addresses.  After: the same daemon
lives and shows the new facts; no instance went to FAULT; a MASTER is still one, with its addresses,
and nobody else sends adverts; a BACKUP still accepts the adverts it hears.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import dump, layout, process
from .absence import Absence
from .addresses import Held, snapshot
from .apply import ApplyError, differences
from .paths import DEFAULT, Paths
from .state import Instance

Instances = dict[str, Instance]

#: Counters that grow when a peer's advert is not accepted (vrrp.c, vrrp_check_packet).
REJECTED = (
    "packet_len_err",
    "advert_interval_err",
    "ip_ttl_err",
    "invalid_type_rcvd",
    "addr_list_err",
    "invalid_authtype",
    "authtype_mismatch",
    "auth_failure",
)
#: From then on a list of addresses that differs is counted and the advert accepted all the same.
LIST_ACCEPTED_SINCE = (2, 3, 3)
HARMLESS = ("nothing", "safe")
SHOWN_SECONDS = 10.0
#: A node hears its MASTER once an advert interval; it is master itself after 3 and the skew (at
#: most one more).  So two tell that all is well, and after four all is said.
CALM, ELECTION = 2.0, 4.2
SHORTEST, LONGEST = 1.0, 30.0
#: So many advert intervals show whether a counter grows by itself.
DOUBT = 1.2
#: keepalived logs a line for each dump.
_STEP = 0.25


@dataclass(frozen=True)
class Before:
    """What was true before the change.

    ``instances``: None when keepalived gave no dump.  ``known``: (instance, counter) that grew
    already, so that it is nothing new when they go on.  ``written``: what the file says of the
    instances, which tells their addresses where there is no dump.
    """

    daemon: process.Daemon
    instances: Instances | None
    known: frozenset[tuple[str, str]] = frozenset()
    written: tuple[Instance, ...] = ()

    @property
    def holding(self) -> tuple[Instance, ...]:
        """The instances whose addresses are worth a look."""
        return self.written if self.instances is None else tuple(self.instances.values())

    def state(self, name: str) -> str | None:
        one = (self.instances or {}).get(name)
        return one.state if one else None


@dataclass(frozen=True)
class Rules:
    """What may happen.

    ``kinds``: {instance: what the classifier says}; an instance that is not there is not touched.
    ``loose``: somebody has accepted that addresses move and that nodes disagree for a while.
    ``tracks``: seconds after which the slowest of the changed tracks has shown what it does.
    ``rejected``: the counters that tell of adverts which are not accepted.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    loose: bool = False
    tracks: float = 0.0
    rejected: tuple[str, ...] = REJECTED

    def strict(self, name: str) -> bool:
        return not self.loose and self.kinds.get(name, "nothing") in HARMLESS

    def window(self, instances: Instances) -> float:
        """Seconds to look on."""
        adverts = [one.advert_interval or 1.0 for one in instances.values()]
        calm = all(self.strict(name) for name in instances)
        longest = max(adverts, default=1.0) * (CALM if calm else ELECTION)
        return min(LONGEST, max(SHORTEST, longest, self.tracks))


def rejections(version: tuple[int, ...] | None) -> tuple[str, ...]:
    """The counters of :data:`REJECTED` that mean it with this release."""
    if version is None or version < LIST_ACCEPTED_SINCE:
        return REJECTED
    return tuple(counter for counter in REJECTED if counter != "addr_list_err")


def look(daemon: process.Daemon, paths: Paths = DEFAULT, doubt: bool = True) -> Before:
    """What is true now.

    :param doubt: take one advert interval longer where adverts are rejected already, or a MASTER
        has heard some: only the growth tells whether that is so now.
    """
    first = _dump(paths)
    if first is None:
        return Before(daemon, None, written=tuple(layout.read(paths).instances.values()))
    doubtful = {
        name: one
        for name, one in first.items()
        if any(one.stats.get(counter) for counter in REJECTED)
        or (one.state == "MASTER" and one.stats.get("advert_rcvd"))
    }
    if not doubtful or not doubt:
        return Before(daemon, first)
    time.sleep(min(3.0, max(DOUBT * (one.advert_interval or 1.0) for one in doubtful.values())))
    second = _dump(paths) or first
    known = {
        (name, counter)
        for name in doubtful.keys() & second.keys()
        for counter in (*REJECTED, "advert_rcvd")
        if _growth(first[name], second[name], counter)
    }
    return Before(daemon, second, frozenset(known))


def facts(one: Instance) -> dict[str, Any]:
    """What the dump says of an instance's configuration, in the shape of ``plan.expected``."""
    return {
        "vrid": one.vrid,
        "base_priority": one.base_priority,
        "version": one.version,
        "interface": one.interface,
        "advert_interval": one.advert_interval,
        "nopreempt": one.nopreempt,
        "vips": sorted(f"{vip.address}/{vip.prefix}" for vip in one.vips if not vip.excluded),
        "excluded": sorted(f"{vip.address}/{vip.prefix}" for vip in one.vips if vip.excluded),
    }


def in_force(
    daemon: process.Daemon,
    expected: Mapping[str, dict] | None,
    paths: Paths = DEFAULT,
    timeout: float = SHOWN_SECONDS,
) -> Instances | None:
    """Wait until *daemon* shows what *expected* says (None: anything).

    :returns: what it shows; None when it lives and shows nothing.
    :raises ApplyError: when it died, or shows something else to the end.
    """
    deadline = time.monotonic() + timeout
    while True:
        seen = _dump(paths)
        if not daemon.alive():
            raise ApplyError(f"keepalived (pid {daemon.pid}) died during the reload")
        if seen is None and (not expected or time.monotonic() > deadline):
            return None
        if seen is not None:
            missing = (
                []
                if expected is None
                else differences(dict(expected), {name: facts(one) for name, one in seen.items()})
            )
            if not missing:
                return seen
            if time.monotonic() > deadline:
                raise ApplyError(
                    f"keepalived (pid {daemon.pid}) lives, but {timeout:g} s after the reload it "
                    f"does not run the new configuration: {'; '.join(missing[:5])}"
                )
        time.sleep(_STEP)


def observe(
    before: Before,
    daemon: process.Daemon,
    seen: Instances | None,
    rules: Rules,
    away: Absence | None,
    paths: Paths = DEFAULT,
) -> None:
    """Look on for as long as *rules* ask, from *seen* (the first dump after the change) on.

    :raises ApplyError: at the first thing that is wrong.
    """
    begin = time.monotonic()
    window = rules.window(seen or {})
    patience = max(window, ELECTION / CALM * window) if seen else window
    missed: set[str] = set()
    while True:
        time.sleep(_STEP)
        _alive(daemon)
        # Without a dump at the start there is none to wait for now.
        now = (_dump(paths) or seen) if seen is not None else {}
        over = time.monotonic() - begin >= window
        wrong = harm(before, seen or now, now, rules, over)
        if away is not None:
            names = [one.name for one in before.holding if rules.strict(one.name)]
            gone = {name for name in names if away.missing(name)}
            wrong += [
                f"{name} has lost {', '.join(away.missing(name))}" for name in sorted(gone & missed)
            ]
            missed = gone
        if over and not wrong and daemon.same_netns:
            wrong += _hollow(now)
        if wrong:
            raise ApplyError("; ".join(wrong))
        deaf = unheard(before, seen or now, now, rules)
        if over and (not deaf or time.monotonic() - begin >= patience):
            if deaf:
                raise ApplyError(
                    f"since the reload no advert of its master was accepted by {', '.join(deaf)}"
                )
            return


def harm(
    before: Before, seen: Instances, now: Instances, rules: Rules, over: bool = True
) -> list[str]:
    """What is wrong *now*, a sentence each.  ``over``: nothing can get better any more."""
    found = []
    for name, one in sorted(now.items()):
        was, strict = before.state(name), rules.strict(name)
        if one.state == "FAULT" and was not in ("FAULT", None) and (strict or over):
            found.append(f"{name} went from {was} to FAULT")
            continue
        if not strict:
            continue
        if was == "MASTER" and one.state != "MASTER":
            found.append(f"{name} is no longer MASTER (it is {one.state})")
        elif was == "BACKUP" and one.state == "MASTER":
            found.append(f"{name} became MASTER although its master is there")
        start = (before.instances or {}).get(name) or seen.get(name, one)
        rejected = [
            f"{counter} +{growth}"
            for counter in rules.rejected
            if (growth := _growth(start, one, counter)) and (name, counter) not in before.known
        ]
        if rejected:
            found.append(f"{name} rejects the adverts of its peers ({', '.join(rejected)})")
        if (
            was == one.state == "MASTER"
            and (name, "advert_rcvd") not in before.known
            and _growth(seen.get(name, one), one, "advert_rcvd") > 1
        ):
            found.append(f"another node sends adverts for {name}, which is MASTER here")
    return found


def unheard(before: Before, seen: Instances, now: Instances, rules: Rules) -> list[str]:
    """The instances that heard their master before the reload and have not since."""
    return sorted(
        name
        for name, one in now.items()
        if one.state == before.state(name) == "BACKUP"
        and rules.strict(name)
        and (before.instances or {})[name].stats.get("advert_rcvd")
        and name in seen
        and not _growth(seen[name], one, "advert_rcvd")
    )


def not_as_before(before: Before, paths: Paths = DEFAULT) -> list[str]:
    """What is still worse than it was, a sentence each; for a file that was put back."""
    now = _dump(paths)
    if now is None or before.instances is None:
        return []
    found = []
    for name, one in sorted(before.instances.items()):
        state = now[name].state if name in now else None
        if state is None:
            found.append(f"{name} is not there")
        elif one.state in ("MASTER", "BACKUP") and state not in ("MASTER", "BACKUP"):
            found.append(f"{name} was {one.state} and is {state}")
        elif one.state == "MASTER" != state and not one.nopreempt:
            found.append(f"{name} was MASTER and is {state}")
    return found or (_hollow(now) if before.daemon.same_netns else [])


def _hollow(now: Instances) -> list[str]:
    held = Held(snapshot())
    return [
        f"{name} is MASTER and lacks an address"
        for name, one in sorted(now.items())
        if one.state == "MASTER" and (held.presence(one) or (True, True))[0] is False
    ]


def _alive(daemon: process.Daemon) -> None:
    if not daemon.alive():
        raise ApplyError(f"keepalived (pid {daemon.pid}) died after the reload")
    if daemon.vrrp and process.ended(daemon.vrrp):
        raise ApplyError(f"keepalived's VRRP process (pid {daemon.vrrp}) died of the reload")


def why_blind(paths: Paths = DEFAULT) -> str:
    """Why keepalived gives no dump."""
    try:
        dump.read_json(paths)
    except dump.DumpUnavailable as err:
        return err.reason
    return "it answered too late"


def _growth(start: Instance, end: Instance, counter: str) -> int:
    return max(0, end.stats.get(counter, 0) - start.stats.get(counter, 0))


def _dump(paths: Paths) -> Instances | None:
    try:
        return {one.name: one for one in dump.read_json(paths).instances}
    except dump.DumpUnavailable:
        return None
