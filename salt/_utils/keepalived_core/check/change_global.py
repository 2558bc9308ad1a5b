"""What is changed outside of the instances: global settings, definitions, virtual servers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ..conf import grammar
from ..conf.keyword import BLOCKS, ENTRIES, NAMED, WORDLIST, Version
from . import change_rules
from .change_instance import describe, lines
from .change_kind import Kind, Reason
from .change_model import INHERITED, Model, first_list
from .change_table import ADDED, REMOVED

# Words of global_defs that act by the instances that inherit them.
_ACTS_ON_INSTANCES = {name for names, _value in INHERITED.values() for name in names} | {
    "vrrp_mcast_group6"
}
_DEVICES = frozenset({"vmac_prefix", "vmac_addr_prefix"})


def compare(
    old: Model, new: Model, counted: Collection[str], version: Version | None
) -> Iterator[Reason]:
    """All of it.  counted: words of global_defs that reasons of instances name already."""
    words = dict.fromkeys((*old.shape, *new.shape))
    for word in words:
        before, after = old.shape.get(word), new.shape.get(word)
        if before == after or word in ("vrrp_instance", "vrrp_sync_group"):
            continue
        if word == "global_defs":
            yield from _globals(old, new, counted, version)
        elif isinstance(before or after, list) and _named(word):
            yield from _blocks((word,), before or [], after or [], version)
        else:
            yield _reason((word,), before, after, version)


def groups(
    old: Model,
    new: Model,
    names: Mapping[str, str],
    together: Callable[[list[str]], bool],
    version: Version | None,
) -> Iterator[Reason]:
    """Changes of sync groups.

    names: {an instance's old name: its new one}; together: whether these instances are known to
    be held by one node.
    """
    before = {frozenset(_members(one, names)): (name, one) for name, one in old.groups.items()}
    for name, one in new.groups.items():
        members = _members(one, {})
        was_name, was = before.get(frozenset(members)) or (name, old.groups.get(name))
        path = ("vrrp_sync_group",)
        if was is None:
            yield from _joined(name, members, [], together, version)
            continue
        if was_name != name:
            rule = change_rules.find(path, "", version)
            what = f"{was_name} becomes {name}: {rule.text}"
            yield Reason(rule.kind, "", f"vrrp_sync_group {name}", what)
        yield from _joined(name, members, _members(was, names), together, version)
        for word in dict.fromkeys((*was, *one)):
            if word != "group" and was.get(word) != one.get(word):
                yield _reason((*path, word), was.get(word), one.get(word), version, name)
    kept = {frozenset(_members(one, {})) for one in new.groups.values()}
    for members_before, (name, _one) in before.items():
        if name not in new.groups and members_before not in kept:
            rule = change_rules.find(("vrrp_sync_group", "group"), "", version)
            yield Reason(rule.kind, "", f"vrrp_sync_group {name}", f"removed: {rule.text}")


def _joined(
    name: str,
    members: list[str],
    before: list[str],
    together: Callable[[list[str]], bool],
    version: Version | None,
) -> Iterator[Reason]:
    more = [one for one in members if one not in before]
    less = [one for one in before if one not in members]
    place = f"vrrp_sync_group {name} group"
    if more and len(members) > 1 and not together(members):
        rule = change_rules.find(("vrrp_sync_group", "group"), "joined", version)
        what = f"{', '.join(more)} added: {rule.text}"
        for member in members:
            yield Reason(rule.kind, member, place, what)
    elif more or less:
        rule = change_rules.find(("vrrp_sync_group", "group"), "", version)
        what = f"{', '.join(more or less)} {'added' if more else 'removed'}: {rule.text}"
        yield Reason(rule.kind, "", place, what)


def _members(group: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    return [names.get(name, name) for name in first_list(group.get("group"))]


def _globals(
    old: Model, new: Model, counted: Collection[str], version: Version | None
) -> Iterator[Reason]:
    for word in dict.fromkeys((*old.globals, *new.globals)):
        before, after = old.globals.get(word), new.globals.get(word)
        if before == after or (word in _ACTS_ON_INSTANCES and word in counted):
            continue
        reason = _reason(("global_defs", word), before, after, version)
        if word in _DEVICES and not _has_devices(new):
            text = "changed: no instance has a device of keepalived's own"
            reason = Reason(Kind.SAFE, "", reason.keyword, text)
        yield reason


def _has_devices(model: Model) -> bool:
    return any(
        word in one.said for one in model.instances for word in ("use_vmac", "use_vmac_addr")
    )


def _named(word: str) -> bool:
    row = grammar.ROOT.get(word)
    return row is not None and (row.kind == NAMED or word == "virtual_server_group")


def _blocks(
    path: tuple[str, ...], old: list[Any], new: list[Any], version: Version | None, place: str = ""
) -> Iterator[Reason]:
    """Blocks with a name: removed, added, and changed inside."""
    before = {" ".join(args): inside for args, inside in old}
    after = {" ".join(args): inside for args, inside in new}
    for name, inside in before.items():
        if name not in after:
            rule = change_rules.find(path, REMOVED, version)
            where = " ".join((place or path[0], name))
            yield Reason(rule.kind, "", where, f"removed: {rule.text}")
            continue
        if inside != after[name]:
            yield from _inside(path, inside, after[name], version, name)
    for name in after:
        if name not in before:
            rule = change_rules.find(path, ADDED, version)
            where = " ".join((place or path[0], name))
            yield Reason(rule.kind, "", where, f"added: {rule.text}")
    if before == after:
        rule = change_rules.find(path, "", version)
        yield Reason(rule.kind, "", path[0], f"has another order: {rule.text}")


def _inside(
    path: tuple[str, ...], old: Any, new: Any, version: Version | None, name: str
) -> Iterator[Reason]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        rule = change_rules.find(path, "", version)
        where = " ".join((path[0], name))
        yield Reason(rule.kind, "", where, f"{lines(old, new)}: {rule.text}")
        return
    for word in dict.fromkeys((*old, *new)):
        if old.get(word) != new.get(word):
            yield _reason((*path, word), old.get(word), new.get(word), version, name)


def _reason(
    path: tuple[str, ...], old: Any, new: Any, version: Version | None, name: str = ""
) -> Reason:
    """A word that is compared as a whole; name: of the block it stands in."""
    row = grammar.lookup(path)
    case = ADDED if old is None else REMOVED if new is None else ""
    if row is not None and row.kind in (ENTRIES, WORDLIST):
        what = lines(old, new)
        if case != ADDED and " removed" in what:
            case = REMOVED
    elif row is not None and row.kind in BLOCKS:
        what = "added" if old is None else "removed" if new is None else "changed"
    else:
        what = describe(path, old, new)
    rule = change_rules.find(path if row is not None else path[:1], case, version)
    where = " ".join((path[0], name, *path[1:]) if name else path).strip()
    return Reason(rule.kind, "", where, f"{what}: {rule.text}")
