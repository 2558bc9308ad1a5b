"""The level of a log line, for the journal of systemd."""

from __future__ import annotations

import logging


class Priority(logging.Formatter):
    """Lines for the journal of systemd, which reads the level from ``<N>`` (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        level = 3 if record.levelno >= logging.ERROR else 4 if record.levelno > 20 else 6
        return f"<{level}>{super().format(record)}"
