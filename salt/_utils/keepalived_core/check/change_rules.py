"""What a change of each keyword does when keepalived is reloaded: the facts, as one table.

``TABLE`` has the keywords that need a word of their own, ``BLOCKS`` what goes for all others in
a block, and why.  ``docs/changes.md`` is made of both.  Lines of C are those of keepalived
2.2.7, "measured" means tried on 2.2.7 and, where a release is named, on 2.3.3
(tests/functional/test_change_live.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..conf import grammar
from ..conf.keyword import Version
from .change_kind import ORDER, Kind
from .change_table import BLOCKS, TABLE


@dataclass(frozen=True)
class Rule:
    """One row.

    block, words: where, and which keywords; case: of these changes only, "" for all others;
    text: what the change does, behind "A becomes B: "; source: where the fact is from;
    since, until: first release it holds for, and first for which it does not.
    """

    block: str
    words: tuple[str, ...]
    case: str
    kind: Kind
    text: str
    source: str
    since: Version = ()
    until: Version = ()

    def holds(self, version: Version | None) -> bool:
        """Whether it is true of a release; of an unknown one (None or ()) all are."""
        if not version:
            return True
        return version >= self.since and not (self.until and version >= self.until)


def rules() -> Iterator[Rule]:
    """Every row of the table, in its order."""
    for block, rows in TABLE:
        for words, case, kind, text, source, *span in rows:
            since, until = span[0] if span else ((), ())
            yield Rule(block, tuple(words.split()), case, kind, text, source, since, until)


def default(path: tuple[str, ...]) -> Rule:
    """What goes for a keyword that has no row: that of the innermost block that has one."""
    for length in range(len(path), 0, -1):
        found = BLOCKS.get(" ".join(path[:length]))
        if found:
            kind, text, source = found
            return Rule(" ".join(path[:length]), (), "", kind, text, source)
    raise KeyError(" ".join(path))


def find(path: tuple[str, ...], case: str = "", version: Version | None = None) -> Rule:
    """The row for a change of the keyword at *path*; of several that hold, the worst.

    A case that has no row is judged by the row for any change.
    """
    rows = [rule for rule in _index().get(path, ()) if rule.holds(version)]
    found = [rule for rule in rows if rule.case == case] or [rule for rule in rows if not rule.case]
    return max(found, key=lambda rule: ORDER.index(rule.kind)) if found else default(path)


def uncovered() -> list[str]:
    """Keywords of the grammar without any row or default; the table is wrong when there are."""
    missing = []
    for path, _keyword in grammar.walk():
        try:
            find(path)
        except KeyError:
            missing.append(" ".join(path))
    return missing


@lru_cache(maxsize=1)
def _index() -> dict[tuple[str, ...], list[Rule]]:
    found: dict[tuple[str, ...], list[Rule]] = {}
    for rule in rules():
        for word in rule.words:
            found.setdefault((*rule.block.split(), word), []).append(rule)
    return found
