"""Drain a node: its peers get the addresses, and it takes none until it is undrained.

The lever is a file that keepalived tracks (:mod:`drain_track`, :mod:`drain_file`): no reload, no
restart.  By *weight* the priority becomes 1: the node keeps an address until a peer has taken it.
By *fault* the node lets go first, as when keepalived stops; a peer with ``nopreempt`` takes an
address only then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..conf.tree import Tree
from . import apply, drain_file, drain_track, process
from .drain_file import Record
from .drain_status import configured, lacks
from .drain_view import (
    View,
    both,
    look,
    named,
    pressed,
    still_held,
    taken,
    until,
    wait_for_takeover,
)
from .paths import DEFAULT, Paths

#: A number in the file takes effect within 2 ms (measured); a busy machine gets this long.
TAKEN_SECONDS = 3.0
#: What a handover may take beyond what the protocol says.
SLACK = 2.0
#: A peer that waits longer than this before it takes an address counts as one that never does.
LONGEST_DELAY = 30.0
_WAY_OUT = "force=True drains it all the same"


class DrainError(Exception):
    """The node is not drained; ``reason`` says why, and what was done about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Peers:
    """What the pillar says of the other nodes' part in one instance."""

    nopreempt: bool = False
    preempt_delay: float = 0.0

    def wait_for_ever(self) -> bool:
        """Whether they leave an address where it is, however low its priority."""
        return self.nopreempt or self.preempt_delay > LONGEST_DELAY


def peers_of(trees: Mapping[str, Tree]) -> dict[str, Peers]:
    """Per instance: whether any of the nodes, whose configurations these are, has ``nopreempt``,
    and the longest ``preempt_delay``."""
    found: dict[str, Peers] = {}
    for tree in trees.values():
        for block in tree.blocks("vrrp_instance"):
            known = found.get(block.name, Peers())
            found[block.name] = Peers(
                known.nopreempt or block.get("nopreempt") is not None,
                max(known.preempt_delay, _number(block.value("preempt_delay"), 0.0)),
            )
    return found


def drain(
    reason: str | None = None,
    expires: object = None,
    mode: str = "auto",
    force: bool = False,
    peers_healthy: Mapping[str, bool] | None = None,
    peers: Mapping[str, Peers] | None = None,
    who: str | None = None,
    paths: Paths = DEFAULT,
) -> dict[str, Any]:
    """Give this node's addresses away and take none; see ``keepalived.drain`` of the modules.

    :param expires: as :func:`drain_file.moment` reads it.
    :param peers_healthy: per instance, whether a peer is ready; None or no entry: not known.
    :param peers: what :func:`peers_of` says; None: they are like this node.
    :raises ValueError: for an argument that is none; :class:`DrainError`, :class:`OSError`.
    """
    if mode not in ("auto", *drain_file.VALUES):
        raise ValueError(f"mode={mode!r} is no way to drain: auto, weight or fault")
    if peers_healthy is not None and not isinstance(peers_healthy, Mapping):
        raise ValueError(f"peers_healthy is a mapping of instance to bool, not {peers_healthy!r}")
    now = time.time()
    ends = drain_file.moment(expires, now)
    if ends is not None and ends <= now:
        raise ValueError(f"expires={expires!r} is over already")
    with _locked(paths):
        drain_file.keep(paths)
        tree = configured(paths)
        lacking = lacks(tree, paths)
        if lacking:
            raise DrainError(
                f"this node cannot be drained: {'; '.join(lacking)}. Apply the state first "
                "(state.apply keepalived); the pillar key keepalived:drain_file: false leaves the "
                "drain file out"
            )
        daemon = process.find(paths)
        if daemon is not None and daemon.frozen() and not force:
            raise DrainError("keepalived is frozen (stopped by a signal); nothing was changed")
        old = drain_file.read(paths)
        before = look(paths, tree)
        held = [name for name, one in before.items() if one.held]
        # what nothing is known of is taken to be like this node
        known = {**peers_of({"": tree}), **(peers or {})}
        chosen = mode if mode != "auto" else _choose(held, known, old)
        hard = drain_track.faulting(tree, str(paths.drain))
        # whose address leaves this node before a peer has it
        losing = [name for name in held if chosen == "fault" or name in hard]
        _check_healthy(before, held, losing, peers_healthy or {}, force)
        record = Record(
            mode=chosen,
            since=old.since if old else now,
            until=ends,
            reason=reason if reason is not None or old is None else old.reason,
            who=who,
            handover=_handover(tree, known),
        )
        return _carry_out(record, old, tree, before, held, losing, force, paths)


def undrain(who: str | None = None, paths: Paths = DEFAULT) -> dict[str, Any]:
    """End a drain, whoever began it.  ``did`` is empty when there was none.

    :raises DrainError: when keepalived does not take the number; :class:`OSError`.
    """
    with _locked(paths):
        record, number = drain_file.read(paths), drain_file.value(paths)
        tree = configured(paths)
        before = look(paths, tree)
        after, did = before, ""
        if record is not None or number:
            handover = record.handover if record else _handover(tree, peers_of({"": tree}))
            drain_file.declare(handover, f"undrained by {who or 'hand'}", paths)
            drain_file.clear(paths)
            after = until(
                lambda: look(paths, tree),
                lambda view: not pressed(view, before),
                TAKEN_SECONDS,
            )
            did = "this node may take addresses again"
        else:
            # a file with no number in it counts as 0, and shall say so
            drain_file.clear(paths)
    return {"drained": False, "instances": both(before, after), "did": did}


# -- beneath --


def _carry_out(
    record: Record,
    old: Record | None,
    tree: Tree,
    before: View,
    held: list[str],
    losing: list[str],
    force: bool,
    paths: Paths,
) -> dict[str, Any]:
    """Write the number, see what it does, and take it back when nobody takes over."""
    patient = [name for name in held if name not in losing]
    drain_file.declare(record.handover + TAKEN_SECONDS, f"drained: {record.reason or ''}", paths)
    try:
        drain_file.write(record, paths)
        started = time.monotonic()
        view = until(
            lambda: look(paths, tree),
            lambda now: taken(before, now, losing),
            TAKEN_SECONDS,
        )
        if not taken(before, view, losing):
            raise DrainError(
                "keepalived did not take the drain file's number within "
                f"{TAKEN_SECONDS:g} s; is it frozen, or was its configuration changed and not "
                "reloaded?"
            )
        if patient:
            deadline = started + record.handover
            view = wait_for_takeover(paths, tree, before, patient, deadline)
        left = still_held(view, patient)
        if left and not force:
            raise DrainError(
                f"no healthy peer took over {named(left, before)} within {record.handover:.3g} s; "
                f"it stayed here all the time. {_WAY_OUT}: it then stays here until a peer takes it"
            )
    except (DrainError, OSError) as err:
        _undo(old, paths)
        if isinstance(err, OSError):
            raise
        raise DrainError(f"{err.reason}. The node is {'still ' if old else 'not '}drained") from err
    took = time.monotonic() - started
    return {
        "drained": True,
        "mode": record.mode,
        "since": drain_file.text(record.since),
        "until": drain_file.text(record.until),
        "reason": record.reason,
        "instances": both(before, view),
        "did": ". ".join(_told(before, held, losing, left, took)) + ".",
    }


def _undo(old: Record | None, paths: Paths) -> None:
    if old is None:
        drain_file.clear(paths)
    else:
        drain_file.write(old, paths)


def _told(
    before: View, held: list[str], losing: list[str], left: list[str], took: float
) -> list[str]:
    """What came of it, in sentences."""
    passed = [name for name in held if name not in losing and name not in left]
    others = [name for name in before if name not in held]
    told = []
    if passed:
        told.append(f"a peer took over {named(passed, before)}, within {took:.1f} s")
    if losing:
        told.append(
            f"{named(losing, before)} was given up: a ready peer takes it within one advert"
        )
    if left:
        told.append(f"nobody took over {named(left, before)}: it stays here until a peer does")
    if others and all(before[name].state == "STOP" for name in others):
        told.append("keepalived does not run here; when it starts it takes no address")
    elif others:
        told.append(f"not held here and kept so: {', '.join(others)}")
    return told or ["there is no VRRP instance here"]


def _choose(held: list[str], peers: Mapping[str, Peers], old: Record | None) -> str:
    if any(peers.get(name, Peers()).wait_for_ever() for name in held):
        return "fault"
    if not held and old is not None:
        return old.mode
    return "weight"


def _check_healthy(
    before: View,
    held: list[str],
    losing: list[str],
    healthy: Mapping[str, bool],
    force: bool,
) -> None:
    if force:
        return
    sick = [name for name in held if healthy.get(name) is False]
    if sick:
        raise DrainError(
            f"no healthy peer would take over {named(sick, before)}; nothing was changed. "
            f"{_WAY_OUT}: " + _loss([name for name in sick if name in losing], before)
        )
    unknown = [name for name in losing if healthy.get(name) is None]
    if unknown:
        raise DrainError(
            f"{named(unknown, before)} would be given up before a peer takes it (nopreempt, "
            "preempt_delay, priority 255 or mode=fault), and this node cannot see whether one will;"
            " nothing was changed. salt-run keepalived.drain looks at the peers first. "
            f"{_WAY_OUT}: " + _loss(unknown, before)
        )


def _loss(names: list[str], before: View) -> str:
    if not names:
        return "the address then stays here until a peer takes it"
    gone = sorted({address for name in names for address in before[name].addresses})
    return f"if no peer is ready, {', '.join(gone) or 'the address'} is then on no node"


def _handover(tree: Tree, peers: Mapping[str, Peers]) -> float:
    """How many seconds a peer that is ready needs at most to take an address of this node:
    its down timer (3 adverts, unless told otherwise), the skew (less than one advert), and its
    ``preempt_delay``."""
    longest = 0.0
    count = 3.0
    for block in tree.blocks("global_defs"):
        count = max(count, _number(block.value("vrrp_down_timer_adverts"), count))
    for block in tree.blocks("vrrp_instance"):
        advert = _number(block.value("advert_int"), 1.0)
        count_here = max(count, _number(block.value("down_timer_adverts"), count))
        delay = min(peers.get(block.name, Peers()).preempt_delay, LONGEST_DELAY)
        longest = max(longest, (count_here + 1) * advert + delay)
    return longest + SLACK


def _number(text: str, default: float) -> float:
    try:
        return float(text)
    except ValueError:
        return default


@contextmanager
def _locked(paths: Paths) -> Iterator[None]:
    """One drain at a time; the lock's refusal is a :class:`DrainError`."""
    try:
        with drain_file.lock(paths):
            yield
    except apply.ApplyError as err:
        raise DrainError(
            "another run is draining or undraining this node; nothing was changed"
        ) from err
