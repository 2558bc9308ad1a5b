"""Prometheus' text format, version 0.0.4: what node_exporter's textfile collector reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: What Prometheus takes as the name of a metric or a label.
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_ESCAPED_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})


@dataclass
class Family:
    """One metric with all its samples.

    name
        Its unit comes last (``_seconds``, ``_total`` for what only grows).
    kind
        ``gauge`` or ``counter``.
    help
        What it is, in one line.
    """

    name: str
    kind: str
    help: str
    _samples: list[tuple[dict[str, str], float]] = field(default_factory=list)

    def add(self, value: float | bool | None, **labels: object) -> None:
        """One sample; none for a value that is not known: absence says that, a 0 would not."""
        if value is not None:
            self._samples.append(({name: str(text) for name, text in labels.items()}, float(value)))

    def render(self) -> str:
        """Its lines; nothing without samples.  Raises ValueError for a name that is none."""
        if not self._samples:
            return ""
        for name in (self.name, *(label for labels, _ in self._samples for label in labels)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a metric or label")
        lines = [
            f"# HELP {self.name} {self.help.translate(_ESCAPED_HELP)}",
            f"# TYPE {self.name} {self.kind}",
        ]
        for labels, value in self._samples:
            lines.append(f"{self.name}{_labels(labels)} {_number(value)}")
        return "\n".join(lines) + "\n"


def render(families: Iterable[Family]) -> str:
    """All of them as one text, in the order given."""
    return "".join(family.render() for family in families)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    shown = (f'{name}="{text.translate(_ESCAPED)}"' for name, text in labels.items())
    return "{" + ",".join(shown) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
