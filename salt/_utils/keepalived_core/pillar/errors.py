"""Mistakes in pillar: all of them at once, each with the path to where it stands."""

from __future__ import annotations

from typing import Any

Path = tuple[str, ...]


class PillarError(ValueError):
    """What is wrong with the pillar.  mistakes: (pillar path, reason) pairs, as many as found."""

    def __init__(self, mistakes: list[tuple[str, str]]):
        self.mistakes = mistakes
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(f"{path}: {reason}" for path, reason in self.mistakes)


class Mistakes:
    """Collects what is wrong, so that one run names everything."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.paths: set[Path] = set()
        self._seen: set[tuple[str, str]] = set()

    def add(self, path: Path, reason: str) -> None:
        """Note a mistake once."""
        mistake = (":".join(path), reason)
        if mistake not in self._seen:
            self._seen.add(mistake)
            self.paths.add(path)
            self.found.append(mistake)

    def stop(self) -> None:
        """Raise PillarError if there is any mistake."""
        if self.found:
            raise PillarError(self.found)


def kind_of(value: Any) -> str:
    """What a YAML value is, in words a reader of pillar knows."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return f"a {type(value).__name__}"
