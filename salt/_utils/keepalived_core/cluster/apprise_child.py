"""The process that sends one message through apprise: run by deliver_apprise, never imported.

Reads a request as JSON from standard input, and prints ``{"ok": true}`` or ``{"ok": false, "why",
"code"}``.  Nothing that apprise says is passed on, for it may quote the URL: it is only searched
for what kind of failure it is.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import Any

_CODE = re.compile(r"\berror[= ]{1,3}(\d{3})\b", re.IGNORECASE)
_CONNECTION = re.compile(r"connection (error|refused|timed out)|socket|timed? ?out", re.IGNORECASE)
_LOGIN = re.compile(r"authenticat|unauthori[sz]ed|login", re.IGNORECASE)
#: What the URL says of messages that are too long.
_OVERFLOW = re.compile(r"[?&]overflow=", re.IGNORECASE)
_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}


class _Lines(logging.Handler):
    """Keeps what apprise logs, in this process alone."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def why(self) -> dict[str, Any]:
        text = "\n".join(self.lines)
        code = _CODE.search(text)
        if code:
            return {"ok": False, "code": int(code[1])}
        for why, pattern in (("login", _LOGIN), ("connection", _CONNECTION)):
            if pattern.search(text):
                return {"ok": False, "why": why}
        return {"ok": False, "why": "refused"}


def work(asked: dict[str, Any]) -> dict[str, Any]:
    """Do what was asked for."""
    sys.path[:] = asked["path"]
    try:
        import apprise
    except ImportError:
        return {"ok": False, "why": "missing"}
    heard = _Lines()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [heard], False
    logger.setLevel(logging.DEBUG)
    asset = apprise.AppriseAsset(
        app_id="keepalived",
        app_desc="salt-keepalived",
        storage_mode="memory",
        async_mode=False,
    )
    server = apprise.Apprise.instantiate(asked["url"], asset=asset)
    if not server:
        return {"ok": False, "why": "url"}
    if asked.get("check"):
        return {"ok": True}
    if not _OVERFLOW.search(asked["url"]):
        # else a service with a limit refuses the whole message
        server.overflow_mode = apprise.OverflowMode.TRUNCATE
    server.socket_connect_timeout = server.socket_read_timeout = asked["timeout"]
    kind = "success" if asked["resolved"] else _TYPES[asked["severity"]]
    heard.lines.clear()
    taken = server.notify(
        body=asked["body"],
        title=asked["title"],
        notify_type=apprise.NotifyType(kind),
        body_format=apprise.NotifyFormat.TEXT,
    )
    return {"ok": True} if taken else heard.why()


def main() -> None:
    asked = json.load(sys.stdin)
    # What a plugin prints must not get between: the answer has a descriptor of its own.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            said = work(asked)
        except Exception:
            said = {"ok": False, "why": "crash"}
        json.dump(said, answer)


if __name__ == "__main__":
    main()
