"""Sends through apprise, in a process of its own for each message (docs/decisions/0007).

So a plugin that hangs or crashes is ended with its process, its log lines (which may quote a URL)
have nowhere to go, and the master's own processes never import a hundred plugins.  The URL goes
there through a pipe: an argument could be read by everybody on this machine.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .alert_message import Message

MISSING = (
    "the Python package apprise is missing on the master: salt-pip install apprise (or pip, where "
    "Salt came by pip)"
)
#: Seconds to start Python and to import apprise, on a busy machine.
START_SECONDS = 5.0

_CHILD = Path(__file__).with_name("apprise_child.py")


@dataclass(frozen=True)
class Said:
    """Why it was not taken.  code: of HTTP, where the receiver answered with one."""

    reason: str
    code: int | None = None


def is_installed() -> bool:
    """Whether this Python has apprise; it is not imported."""
    return importlib.util.find_spec("apprise") is not None


def send(url: str, message: Message, timeout: float) -> Said | None:
    """Send one message; None when it was taken.

    timeout
        Seconds for each word of the receiver; the whole takes at most twice as long and the start.
    """
    asked = {
        "url": url,
        "title": message.subject,
        "body": message.text,
        "severity": message.severity,
        "resolved": message.word == "resolved",
        "timeout": timeout,
    }
    return _ask(asked, 2 * timeout + START_SECONDS)


def check(url: str) -> str | None:
    """What is wrong with a URL, as apprise sees it; None when nothing is.  Sends nothing."""
    said = _ask({"url": url, "check": True, "timeout": 1.0}, 2 * START_SECONDS)
    return said.reason if said else None


def _ask(asked: dict[str, Any], seconds: float) -> Said | None:
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD)],
            # A Python of Salt's own finds what was added to it (salt-pip) by this list alone.
            input=json.dumps({**asked, "path": sys.path}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=seconds,
            check=False,
            cwd="/",
        )
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Said("no answer in time")
    except (OSError, ValueError):
        return Said("apprise broke off")
    if said.get("ok") is True:
        return None
    code = said.get("code")
    if isinstance(code, int):
        return Said(f"HTTP {code}", code)
    return Said(_REASONS.get(said.get("why"), "not taken"))


#: What the child may say; nothing else it says is shown.
_REASONS = {
    "missing": MISSING,
    "url": "apprise does not understand this URL",
    "connection": "no connection",
    "login": "the login was refused",
    "crash": "apprise broke off",
}
