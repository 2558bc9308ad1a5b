"""Every link of the repository's Markdown pages: does it lead somewhere?

Looked up are files, folders, images and the headings behind a ``#``; of a web address only whether
it is one, for a test needs no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_CODE = re.compile(r"(`+)(?:(?!\1).)*?\1", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\]\([^)]*\))*\]\(\s*<?([^)\s>]*)>?(?:\s+[\"'][^)]*)?\)")
_IMAGE = re.compile(r"!\[[^\]]*\]\(\s*<?([^)\s>]*)>?[^)]*\)")
_HTML = re.compile(r"<(?:a|img)\b[^>]*?\b(?:href|src)=[\"']([^\"']*)[\"']", re.IGNORECASE)
_ANCHOR = re.compile(r"<\w+\b[^>]*?\b(?:id|name)=[\"']([^\"']+)[\"']", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$")
_LINK_TEXT = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Link:
    """One link.  line: where its target stands; target: as it is written."""

    line: int
    target: str


def pages(root: Path) -> list[Path]:
    """The pages a person reads: at the top, in docs/ and in lab/."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("lab/*.md")])


def problems(root: Path) -> list[str]:
    """``page:line: what is wrong`` of every link that leads nowhere, in order."""
    known: dict[Path, set[str]] = {}
    found = []
    for page in pages(root):
        for link in links(page.read_text(encoding="utf-8")):
            said = _wrong(page, link.target, root, known)
            if said:
                found.append(f"{page.relative_to(root)}:{link.line}: {said}")
    return found


def links(text: str) -> list[Link]:
    """The links and images of a page, without what stands in code."""
    return [link for _at, link in placed(text)]


def placed(text: str) -> list[tuple[int, Link]]:
    """The same, each with the place of its target in the text."""
    plain = _blanked(text)
    # By where the target stands: an image is found twice, and may stand inside of a link.
    targets = {
        match.start(1): match.group(1)
        for pattern in (_INLINE, _IMAGE, _HTML)
        for match in pattern.finditer(plain)
    }
    return [(at, Link(plain.count("\n", 0, at) + 1, targets[at])) for at in sorted(targets)]


def anchors(text: str) -> set[str]:
    """What may stand behind ``#``: the headings as GitHub and MyST name them, and HTML ids."""
    found: dict[str, int] = {}
    named = set(_ANCHOR.findall(_blanked(text)))
    for heading in headings(text):
        slug = slugged(heading)
        again = found.get(slug)
        found[slug] = 0 if again is None else again + 1
        named.add(slug if again is None else f"{slug}-{again + 1}")
    return named


def headings(text: str) -> Iterator[str]:
    """The text of each heading, in order."""
    for line in _without_fences(text).splitlines():
        match = _HEADING.match(line)
        if match:
            yield match.group(1)


def slugged(heading: str) -> str:
    """A heading as the anchor that GitHub gives it."""
    words = _LINK_TEXT.sub(r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def _wrong(page: Path, target: str, root: Path, known: dict[Path, set[str]]) -> str:
    """Why a link leads nowhere, or an empty text."""
    if not target:
        return "a link without a target"
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", target):
        return _wrong_address(target)
    name, _, anchor = target.partition("#")
    aim = (page.parent / unquote(name)).resolve() if name else page
    if name.startswith("/") or not aim.is_relative_to(root):
        return f"{target} leads out of the repository"
    if not aim.exists():
        return f"{name} does not exist"
    if anchor and aim.suffix == ".md":
        if aim not in known:
            known[aim] = anchors(aim.read_text(encoding="utf-8"))
        if anchor not in known[aim]:
            return f"{aim.relative_to(root)} has no heading #{anchor}"
    return ""


def _wrong_address(target: str) -> str:
    parts = urlsplit(target)
    if parts.scheme == "mailto":
        return "" if "@" in parts.path else f"{target} is no mail address"
    if parts.scheme not in ("http", "https") or "." not in (parts.hostname or ""):
        return f"{target} is no web address: https://host/… is one"
    return ""


def _blanked(text: str) -> str:
    """The text with its code and comments as blanks; every character keeps its place."""
    text = _COMMENT.sub(_blank, _without_fences(text))
    # Code ends with its paragraph at the latest: a lone backtick takes nothing away.
    return "".join(_CODE.sub(_blank, part) for part in re.split(r"(\n[ \t]*\n)", text))


def _without_fences(text: str) -> str:
    """The text with its fenced code as blanks; every character keeps its place."""
    lines = []
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if fence or match:
            lines.append(" " * len(line))
        else:
            lines.append(line)
        if fence:
            closes = match and match.group(1).startswith(fence) and not line.strip().strip("`~")
            fence = "" if closes else fence
        elif match:
            fence = match.group(1)
    return "\n".join(lines)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group(0))
