"""What is wrong with a built site: a link that leads nowhere, a request that leaves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes by which a browser fetches something without being asked.
_FETCHED = {
    "link": ("href",),
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "input": ("src",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
}
# Relations of <link> that only name something.
_NAMED = {"canonical", "next", "prev", "index", "search", "author", "license", "alternate", "help"}
_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s;]+)""")


class _Page(HTMLParser):
    """The ids of a page, the places its links lead to, and what it fetches."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self._style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        self._style = tag == "style"
        self.fetched += _CSS.findall(given.get("style", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and set(given.get("rel", "").split()) <= _NAMED:
            return
        for name in _FETCHED.get(tag, ()):
            for part in given.get(name, "").split(",") if name == "srcset" else [given.get(name)]:
                if part and part.strip():
                    self.fetched.append(part.split()[0])

    def handle_data(self, data: str) -> None:
        if self._style:
            self.fetched += _CSS.findall(data)


def problems(site: Path) -> list[str]:
    """``page: what is wrong``, of every page and style sheet below *site*."""
    pages = {
        path.resolve(): _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")
    }
    found = []
    for path, page in sorted(pages.items()):
        name = path.relative_to(site.resolve()).as_posix()
        for target in dict.fromkeys([*page.links, *page.fetched]):
            outside = _outside(target)
            if outside and target in page.fetched:
                found.append(f"{name}: fetches {target} from elsewhere")
            elif not outside:
                found += [f"{name}: {said}" for said in _lost(path, target, pages, site)]
    for path in sorted(site.rglob("*.css")):
        name = path.relative_to(site).as_posix()
        for target in _CSS.findall(path.read_text(encoding="utf-8")):
            if _outside(target):
                found.append(f"{name}: fetches {target} from elsewhere")
    return found


def _outside(target: str) -> bool:
    parts = urlsplit(target)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def _lost(path: Path, target: str, pages: dict[Path, _Page], site: Path) -> Iterator[str]:
    parts = urlsplit(target)
    if parts.scheme == "data":
        return
    aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not aim.is_relative_to(site.resolve()) or not aim.is_file():
        yield f"{target} leads nowhere"
    elif parts.fragment and aim in pages and unquote(parts.fragment) not in pages[aim].ids:
        yield f"{target}: {aim.name} has no #{parts.fragment}"
