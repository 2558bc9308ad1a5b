"""The tables of docs/changes.md, made from the rules: ``python -m …change_docs PAGE``."""

from __future__ import annotations

import sys
from pathlib import Path

from ..conf.keyword import version_text
from . import change_rules
from .change_rules import Rule

BEGIN = "<!-- made by keepalived_core.check.change_docs: edit change_table.py instead -->"
END = "<!-- end of what is made -->"
_HEAD = """| keyword | what changes | class | what a reload does | known from |
| --- | --- | --- | --- | --- |"""
_ANY = "all other words"


def tables() -> str:
    """All rows, block by block, with what goes for the words without one."""
    found: dict[str, list[str]] = {}
    for rule in change_rules.rules():
        found.setdefault(rule.block, []).append(_row(rule))
    for block, (kind, text, source) in change_rules.BLOCKS.items():
        rule = Rule(block, (), "", kind, text, source)
        found.setdefault(block, []).append(_row(rule, _ANY if block else "an unknown word"))
    parts = []
    for block, rows in found.items():
        parts += [f"### {f'`{block}`' if block else 'Outermost'}", "", _HEAD, *rows, ""]
    return "\n".join(parts)


def renew(page: str) -> str:
    """The page with its tables as they are now."""
    before, _begin, rest = page.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def _row(rule: Rule, words: str = "") -> str:
    names = words or ", ".join(f"`{word}`" for word in rule.words)
    case = rule.case or "any change"
    if rule.until:
        case += f" (below {version_text(rule.until)})"
    elif rule.since:
        case += f" (from {version_text(rule.since)})"
    return f"| {names} | {case} | **{rule.kind.value}** | {rule.text} | {rule.source} |"


def main(arguments: list[str]) -> None:
    """Write the tables into the page named."""
    page = Path(arguments[0])
    page.write_text(renew(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
