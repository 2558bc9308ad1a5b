"""The virtual routers of one node as keepalived runs them: priority, preemption, what it tracks.

keepalived changes what it reads: it clears some settings and drops some tracks.  What is here is
what is left then.  Line numbers are those of keepalived 2.2.7's vrrp.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..conf import instances as reading
from ..conf.fault import DEFINES, TRACKS, is_on
from ..conf.meaning_instance import family_of
from ..conf.tree import Block, Container, Statement, Tree
from ..conf.values import number

OWNER = 255  # VRRP_PRIO_OWNER: no weight counts, and it always preempts
MOST = 254
DEFAULT = 100
FAULT_FROM = -254  # a track_file's value times its weight from which on it means FAULT
# VRID, address family, and the name where these two are not enough.
Slot = tuple[int | None, int, str]
INTERFACE, FILE, PROCESS = "track_interface", "track_file", "track_process"


@dataclass(frozen=True, slots=True)
class Track:
    """One tracked thing.  kind: track_script, track_file, track_process, track_bfd or
    track_interface; weight: 0 means FAULT when it fails; reverse: it is bad when it is well.
    """

    kind: str
    name: str
    weight: int
    reverse: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What it is on its node: instances that track the same see the same."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Router:
    """One vrrp_instance of one node.

    slot
        What makes it the same virtual router on all nodes: VRID and address family (and its
        name, where a node has several of these).
    address
        Where its adverts come from, ``""`` when the configuration does not say.
    preempt_delay
        Seconds.
    group
        The sync group, and ``members`` its slots, the own among them.
    cut_off
        Interfaces whose failure leaves it MASTER in its own eyes, but unheard:
        ``dont_track_primary``.
    cleared
        What keepalived does not do although it is written.
    """

    node: str
    name: str
    slot: Slot
    interface: str
    priority: int
    nopreempt: bool
    preempt_delay: float
    tracks: tuple[Track, ...]
    vips: tuple[str, ...] = ()
    address: str = ""
    group: str = ""
    members: frozenset[Slot] = frozenset()
    cut_off: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()


def read(trees: Mapping[str, Tree]) -> dict[str, dict[Slot, Router]]:
    """The virtual routers of all nodes, by node and slot, in the order of their files.

    trees: what each node's keepalived reads, evaluated.
    """
    blocks = {node: _instances(tree) for node, tree in trees.items()}
    # A VRID is one virtual router, unless a node has it twice, on two interfaces.
    twice = set()
    for found in blocks.values():
        pairs = [_slot(block)[:2] for block in found.values()]
        twice |= {pair for pair in pairs if pairs.count(pair) > 1}
    routers = {}
    for node, found in blocks.items():
        slots = {
            name: (*_slot(block)[:2], name) if _slot(block)[:2] in twice else _slot(block)
            for name, block in found.items()
        }
        facts = _Facts(trees[node])
        routers[node] = {
            slots[name]: _router(node, block, slots, facts) for name, block in found.items()
        }
    return routers


def _instances(tree: Tree) -> dict[str, Block]:
    """keepalived skips a second one of the same name."""
    found: dict[str, Block] = {}
    for block in tree.blocks("vrrp_instance"):
        found.setdefault(block.name, block)
    return found


def _slot(block: Block) -> Slot:
    vrid = number(block.value("virtual_router_id"))
    return (None if vrid is None else int(vrid), family_of(block) or 4, "")


class _Facts:
    """What the instances of a file share.

    known: the definitions above each line that names one, by instance or group.
    """

    def __init__(self, tree: Tree):
        self.strict = False
        self.version = "2"
        for block in tree.blocks("global_defs"):
            if block.get("vrrp_strict") is not None:
                self.strict = is_on(block.get("vrrp_strict"))
            self.version = block.value("vrrp_version", self.version)
        defined: dict[tuple[str, str], Block] = {}
        self.tracks: dict[tuple[str, str], tuple[Track, ...]] = {}
        self.groups: dict[str, tuple[str, Block, list[str]]] = {}
        self.owners = {
            block.name for block in tree.blocks("vrrp_instance") if _priority(block) == OWNER
        }
        for block in tree.blocks():
            if block.keyword in DEFINES:
                defined.setdefault((DEFINES[block.keyword], block.name), block)
            elif block.keyword in ("vrrp_instance", "vrrp_sync_group"):
                place = (block.keyword, block.name)
                self.tracks.setdefault(place, tuple(_tracks(block, defined)))
        for block in tree.blocks("vrrp_sync_group"):
            members = [
                word
                for part in block.blocks("group")
                for line in part.statements()
                for word in line.words
            ]
            for name in members:
                self.groups.setdefault(name, (block.name, block, members))


def _router(node: str, block: Block, slots: Mapping[str, Slot], facts: _Facts) -> Router:
    priority = _priority(block)
    strict = facts.strict
    if block.get("strict_mode") is not None:
        strict = is_on(block.get("strict_mode"))
    cleared = []
    nopreempt = _nopreempt(block)
    delay = number(block.value("preempt_delay", "0")) or 0
    # With vrrp_strict, only the address owner starts as MASTER (vrrp.c:2915).
    master = block.value("state") == "MASTER" and (not strict or priority == OWNER)
    if nopreempt and (master or priority == OWNER):
        nopreempt = False
        cleared.append(f"nopreempt, because of {'state MASTER' if master else 'priority 255'}")
    if delay and (master or strict or nopreempt):
        delay = 0
        why = "state MASTER" if master else "vrrp_strict" if strict else "nopreempt"
        cleared.append(f"preempt_delay, because of {why}")
    group, group_block, names = facts.groups.get(block.name, ("", None, [block.name]))
    interface = block.value("interface")
    tracks, dropped = _own(block, priority, group_block, facts)
    merged = _with_group(tracks, group, facts)
    untracked = block.get("dont_track_primary") is not None
    must = [] if untracked else [interface]
    must += [dev for dev in _vip_interfaces(block) if dev != interface]
    # The own interface and those of the addresses are tracked with weight 0, whatever is written.
    keys = {(INTERFACE, name) for name in (interface, *must)}
    merged = [
        *(Track(INTERFACE, name, 0) for name in dict.fromkeys(must) if name),
        *(track for track in merged if track.key not in keys),
    ]
    return Router(
        node=node,
        name=block.name,
        slot=slots[block.name],
        interface=interface,
        priority=priority,
        nopreempt=nopreempt,
        preempt_delay=delay,
        tracks=tuple(merged),
        vips=tuple(
            reading.with_prefix(found.words[0]) for found in _lines(block, "virtual_ipaddress")
        ),
        address=(block.value("unicast_src_ip") or block.value("mcast_src_ip")).partition("/")[0],
        group=group,
        members=frozenset(slots[name] for name in names if name in slots),
        cut_off=(interface,) if untracked else (),
        cleared=(*cleared, *dropped),
    )


def _priority(block: Block) -> int:
    """Without a priority, state MASTER makes an address owner (vrrp.c:2905)."""
    given = number(block.value("priority"))
    if given is None or not 1 <= given <= OWNER:
        return OWNER if block.value("state") == "MASTER" else DEFAULT
    return int(given)


def _nopreempt(block: Block) -> bool:
    """``preempt`` takes it back; the last one counts."""
    last = ""
    for line in block.statements():
        if line.keyword in ("preempt", "nopreempt"):
            last = line.keyword
    return last == "nopreempt"


def _tracks(block: Block, defined: dict[tuple[str, str], Block]) -> Iterator[Track]:
    """What a block names, with what the definitions above it say."""
    for kind in (INTERFACE, *TRACKS):
        seen: set[str] = set()
        for line in _lines(block, kind):
            definition = defined.get((kind, line.keyword))
            if line.keyword in seen or (definition is None and kind != INTERFACE):
                continue
            track = _track(kind, line, definition)
            if track is not None:
                seen.add(line.keyword)
                yield track


def _track(kind: str, line: Statement, definition: Block | None) -> Track | None:
    weight, reverse = 1 if kind == FILE else 0, False
    given = definition.get("weight") if definition is not None else None
    if given is not None:
        weight = int(number(given.args[0] if given.args else "") or 0)
        reverse = "reverse" in given.args[1:]
    args = line.args
    if args:
        # An option that is none makes keepalived ignore the line.
        if args[0] != "weight" or len(args) < 2:
            return None
        value = number(args[1])
        weight = weight if value is None else int(value)
        if len(args) > 2:
            reverse = args[2] == "reverse"
    return Track(kind, line.keyword, weight, reverse)


def _own(
    block: Block, priority: int, group: Block | None, facts: _Facts
) -> tuple[list[Track], list[str]]:
    """The instance's own tracks without those keepalived drops (vrrp.c:3830), and their names."""
    tracks = facts.tracks[block.keyword, block.name]
    floating = group is not None and any(
        group.get(word) is not None for word in ("sync_group_tracking_weight", "global_tracking")
    )
    if priority != OWNER and (group is None or floating):
        return list(tracks), []
    why = f"sync group {group.name}" if group is not None and not floating else "priority 255"
    kept, dropped = [], []
    for track in tracks:
        if not track.weight or track.kind in (INTERFACE, PROCESS):
            kept.append(track)
        elif track.kind == FILE and track.weight == 1:
            kept.append(replace(track, weight=0))
        else:
            dropped.append(f"{track.kind} {track.name}, because of its weight and {why}")
    return kept, dropped


def _with_group(tracks: list[Track], group: str, facts: _Facts) -> list[Track]:
    """Each member has the group's tracks too (vrrp.c:2683 and 3995).

    Where both name a thing, the group's weight counts, unless the instance has weight 0.
    """
    if not group:
        return tracks
    found = {track.key: track for track in tracks}
    members = [name for name, (other, _block, _all) in facts.groups.items() if other == group]
    for track in facts.tracks["vrrp_sync_group", group]:
        if facts.owners.intersection(members):
            track = replace(track, weight=0)
        own = found.get(track.key)
        if own is None:
            found[track.key] = track
        elif own.weight:
            # A process keeps the instance's direction (vrrp.c:2726).
            kept = own.reverse if track.kind == PROCESS else track.reverse
            found[track.key] = replace(track, reverse=kept)
    return list(found.values())


def _vip_interfaces(block: Block) -> Iterator[str]:
    """Where the addresses are, as far as keepalived tracks these interfaces."""
    for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        for line in _lines(block, keyword):
            words = line.words
            if "dev" in words[:-1] and "no_track" not in words:
                yield words[words.index("dev") + 1]


def _lines(container: Container, keyword: str) -> Iterator[Statement]:
    for block in container.blocks(keyword):
        yield from block.statements()
