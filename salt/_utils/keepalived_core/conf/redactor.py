"""Take the secrets out of anything that is shown: files, diffs, messages, pillar data.

This works on text, not on a tree: a broken file, a diff or a single line must not leak either.
In doubt it takes out too much.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

MASK = "<redacted>"

# auth_pass (VRRPv2; auth_data in dumps), password (SSL), and auth_type with what is no type, as
# where the two values changed places: everything behind the word, for a '#' or a '{' inside of the
# secret makes keepalived, not the reader, see its end there.
_WORD = re.compile(
    r'(auth_pass|auth_data|(?<![\w-])password(?![\w-])|auth_type(?!["\s:=]*(?:PASS|AH|none)\b))'
    r'("?)([ \t:=]*)(.*)',
    re.IGNORECASE,
)
# keepalived's own word for such a type.
_UNKNOWN_TYPE = re.compile(r"(unknown authentication type ')[^\n]*(')")
_TYPES = frozenset({"PASS", "AH"})
# key ID VALUE (auth_hmac); SSL's `key FILE` has one word and is no secret.
_KEY = re.compile(r'((?<![\w-])key"?[ \t]+"?[^\s"]+"?[ \t]+)(?!"?file:)(\S.*)')
_NAME = re.compile(r"\$\{?([A-Za-z_]\w*)", re.ASCII)
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DEFINITION = re.compile(r"(\$([A-Za-z_]\w*)[ \t]*=[ \t]*)(.*)", re.ASCII | re.DOTALL)
_LIST = re.compile(r"(~LST[ \t]*\()(.*)", re.DOTALL)
_KEYS = frozenset({"auth_pass", "password"})
_SECRET = re.compile(r"[^\s\"'{}]+")
# Words of the language: a line that begins with one is not the secret of the line above.
_BEGINS = re.compile(r"[ \t+\-]*(?:[}{#!@]|$)")


def redact(text: str) -> str:
    """The text with every secret replaced by ``<redacted>``; line for line the same otherwise."""
    lines = text.split("\n")
    named = _names(lines)
    out = []
    pending = defining = False
    for line in lines:
        if defining:
            defining = line.rstrip().endswith("\\")
            out.append(MASK + (" \\" if defining else ""))
            continue
        definition = _DEFINITION.search(line)
        if definition is not None and definition[2] in named:
            defining = line.rstrip().endswith("\\")
            out.append(line[: definition.end(1)] + MASK + (" \\" if defining else ""))
            continue
        listed = _LIST.search(line)
        if listed is not None and not named.isdisjoint(_PLAIN_NAME.findall(listed[2])):
            out.append(line[: listed.end(1)] + MASK)
            continue
        if pending and not line.strip():
            out.append(line)
            continue
        if pending and not _BEGINS.match(line):
            # The value was put on a line of its own; keepalived dies of it, and says the word.
            out.append(MASK)
            pending = False
            continue
        line, pending = _line(line)
        out.append(line)
    return "\n".join(out)


def secret_words(text: str) -> dict[int, set[str]]:
    """The words of each secret, by the number of the line they stand in."""
    found = {}
    shown = redact(text).split("\n")
    for number, (line, safe) in enumerate(zip(text.split("\n"), shown, strict=True), 1):
        if line != safe:
            found[number] = set(_SECRET.findall(line)) - set(_SECRET.findall(safe))
    return found


def mask(text: str, words: Collection[str]) -> str:
    """A text with these words replaced by ``<redacted>``, wherever they stand by themselves."""
    if not words:
        return text
    longest = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.sub(rf"(?<!\w)(?:{longest})(?!\w)", MASK, text)


def redact_data(data: Any) -> Any:
    """A copy of pillar data without its secrets."""
    return _data(data, ())


def _line(line: str) -> tuple[str, bool]:
    """The line without secrets, and whether a secret may follow on the next one."""
    match = _WORD.search(line)
    if match is not None:
        value = match[4]
        if not value.strip(' \t\r"'):
            return line, True
        end = value[len(value.rstrip("} \t\r")) :]
        return f"{line[: match.start(4)]}{MASK}{end}", False
    line = _UNKNOWN_TYPE.sub(rf"\g<1>{MASK}\g<2>", line)
    return _KEY.sub(lambda found: found[1] + MASK, line), False


def _names(lines: list[str]) -> set[str]:
    """The definitions a secret is made of, also through other definitions."""
    named: set[str] = set()
    for line in lines:
        for match in (_WORD.search(line), _KEY.search(line)):
            if match is not None:
                named.update(_NAME.findall(match[match.lastindex or 0]))
    if not named:
        return named
    values: dict[str, set[str]] = {}
    name = ""
    for line in lines:
        definition = _DEFINITION.search(line)
        if definition is not None:
            name = definition[2]
        if name:
            values.setdefault(name, set()).update(_NAME.findall(line))
        if not line.rstrip().endswith("\\"):
            name = ""
    todo = list(named)
    while todo:
        for other in values.get(todo.pop(), ()):
            if other not in named:
                named.add(other)
                todo.append(other)
    return named


def _data(data: Any, path: tuple[str, ...]) -> Any:
    if isinstance(data, Mapping):
        return {
            key: MASK if _secret(str(key), path, value) else _data(value, (*path, str(key)))
            for key, value in data.items()
        }
    if isinstance(data, (list, tuple)):
        return [_data(item, path) for item in data]
    if isinstance(data, str) and _WORD.search(data):
        return redact(data)
    return data


def _secret(key: str, path: tuple[str, ...], value: Any) -> bool:
    if isinstance(value, (Mapping, bool)) or value is None:
        return False
    if key == "key":
        return "auth_hmac" in path
    if key.lower() == "auth_type":
        return str(value).upper() not in _TYPES
    return key.lower() in _KEYS
