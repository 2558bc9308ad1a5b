"""Sphinx' configuration of the documentation site; see docs/site/__main__.py."""

import configparser
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

_HERE = Path(__file__).resolve().parent
_SETUP = configparser.ConfigParser()
_SETUP.read(_HERE.parents[1] / "setup.cfg")

project = "salt-keepalived"
release = _SETUP["metadata"]["version"]
language = "en"
root_doc = "index"
extensions = ["myst_parser"]
myst_heading_anchors = 4
# Words of a shell stay as they are typed: no dash for --out.
smartquotes = False
# A screen is no YAML although its fence may say so; the colours are all that is lost.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "salt-keepalived"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style = "tango"
pygments_dark_style = "monokai"


def _verb(env: object, text: str, sign: addnodes.desc_signature) -> str:
    """``salt '*' keepalived.status()``: what is typed before it, the name, and its parameters."""
    called, _, rest = text.partition("(")
    before, _, name = called.rpartition(" ")
    if before:
        sign += addnodes.desc_addname("", f"{before} ")
    sign += addnodes.desc_name("", name)
    sign += nodes.inline("", f"({rest}", classes=["parameters"])
    return name


def _keyword(env: object, text: str, sign: addnodes.desc_signature) -> str:
    """``vrrp_instance.priority``: the last word is shown, all of it is searched."""
    sign += addnodes.desc_name("", text.rpartition(".")[2])
    return text


def setup(app: Sphinx) -> dict[str, Any]:
    """The kinds of things that the reference describes and the search finds."""
    kinds = {
        "verb": ("verb on a node", _verb),
        "state": ("state", _verb),
        "runner": ("verb on the master", _verb),
        "conf": ("keyword of keepalived.conf", _keyword),
    }
    for name, (spoken, parse) in kinds.items():
        app.add_object_type(name, name, f"%s ({spoken})", parse, nodes.literal, spoken)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
