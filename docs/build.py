"""Build docs/reference.md and docs/schemas.md from the code, and check every link of the pages.

``python -m docs.build`` writes both; ``--check`` only says which is stale.
They are committed, so that a reader on the web sees them without building anything.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs import links, schemas

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference.md"

#: (heading, how a person calls it, the files)
SECTIONS = (
    ("Verbs on a node", "salt '*' {module}.{function}", "salt/_modules/*.py"),
    ("States", "{module}.{function}", "salt/_states/*.py"),
    ("Verbs on the master", "salt-run {module}.{function}", "salt/_runners/*.py"),
    ("Beacons", "beacon {module}", "salt/_beacons/*.py"),
    ("Engines", "engine {module}", "salt/_engines/*.py"),
    ("External pillar", "ext_pillar {module}", "salt/_pillar/*.py"),
    ("Outputter", "--out={module}", "salt/_output/*.py"),
)
# What Salt calls, and no person.
_HIDDEN = {"validate", "beacon", "output", "start", "ext_pillar"}


@dataclass(frozen=True)
class Module:
    """One file that Salt loads.

    heading: its section; name: the file's; loaded: the name by which Salt knows it, which several
    files may share; intro: its docstring; functions: (name, how it is called, docstring) of each.
    """

    heading: str
    name: str
    loaded: str
    path: Path
    intro: str
    functions: tuple[tuple[str, str, str], ...]


def modules() -> Iterator[Module]:
    """All that Salt loads and a person may want to look up, in the order of the page."""
    for heading, call, pattern in SECTIONS:
        for path in sorted(ROOT.glob(pattern)):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            loaded = _loaded_as(path)
            found = []
            for node in tree.body:
                if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                    continue
                if node.name in _HIDDEN:
                    continue
                # A verb that is a word of Python has an underscore behind it in the code only.
                name = node.name.rstrip("_")
                called = call.format(module=loaded, function=name)
                text = inspect.cleandoc(ast.get_docstring(node) or "")
                found.append((name, f"{called}({ast.unparse(node.args)})", text))
            intro = ast.get_docstring(tree) or ""
            yield Module(heading, path.stem, loaded, path, intro, tuple(found))


def _loaded_as(path: Path) -> str:
    named = re.search(r'^__virtualname__ = "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    return named[1] if named else path.stem


def build() -> str:
    """The whole page."""
    parts = [
        "# Reference",
        "",
        "Made from the docstrings by `./run docs`; do not edit it here.",
        "",
    ]
    heading = ""
    for module in modules():
        if module.heading != heading:
            heading = module.heading
            parts += [f"## {heading}", ""]
        parts += [f"### {module.name}", "", "```text", module.intro, "```", ""]
        for _name, called, text in module.functions:
            parts += [f"#### `{called}`", "", "```text", text, "```", ""]
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the pages from the code, check the links.")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    options = parser.parse_args()
    problems = []
    for path, text in {PAGE: build(), schemas.PAGE: schemas.page()}.items():
        name = path.relative_to(ROOT)
        if not options.check:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}, {len(text.splitlines())} lines")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            problems.append(f"{name} is stale: run ./run docs")
    problems += links.problems(ROOT)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
