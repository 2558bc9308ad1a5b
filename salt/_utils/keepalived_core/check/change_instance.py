"""What becomes of one VRRP instance that is in both configurations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..conf import grammar
from ..conf.keyword import (
    ADDRESS,
    CHOICE,
    DECIMAL,
    ENTRIES,
    FLAG,
    INTEGER,
    SWITCH,
    TEXT,
    Version,
)
from . import change_rules
from .change_kind import Reason
from .change_model import INHERITED, Instance, Vip, first
from .change_table import ADDED, REMOVED

BLOCK = "vrrp_instance"
# Compared by what they come to, not word by word.
_BY_MEANING = frozenset(
    {
        "virtual_ipaddress",
        "virtual_ipaddress_excluded",
        "authentication",
        "advert_int",
        "version",
        "accept",
        "no_accept",
        "unicast_peer",
        "unicast_src_ip",
        "check_unicast_src",
        "use_vmac",
        "use_ipvlan",
        "priority",
        "preempt",
        "nopreempt",
    }
)
_SHOWN = frozenset({ADDRESS, CHOICE, DECIMAL, FLAG, INTEGER, SWITCH, TEXT})


@dataclass(frozen=True)
class Pair:
    """One instance before and after."""

    old: Instance
    new: Instance

    @property
    def rebuilt(self) -> bool:
        """Whether keepalived takes it for another instance (vrrp_exist): its state is lost."""
        return self.old.slot != self.new.slot


def compare(pair: Pair, version: Version | None) -> Iterator[Reason]:
    """Everything that is changed, but for elections and for addresses of other instances."""
    old, new = pair.old, pair.new
    if old.name != new.name:
        yield _reason(pair, (), "renamed", version, f"{old.name} becomes {new.name}")
    if old.family != new.family:
        yield _reason(pair, (), "family", version, f"IPv{old.family} becomes IPv{new.family}")
    if old.version != new.version:
        yield _reason(pair, ("version",), "", version, f"{old.version} becomes {new.version}")
    yield from _authentication(pair, version)
    yield from _interval(pair, version)
    if old.accepts != new.accepts:
        word = "no_accept" if "no_accept" in {**old.said, **new.said} else "accept"
        case = "" if new.accepts else "no longer accepts"
        yield _reason(pair, (word,), case, version, "changed")
    yield from _unicast(pair, version)
    yield from _device(pair, version)
    yield from _words(pair, version)


def addresses(pair: Pair, gone: list[Vip], version: Version | None) -> Iterator[Reason]:
    """Changes of its address lists.  gone: those that no other instance has in the end."""
    old = {vip.address: vip for vip in pair.old.vips}
    new = {vip.address: vip for vip in pair.new.vips}
    for vip in gone:
        yield _reason(pair, (_keyword(vip),), REMOVED, version, f"{vip.address} removed")
    added = [vip for vip in pair.new.vips if vip.address not in old]
    for excluded in (False, True):
        names = ", ".join(vip.address for vip in added if vip.excluded == excluded)
        if names:
            keyword = "virtual_ipaddress" + "_excluded" * excluded
            yield _reason(pair, (keyword,), ADDED, version, f"{names} added")
    if pair.old.wire() != pair.new.wire() and not any(not vip.excluded for vip in added):
        yield _reason(
            pair,
            ("virtual_ipaddress",),
            "the list on the wire",
            version,
            "the adverts have another list of addresses",
        )
    again = [vip for name, vip in new.items() if name in old and vip.details != old[name].details]
    for vip in again:
        what = f"{vip.address} gets another mask, device, label or scope"
        yield _reason(pair, (_keyword(vip),), "mask, device, label or scope", version, what)
    lists = ("virtual_ipaddress", "virtual_ipaddress_excluded")
    same = sorted(old) == sorted(new) and pair.old.wire() == pair.new.wire() and not again
    if same and any(pair.old.said.get(word) != pair.new.said.get(word) for word in lists):
        case = "another order or other options"
        yield _reason(pair, (lists[0],), case, version, f"has {case}")


def describe(path: tuple[str, ...], old: Any, new: Any) -> str:
    """What is changed, with the values where they are short and no secret."""
    if old is None or old is False:
        what = "added"
    elif new is None or new is False:
        what = "removed"
    else:
        what = "changed"
    row = grammar.lookup(path)
    if row is None or row.secret or row.kind not in _SHOWN:
        return what
    before, after = first(old), first(new)
    if isinstance(before, bool) or isinstance(after, bool):
        return what
    if before is not None and after is not None and before != after:
        return f"{_plain(before)} becomes {_plain(after)}"
    return f"{_plain(after)} {what}" if before is None and after is not None else what


def lines(old: Any, new: Any) -> str:
    """What became of the lines of a value block, by their first words."""
    before = [_head(line) for line in old or ()]
    after = [_head(line) for line in new or ()]
    more = [name for name in after if name not in before]
    less = [name for name in before if name not in after]
    parts = [f"{', '.join(more)} added"] * bool(more)
    parts += [f"{', '.join(less)} removed"] * bool(less)
    return ", ".join(parts) or "lines changed"


def _authentication(pair: Pair, version: Version | None) -> Iterator[Reason]:
    old, new = pair.old, pair.new
    if old.auth != new.auth:
        if old.auth is None or new.auth is None:
            what = "removed" if new.auth is None else "added"
        else:
            what = "has another type" if old.auth[0] != new.auth[0] else "has another auth_pass"
        yield _reason(pair, ("authentication",), "", version, what)
    elif old.said.get("authentication") != new.said.get("authentication"):
        case = "of no account" if new.auth is None else "behind the eighth byte"
        yield _reason(pair, ("authentication",), case, version, "changed")


def _interval(pair: Pair, version: Version | None) -> Iterator[Reason]:
    old, new = pair.old, pair.new
    if old.advert == new.advert:
        return
    case = ""
    if new.version == 2:
        case = "version 2"
    elif old.version == 3 and 3 * new.advert < old.advert:
        case = "version 3, to less than a third"
    what = f"{_plain(old.advert)} becomes {_plain(new.advert)}"
    yield _reason(pair, ("advert_int",), case, version, what)


def _unicast(pair: Pair, version: Version | None) -> Iterator[Reason]:
    old, new = pair.old, pair.new
    path = ("unicast_peer",)
    what = lines(old.said.get("unicast_peer"), new.said.get("unicast_peer"))
    if bool(old.peers) != bool(new.peers):
        yield _reason(pair, path, "multicast or unicast", version, what)
    elif set(old.peers) - set(new.peers):
        yield _reason(pair, path, REMOVED, version, what)
    elif old.peers != new.peers:
        both = set(old.peers) & set(new.peers)
        case = "min_ttl or max_ttl" if any(old.peers[p] != new.peers[p] for p in both) else ""
        yield _reason(pair, path, case, version, what)
    before, after = (first(one.said.get("unicast_src_ip")) for one in (old, new))
    if before != after:
        # Without unicast it is the address of multicast adverts (vrrp_parser.c: unicast_src_ip).
        word = "unicast_src_ip" if old.peers and new.peers else "mcast_src_ip"
        rule = change_rules.find((BLOCK, word), "", version)
        what = describe((BLOCK, "unicast_src_ip"), before, after)
        yield Reason(rule.kind, new.name, f"{BLOCK} {new.name} unicast_src_ip", _join(what, rule))
    if bool(old.given["check_unicast_src"]) != bool(new.given["check_unicast_src"]):
        on = bool(new.given["check_unicast_src"])
        what = "added" if on else "removed"
        yield _reason(pair, ("check_unicast_src",), ADDED if on else "", version, what)


def _device(pair: Pair, version: Version | None) -> Iterator[Reason]:
    for word in ("use_vmac", "use_ipvlan"):
        old, new = pair.old.said.get(word), pair.new.said.get(word)
        if old == new:
            continue
        case = ""
        if old is not None and new is not None and not pair.rebuilt:
            case = "name or address of the device"
        yield _reason(pair, (word,), case, version, describe((BLOCK, word), old, new))


def _words(pair: Pair, version: Version | None) -> Iterator[Reason]:
    """What is compared word by word, by effective values where it is inherited."""
    old, new = pair.old, pair.new
    words = dict.fromkeys((*old.said, *new.said, *INHERITED))
    for word in words:
        if word in _BY_MEANING:
            continue
        before, after = old.said.get(word), new.said.get(word)
        if word in INHERITED:
            before, after = old.given[word], new.given[word]
        if before == after or (word == "" and not before and not after):
            continue
        row = grammar.lookup((BLOCK, word))
        idle = (word == "mcast_dst_ip" and old.peers and new.peers) or (
            word in ("v3_checksum_as_v2", "old_unicast_checksum")
            and (new.version, new.family) != (3, 4)
        )
        what = (
            lines(before, after)
            if row is not None and row.kind == ENTRIES
            else describe((BLOCK, word), before, after)
        )
        yield _reason(pair, (word,), "of no account" if idle else "", version, what)


def _reason(
    pair: Pair, path: tuple[str, ...], case: str, version: Version | None, what: str
) -> Reason:
    rule = change_rules.find((BLOCK, *path), case, version)
    return Reason(rule.kind, pair.new.name, _place(pair, path), _join(what, rule))


def _place(pair: Pair, path: tuple[str, ...]) -> str:
    """The keyword's path; that in global_defs, when only that has changed."""
    if path:
        said = [one.said.get(path[0]) for one in (pair.old, pair.new)]
        source = pair.new.sources.get(path[0]) or pair.old.sources.get(path[0])
        if source and said[0] == said[1]:
            return f"global_defs {source}"
    return " ".join((BLOCK, pair.new.name, *path)).rstrip()


def _join(what: str, rule: change_rules.Rule) -> str:
    return f"{what}: {rule.text}"


def _keyword(vip: Vip) -> str:
    return "virtual_ipaddress_excluded" if vip.excluded else "virtual_ipaddress"


def _head(line: Any) -> str:
    return str(first(list(line)) if isinstance(line, (list, tuple)) else line)


def _plain(value: Any) -> str:
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)
