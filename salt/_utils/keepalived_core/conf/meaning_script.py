"""Scripts: run with script security, and run at all."""

from __future__ import annotations

from collections.abc import Iterator

from .fault import WARNING, Facts, Fault, place
from .tree import Block, Container, Statement, Tree

# Keywords whose value keepalived runs, whatever block they stand in.
SCRIPTS = frozenset(
    {
        "misc_path",
        "notify",
        "notify_backup",
        "notify_deleted",
        "notify_down",
        "notify_fault",
        "notify_fifo_script",
        "notify_master",
        "notify_master_rx_lower_pri",
        "notify_stop",
        "notify_up",
        "lvs_notify_fifo_script",
        "quorum_down",
        "quorum_up",
        "script",
        "shutdown_script",
        "startup_script",
        "vrrp_notify_fifo_script",
    }
)


def judge_scripts(tree: Tree, facts: Facts) -> Iterator[Fault]:
    """What is wrong with scripts, wherever they are named."""
    yield from _security(tree)
    yield from _unused(facts)


def commands(container: Container, path: tuple[Block, ...] = ()) -> Iterator[tuple]:
    """Every statement that names a script, with the blocks it stands in."""
    for node in container.children:
        if isinstance(node, Block):
            yield from commands(node, (*path, node))
        elif isinstance(node, Statement) and node.keyword in SCRIPTS and node.args and path:
            yield node, path


def _security(tree: Tree) -> Iterator[Fault]:
    """Scripts want enable_script_security, and it must stand above them."""
    for block in tree.blocks():
        if block.keyword == "global_defs" and block.get("enable_script_security") is not None:
            return
        for node, path in commands(block, (block,)):
            where = node
            if block.keyword == "vrrp_script":
                where, path = block, ()
            yield Fault(
                "KA401",
                WARNING,
                where,
                place(*path),
                "a script without enable_script_security above it: keepalived -t exits 6",
                "write enable_script_security and script_user root in global_defs, at the top",
            )
            return


def _unused(facts: Facts) -> Iterator[Fault]:
    used = {
        line.keyword
        for keyword in ("vrrp_instance", "vrrp_sync_group")
        for block in facts.blocks(keyword)
        for track in block.blocks("track_script")
        for line in track.statements()
    }
    guarded = "reload_check_config" in facts.globals
    for block in facts.blocks("vrrp_script"):
        if block.name in used:
            continue
        effect = (
            "together with reload_check_config that ends keepalived, at a start and at a reload"
            if guarded
            else "keepalived logs an error and runs without it"
        )
        yield Fault(
            "KA206",
            WARNING,
            block,
            (),
            f"vrrp_script {block.name} is not used: {effect}; keepalived -t does not say so",
            "name it in a track_script, or remove it",
        )
