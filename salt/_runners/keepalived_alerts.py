"""
Where alerts go, and whether they arrive
========================================

``alerts`` shows the routes of ``keepalived:alerts`` and how each is; ``alert_test`` sends a message
through them.  docs/alerts.md has the settings and the schemas.
"""

from __future__ import annotations

import logging
import sys
import time

import salt.utils.user

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master", "keepalived_trail")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
import keepalived_trail

from keepalived_core.cluster import alert_view
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster.alert_message import Kept

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def alerts():
    """
    The routes of alerts as they are understood, the mistakes in them, and how each route is.

    Of an address only what is no secret is shown: scheme, and of a webhook the host.  The exit
    status is 1 when there is a mistake or a route fails.

    Returns ``{"kind": "alerts", "schema", "time", "clock", "planned", "routes", "gone",
    "mistakes", "retcode"}``; docs/alerts.md has all of it.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.alerts
        salt-run keepalived.alerts --out=json
    """
    trail = keepalived_trail.Trail(__opts__)
    try:
        health = trail.outbox.health()
    except ledgers.LedgerError as mistake:
        return keepalived_master.complaint(mistake)
    data = alert_view.show(trail.understood(checked=True), health, trail.hub().works, time.time())
    return {"outputter": "keepalived", "data": data}


def alert_test(route=None):
    """
    Send a test message through each route now, and say which have taken it.

    route (str, optional)
        Only this one (``chat`` stands for ``chat/1``, ``chat/2`` too); without it all of them,
        whatever their severities and clusters.

    The message is of severity ``info`` and of the cluster ``test``, in the words of the route's
    template.  The exit status is 1 when one failed or there is a mistake in the settings.

    Returns ``{"kind": "alert_test", "schema", "time", "routes": [{"route", "to", "result", "why",
    "seconds"}], "mistakes", "retcode"}``.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.alert_test
        salt-run keepalived.alert_test oncall
    """
    trail, now = keepalived_trail.Trail(__opts__), time.time()
    routes = trail.routes(checked=True)
    chosen = [each for each in routes.routes if route is None or str(route) in _names(each.name)]
    mistakes = [
        each
        for each in routes.mistakes
        if route is None or each.startswith(f"keepalived:alerts:routes:{route}")
    ]
    if route is not None and not chosen and not mistakes:
        known = ", ".join(each.name for each in routes.routes) or "none"
        return keepalived_master.complaint(
            f"keepalived:alerts names no route {route}; there are: {known}"
        )
    alert = alert_view.test_alert(salt.utils.user.get_specific_user(), now)
    post = trail.postman(routes)
    done = post.attempt(chosen, Kept(0, alert, {}, now))
    for name, (failure, _) in done.items():
        try:
            trail.outbox.tried(name, failure, time.time())
        except ledgers.LedgerError as error:
            log.error("keepalived: what came of the test is not kept: %s", error)
    data = alert_view.tested(chosen, done, mistakes, now)
    return {"outputter": "keepalived", "data": data}


def _names(name):
    """By which names a route is meant: its own, and that of the list it is one of."""
    return name, name.partition("/")[0]
