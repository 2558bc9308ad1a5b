"""
What the reactions of this project share: the ledger, its trail, and telling people
====================================================================================

Not a part of the library: it imports Salt and runs on the master only, as ``keepalived_master``.
"""

from __future__ import annotations

import logging
import pathlib
import time
from urllib import parse

import salt.utils.event

from keepalived_core.cluster import alert as alerting
from keepalived_core.cluster import clock, deliver
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster import policy as policies

log = logging.getLogger(__name__)


class Trail:
    """The ledger of one master, and all that is told through it.

    opts (dict)
        The master's configuration.
    """

    def __init__(self, opts):
        self.opts = dict(opts)
        self.ledger = ledgers.Ledger(pathlib.Path(opts["cachedir"]) / "keepalived" / "react.db")

    def routes(self):
        """Where alerts go; what is wrong with that is in the log."""
        routes = alerting.read_routes(self.opts.get("keepalived"))
        for mistake in routes.mistakes:
            log.error("keepalived: master configuration: %s", mistake)
        return routes

    def silent(self, cluster, now):
        """Why nobody is told of this cluster now, or None.

        Told in vain is better than not told: a ledger that cannot be read silences nobody.
        """
        try:
            return policies.silenced(self.ledger.silence_of(cluster, now), now)
        except ledgers.LedgerError as error:
            log.error("keepalived: whether %s is in maintenance is not known: %s", cluster, error)
            return None

    def tell(self, alert, routes, about, reason):
        """Send an alert to all routes and leave a row of it; returns ``{"result", "routes"}``."""
        now = time.time()
        results = deliver.send(alert, routes.routes)
        what = "sent" if "sent" in results.values() else "failed"
        failures = [f"{name} {text}" for name, text in results.items() if text != "sent"]
        for failure in failures:
            log.error("keepalived: alert not delivered: %s", failure)
        data = {
            **about,
            "action": f"tell {', '.join(results)}",
            "routes": results,
            "reason": "; ".join(failures) or reason,
            "seconds": round(time.time() - now, 3),
        }
        self.audit("alert", what, alert.cluster, data)
        return {"result": what, "routes": results}

    def escalate(self, alert, about, reason):
        """Tell what a person must know, unless the cluster is in maintenance."""
        routes = self.routes()
        silent = self.silent(alert.cluster, time.time())
        if not silent and not routes.routes:
            silent = "keepalived:alerts names no route"
        if silent:
            self.record("alert", "skipped", alert.cluster, {**about, "reason": silent})
            return {"result": "skipped", "reason": silent}
        return self.tell(alert, routes, about, reason)

    def record(self, kind, what, cluster, data):
        """Write a row into the ledger."""
        try:
            self.ledger.record(kind, what, cluster, data, time.time())
        except ledgers.LedgerError as error:
            log.error("keepalived: not in the audit trail: %s %s: %s", kind, what, error)

    def audit(self, kind, what, cluster, data):
        """Write a row into the ledger, the same onto the master's bus, and a line into the log."""
        self.record(kind, what, cluster, data)
        level = logging.WARNING if what == "failed" else logging.INFO
        where = data["instance"] + (f" on {data['minion']}" if data.get("minion") else "")
        log.log(level, "keepalived: %s %s: %s: %s", kind, what, where, data.get("reason"))
        self.fire(cluster, kind, what, data)

    def fire(self, cluster, kind, what, data):
        """Put ``keepalived/<cluster>/<kind>/<what>`` onto the master's bus."""
        fired = {**data, "cluster": cluster, "time": clock.render(time.time())}
        tag = "/".join(("keepalived", parse.quote(cluster, safe=""), kind, what))
        bus = salt.utils.event.get_master_event(self.opts, self.opts["sock_dir"], listen=False)
        with bus:
            bus.fire_event(fired, tag)
