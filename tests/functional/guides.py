"""The guides of docs/: their files are written, their commands run, their screens compared."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
_MARK = re.compile(r"^<!-- (file: (?P<path>\S+)|run) -->\n```\w+\n(?P<text>.*?)^```$", re.M | re.S)
LEFT_OUT = "…"


@dataclass(frozen=True)
class Step:
    """A file to write (path, text), or commands with their screens (path is empty)."""

    line: int
    path: str
    text: str

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Each command and the lines of its screen; a comment on a screen is no command."""
        lines = self.text.splitlines()
        starts = [index for index, line in enumerate(lines) if line.startswith("# salt-call ")]
        assert starts and starts[0] == 0, f"line {self.line}: a screen begins with its command"
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            yield lines[start].removeprefix("# "), lines[start + 1 : end]


def steps(page: Path) -> list[Step]:
    """What a page has the reader do, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Step(text.count("\n", 0, match.start()) + 1, match["path"] or "", match["text"])
        for match in _MARK.finditer(text)
    ]


@dataclass
class Node:
    """A masterless minion in a folder.  Paths of a guide (/srv/pillar, /root) lie below it."""

    folder: Path
    paths: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        self.paths = {"/srv/pillar": self.folder / "pillar", "/root": self.folder / "home"}
        for name in ("pillar", "home", "etc", "root"):
            (self.folder / name).mkdir()
        (self.folder / "pillar" / "top.sls").write_text("base:\n  '*': [keepalived]\n")
        # What a guide does not write yet.
        (self.folder / "pillar" / "keepalived.sls").write_text("{}\n")
        (self.folder / "etc" / "minion").write_text(
            "id: lb1\nfile_client: local\nlog_level: quiet\n"
            f"root_dir: {self.folder / 'root'}\n"
            f"module_dirs: [{REPO / 'salt'}]\n"
            f"file_roots: {{base: [{REPO / 'salt'}]}}\n"
            f"pillar_roots: {{base: [{self.folder / 'pillar'}]}}\n"
        )

    def write(self, step: Step) -> None:
        self._here(step.path).write_text(step.text, encoding="utf-8")

    def run(self, command: str) -> list[str]:
        """What a command prints, its paths as the guide has them."""
        program, *words = shlex.split(command)
        words = [str(self._here(word)) if word.startswith("/") else word for word in words]
        salt = Path(sys.executable).with_name(program)
        done = subprocess.run(
            [salt, "--config-dir", self.folder / "etc", "--no-color", *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        text = done.stdout
        for path, here in self.paths.items():
            text = text.replace(str(here), path)
        return [line.rstrip() for line in text.splitlines()]

    def _here(self, path: str) -> Path:
        for prefix, here in self.paths.items():
            if path.startswith(f"{prefix}/"):
                return here / path.removeprefix(f"{prefix}/")
        raise AssertionError(f"{path} has no place in the test of the guides")


def differs(screen: list[str], printed: list[str]) -> str:
    """What of a screen was not printed so; `…` stands for any lines."""
    rest = printed
    free = False
    for part in _parts(screen):
        if part == LEFT_OUT:
            free = True
            continue
        places = range(len(rest) - len(part) + 1) if free else range(1)
        found = next((at for at in places if rest[at : at + len(part)] == part), None)
        if found is None:
            return "\n".join(["not printed so:", *part, "but:", *rest])
        rest, free = rest[found + len(part) :], False
    return "" if free or not rest else "\n".join(["printed besides:", *rest])


def _parts(screen: list[str]) -> Iterator[list[str] | str]:
    part: list[str] = []
    for line in screen:
        if line != LEFT_OUT:
            part.append(line.rstrip())
            continue
        if part:
            yield part
        yield LEFT_OUT
        part = []
    if part:
        yield part
