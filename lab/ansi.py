"""What a terminal shows, as an SVG: the few ANSI codes that the tables of this project use."""

from __future__ import annotations

import re
from html import escape

# Pixels.
_CHAR, _LINE, _MARGIN, _BAR = 8.0, 18, 16, 30
_CODE = re.compile(r"\x1b\[([0-9;]*)m")
#: Whatever else a program sends to a terminal, and is nothing to see.
_OTHER = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]|[\x00-\x09\x0b-\x1a]"
)
_STYLE = """
text { font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1c2733;
  white-space: pre; }
.back { fill: #fbfcfd; stroke: #c6d0d9; } .bar { fill: #e8edf2; } .title { fill: #4a5763; }
.b { font-weight: bold; } .d { fill: #6b7883; }
.c31 { fill: #b3261e; } .c32 { fill: #1d7a3a; } .c33 { fill: #8a5a00; } .c34 { fill: #1a5fb4; }
.c35 { fill: #8a2be2; } .c36 { fill: #0b7285; }
@media (prefers-color-scheme: dark) {
  text { fill: #dde5ec; } .back { fill: #10161c; stroke: #33404c; } .bar { fill: #1d2731; }
  .title { fill: #a5b2be; } .d { fill: #8593a0; }
  .c31 { fill: #ff8a80; } .c32 { fill: #6fd391; } .c33 { fill: #e0b050; } .c34 { fill: #8ab4f8; }
  .c35 { fill: #d0a8ff; } .c36 { fill: #66d9e8; }
}
"""


def plain(text: str) -> str:
    """The text without its codes."""
    return _CODE.sub("", _OTHER.sub("", text.replace("\r\n", "\n")))


def svg(text: str, title: str, description: str = "") -> str:
    """A picture of a terminal.

    text
        What was sent to it: lines, with colours.  A line is drawn as long as it is.
    title
        Stands in the bar above, and is the picture's name for a screen reader.
    description
        What a screen reader says of it; the plain text where it is empty.
    """
    lines = [_pieces(line) for line in _shown(text)]
    longest = max([sum(len(each) for each, _ in line) for line in lines] + [len(title) + 4])
    width, height = 2 * _MARGIN + longest * _CHAR, _BAR + 2 * _MARGIN + len(lines) * _LINE
    parts = []
    for number, line in enumerate(lines):
        column = 0
        for piece, classes in line:
            if piece.strip():
                named = f' class="{classes}"' if classes else ""
                x, y = _MARGIN + column * _CHAR, _BAR + _MARGIN + (number + 0.7) * _LINE
                # a font of another width must not move what stands to the right
                parts.append(
                    f'<text x="{x:g}" y="{y:g}" textLength="{len(piece) * _CHAR:g}" '
                    f'xml:space="preserve"{named}>{escape(piece)}</text>'
                )
            column += len(piece)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{escape(title)}</title>\n'
        f'<desc id="desc">{escape(description or plain(text).strip())}</desc>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" '
        'rx="8"/>\n'
        f'<rect class="bar" x="1" y="1" width="{width - 2:g}" height="{_BAR - 2}" rx="7"/>\n'
        f'<text class="title" x="{_MARGIN}" y="20">{escape(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _shown(text: str) -> list[str]:
    return _OTHER.sub("", text.replace("\r\n", "\n")).rstrip("\n").split("\n")


def _pieces(line: str) -> list[tuple[str, str]]:
    """The line as ``[(text, classes)]``; each of our lines ends with all styles off."""
    found: list[tuple[str, str]] = []
    style: list[str] = []
    at = 0
    for match in _CODE.finditer(line):
        if match.start() > at:
            found.append((line[at : match.start()], " ".join(style)))
        at = match.end()
        for code in match[1].split(";"):
            if code in ("", "0"):
                style = []
            elif code == "1":
                style = [*style, "b"]
            elif code == "2":
                style = [*style, "d"]
            elif re.fullmatch(r"3[1-6]", code):
                style = [*(each for each in style if not each.startswith("c")), f"c{code}"]
    if at < len(line):
        found.append((line[at:], " ".join(style)))
    return found
