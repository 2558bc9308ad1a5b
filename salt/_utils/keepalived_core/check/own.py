"""What ``keepalived -t`` answers with 0 although a reload would do harm: our own checks.

Some of it lies in the file or the machine, and is refused.  Some lies in the text: keepalived runs
it, but hardly as it was meant; that is refused in a generated file and told of a person's.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import conf
from ..conf.instances import checks, instances
from ..conf.opener import Disk
from ..conf.redactor import mask, secret_words
from ..conf.tree import Block, Container, Tree
from .host import HostFacts
from .lint import lint
from .lint_finding import Finding

#: lint's errors that end a running daemon at a reload, whatever release it is.  ``-t`` sees them
#: too, where there is a ``-t``; here they have a better name.
FATAL = {
    "KA102": "a reload with this line would end the running daemon",
    "KA601": "",
    "KA602": "",
}
#: lint's findings of what keepalived takes without a word: words it ignores, a value cut by '#',
#: an include that is not there or read twice, an address twice.
DOUBTFUL = ("KA107", "KA108", "KA109", "KA114", "KA115", "KA118", "KA320")
_FIFOS = ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo")
#: In the words of these keywords a single quote means something.
_QUOTING = ("script", "notify", "path", "quorum", "regex", "process", "digest")


@dataclass(frozen=True)
class Message:
    """One line of keepalived's judgement."""

    text: str
    line: int | None = None
    hint: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.text}" + (f" ({self.hint})" if self.hint else "")


def file_itself(path: str) -> list[Message]:
    """What a reload answers by dropping every address, before a word of it is read."""
    try:
        info = Path(path).stat()
    except OSError as err:
        return [Message(f"{path} cannot be read: {err.strerror}")]
    if not stat.S_ISREG(info.st_mode):
        return [Message(f"{path} is not a regular file: keepalived skips it")]
    if info.st_mode & 0o111:
        return [Message(f"{path} is executable: keepalived skips it", hint="remove the x bits")]
    if not Path(path).read_bytes().strip():
        return [Message(f"{path} is empty: keepalived would drop every address")]
    return []


def inside(
    text: str,
    path: str,
    version: tuple[int, ...] | None,
    host: HostFacts,
    ours: Collection[str] = (),
) -> tuple[list[Message], list[Message]]:
    """(what is wrong, what is doubtful) in *text*, which stands at *path* on *host*."""
    found = lint(conf.parse(text, path, strict=False), version, None, Disk(), host)
    secret = secret_words(text)

    def message(one: Finding, hint: str = "") -> Message:
        words = () if one.file else secret.get(one.line, ())
        place = f"{one.file}: " if one.file else ""
        return Message(place + mask(one.message, words), one.line, mask(hint or one.hint, words))

    wrong = [
        message(one, FATAL[one.code])
        for one in found
        # With dynamic_interfaces keepalived waits for an interface: lint only warns then.
        if one.code in FATAL and (one.severity == "error" or one.code == "KA602")
    ]
    doubtful = [message(one) for one in found if one.code in DOUBTFUL and one.severity == "warning"]
    try:
        tree = conf.effective(text, path)
    except conf.ConfError:
        return wrong, doubtful  # keepalived itself says what is wrong with it
    wrong += _hazards(tree)
    wrong += _ipvs(tree, host)
    wrong += list(_fifos(tree, host, ours))
    wrong += [
        message(one)
        for one in found
        if one.code == "KA609" and not any(f"directory {folder}:" in one.message for folder in ours)
    ]
    return wrong, doubtful + list(_quotes(tree))


def _hazards(tree: Tree) -> list[Message]:
    """What ends keepalived although ``-t`` exits 0: ``reload_check_config`` and an unused script.

    With that keyword the VRRP process stops for good on any error it finds, at the start and at
    a reload (vrrp_daemon.c, start_vrrp); and it calls a ``vrrp_script`` that nothing tracks an
    error, which ``-t`` ends too early to see (vrrp.c, vrrp_complete_init).  Seen on 2.2.7 and
    2.3.3; the code is in 2.2.0 to 2.4.3.
    """
    if not any(block.get("reload_check_config") for block in tree.blocks("global_defs")):
        return []
    used = {name for one in instances(tree) for name in one.checks}
    return [
        Message(
            f"vrrp_script {name} is not used: together with reload_check_config this ends "
            "keepalived, at a start and at a reload",
            check.line,
            "let an instance track it, or take one of the two out",
        )
        for name, check in checks(tree).items()
        if name not in used
    ]


def _ipvs(tree: Tree, host: HostFacts) -> list[Message]:
    """A virtual server on a kernel without IPVS ends all of keepalived: its checker process exits
    with "permanent error FATAL", at a start and at a reload, and ``-t`` does not tell (2.2.7)."""
    first = next(tree.blocks("virtual_server"), None)
    if first is None or host.ipvs:
        return []
    text = "virtual_server: this kernel has no IPVS, and keepalived would end, VRRP with it"
    return [Message(text, first.line, "load the module ip_vs, or take the virtual servers out")]


def _fifos(tree: Tree, host: HostFacts, ours: Collection[str]) -> Iterator[Message]:
    """keepalived only logs these, and nobody hears of a transition."""
    for block in tree.blocks("global_defs"):
        for keyword in _FIFOS:
            node = block.get(keyword)
            if node is None or not node.args:
                continue
            path, *owner = node.args
            folder = str(Path(path).parent)
            if folder not in ours and not host.directory(folder):
                yield Message(f"{keyword}: there is no directory {folder}", node.line, "create it")
            asked = (("user", host.user), ("group", host.group))
            for name, (kind, known) in zip(owner, asked, strict=False):
                if not known(name):
                    yield Message(f"{keyword}: there is no {kind} {name}", node.line, "create it")


def _quotes(container: Container) -> Iterator[Message]:
    for node in container.statements():
        if any(word in node.keyword for word in _QUOTING):
            continue
        for word in node.args:
            if len(word) > 1 and word[0] == word[-1] == "'":
                yield Message(
                    f"{node.keyword}: the single quotes are a part of the value to keepalived",
                    node.line,
                    "write double quotes, or none",
                )
        if isinstance(node, Block):
            yield from _quotes(node)
