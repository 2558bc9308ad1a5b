"""``python3 -m keepalived_core journal``: a node's transitions as lines, also as they happen."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from . import journal
from .spool import SpoolError

UNREADABLE = 3


def add_parser(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser("journal", help="the transitions that this node has recorded")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as they happen")
    parser.add_argument(
        "-n", "--last", type=int, default=20, metavar="N", help="how many at most (default 20)"
    )
    parser.add_argument("--since", metavar="TIME", help="only from then on (RFC 3339)")
    parser.add_argument(
        "--instance", metavar="NAME", help="only those of this instance or sync group"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(given: argparse.Namespace) -> int:
    """Print what is asked for; return the exit status."""
    rows: Iterable[dict[str, Any]]
    try:
        if given.follow:
            rows = journal.follow(last=given.last, instance=given.instance)
        else:
            rows = journal.journal(last=given.last, since=given.since, instance=given.instance)
        for row in rows:
            print(json.dumps(row) if given.json else line(row), flush=given.follow)
    except (SpoolError, ValueError, PermissionError) as err:
        print(err, file=sys.stderr)
        return UNREADABLE
    except (KeyboardInterrupt, BrokenPipeError):
        # Ctrl-C, or a head that has seen enough
        sys.stderr.close()
    return 0


def line(row: dict[str, Any]) -> str:
    """Return one event as a line for people; what comes from outside cannot move the cursor."""
    name, before, after, why = (
        "".join(char if char.isprintable() else "?" for char in str(row.get(key) or ""))
        for key in ("instance", "from", "to", "reason")
    )
    planned = "  planned" if row.get("planned") else ""
    arrow = f"{before or '?'} -> {after}" if after.isupper() else after
    return f"{row.get('time')}  {row.get('seq'):>6}  {name:<20}  {arrow:<20}  {why}{planned}"
