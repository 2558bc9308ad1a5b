"""What scripts, files, processes, BFD sessions and the like must say to be of any use."""

from __future__ import annotations

from collections.abc import Iterator

from .fault import ERROR, WARNING, Facts, Fault, place
from .meaning_address import routes
from .tree import Block, Statement
from .values import family

# What a definition must name: block -> (code, keywords that will do).
_NEEDED = {
    "vrrp_script": ("KA208", ("script",)),
    "track_file": ("KA209", ("file",)),
    "vrrp_track_file": ("KA209", ("file",)),
    "vrrp_track_process": ("KA210", ("process",)),
    "bfd_instance": ("KA211", ("neighbor_ip", "neighbour_ip")),  # keepalived takes either
    "garp_group": ("KA214", ("garp_interval", "gna_interval")),
}


def judge_definitions(facts: Facts) -> Iterator[Fault]:
    """Definitions that lack what they are for; keepalived drops them."""
    for keyword, (code, needed) in _NEEDED.items():
        for block in facts.blocks(keyword):
            if all(block.get(one) is None for one in needed):
                yield Fault(
                    code,
                    ERROR,
                    block,
                    (),
                    f"{' '.join(block.words)} has no {' and no '.join(needed)}; keepalived drops "
                    "it",
                    f"write {needed[0]}, or remove the block",
                )
    yield from _sessions(facts)
    yield from _globals(facts)
    for block in facts.blocks("static_routes"):
        yield from routes(block.statements(), place(block))


def _sessions(facts: Facts) -> Iterator[Fault]:
    seen: dict[str, Block] = {}
    for block in facts.blocks("bfd_instance"):
        neighbour = block.value("neighbor_ip") or block.value("neighbour_ip")
        source = block.get("source_ip")
        if not neighbour:
            continue
        first = seen.setdefault(neighbour, block)
        if first is not block:
            yield Fault(
                "KA213",
                ERROR,
                block,
                (),
                f"bfd_instance {first.name} already watches {neighbour}; keepalived drops this one",
                "remove one of the two",
            )
        own = family(source.args[0].partition("/")[0]) if source and source.args else 0
        if source is not None and own and own != (family(neighbour) or own):
            yield Fault(
                "KA212",
                ERROR,
                source,
                place(block),
                f"source_ip is IPv{own}, neighbor_ip {neighbour} is not; keepalived drops the "
                "session",
                "write addresses of one family",
            )


def _globals(facts: Facts) -> Iterator[Fault]:
    path = ("global_defs",)
    node = facts.globals.get("notification_email")
    if isinstance(node, Block) and not any(True for _ in node.statements()):
        yield Fault(
            "KA116",
            WARNING,
            node,
            path,
            "notification_email is empty",
            "list addresses, or remove the block",
        )
    node = facts.globals.get("lvs_sync_daemon")
    if node is not None and len(node.args) > 1:
        yield from _sync_daemon(node, facts, path)


def _sync_daemon(node: Statement, facts: Facts, path: tuple[str, ...]) -> Iterator[Fault]:
    words = node.args[1:]
    name = words[words.index("inst") + 1] if "inst" in words[:-1] else words[0]
    if name in facts.instances or name in ("id", "maxlen", "port", "ttl", "group"):
        return
    ends = " and, with reload_check_config, ends at a start and at a reload"
    yield Fault(
        "KA207",
        WARNING,
        node,
        path,
        f"lvs_sync_daemon follows vrrp_instance {name}, which does not exist: keepalived never "
        f"starts it{ends * ('reload_check_config' in facts.globals)}",
        "name an instance of this file",
    )
