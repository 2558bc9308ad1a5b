"""Build docs/reference.md from the docstrings and check every link of the pages.

``python -m docs.build`` writes the page; ``--check`` only says whether it is stale.
The reference is committed, so that a reader on the web sees it without building anything.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from pathlib import Path

from docs import links

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference.md"

#: (heading, how a person calls it, the files)
SECTIONS = (
    ("Verbs on a node", "salt '*' {module}.{function}", "salt/_modules/*.py"),
    ("States", "{module}.{function}", "salt/_states/*.py"),
    ("Verbs on the master", "salt-run {module}.{function}", "salt/_runners/*.py"),
    ("Beacons", "beacon {module}", "salt/_beacons/*.py"),
)
_HIDDEN = {"validate", "beacon", "output"}


def functions(path: Path) -> list[tuple[str, str, str]]:
    """(name, signature, docstring) of every public function of the module at *path*."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            text = ast.get_docstring(node) or ""
            found.append((node.name, ast.unparse(node.args), inspect.cleandoc(text)))
    return found


def loaded_as(path: Path) -> str:
    """The name by which Salt knows the module at *path*: several files may share one."""
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
    for heading, call, pattern in SECTIONS:
        parts += [f"## {heading}", ""]
        for path in sorted(ROOT.glob(pattern)):
            module, loaded = path.stem, loaded_as(path)
            intro = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            parts += [f"### {module}", "", "```text", intro, "```", ""]
            for name, signature, text in functions(path):
                if name in _HIDDEN:
                    continue
                called = call.format(module=loaded, function=name.rstrip("_"))
                parts += [f"#### `{called}({signature})`", "", "```text", text, "```", ""]
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the reference page and check the links.")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    options = parser.parse_args()
    problems = []
    text = build()
    if options.check:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            problems.append("docs/reference.md is stale: run ./run docs")
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}, {len(text.splitlines())} lines")
    problems += links.problems(ROOT)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
