"""What needs no Salt: ``python3 -m keepalived_core lint FILE``, ``journal [--follow]``,
``metrics`` and ``hub-metrics``.

Exit status of lint: 0 nothing above info, 1 warnings, 2 errors, 3 the file cannot be read (or the
command line is wrong).  Of journal: 0, or 3 when it cannot be read.  Of the metrics: 0, or 1 when
they cannot be read or written.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from typing import NoReturn

from . import metrics_command
from .check import report
from .check.host import this_host
from .conf.keyword import version
from .node import journal_command


class _Parser(argparse.ArgumentParser):
    """Leaves exit status 2 to findings."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(report.UNREADABLE, f"{self.prog}: {message}\n")


def main(words: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    parser = _Parser(prog="keepalived_core", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_Parser)
    lint = verbs.add_parser("lint", help="judge a keepalived.conf and the files it includes")
    lint.add_argument("file", metavar="FILE")
    lint.add_argument("--json", action="store_true", help="a list of findings as JSON")
    lint.add_argument(
        "--config-id", metavar="ID", help="whose @ID lines count (default: this host's short name)"
    )
    lint.add_argument(
        "--version",
        metavar="X.Y.Z",
        type=version,
        help="the keepalived it is for (default: the newest known)",
    )
    lint.add_argument(
        "--host",
        action="store_true",
        help="judge it for this machine: its interfaces, users and scripts",
    )
    journal_command.add_parser(verbs)
    metrics_command.add_parsers(verbs)
    given = parser.parse_args(words)
    if given.verb == "journal":
        return journal_command.run(given)
    if given.verb in ("metrics", "hub-metrics"):
        return metrics_command.run(given)
    return _lint(given)


def _lint(given: argparse.Namespace) -> int:
    try:
        host = this_host() if given.host else None
        findings = report.file_findings(given.file, given.version, given.config_id, host)
    except report.Unreadable as error:
        print(error, file=sys.stderr)
        return report.UNREADABLE
    if given.json:
        print(json.dumps([dataclasses.asdict(one) for one in findings], indent=2))
    else:
        colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        for one in findings:
            print(report.line(one, colours))
    return report.status(findings)


if __name__ == "__main__":
    sys.exit(main())
