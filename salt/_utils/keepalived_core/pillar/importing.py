"""A keepalived.conf into pillar that renders to the same meaning, and what was left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..conf import Block, Comment, Definition, Node, Repeat, Tree
from ..conf.effective import effective, own_id
from ..conf.keyword import Version
from ..conf.keyword import version as read_version
from ..conf.opener import Disk, Files
from ..conf.parser import parse
from ..conf.redactor import MASK, mask, redact_data, secret_words
from ..conf.sameness import equal
from .adopt import Adopter
from .errors import Path, PillarError
from .tree import CONFIG, to_tree

# Each round leaves out what the one before was told of; what is left may show new mistakes.
_ROUNDS = 10


@dataclass
class Imported:
    """config: for ``keepalived:config``, without secrets; notes: what is not carried and where;
    complete: whether ``to_tree`` takes config once the secrets are put in.
    """

    config: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    complete: bool = True


def import_text(
    text: str,
    path: str | None = None,
    config_id: str | None = None,
    files: Files | None = None,
    version: str | Version | None = None,
) -> Imported:
    """The pillar of a configuration as one host's daemon sees it.

    config_id: whose ``@id`` lines count, None for this host's; files: where includes are, None
    for this machine's disk; version: of the keepalived that reads the file, None for the newest.
    Secrets are replaced by a text that says where they stand, which
    ``to_tree`` refuses.  Raises ConfError for what has no bounds (see ``evaluate``).
    """
    own = own_id() if config_id is None else config_id
    tree = effective(text, path, own, strict=False, files=Disk() if files is None else files)
    notes = [str(problem) for problem in tree.problems]
    notes += _macros(text, tree, own)
    adopter, told, back = accepted(tree, read_version(version))
    notes += told
    noted = told or adopter.noted or tree.faults or tree.problems
    if back is not None and not noted and not equal(back, tree):
        notes.append("rendered, this does not mean the same as the file: compare them by hand")
    secret = {
        (file, line): words
        for file, content in [(None, text), *tree.opened.items()]
        for line, words in secret_words(content).items()
    }
    for node, note in adopter.noted:
        notes.append(mask(note, secret.get((node.file, node.line), ())))
    config = _without_secrets(adopter, notes)
    return Imported(config, list(dict.fromkeys(notes)), back is not None)


def accepted(tree: Tree, version: Version = ()) -> tuple[Adopter, list[str], Tree | None]:
    """Leave out what our stricter pillar refuses, and say so; the tree is None if it cannot be."""
    skip: set[int] = set()
    notes: list[str] = []
    outermost = {id(block) for block in tree.blocks()}
    for _ in range(_ROUNDS):
        adopter = Adopter(tree, evaluated=True, skip=skip, version=version)
        if not adopter.config:
            return adopter, [*notes, "there is nothing in it that pillar could carry"], None
        try:
            return adopter, notes, to_tree({"config": adopter.config})
        except PillarError as error:
            mistakes = error.mistakes
        before = len(skip)
        stay = []  # a whole instance is never left out
        for where, reason in mistakes:
            node = _node_at(adopter, where)
            place = f"{adopter.place(node)}: " if node is not None else ""
            if node is None or id(node) in outermost:
                stay.append(f"{place}{where}: {reason}; mend this before you use the pillar")
            elif id(node) not in skip:
                skip.add(id(node))
                notes.append(f"{place}left out, {where}: {reason}")
        if len(skip) == before:
            return adopter, notes + stay, None
    return adopter, notes, None


def _node_at(adopter: Adopter, where: str) -> Node | None:
    """The node a mistake is about, or the nearest around it."""
    while where:
        if where in adopter.nodes:
            return adopter.nodes[where]
        where = where.rpartition(":")[0]
    return None


def _macros(text: str, tree: Tree, own: str) -> list[str]:
    """What the daemon's view has no more: definitions, conditions, loops, includes, comments."""
    notes = [f"{_where(tree, fault.node)}: {fault.message}" for fault in tree.faults]
    comments = 0
    texts: list[tuple[str | None, str]] = [(None, text), *tree.opened.items()]
    for file, content in texts:
        raw = parse(content, file or tree.path, strict=False)
        name = file or tree.path
        if file is not None:
            notes.append(f"{file}: its lines stand where it was included")
        conditions: dict[str, list[str]] = {}
        for node in _all(raw):
            place = f"{name}:{node.line}" if name else f"line {node.line}"
            if isinstance(node, Comment):
                comments += 1
            elif isinstance(node, Definition):
                notes.append(f"{place}: the definition ${node.name}: only its value is carried")
            elif isinstance(node, Repeat):
                notes.append(f"{place}: {node.head[:4]} is written out")
            if node.condition.strip():
                conditions.setdefault(node.condition.split()[0], []).append(str(node.line))
        for wanted, lines in conditions.items():
            kept = (wanted.lstrip("^") == own) != wanted.startswith("^")
            what = "carried" if kept else "left out"
            place = f"{name}:{lines[0]}" if name else f"line {lines[0]}"
            notes.append(
                f"{place}: what stands behind @{wanted} is {what}, this is {own}: "
                f"line{'s' * (len(lines) > 1)} {', '.join(lines)}"
            )
    if comments:
        notes.append(f"comments are not carried: there are {comments}")
    return notes


def _where(tree: Tree, node: Node) -> str:
    file = node.file or tree.path
    return f"{file}:{node.line}" if file else f"line {node.line}"


def _all(tree: Tree) -> list[Node]:
    found: list[Node] = []
    stack: list[Node] = tree.children[::-1]
    while stack:
        node = stack.pop()
        found.append(node)
        if isinstance(node, Block):
            stack += node.children[::-1]
    return found


def _without_secrets(adopter: Adopter, notes: list[str]) -> dict[str, Any]:
    """The config with a text in the place of each secret that says where it stands."""
    config = redact_data(adopter.config)
    for path, node in adopter.secrets:
        place = adopter.place(node)
        holder: Any = config
        for key in path[len(CONFIG) : -1]:
            holder = holder[int(key)] if isinstance(holder, list) else holder[key]
        mark = f"{MASK[:-1]}: put the value from {place} here>"
        old = holder[path[-1]]
        holder[path[-1]] = [mark] * len(old) if isinstance(old, list) else mark
        notes.append(f"{place}: the secret of {':'.join(path)} is not shown; put it there yourself")
    known = {path for path, _node in adopter.secrets}
    for where in _changed(adopter.config, config, CONFIG):
        if not any(where[:length] in known for length in range(1, len(where) + 1)):
            shown = ":".join(where)
            notes.append(f"{shown}: a secret in it is not shown; put it there yourself")
    return config


def _changed(before: Any, after: Any, path: Path) -> list[Path]:
    if isinstance(before, Mapping):
        return [
            where for key in before for where in _changed(before[key], after[key], (*path, key))
        ]
    if isinstance(before, list) and isinstance(after, list):
        return [
            where
            for index, (old, new) in enumerate(zip(before, after, strict=True))
            for where in _changed(old, new, (*path, str(index)))
        ]
    return [] if before == after else [path]


def commented(yaml: str, path: str, made: Imported) -> str:
    """The YAML of a pillar under comments that say where it is from and what it lacks."""
    lines = [f"from {path}"]
    if not made.complete:
        lines.append("keepalived.managed refuses this until what has to be mended is mended")
    lines += [f"- {note}" for note in made.notes]
    return "".join(f"# {_one_line(line)}\n" for line in lines) + yaml


def pasted(data: Any) -> str | None:
    """What ``keepalived.import_config`` returned, as the YAML alone.

    data: ``{node: {"yaml", "complete", …}}``, of several nodes one document each; None for
    anything else.
    """
    if not isinstance(data, Mapping) or not data:
        return None
    parts = []
    for node, made in data.items():
        if not isinstance(made, Mapping) or not {"yaml", "complete"} <= made.keys():
            return None
        name = f"# {_one_line(str(node))}\n" if len(data) > 1 else ""
        parts.append(f"{name}{made['yaml']}".rstrip("\n"))
    return "\n---\n".join(parts)


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
