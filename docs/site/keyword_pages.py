"""The keyword table as pages, one for each outermost block; every keyword can be searched for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from docs import man_sections, schema
from docs.site import rst
from keepalived_core.conf import grammar
from keepalived_core.conf.keyword import (
    ENTRIES,
    FLAG,
    LAST,
    NAMED,
    WORDLIST,
    Keyword,
    version_text,
)

Where = tuple[str, ...]
OUTSIDE = "outside-of-blocks"
LINES = "lines"


def pages() -> dict[str, str]:
    """The text of each page by its place on the site."""
    roots = [name for name, row in grammar.ROOT.items() if row.children]
    found = {f"keywords/{name}.rst": _block_page(name) for name in roots}
    found[f"keywords/{OUTSIDE}.rst"] = _outside()
    found[f"keywords/{LINES}.rst"] = _lines()
    found["keywords/index.rst"] = _index(roots)
    return found


def anchor_page(anchor: str) -> str:
    """The page on which a heading of docs/keywords.md is: ``#vrrp_instance--authentication``."""
    root = anchor.split("--")[0]
    return f"keywords/{root if root in grammar.ROOT else 'index'}.rst"


def _index(roots: list[str]) -> str:
    count = sum(1 for _ in grammar.walk())
    rows = [
        (
            f":doc:`{name} <{name}>`",
            str(sum(1 for path, _row in grammar.walk() if path[0] == name and len(path) > 1)),
            rst.plain(man_sections.SECTION[name]),
        )
        for name in roots
    ]
    parts = [
        *rst.title("Keywords"),
        f"Every keyword of keepalived.conf(5) up to keepalived 2.4.3, {count} in their places, as",
        "the pillar and the checks know them: what it takes, its bounds, its default, and the",
        "first release that reads it there; an older keepalived refuses it, and so do we, with",
        "this number. The search finds each by its name. What a keyword means says",
        "keepalived.conf(5), in the section that is named.",
        "",
        "In pillar each stands below ``keepalived:config``, as :doc:`/pillar` describes. An editor",
        "with the YAML language server checks a pillar while you write it, and completes its",
        "words, if its first line names the schema",
        "(:download:`pillar.schema.json </pillar.schema.json>`):",
        "",
        ".. code-block:: yaml",
        "",
        "   # yaml-language-server: $schema=../../docs/pillar.schema.json",
        "",
        *rst.table(("block", "keywords in it", "section of keepalived.conf(5)"), rows),
        f"What stands :doc:`outside of all blocks <{OUTSIDE}>`, and the :doc:`lines <{LINES}>` of",
        "addresses, routes, rules and peers.",
        "",
        *rst.toctree([OUTSIDE, *roots, LINES]),
    ]
    return "\n".join(parts)


def _block_page(name: str) -> str:
    row = grammar.ROOT[name]
    parts = [*rst.title(name), *_head((name,), row), *_keywords((name,), row.children)]
    for path, inner in grammar.walk():
        if path[0] == name and len(path) > 1 and inner.children:
            parts += [
                f".. _{_label(path)}:",
                "",
                *rst.title(" / ".join(path), "-"),
                *_head(path, inner),
                *_keywords(path, inner.children),
            ]
    return "\n".join(parts)


def _head(path: Where, row: Keyword) -> Iterator[str]:
    """What is said of a block itself."""
    where = ":".join(
        word for index in range(len(path)) for word in _pillar_words(path[: index + 1])
    )
    yield f"In pillar: ``keepalived:config:{where}``. {_facts(row)}"
    if len(path) == 1:
        yield f"keepalived.conf(5): {rst.plain(man_sections.SECTION[path[0]])}."
    yield ""


def _pillar_words(path: Where) -> list[str]:
    row = grammar.lookup(path)
    assert row is not None
    return [row.name, "NAME"] if row.kind == NAMED else [row.name]


def _keywords(path: Where, rows: Mapping[str, Keyword]) -> Iterator[str]:
    for row in rows.values():
        where = (*path, row.name)
        yield f".. conf:: {'.'.join(where)}"
        yield ""
        if row.children:
            target = (
                f":ref:`{' / '.join(where)} <{_label(where)}>`"
                if len(where) > 1
                else (f":doc:`{row.name}`")
            )
            yield f"   A {row.kind}: {target}. {_facts(row)}"
        else:
            yield f"   {_takes(row)} {_facts(row)}"
        yield ""


def _takes(row: Keyword) -> str:
    if row.kind == FLAG:
        return "Takes nothing; in pillar ``true`` writes it and ``false`` leaves it out."
    if row.kind == ENTRIES:
        return f"A block of :doc:`lines <{LINES}>`; in pillar a list."
    if row.kind == WORDLIST:
        return "A block of words; in pillar a list."
    return f"Takes {rst.plain(schema.takes(row))}."


def _facts(row: Keyword) -> str:
    # The table's "global" is the keyword of the same meaning in global_defs.
    default = re.sub(r"^global\b", "what global_defs says", row.default)
    found = [f"Default: {rst.plain(default)}."] if default else []
    found.append(f"Since {version_text(row.since)}.")
    if row.repeat != LAST and not row.is_block:
        found.append(f"A second one in the same block: {row.repeat}.")
    if row.deprecated:
        found.append(f"**Deprecated**: {rst.plain(row.deprecated)}.")
    if row.secret:
        found.append("A secret: no verb, log or diff shows it.")
    return " ".join(found)


def _outside() -> str:
    parts = [
        *rst.title("Outside of blocks"),
        "What stands at the top of keepalived.conf, in pillar right below ``keepalived:config``.",
        "",
        *_keywords((), grammar.ROOT),
    ]
    return "\n".join(parts)


def _lines() -> str:
    parts = [
        *rst.title("Lines"),
        "What may stand in the lines of value blocks, after the address, network or name where",
        "there is one. *Since*: the first release; none is given for what is older than 2.0.0.",
        "",
    ]
    for title, options in schema.LINE_TABLES:
        parts += rst.title(title, "-")
        rows = ((f"``{name}``", *_plain(cells)) for name, *cells in schema.option_cells(options))
        parts += rst.table(("option", "followed by", "since"), rows)
    return "\n".join(parts)


def _plain(cells: Iterable[str]) -> list[str]:
    return [rst.plain(cell) for cell in cells]


def _label(path: Where) -> str:
    return "keyword-" + "-".join(path)
