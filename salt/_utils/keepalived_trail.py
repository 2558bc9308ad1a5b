"""
What the reactions of this project share: the ledger, its trail, and telling people
====================================================================================

Not a part of the library: it imports Salt and runs on the master only, as ``keepalived_master``.
"""

from __future__ import annotations

import dataclasses
import logging
import pathlib
import time
from typing import NamedTuple
from urllib import parse

import salt.utils.event

from keepalived_core.cluster import (
    alert_route,
    alert_view,
    clock,
    deliver_apprise,
    hub_view,
    outbox,
    postman,
)
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster import policy as policies
from keepalived_core.cluster import secret as secrets
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

log = logging.getLogger(__name__)


class Hub(NamedTuple):
    """Whether the hub runs, and whether it works the outbox: one of an older release does not."""

    runs: bool = False
    works: bool = False


class Trail:
    """The ledger of one master, and all that is told through it.

    opts (dict)
        The master's configuration.
    """

    def __init__(self, opts):
        self.opts = dict(opts)
        folder = pathlib.Path(opts["cachedir"]) / "keepalived"
        self.ledger = ledgers.Ledger(folder / "react.db")
        self.outbox = outbox.Outbox(self.ledger)
        self._timeline = folder / "timeline.db"
        self._sending = {}

    def routes(self, checked=False):
        """Where alerts go.

        checked (bool)
            Ask apprise whether it understands the URLs, which takes a moment.

        A route that needs a library which is not there, or a URL that it does not understand, is
        a mistake; the others work on.
        """
        found = alert_route.read_routes(self.opts.get("keepalived"))
        usable, mistakes = [], list(found.mistakes)
        for route in found.routes:
            wrong = None
            if isinstance(route.target, alert_route.Apprise):
                wrong = None if deliver_apprise.is_installed() else deliver_apprise.MISSING
                if checked and not wrong:
                    wrong = deliver_apprise.check(route.target.url)
            if wrong:
                mistakes.append(f"keepalived:alerts:routes:{route.name}: {wrong}")
            else:
                usable.append(route)
        return alert_route.Routes(tuple(usable), found.planned, tuple(mistakes))

    def understood(self, checked=False):
        """The routes as :meth:`routes` has them, and as a mistake also that of the incidents of a
        hub that runs none can reach them."""
        found = self.routes(checked)
        why = self.unbelieved() if found.routes and self.hub().runs else None
        if why is None:
            return found
        wrong = f"keepalived:alerts: nobody is told of incidents, for nothing proves them: {why}"
        return dataclasses.replace(found, mistakes=(*found.mistakes, wrong))

    def trouble(self):
        """What the status says of the routes, and why it does not know all of it or None."""
        problem, health = None, {}
        try:
            health = self.outbox.health()
        except ledgers.LedgerError as error:
            problem = f"How the alerts' routes are is not known: {error}."
        return alert_view.trouble(self.understood(), health), problem

    def hub(self):
        """How the hub is, as its file says."""
        try:
            reader = Reader.open(self._timeline)
            if reader is None:
                return Hub()
            with reader:
                runs = hub_view.why_not(reader, time.time()) is None
                return Hub(runs, runs and reader.hub().get("works_alerts") is True)
        except StoreError:
            return Hub()

    def unbelieved(self):
        """Why no incident of the hub is believed, or None: it signs them with the secret."""
        try:
            secrets.read(secrets.location(self.opts))
        except (secrets.SecretError, OSError) as error:
            return str(error)
        return None

    def tells_incidents(self):
        """Whether the hub tells of incidents, so that no event of a node need tell the same."""
        return self.hub().runs and self.unbelieved() is None

    def silent(self, cluster, now):
        """Why nobody is told of this cluster now, or None.

        Told in vain is better than not told: a ledger that cannot be read silences nobody.
        """
        try:
            return policies.silenced(self.ledger.silence_of(cluster, now), now)
        except ledgers.LedgerError as error:
            log.error("keepalived: whether %s is in maintenance is not known: %s", cluster, error)
            return None

    def tell(self, alert, about, reason, claim=None):
        """Send an alert to its routes, or keep it for them, and leave a row of it.

        alert (keepalived_core.cluster.alert.Alert)
            What to tell.
        about (dict)
            What the trail says of it.
        reason (str)
            The same, for the trail's row when all went well.
        claim (tuple, optional)
            What may be told once.

        Returns ``{"result", "routes"}``, or ``{"result", "reason"}`` when nobody was told.
        """
        routes, begin = self.routes(), time.time()
        for mistake in routes.mistakes:
            log.error("keepalived: master configuration: %s", mistake)
        silent = self.silent(alert.cluster, begin) or _nobody(alert, routes)
        if silent:
            return self.keep_back(alert.cluster, about, silent, claim)
        post = self.postman(routes)
        try:
            results = post.post(alert, about, claim, self.hub().works)
        except ledgers.LedgerError as error:
            # Told twice is better than not told.
            log.error("keepalived: an alert goes out without the ledger: %s", error)
            results = post.broadcast(alert)
        if results is None:
            return {"result": "duplicate"}
        if not results:
            return self.keep_back(alert.cluster, about, "no route was told that it opened")
        failures = [f"{name} {text}" for name, text in results.items() if text != "sent"]
        for failure in failures:
            if " failed: " in failure:
                log.error("keepalived: alert not delivered: %s", failure)
        words = {text.partition(":")[0] for text in results.values()}
        what = next(each for each in ("sent", "failed", "waiting") if each in words)
        data = {
            **about,
            "action": f"tell {', '.join(results)}",
            "routes": results,
            "reason": "; ".join(failures) or reason,
            "seconds": round(time.time() - begin, 3),
        }
        self.audit("alert", what, alert.cluster, data)
        return {"result": what, "routes": results}

    def keep_back(self, cluster, about, reason, claim=None):
        """Tell nobody, and leave a row that says why; not fired, for most events need nobody."""
        try:
            if claim is not None and not self.ledger.claim(*claim, time.time()):
                return {"result": "duplicate"}
        except ledgers.LedgerError as error:
            log.error("keepalived: %s", error)
        self.record("alert", "skipped", cluster, {**about, "reason": reason})
        return {"result": "skipped", "reason": reason}

    def postman(self, routes):
        """Who brings alerts to these routes."""
        return postman.Postman(self.outbox, routes, self._came_later)

    def work(self):
        """Send what waits and is due, and remind; returns when something is due next, or None.

        The hub calls it every moment; each route has a thread of its own, for which nobody waits.
        Raises LedgerError.
        """
        post = self.postman(self.routes())
        if post.reminds():
            self._remind(post)
        return post.work(self._sending)

    def _remind(self, post):
        try:
            reader = Reader.open(self._timeline)
            if reader is None:
                return
            with reader:

                def look(name):
                    named = reader.incidents_named(name)
                    return next((each for each in named if each["id"] == name), None)

                post.remind(look, lambda cluster: self.silent(cluster, time.time()))
        except StoreError as error:
            log.error("keepalived: nobody is reminded: the hub's file cannot be read: %s", error)

    def _came_later(self, what, route, kept, reason):
        if what == "failed":
            log.error("keepalived: alert not delivered: %s: %s", route, reason)
        data = {
            **kept.about,
            "action": f"tell {route}",
            "routes": {route: "sent" if what == "sent" else f"failed: {reason}"},
            "reason": reason,
            "seconds": round(time.time() - kept.entered, 3),
        }
        self.audit("alert", what, kept.alert.cluster, data)

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


def _nobody(alert, routes):
    """Why no route is for an alert, or None."""
    if not routes.routes:
        return "keepalived:alerts names no route"
    if alert.word == "resolved" or any(
        route.takes(alert.severity, alert.cluster) for route in routes.routes
    ):
        return None
    return f"no route of keepalived:alerts takes what is {alert.severity} in {alert.cluster}"
