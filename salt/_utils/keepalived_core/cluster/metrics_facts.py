"""The metrics of all clusters, read from what the hub and the reactions keep on the master."""

from __future__ import annotations

import logging
from pathlib import Path

from ..exposition import Family
from . import hub_view, incident_view, ledger_read, metrics
from .ledger import LedgerError
from .store_read import Reader

log = logging.getLogger(__name__)

#: Open incidents that are looked at; more would be a disaster of another kind.
MANY = 10_000


def gather(timeline: Path, now: float) -> list[Family]:
    """The metrics of all clusters; no node is asked.

    timeline
        The hub's file; the ledger lies beside it.
    now
        Seconds since the epoch.

    Where no hub ever ran they say so.  Raises StoreError when the file cannot be read.
    """
    figures = None
    try:
        figures = ledger_read.figures(timeline.with_name("react.db"), now)
    except LedgerError as error:
        log.error("nothing is told of alerts and maintenances: %s", error)
    reader = Reader.open(timeline)
    if reader is None:
        return metrics.families(None, (), {}, figures, hub_view.SILENT, now)
    with reader:
        members = reader.members()
        hub = hub_view.show_status(reader, members, now)
        shown = incident_view.show_incidents(reader, None, MANY, True, now)["incidents"]
        deliveries = _deliveries(reader, [each["node"] for each in hub["nodes"]])
    return metrics.families(hub, shown, deliveries, figures, hub_view.SILENT, now, members)


def _deliveries(reader: Reader, nodes: list[str]) -> dict[str, float]:
    found = {}
    for node in nodes:
        for row in reader.rows(node, last=1):
            of_hub = row["hub"]
            found[node] = (of_hub["received_us"] - of_hub["order_us"]) / 1e6
    return found
