"""From pillar to the exact text a node shall have, judged and compared with what it has.

Steps, each usable by itself: :func:`desired` (pillar -> tree with our own settings),
:func:`choose_text` (with ``reload_check_config`` only where keepalived itself is content),
:func:`compare` (against the live file), :func:`classify` (what the change does to the address),
:func:`expected` (what the daemon must then show).
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import conf, managed, pillar
from .check import change as changing
from .check.gate import GateResult
from .conf.instances import instances
from .conf.tree import Statement, Tree
from .node import drain_track

HEADER = ["Managed by Salt (state keepalived.managed): change the pillar, not this file."]
RELOAD_CHECK_SINCE = (2, 2, 0)


@dataclass
class Plan:
    """What applying would do.

    ``action``: nothing, create, form (same meaning), change, or finish (the file is as it shall
    be, but the run that wrote it was ended before it was seen in force).  ``live``: sha256 of the
    file planned against, None for none; ``new``: of ``text``.  ``change``: what it does to the
    running keepalived, None when that is nothing.  ``old``: what the daemon runs now.
    """

    text: str
    action: str
    diff: str = ""
    gate: GateResult | None = None
    notes: list[str] = field(default_factory=list)
    expected: dict[str, dict] = field(default_factory=dict)
    change: changing.Change | None = None
    live: str | None = None
    old: Tree | None = None

    @property
    def new(self) -> str:
        return digest(self.text)


def digest(text: str) -> str:
    """sha256 of *text* as it stands in the file, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def desired(
    data: dict,
    node: str,
    version: tuple[int, ...] | None,
    fifo: str,
    addresses: dict | None = None,
    drain: str | None = None,
    reload_time: str | None = None,
) -> tuple[Tree, list[str]]:
    """The tree that *node* shall have: the pillar's, and what the bundle adds to it.

    :param drain: path of the file by which the node is drained; None adds none.
    :param reload_time: path of the file that tells keepalived when to reload; None adds none.
    :raises pillar.PillarError: with every mistake in *data*.
    """
    tree = pillar.to_tree(data, node=node, version=version, addresses=addresses)
    notes = managed.add(tree, version, fifo, reload_time)
    if drain is not None and data.get("drain_file", True):
        notes += drain_track.add(tree, version, drain)
    return tree, notes


def peers(
    data: dict, node: str, version: tuple[int, ...] | None, addresses: dict | None = None
) -> dict[str, Tree]:
    """The trees of the other nodes of this pillar; one that cannot be made is left out.

    Their versions are not known here, so that of this node counts.
    """
    found = {}
    names = data.get("nodes") if isinstance(data, dict) else None
    for name in [str(one) for one in names or [] if str(one) != node]:
        try:
            found[name] = pillar.to_tree(data, node=name, version=version, addresses=addresses)
        except pillar.PillarError:
            continue
    return found


def choose_text(
    tree: Tree, version: tuple[int, ...] | None, judge: Callable[[str], GateResult]
) -> tuple[str, GateResult]:
    """The text to write, and the gate's word on it.

    ``reload_check_config`` makes a reload of a bad file harmless, but keepalived refuses even
    to start with it when ``keepalived -t`` exits other than 0, which a tolerated message is
    enough for.  So it is written only where the file *with it* gives exit status 0.
    """
    wants = version is not None and version >= RELOAD_CHECK_SINCE
    if wants and managed.global_defs(tree).get("reload_check_config") is None:
        block = managed.global_defs(tree)
        guarded = Statement("reload_check_config")
        block.children.append(guarded)
        text = render(tree)
        result = judge(text)
        if result.clean:
            return text, result
        block.children.remove(guarded)
    text = render(tree)
    return text, judge(text)


def render(tree: Tree) -> str:
    """*tree* as text, under the header that says where it comes from."""
    if not any(tree.children):
        return ""
    return without_killer_comments(conf.render(tree, header=HEADER))


def without_killer_comments(text: str) -> str:
    """*text* with each comment that starts a line moved by one blank.

    keepalived 2.2.0 to 2.4.3 (lib/parser.c, ``read_conf_copy``, which nothing ever resets): a
    daemon that has once reloaded with ``reload_check_config``, and now runs a file without it,
    takes ``#`` and ``!`` in the first column for marks of its own at the next reload, and dies
    of SIGSEGV.  A blank before them is enough.
    """
    return re.sub(r"^(?=[#!])", " ", text, flags=re.MULTILINE)


def compare(text: str, live: str | None, path: str | None = None) -> tuple[str, str]:
    """(action, redacted diff) of replacing *live*, which stands at *path*, by *text*.

    What stands there is read as this host's daemon reads it, so a hand-written file with
    definitions, conditions and includes counts by what it means.
    """
    if live is None:
        return "create", diff("", text)
    if live == text:
        return "nothing", ""
    try:
        same = conf.equal(conf.effective(live, path), conf.parse(text))
    except conf.ConfError:
        same = False  # what stands there cannot be read: only our text counts
    return ("form" if same else "change"), diff(live, text)


def classify(
    old: Tree | None,
    text: str,
    version: tuple[int, ...] | None,
    others: Mapping[str, Tree] | None = None,
) -> changing.Change:
    """What it does to keepalived and to the cluster when *text* takes the place of *old*."""
    return changing.classify(old, conf.parse(text), version, peers=others or {})


def meaning(text: str | None, path: str) -> Tree | None:
    """What the daemon makes of *text*, also where parts of it are damaged; None when that cannot
    be told, or there is no file."""
    if text is None:
        return None
    try:
        return conf.effective(text, path, strict=False)
    except conf.ConfError:
        return None


def diff(old: str, new: str) -> str:
    """A unified diff without a secret; a changed secret shows as such.  A byte that is no UTF-8,
    which Salt cannot send, shows as its escape."""
    before, after = conf.redact(old).splitlines(), conf.redact(new).splitlines()
    lines = list(difflib.unified_diff(before, after, "live", "pillar", lineterm="", n=2))
    if not lines and old != new:
        return "only a secret changed (auth_pass or its kin)"
    return "\n".join(lines).encode("utf-8", "backslashreplace").decode("utf-8")


def expected(text: str) -> dict[str, dict]:
    """What the daemon's JSON dump must show once it runs *text* (see ``verify.facts``).

    A fact that the file does not settle (the device below a VMAC, an interval that the protocol
    rounds) is left out.
    """
    return expected_of(conf.parse(text))


def expected_of(tree: Tree) -> dict[str, dict]:
    """The same for a tree, evaluated."""
    own_device = {
        block.name
        for block in tree.blocks("vrrp_instance")
        if block.get("use_vmac") or block.get("use_ipvlan")
    }
    facts: dict[str, dict] = {}
    for one in instances(tree):
        facts[one.name] = {
            "vrid": one.vrid,
            "base_priority": one.priority,
            "version": one.version,
            "nopreempt": one.nopreempt,
            "vips": sorted(address for address, _dev in one.vips),
            "excluded": sorted(address for address, _dev in one.excluded),
        }
        if one.interface and one.name not in own_device:
            facts[one.name]["interface"] = one.interface
        if one.advert_int.isdecimal():
            facts[one.name]["advert_interval"] = float(one.advert_int)
    return facts


def read(path: str) -> str | None:
    """The file at *path*, or None where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
