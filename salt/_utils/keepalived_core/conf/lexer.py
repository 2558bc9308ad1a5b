"""keepalived's lexical rules, line by line (lib/parser.c: decomment, read_line, alloc_strvec_r).

The daemon reads physical lines: it cuts the comment, looks for ``@id``, ``$NAME=``, ``~SEQ`` and
``include`` at the line's start, and breaks what is left at every brace outside of ``"..."``;
what stands behind a brace is read as a line of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# What separates words; only the first two are stripped from a line's ends.
WHITE = " \t\f\r\v\n"

# A line without any of these characters is nothing but words.
PLAIN = re.compile(r"[ \t%&(-?A-Z\[\]^_`a-z|]*")

_MARK = re.compile(r'[!#"\\]')
_WORD = re.compile(r'"([^"]*)"|([^ \t\f\r\v\n"]+)')
_BARE_WORD = re.compile(r"[^ \t\f\r\v\n]+")
# ${NAME} is one piece of a word as long as definitions are not replaced.
_BRACE = re.compile(r'"[^"]*"?|\$\{[A-Za-z_]\w*(?: [\w ]*)?\}|[{}]')
_BARE_BRACE = re.compile(r'"[^"]*"?|[{}]')

DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)", re.ASCII | re.DOTALL)
# What stands behind a backslash in a command: hexadecimal or octal digits, c and a letter for a
# control character, one of these letters; anything else is itself.
_ESCAPE = re.compile(r"x([0-9a-fA-F]+)|c(.)|([0-7]{1,3})|(.)", re.DOTALL)
_ESCAPES = dict(zip("abEfnrtv", "\a\b\x1b\f\n\r\t\v", strict=True))
INCLUDE = re.compile(r"(include[rmwba]?)[ \t\f\r\v]+(.*)", re.DOTALL)
REPEAT = re.compile(r"(~SEQx?|~LST)[ \t]*\([^)]*\)[ \t]*")
MACRO = re.compile(r"\$(?:\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)", re.ASCII)
CONDITION = re.compile(r"@(\^?[^ \t]*)[ \t]*")


class Cut(NamedTuple):
    """A physical line without its comment.

    start: where the comment begins, -1 for none; quote: the column (from 1) of an unterminated
    quote, 0 for none.
    """

    text: str
    comment: str
    start: int
    quote: int


def split_comment(line: str) -> Cut:
    """Take the comment off a physical line.

    A comment starts at the first ``#`` or ``!`` outside of quotes, even in the middle of a
    word.  ``\\#`` and ``\\!`` stand for themselves and lose their backslash.  A backslash that
    ends the line goes on with a definition; it counts even at the end of a comment.
    """
    start = len(line) - len(line.lstrip(" \t"))
    end = len(line)
    quote = comment = -1
    pieces = []
    at = start
    goes_on = False
    while mark := _MARK.search(line, at):
        at = mark.start()
        char = line[at]
        if char == "\\":
            if at + 1 == end:
                goes_on = True
                end = at
                break
            if quote < 0 and comment < 0 and line[at + 1] in "#!":
                pieces.append(line[start:at])
                start = at + 1
            at += 2
            continue
        if char == '"':
            if comment < 0:
                quote = at if quote < 0 else -1
        elif quote < 0 and comment < 0:
            comment = at
        at += 1
    pieces.append(line[start : comment if comment >= 0 else end])
    text = "".join(pieces).rstrip(" \t")
    if goes_on:
        text += "\\"
    note = line[comment:end].rstrip(WHITE) if comment >= 0 else ""
    return Cut(text, note, comment, quote + 1)


def encoded(text: str) -> bytes:
    """The bytes of a text in the file; half characters, which no file can have, become a ``?``."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def escape(text: str) -> str:
    """The inverse of the unescaping: ``#`` and ``!`` outside of quotes get their backslash."""
    if "#" not in text and "!" not in text:
        return text
    out = []
    quote = False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            out.append(text[at : at + 2])
            at += 2
            continue
        if char == '"':
            quote = not quote
        elif char in "#!" and not quote:
            out.append("\\")
        out.append(char)
        at += 1
    return "".join(out)


def split_words(text: str) -> list[str]:
    """The words of a line.  A ``"`` ends a word and begins a quoted one, which has no escapes.

    Behind an unmatched ``"`` there is nothing more.
    """
    if '"' not in text:
        return _BARE_WORD.findall(text)
    if text.count('"') % 2:
        text = text[: text.rindex('"')]
    return [quoted if bare == "" else bare for quoted, bare in _WORD.findall(text)]


def split_command(text: str) -> list[str] | None:
    """The words of a line whose value is a command; None when a quote has no partner.

    keepalived reads these lines once more by other rules (alloc_strvec_quoted_escaped): both
    kinds of quotes count, anywhere in a word, and a backslash protects the next character or
    begins an escape (up to 2.3; from 2.4.0 on it stays where it is).
    """
    words: list[str] = []
    word: list[str] | None = None
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            if at == len(text):
                return None
            word = [] if word is None else word
            escape = _ESCAPE.match(text, at)
            assert escape is not None
            word.append(_escaped(escape))
            at = escape.end()
        elif quote:
            if char == quote:
                quote = ""
            else:
                assert word is not None
                word.append(char)
        elif char in "\"'":
            # keepalived does not miss the partner of one that ends the line.
            quote = char if at < len(text) else ""
            word = [] if word is None else word
        elif char in WHITE:
            if word is not None:
                words.append("".join(word))
                word = None
        elif word is None:
            word = [char]
        else:
            word.append(char)
    if word is not None:
        words.append("".join(word))
    return None if quote else words


def _escaped(match: re.Match[str]) -> str:
    hexadecimal, control, octal, plain = match.groups()
    if hexadecimal:
        return chr(int(hexadecimal[-2:], 16))  # a byte keeps the last two
    if control:
        return chr(ord(control) & 0x1F)
    return chr(int(octal, 8) & 0xFF) if octal else _ESCAPES.get(plain, plain)


def find_brace(text: str, start: int = 0, macros: bool = True) -> int:
    """Where the next brace outside of quotes is, or -1.

    macros: take ``${NAME}`` for a piece of a word, as a text before replacement wants it.
    """
    pattern = _BRACE if macros else _BARE_BRACE
    for match in pattern.finditer(text, start):
        if match[0] in "{}":
            return match.start()
    return -1
