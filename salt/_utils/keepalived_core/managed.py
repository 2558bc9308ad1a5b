"""What we add to the configuration that pillar asks for, so that the bundle can do its work."""

from __future__ import annotations

from .conf.tree import Block, Statement, Tree

FIFO_SINCE = (1, 3, 6)
RELOAD_TIME_SINCE = (2, 1, 0)


def add(
    tree: Tree, version: tuple[int, ...] | None, fifo: str, reload_time: str | None = None
) -> list[str]:
    """Add to *tree* what the bundle needs; notes on what had to be left out.

    :param version: the installed keepalived; None when it is not known (then the newest counts).
    :param fifo: path of the watch's notify FIFO.
    :param reload_time: path of the file that tells keepalived the second of its next reload.
    """
    notes = []
    if version is None or version >= FIFO_SINCE:
        notes.append(_add_fifo(global_defs(tree), fifo))
    if reload_time and (version is None or version >= RELOAD_TIME_SINCE):
        _add_reload_time(global_defs(tree), reload_time)
    return [note for note in notes if note]


def global_defs(tree: Tree) -> Block:
    """The first ``global_defs`` of *tree*; made where there is none."""
    for block in tree.blocks("global_defs"):
        return block
    block = Block("global_defs")
    tree.children.insert(0, block)
    return block


def _add_fifo(block: Block, path: str) -> str | None:
    """Give the watch a notify FIFO of its own; keepalived has two keywords for one each."""
    taken = []
    for keyword in ("vrrp_notify_fifo", "notify_fifo"):
        present = block.get(keyword)
        if present is None:
            block.children.append(Statement(keyword, [path]))
            return None
        if present.args[:1] == [path]:
            return None
        taken.append(keyword)
    return (
        f"{' and '.join(taken)} are both in use: the watch reads netlink and JSON dumps only, "
        "and may learn of a transition that moves no address up to 30 s late"
    )


def _add_reload_time(block: Block, path: str) -> None:
    """Let all nodes of a cluster reload in one second, so that they never disagree.

    keepalived reads one such file; where pillar names one, that is used.
    """
    if block.get("reload_time_file") is None:
        block.children.append(Statement("reload_time_file", [path]))
