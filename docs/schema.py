"""Build docs/pillar.schema.json and docs/keywords.md from the keyword table.

``python -m docs.schema`` writes both; ``--check`` only says what is stale.  They are committed:
nobody who uses the formula from a git repository builds anything.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "salt" / "_utils"))

from docs import man_sections  # noqa: E402
from keepalived_core import metrics_pillar, policy_pillar  # noqa: E402
from keepalived_core.conf import grammar, grammar_entries  # noqa: E402
from keepalived_core.conf.grammar_entries import Option  # noqa: E402
from keepalived_core.conf.keyword import (  # noqa: E402
    BLOCK,
    CHOICE,
    DECIMAL,
    ENTRIES,
    FLAG,
    INTEGER,
    LAST,
    MANY,
    NAMED,
    SCRIPT,
    SWITCH,
    SWITCH_WORDS,
    WORDLIST,
    WORDS,
    Keyword,
    version_text,
)
from keepalived_core.conf.values import wanted  # noqa: E402

SCHEMA = ROOT / "docs" / "pillar.schema.json"
PAGE = ROOT / "docs" / "keywords.md"
Schema = dict[str, Any]
Where = tuple[str, ...]

_TEXT: Schema = {"type": "string"}
# A list, or one word or line; the formula reads all of these.
_WORDS: Schema = {"type": ["string", "number", "array"], "items": {"type": ["string", "integer"]}}
_LINES: Schema = {
    "type": ["array", "string", "object", "null"],
    "items": {"type": ["string", "integer", "object"]},
}
_INTRO = """# Keywords

Every keyword of keepalived.conf(5) up to keepalived 2.4.3, block by block, as the pillar and the
checks know them. Made from the keyword table by `python3 -m docs.schema`; do not edit it here. What
a keyword means says keepalived.conf(5).

*Since* is the first release that reads the keyword in that place; an older keepalived refuses it,
and so do we, with this number. *Twice* says what a second one in the same block does, where that is
not "the last one counts".

An editor with the YAML language server checks a pillar while you write it, and completes its words,
if this is its first line (or the web address of that file):

```yaml
# yaml-language-server: $schema=../../docs/pillar.schema.json
```
"""
_LINE_INTRO = """## Lines

What may stand in the lines of value blocks, after the address, network or name where there is one.
*Since*: the first release; none is given for what is older than 2.0.0.
"""
LINE_TABLES = (
    ("virtual_ipaddress, static_ipaddress", grammar_entries.ADDRESS),
    ("virtual_routes, static_routes", grammar_entries.ROUTE),
    ("virtual_routes, static_routes: after nexthop", grammar_entries.NEXTHOP),
    ("virtual_rules, static_rules", grammar_entries.RULE),
    ("unicast_peer", grammar_entries.PEER),
    ("use_vmac", grammar_entries.DEVICE["use_vmac"]),
    ("use_ipvlan", grammar_entries.DEVICE["use_ipvlan"]),
)


# -- the schema -----------------------------------------------------------------------------------


def schema() -> Schema:
    """JSON Schema (draft 2020-12) of the pillar."""
    scopes = {
        ".".join(path): _scope(path, keyword.children)
        for path, keyword in grammar.walk()
        if keyword.children
    }
    config = _reference("config")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pillar of salt-keepalived",
        "description": "Made from the keyword table by `python3 -m docs.schema`.",
        "type": "object",
        "properties": {"keepalived": _reference("keepalived")},
        "$defs": {
            "keepalived": _object({**_sections(), "config": config, "nodes": _nodes(config)}),
            "config": _scope((), grammar.ROOT),
            **scopes,
        },
    }


def _sections() -> dict[str, Schema]:
    """What stands beside config and nodes."""
    flag = {"type": "boolean"}
    script = {"source": _TEXT, "contents": _TEXT, "user": _TEXT, "group": _TEXT, "mode": {}}
    repair = {
        "restart_service": _TEXT,
        "cooldown": {"type": "number", "minimum": 0},
        "budget": {"type": "integer", "minimum": 1, "maximum": 60},
    }
    priority = {"type": "integer", "minimum": 1, "maximum": 255}
    interval = {
        "type": "integer",
        "minimum": metrics_pillar.SHORTEST,
        "maximum": metrics_pillar.LONGEST,
        "default": metrics_pillar.DEFAULT,
    }
    return {
        "cluster": _TEXT,
        "priorities": _each(
            {
                "type": ["array", "object"],
                "items": _TEXT,
                "additionalProperties": priority,
            }
        ),
        "firewall": _object({"direct_rules": {"type": "array"}, "vrrp": flag}),
        "sysctl": _object({"ip_nonlocal_bind": flag}),
        "scripts": _each(_object(script)),
        "remediation": _each(_object(repair)),
        "policy": _policy(),
        "package": _object({"version": _TEXT}),
        "clean": _object({"stop_keepalived": flag}),
        "allow_disruptive": flag,
        "drain_file": flag,
        "metrics": {
            **_object({"textfile": {**_TEXT, "pattern": "^/.+[.]prom$"}, "interval": interval}),
            "required": ["textfile"],
        },
        # The official formula's.
        "lookup": {},
        "scripts_dir": {},
    }


def _policy() -> Schema:
    count = {"type": "integer", "minimum": 1}
    rules = {
        kind: _object(
            {
                "action": {"enum": list(actions)},
                "service": _TEXT,
                "sls": _TEXT,
                "peers": count,
                "expires": count,
            }
        )
        for kind, actions in policy_pillar.ACTIONS.items()
    }
    limits = dict.fromkeys(policy_pillar.NUMBERS, count)
    return _object({"incidents": _object(rules), **limits, "dry_run": {"type": "boolean"}})


def _nodes(config: Schema) -> Schema:
    overlay = {**_object({"config": config, "address": _TEXT}), "type": ["object", "null"]}
    return {"type": ["object", "array"], "additionalProperties": overlay, "items": _TEXT}


def _scope(path: Where, keywords: Mapping[str, Keyword]) -> Schema:
    properties = {name: _property((*path, name), row) for name, row in keywords.items()}
    return _body(_object(properties), _reference(".".join(path) or "config"))


def _property(path: Where, row: Keyword) -> Schema:
    found = _value(path, row)
    if row.repeat == MANY and not row.is_block:
        found = {"anyOf": [found, {"type": "array", "items": found}]}
    text = _about(row)
    if text:
        found = {**found, "description": text}
    if row.deprecated:
        found = {**found, "deprecated": True}
    return found


def _value(path: Where, row: Keyword) -> Schema:
    if row.children:
        body = _reference(".".join(path))
        return _body(_each(body), _each(body)) if row.kind == NAMED else body
    if row.name == "virtual_server_group":
        return _body(_each(_LINES), _each(_LINES))
    if row.kind in (ENTRIES, WORDLIST):
        return _LINES
    bare = row.words[0] == 0
    if row.kind == FLAG:
        return {"type": "boolean"}
    if row.kind == SWITCH:
        return {"enum": [True, False, *SWITCH_WORDS]}
    if row.kind == CHOICE:
        lower = [word.lower() for word in row.choices] if row.any_case else []
        return {"enum": [*row.choices, *lower, *([True, False] if bare else [])]}
    found: Schema
    if row.kind in (INTEGER, DECIMAL):
        kind = "integer" if row.kind == INTEGER else "number"
        kinds = [kind, "boolean"] if bare else [kind]
        # A number in quotes is read too, and one with its option (`10 reverse`) must be a text.
        found = {"type": [*kinds, "string"], "minimum": row.low, "maximum": row.high}
        return {**found, "pattern": "^[0-9.+-]+( [a-z]+)?$"}
    if row.kind == SCRIPT:
        found = {"type": ["string", "array"], "items": {"type": ["string", "integer"]}}
    elif row.kind == WORDS or row.words[1] != 1:
        found = dict(_WORDS)
    else:
        found = {"type": ["string"]}
    return {**found, "type": [*found["type"], "boolean"]} if bare else found


def _about(row: Keyword) -> str:
    """One line for an editor's tip."""
    parts = []
    if row.kind not in (BLOCK, NAMED, ENTRIES, WORDLIST, WORDS, FLAG, SWITCH):
        parts.append(wanted(row))
    if row.default:
        parts.append(f"default {row.default}")
    if row.since > (2, 0, 0):
        parts.append(f"since keepalived {version_text(row.since)}")
    if row.deprecated:
        parts.append(f"deprecated: {row.deprecated}")
    return "; ".join(parts)


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _each(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


def _body(mapping: Schema, item: Schema) -> Schema:
    """A mapping; a list of them, as the official formula's users write it; or nothing.

    One schema for all three: of alternatives a validator only says that none fits.
    """
    return {**mapping, "type": ["object", "array", "null"], "items": item}


# -- the page -------------------------------------------------------------------------------------


def page() -> str:
    """The keywords as Markdown."""
    parts = [_INTRO, "## Outside of blocks", *_table(grammar.ROOT.values())]
    for path, row in grammar.walk():
        if row.children:
            parts.append(f"## {' / '.join(path)}")
            if len(path) == 1:
                parts.append(f"\nkeepalived.conf(5): {man_sections.SECTION[path[0]]}.")
            parts += _table(row.children.values())
    parts.append(_LINE_INTRO)
    for title, options in LINE_TABLES:
        parts += [f"### {title}", *_options(options)]
    return "\n".join(parts)


def _table(rows: Any) -> Iterator[str]:
    yield "\n| keyword | takes | default | since | |\n| --- | --- | --- | --- | --- |"
    for row in rows:
        notes = [f"deprecated: {row.deprecated}"] if row.deprecated else []
        if row.repeat != LAST and not row.is_block:
            notes.append(f"twice: {row.repeat}")
        cells = [f"`{row.name}`", takes(row), row.default, version_text(row.since)]
        yield _line([*cells, "; ".join(notes)])
    yield ""


def takes(row: Keyword) -> str:
    """What follows a keyword, in words."""
    if row.kind in (BLOCK, NAMED):
        return f"{row.kind}: see below"
    if row.kind == ENTRIES:
        return "lines"
    if row.kind == WORDLIST:
        return "words"
    if row.kind == FLAG:
        return "nothing"
    if row.kind == WORDS:
        return f"words: {', '.join(row.choices)}" if row.choices else "words"
    return wanted(row) + (", or nothing" if row.words[0] == 0 and row.kind != SWITCH else "")


def _options(options: Mapping[str, Option]) -> Iterator[str]:
    yield "\n| option | followed by | since |\n| --- | --- | --- |"
    for name, *cells in option_cells(options):
        yield _line([f"`{name}`", *cells])
    yield ""


def option_cells(options: Mapping[str, Option]) -> Iterator[tuple[str, str, str]]:
    """Of each option word of a line: the word, what follows it, its first release."""
    for name, option in options.items():
        followed = "nothing" if option.takes == "flag" else _spoken(option.takes)
        yield name, followed, version_text(option.since)


def _spoken(takes: str) -> str:
    """What follows an option, in words."""
    before = ""
    if takes.startswith("lock "):
        before, takes = "perhaps lock, then ", takes[5:]
    kind, *more = takes.removeprefix("hex ").split(" ")
    if ".." in kind:
        text = f"a number {kind.replace('..', ' to ')}"
        return before + ", or ".join([text, *(["/".join(more)] if more else [])])
    spoken = {
        "word": f"a word of at most {more[0]} letters" if more else "a word",
        "address": "an address",
        "network": "a network, or default",
        "via": "perhaps inet or inet6, then an address",
        "range": "a range like 1000-1999",
        "encap": "a type (ip, ip6, mpls, ila) and its words",
        "broadcast": "an IPv4 address, + or -",
    }
    return before + spoken.get(kind, kind.replace("|", " or "))


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> int:
    """Write both files, or say which is stale."""
    parser = argparse.ArgumentParser(description="Build the pillar's schema and the keyword page.")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    options = parser.parse_args()
    stale = 0
    texts = {SCHEMA: json.dumps(schema(), indent=1) + "\n", PAGE: page()}
    for path, text in texts.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}, {len(text.splitlines())} lines")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is stale: python3 -m docs.schema", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
