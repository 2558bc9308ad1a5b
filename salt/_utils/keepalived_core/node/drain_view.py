"""What a drain looks at: this node's instances before, while and after it takes effect."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..conf.instances import instances
from ..conf.tree import Tree
from . import addresses, dump, process
from .paths import Paths
from .status import from_config, from_dump

PAUSE = 0.05
#: keepalived logs each dump it is asked for.
DUMP_PAUSE = 0.5


@dataclass(frozen=True)
class Seen:
    """One instance as it is now; ``state`` None: keepalived runs and does not tell."""

    state: str | None
    held: bool
    base: int | None
    effective: int | None
    addresses: tuple[str, ...]


View = dict[str, Seen]


def look(paths: Paths, tree: Tree) -> View:
    """Every instance as it is now: by keepalived's dump, or by the kernel where there is none."""
    daemon = process.find(paths)
    kernel = addresses.snapshot()
    try:
        rows = [from_dump(one, kernel, None) for one in dump.read_json(paths).instances]
    except dump.DumpUnavailable:
        state = "STOP" if daemon is None else None
        rows = [from_config(one, kernel, state) for one in instances(tree)]
    view = {}
    for row in rows:
        view[row["instance"]] = Seen(
            state=row["state"],
            held=row["state"] == "MASTER" or (row["state"] is None and bool(row["vip_present"])),
            base=row["base_priority"],
            effective=row["effective_priority"],
            addresses=tuple(vip["address"] for vip in row["vips"]),
        )
    return view


def taken(before: View, now: View, losing: list[str]) -> bool:
    """Whether keepalived has taken the number: as far as that shows, which is at once."""
    for name, one in before.items():
        seen = now.get(name)
        if seen is None or seen.state in ("FAULT", "STOP"):
            continue
        if name in losing:
            if seen.held:
                return False
        elif seen.effective and one.effective and 1 < seen.effective >= one.effective:
            return False
    return True


def pressed(view: View, before: View) -> bool:
    """Whether an instance is still where the drain had put it."""
    for name, one in view.items():
        was = before.get(name)
        if one.state == "FAULT" and was is not None and was.state == "FAULT":
            return True
        if one.effective == 1 and one.base not in (1, None):
            return True
    return False


def still_held(view: View, names: list[str]) -> list[str]:
    return [name for name in names if name in view and view[name].held]


def both(before: View, after: View) -> dict[str, dict[str, str | None]]:
    return {
        name: {
            "before": before[name].state if name in before else None,
            "after": after[name].state if name in after else None,
        }
        for name in dict.fromkeys([*before, *after])
    }


def named(names: list[str], view: View) -> str:
    parts = []
    for name in names:
        held = ", ".join(view[name].addresses)
        parts.append(f"{name} ({held})" if held else name)
    return " and ".join(parts)


def until(ask: Callable[[], View], done: Callable[[View], bool], seconds: float) -> View:
    """Ask until it is done or the time is over; the last answer."""
    deadline = time.monotonic() + seconds
    pause = PAUSE
    while True:
        view = ask()
        if done(view) or time.monotonic() > deadline:
            return view
        time.sleep(pause)
        pause = min(DUMP_PAUSE, pause * 1.5)


def wait_for_takeover(
    paths: Paths, tree: Tree, view: View, names: list[str], deadline: float
) -> View:
    """Wait until none of the instances is held here any more, or until *deadline* (monotonic).

    The kernel tells when an address goes, and that costs keepalived nothing.
    """
    wanted = {address for name in names for address in view[name].addresses}
    while True:
        here = {f"{ip}/{prefix}" for on in addresses.snapshot().values() for ip, prefix in on}
        late = time.monotonic() > deadline
        if late or not wanted & here:
            view = look(paths, tree)
            if late or not still_held(view, names):
                return view
            time.sleep(DUMP_PAUSE)
        time.sleep(PAUSE)
