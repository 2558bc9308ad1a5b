"""What a node returned, and what a failed verb said."""

from __future__ import annotations

from dataclasses import dataclass

from .event import printable


@dataclass(frozen=True)
class Answer:
    """What a node returned: what the verb says it returns, or the text of an error.

    at is when it arrived, in seconds since the epoch.
    """

    said: object
    at: float


def last_line(said: object) -> str:
    """What a failed verb said, in one line: of a traceback the last."""
    lines = str("" if said is None else said).strip().splitlines()
    return printable(lines[-1])[:200] if lines else "no answer"
