"""What Salt loads, a page for each file, from its docstrings; every verb can be searched for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from docs import build
from docs.site import rst

#: Section of the reference -> (the directive of its functions, folder of its pages).
KINDS = {
    "Verbs on a node": ("verb", "node"),
    "States": ("state", "states"),
    "Verbs on the master": ("runner", "master"),
    "Beacons": ("verb", "beacons"),
    "Engines": ("verb", "engines"),
    "External pillar": ("verb", "pillar"),
    "Outputter": ("verb", "outputter"),
}
_PAGE = re.compile(r"\bdocs/([\w-]+)\.md\b")
_CALL = re.compile(r"(.*?)([\w.]+)\(")


def pages() -> dict[str, str]:
    """The text of each page by its place on the site."""
    modules = list(build.modules())
    found = {_place(module): _page(module) for module in modules}
    found["reference/index.rst"] = _index(modules)
    return found


def _place(module: build.Module) -> str:
    return f"reference/{KINDS[module.heading][1]}/{module.name}.rst"


def _page(module: build.Module) -> str:
    directive, _folder = KINDS[module.heading]
    first, rest = _titled(module)
    file = module.path.relative_to(build.ROOT).as_posix()
    parts = [
        *rst.title(f"``{module.name}``: {first}"),
        f"{module.heading}. File: ``{file}``.",
        "",
        _linked(rest),
        "",
    ]
    for _name, called, text in module.functions:
        parts += [f".. {directive}:: {called}", "", *rst.indented(_linked(text)), ""]
    return "\n".join(parts)


def _titled(module: build.Module) -> tuple[str, str]:
    """The heading of a module's docstring, and the text below it."""
    first, _, rest = module.intro.partition("\n")
    line, _, below = rest.partition("\n")
    if line and not line.strip("="):
        return first, below
    return first.rstrip("."), rest


def _index(modules: Iterable[build.Module]) -> str:
    parts = [
        *rst.title("Verbs and states"),
        "What Salt can call once the bundle is there, made from the docstrings. The search finds",
        "each by its name.",
        "",
    ]
    sections: dict[str, list[build.Module]] = {}
    for module in modules:
        sections.setdefault(module.heading, []).append(module)
    for heading, members in sections.items():
        directive, folder = KINDS[heading]
        parts += rst.title(heading, "-")
        rows = []
        for module in members:
            page = f":doc:`{module.name} <{folder}/{module.name}>`"
            rows += [
                (f":{directive}:`{_called(called)}`", _sentence(text), page)
                for _name, called, text in module.functions
            ]
            if not module.functions:
                rows.append((page, _titled(module)[0], ""))
        parts += rst.table(("name", "what it does", "page"), rows)
        parts += rst.toctree((f"{folder}/{module.name}" for module in members), heading)
    return "\n".join(parts)


def _called(text: str) -> str:
    """``keepalived.status`` of ``salt '*' keepalived.status()``."""
    match = _CALL.match(text)
    assert match, text
    return match[2]


def _sentence(text: str) -> str:
    """The first sentence of a docstring, on one line."""
    first = " ".join(text.split("\n\n")[0].split())
    return _linked(re.split(r"(?<=\.) (?=[A-Z])", first)[0])


def _linked(text: str) -> str:
    """Docstrings name pages of docs/ by their file: make these links."""
    return _PAGE.sub(r":doc:`docs/\1.md </\1>`", text)
