"""The tracked scripts that a change brings, tried before keepalived relies on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..conf.instances import Check, checks, instances, sync_groups
from ..conf.tree import Block, Tree
from . import checks as running

#: A script whose failure shows later than this is not waited for.
LONGEST_SECONDS = 20.0


@dataclass
class Trial:
    """``fatal``: what would send an instance to FAULT; ``notes``: what is worth knowing.

    ``seconds``: when the slowest of the changed scripts has shown keepalived what it says.
    """

    fatal: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def attempt(old: Tree | None, new: Tree, states: Mapping[str, str]) -> Trial:
    """Run once, as keepalived would, each script that *new* changes or tracks anew.

    old: what the daemon runs now; states: {instance: state} now.  A script that fails already
    and an instance that is in FAULT already can get no worse.
    """
    trial = Trial()
    before, after = tracks(old) if old else {}, tracks(new)
    known, wanted = checks(old) if old else {}, checks(new)
    changed = {
        name
        for users in after.values()
        for name in users
        if name in wanted and (name not in known or not _same(known[name], wanted[name]))
    }
    names = {
        name
        for instance, users in after.items()
        for name in users
        if name in wanted and (name in changed or name not in before.get(instance, {}))
    }
    if not names:
        return trial
    trial.seconds = min(LONGEST_SECONDS, max(_seconds(new, wanted[name]) for name in names))
    results = running.run_checks({name: wanted[name] for name in names}, instances(new))
    for name, result in sorted(results.items()):
        for instance in result["instances"]:
            weight, reverse = after[instance][name]
            if result["ok"] != reverse or states.get(instance, "") == "FAULT":
                continue
            text = f"{name} ({' '.join(result['command'])}): {result['reason']}"
            if weight:
                trial.notes.append(f"{text}; it counts with weight {weight} for {instance}")
            elif name in before.get(instance, {}) and _fails_now(known.get(name), old):
                trial.notes.append(f"{text}; so does the one that is tracked now")
            else:
                trial.fatal.append(f"{instance} would go to FAULT: {text}")
    return trial


def tracks(tree: Tree) -> dict[str, dict[str, tuple[int, bool]]]:
    """{instance: {script: (weight, reverse)}}, those of its sync group among them."""
    own = {block.name: block for block in tree.blocks("vrrp_script")}
    found: dict[str, dict[str, tuple[int, bool]]] = {}
    for block in tree.blocks("vrrp_instance"):
        found.setdefault(block.name, {}).update(_lines(block, own))
    groups = {block.name: block for block in tree.blocks("vrrp_sync_group")}
    for name, members in sync_groups(tree).items():
        for member in members:
            found.setdefault(member, {}).update(_lines(groups[name], own))
    return found


def _lines(block: Block, scripts: Mapping[str, Block]) -> dict[str, tuple[int, bool]]:
    found = {}
    for tracked in block.blocks("track_script"):
        for line in tracked.statements():
            words = line.words
            weight = scripts[words[0]].value("weight") if words[0] in scripts else "0"
            if "weight" in words[:-1]:
                weight = words[words.index("weight") + 1]
            reverse = "reverse" in words[1:]
            found[words[0]] = (_number(weight), reverse)
    return found


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _same(one: Check, other: Check) -> bool:
    return (one.command, one.user, one.timeout) == (other.command, other.user, other.timeout)


def _fails_now(check: Check | None, tree: Tree | None) -> bool:
    if check is None or tree is None:
        return False
    return not all(
        result["ok"] for result in running.run_checks({check.name: check}, instances(tree)).values()
    )


def _seconds(tree: Tree, check: Check) -> float:
    falls = 1
    for block in tree.blocks("vrrp_script"):
        if block.name == check.name:
            falls = max(1, _number(block.value("fall")))
    return check.interval * falls + (check.timeout or check.interval)
