"""The file: HTML that needs nothing beside itself and can ask for nothing.  Pure.

What came from outside is in it only as JSON in a block that no browser runs, and reaches the screen
as text.  The policy in the head names the hashes of the only style and the only script: even if a
text broke out, it could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from typing import Any

from . import (
    script_base,
    script_clusters,
    script_details,
    script_filter,
    script_incidents,
    script_lanes,
    script_paint,
    script_start,
    script_tables,
    script_timeline,
    style,
    style_parts,
)
from .skeleton import BODY

STYLE = style.TEXT + style_parts.TEXT
_SCRIPTS = (
    script_base,
    script_filter,
    script_clusters,
    script_lanes,
    script_paint,
    script_timeline,
    script_details,
    script_incidents,
    script_tables,
    script_start,
)
SCRIPT = '"use strict";\n(() => {\n' + "".join(each.TEXT for each in _SCRIPTS) + "})();\n"


def html(sheet: Mapping[str, Any], plain: str) -> str:
    """The whole file's text.

    sheet
        As :func:`sheet.sheet` returns it.
    plain
        The same in short, for a browser that runs no scripts: a terminal's screen.
    """
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    names = ", ".join(str(each["cluster"]) for each in sheet["clusters"][:5])
    more = " …" if len(sheet["clusters"]) > 5 else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>keepalived: {escape(names + more)}</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{BODY}"
        f"<noscript><p>This page is drawn by its own script, which is switched off here. In short:"
        f"</p>\n<pre>{escape(plain)}</pre></noscript>\n"
        f'<script type="application/json" id="sheet">{embedded(sheet)}</script>\n'
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def embedded(data: Mapping[str, Any]) -> str:
    """JSON that no text in it can end: no ``<`` is left, nor anything beyond ASCII."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
