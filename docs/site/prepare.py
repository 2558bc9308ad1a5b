"""Lay the pages of the repository, and those made from its code, where Sphinx reads them.

The pages stay as GitHub shows them; only the targets of their links change, because on the site
each page has another place.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from docs import links
from docs.site import keyword_pages, nav, reference_pages

ROOT = Path(__file__).resolve().parents[2]
# Pages that the site has in parts.
_IN_PARTS = {"docs/keywords.md", "docs/reference.md"}
# What is there for a link to lead to, as a file.
_MONITORING = "salt/keepalived/files/monitoring"
_FILES = {
    "docs/pillar.schema.json": "pillar.schema.json",
    "LICENSE": "LICENSE.txt",
    **{
        f"{_MONITORING}/{file.name}": f"monitoring/{file.name}"
        for file in (ROOT / _MONITORING).iterdir()
    },
}


def prepare(target: Path) -> list[str]:
    """Write the whole source of the site into *target*; returns what is wrong with the links."""
    problems = []
    names = [path.relative_to(ROOT).as_posix() for path in links.pages(ROOT)]
    for name in names:
        if name not in _IN_PARTS:
            text, wrong = _page(name)
            problems += wrong
            _write(target / nav.place(name), text)
    for place, text in {**keyword_pages.pages(), **reference_pages.pages(), **_examples()}.items():
        _write(target / place, text)
    _write(target / nav.place("decisions/"), _decisions(names))
    with (target / nav.place(nav.HOME)).open("a", encoding="utf-8") as home:
        home.write(_sidebar(names))
    shutil.copytree(ROOT / "docs" / "screens", target / "screens")
    for source, place in _FILES.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / source, target / place)
    return problems


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _page(name: str) -> tuple[str, list[str]]:
    """A page with the targets of its links as they are on the site, and those it has not."""
    text = (ROOT / name).read_text(encoding="utf-8")
    parts, end, problems = [], 0, []
    for at, link in links.placed(text):
        aim = moved(name, link.target)
        if aim is None:
            problems.append(f"{name}:{link.line}: {link.target} has no place on the site")
            aim = link.target
        parts += [text[end:at], aim]
        end = at + len(link.target)
    return "".join([*parts, text[end:]]), problems


def moved(name: str, target: str) -> str | None:
    """Where a link of a page leads on the site; None for what the site has not."""
    file, _, anchor = target.partition("#")
    if not file or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", target):
        return target
    aim = os.path.normpath(PurePosixPath(name).parent / file)
    if aim == "docs/keywords.md" and anchor:
        place, anchor = keyword_pages.anchor_page(anchor), ""
    elif aim in _FILES:
        place = _FILES[aim]
    elif aim in ("docs/decisions", "pillar/keepalived"):
        place = nav.place("decisions/" if aim.endswith("decisions") else "examples/")
    elif aim.startswith("docs/screens/") or aim.endswith((".md", ".sls")):
        place = nav.place(aim)
    else:
        return None
    here = PurePosixPath(nav.place(name)).parent
    return os.path.relpath(place, here) + (f"#{anchor}" if anchor else "")


def _examples() -> dict[str, str]:
    """A page for each example pillar, and one that lists them."""
    files = sorted((ROOT / "pillar").rglob("*.sls"))
    found = {}
    rows = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT).as_posix()
        found[nav.place(name)] = f"# {path.stem}\n\n`{name}`:\n\n```yaml\n{text}```\n"
        first = next(line for line in text.splitlines() if line.startswith("#"))
        rows.append(f"- [{path.stem}]({path.stem}.md): {first.lstrip('# ')}")
    listed = _toctree("", (path.stem for path in files))
    intro = "# Example pillars\n\nEach is valid as it is; copy the one that is nearest.\n\n"
    found[nav.place("examples/")] = intro + "\n".join(rows) + "\n" + listed
    return found


def _decisions(names: Iterable[str]) -> str:
    """A page that lists the decisions."""
    files = [PurePosixPath(name) for name in names if name.startswith("docs/decisions/")]
    rows = []
    for file in files:
        heading = next(links.headings((ROOT / file).read_text(encoding="utf-8")))
        rows.append(f"- {file.stem[:4]}: [{re.sub(r'^[0-9]+. ', '', heading)}]({file.name})")
    intro = "# Decisions\n\nWhy it is as it is: one short page for each decision.\n\n"
    return intro + "\n".join(rows) + "\n" + _toctree("", (file.stem for file in files))


def _sidebar(names: Iterable[str]) -> str:
    """The sections of the sidebar, for the end of the home page."""
    rest = [name for name in names if name not in nav.listed() and "/decisions/" not in name]
    sections = [*nav.SECTIONS, (nav.REST, tuple(rest))]
    return "".join(
        _toctree(caption, (nav.place(page).rpartition(".")[0] for page in pages))
        for caption, pages in sections
        if pages
    )


def _toctree(caption: str, pages: Iterable[str]) -> str:
    named = f":caption: {caption}\n" if caption else ""
    return "\n```{toctree}\n:hidden:\n" + named + "\n" + "\n".join(pages) + "\n```\n"
