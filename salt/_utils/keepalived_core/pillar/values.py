"""One pillar value into the words that stand behind a keyword.

Types are strict where YAML is treacherous: text must be text (an unquoted 0123 has already
become 83), a flag must be a boolean (keepalived would take `nopreempt False` for true).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..conf import lexer
from ..conf import redactor as conf_redactor
from ..conf import values as conf_values
from ..conf.keyword import (
    CHOICE,
    DECIMAL,
    FLAG,
    INTEGER,
    SCRIPT,
    SWITCH,
    SWITCH_WORDS,
    WORDS,
    Keyword,
    Version,
)
from .errors import kind_of

# MAC addresses, hexadecimal digits: YAML makes other numbers of 12:34:56 and 0123 than were meant.
_ONLY_TEXT = frozenset({"use_vmac", "use_ipvlan", "payload", "require_reply"})


class Unfit(ValueError):
    """Why a value does not fit its keyword."""


def words(keyword: Keyword, value: Any, release: Version = ()) -> list[str] | None:
    """The words for a value; None when the keyword is to be left out.  Raises Unfit.

    release: of the keepalived it is for, () for the newest.
    """
    if isinstance(value, str) and value.startswith(conf_redactor.MASK[:-1]):
        raise Unfit(f"this stands for a secret that was not shown: {value}")
    args = _typed(keyword, value)
    if args is None:
        return None
    reason = conf_values.fault(keyword, args)
    if not reason and (extra := conf_values.surplus(keyword, args)):
        reason = f"keepalived would ignore {' '.join(extra)!r}"
    if reason:
        raise Unfit(_shown(keyword, value, reason))
    if release and release < keyword.valued:
        # That release does not read the value: the word alone, even before a false, means true.
        return [] if SWITCH_WORDS[(args or ["true"])[0]] else None
    return args


def _typed(keyword: Keyword, value: Any) -> list[str] | None:
    if isinstance(value, Mapping):
        raise Unfit(f"a value belongs here ({conf_values.wanted(keyword)}), not a mapping")
    if keyword.kind == FLAG:
        return _flag(keyword, value)
    if value is None:
        if keyword.words[0] == 0:
            raise Unfit("there is nothing here; write true or false")
        raise Unfit(f"the value is missing: {conf_values.wanted(keyword)}")
    if keyword.kind == SWITCH:
        return _switch(value)
    if isinstance(value, bool):
        if keyword.words[0] == 0:
            return [] if value else None
        raise Unfit(_shown(keyword, value, conf_values.wanted(keyword)))
    if keyword.kind in (INTEGER, DECIMAL):
        return _number(keyword, value)
    if keyword.kind == WORDS or keyword.words[1] != 1:
        return _words(keyword, value)
    if not isinstance(value, str):
        if isinstance(value, (list, tuple)):
            raise Unfit(f"one value belongs here ({conf_values.wanted(keyword)}), not a list")
        hint = "quote it" if keyword.kind != CHOICE else conf_values.wanted(keyword)
        if keyword.name == "auth_type":
            # it may be the password, where the two changed places
            raise Unfit(f"what is given is not text; {hint}")
        raise Unfit(_shown(keyword, value, f"{kind_of(value)} is not text; {hint}"))
    if keyword.kind == SCRIPT:
        return [_command(value)]
    return [_unquoted(value)]


def _flag(keyword: Keyword, value: Any) -> list[str] | None:
    if value is True:
        return []
    if value is False:
        return None
    raise Unfit(
        f"{kind_of(value)} is no boolean; write {keyword.name}: true, or false to leave it out "
        "(keepalived takes the word alone for true, whatever follows it)"
    )


def _switch(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str) and value in SWITCH_WORDS:
        return [value]
    raise Unfit(f"{kind_of(value)} is neither true nor false")


def _number(keyword: Keyword, value: Any) -> list[str]:
    if isinstance(value, int):
        return [str(value)]
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise Unfit(f"{value} is no number; {conf_values.wanted(keyword)}")
        if keyword.kind == INTEGER and value == int(value):
            raise Unfit(f"{value} is no whole number; write {int(value)}")
        return [f"{value:.6f}".rstrip("0").rstrip(".")]
    if isinstance(value, str):
        return value.split() or [""]
    raise Unfit(f"{kind_of(value)} is no number; {conf_values.wanted(keyword)}")


def _words(keyword: Keyword, value: Any) -> list[str]:
    if isinstance(value, str):
        if keyword.kind == SCRIPT:
            return [_command(value)]
        found = lexer.split_words(value) if keyword.words[1] != 1 else [value]
        if not found:
            raise Unfit(f"the text is empty; {conf_values.wanted(keyword)}")
        return found
    if isinstance(value, (list, tuple)):
        if not all(isinstance(item, (str, int)) and not isinstance(item, bool) for item in value):
            raise Unfit("the items of this list must be words")
        if keyword.name in _ONLY_TEXT and not all(isinstance(item, str) for item in value):
            raise Unfit("an item of this list is a number after YAML; quote it")
        items = [str(item) for item in value]
        if keyword.kind == SCRIPT and items:
            items[0] = _command(items[0])
        return items
    number = isinstance(value, (int, float)) and keyword.kind == WORDS
    if not number or keyword.name in _ONLY_TEXT:
        raise Unfit(f"{kind_of(value)} is not text; quote it")
    return [str(value)]


def _command(text: str) -> str:
    """A script's command line, which keepalived splits like a shell."""
    text = _unquoted(text.strip())
    if not text:
        raise Unfit("the command is empty")
    if "\\" in text:
        raise Unfit(
            f"{text!r} contains a backslash, which keepalived releases read differently; "
            "put the command into a script file"
        )
    if text.count("'") % 2:
        raise Unfit(f"{text!r} has a ' without a partner")
    return text


def _unquoted(text: str) -> str:
    """The official formula's users write the file's own quotes into the value."""
    if len(text) >= 2 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        return text[1:-1]
    return text


def _shown(keyword: Keyword, value: Any, reason: str) -> str:
    if not keyword.secret:
        return reason
    if not isinstance(value, str):
        return "the secret is not text; quote it"
    return "the secret cannot be used as it is"
