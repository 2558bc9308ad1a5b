"""``python3 -m keepalived_core metrics`` and ``hub-metrics``: for Prometheus, without Salt."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from . import exposition, textfile
from .cluster import metrics_facts
from .cluster.store_file import StoreError
from .exposition import Family
from .node import metrics as node_metrics
from .node.sd_priority import Priority

#: Exit status when nothing could be written.
FAILED = 1


def add_parsers(verbs: Any) -> None:
    """Add both verbs to the command line."""
    node = verbs.add_parser("metrics", help="this node for a Prometheus textfile collector")
    hub = verbs.add_parser("hub-metrics", help="all clusters, on the master, for the same")
    hub.add_argument(
        "--timeline", metavar="FILE", type=Path, required=True, help="the file that the hub writes"
    )
    for parser in (node, hub):
        parser.add_argument(
            "--out",
            metavar="FILE.prom",
            type=_path,
            help="the file to replace (default: standard output)",
        )


def run(given: argparse.Namespace) -> int:
    """Write what is asked for; return the exit status."""
    _log_to_journal()
    try:
        text = exposition.render(_families(given))
        if given.out is None:
            # UTF-8 as Prometheus wants it, whatever the locale is
            sys.stdout.buffer.write(text.encode(errors="replace"))
            sys.stdout.flush()
        else:
            textfile.write(given.out, text)
    except (StoreError, OSError) as error:
        logging.error("no metrics: %s", error)
        return FAILED
    return 0


def _families(given: argparse.Namespace) -> list[Family]:
    if given.verb == "metrics":
        return node_metrics.gather()
    return metrics_facts.gather(given.timeline, time.time())


def _path(text: str) -> Path:
    try:
        return textfile.path_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _log_to_journal() -> None:
    handler = logging.StreamHandler(sys.stderr)
    to_journal = "JOURNAL_STREAM" in os.environ
    handler.setFormatter((Priority if to_journal else logging.Formatter)("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
