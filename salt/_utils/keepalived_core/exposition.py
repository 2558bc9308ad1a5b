"""Prometheus' text format, version 0.0.4: what node_exporter's textfile collector reads."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
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
    _samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)

    def add(self, value: float | bool | None, **labels: object) -> None:
        """One sample; none for a value that is not known: absence says that, a 0 would not.

        Of several with equal labels the smallest counts: a file that had both would be refused
        whole.
        """
        if value is not None:
            key = tuple((name, _text(given)) for name, given in labels.items())
            self._samples[key] = min(float(value), self._samples.get(key, math.inf))

    def render(self) -> str:
        """Its lines; nothing without samples.  Raises ValueError for a name that is none."""
        if not self._samples:
            return ""
        for name in (self.name, *(label for labels in self._samples for label, _ in labels)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a metric or label")
        lines = [
            f"# HELP {self.name} {self.help.translate(_ESCAPED_HELP)}",
            f"# TYPE {self.name} {self.kind}",
        ]
        for labels, value in self._samples.items():
            lines.append(f"{self.name}{_labels(labels)} {_number(value)}")
        return "\n".join(lines) + "\n"


def render(families: Iterable[Family]) -> str:
    """All of them as one text, in the order given."""
    return "".join(family.render() for family in families)


def _text(given: object) -> str:
    """A label's value.  Bytes that were no UTF-8 are written out, so that names stay different."""
    return str(given).encode(errors="backslashreplace").decode()


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    if not labels:
        return ""
    shown = (f'{name}="{text.translate(_ESCAPED)}"' for name, text in labels)
    return "{" + ",".join(shown) + "}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
