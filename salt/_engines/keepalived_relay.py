"""
Bring this node's VRRP transitions to the master at once, acknowledged
======================================================================

.. code-block:: yaml

    # /etc/salt/minion.d/keepalived.conf; the formula writes it
    engines:
      - keepalived_relay: {}

The watch notes transitions on disk.  This engine sends them to every master of the minion, in
their order, each until that master has acknowledged it: an outage delays them and loses none.
Tags and data are those of the beacon ``keepalived``, which delivers while this engine does not
run.  An event may come twice; ``stream_id`` and ``seq`` tell.

The relay uses a connection of its own: it neither waits for the minion's other work nor for its
other beacons.  A new version is in force after a restart of the minion.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys

import salt.channel.client
import salt.exceptions
import salt.minion

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.node import relay

log = logging.getLogger(__name__)

__virtualname__ = "keepalived_relay"

# Seconds for an acknowledgement; doubled, up to the second, while the master takes connections and
# does not answer.  It answers within milliseconds; a very busy one works on the request all the
# same, and what is sent again comes twice.
ANSWER, LONGEST_ANSWER = 3, 24


def __virtual__():
    return __virtualname__


def start():
    """
    Deliver until the minion ends.

    Without a master there is nothing to do: a masterless minion, or one whose master is found
    by a function (``master_type: func``), is served by the beacon.
    """
    masters = _masters(__opts__)
    if not masters:
        log.warning(
            "keepalived relay: no master is named in the configuration; the beacon delivers"
        )
        while True:
            asyncio.run(asyncio.sleep(3600))
    ways = {name: _maker(hosts) for name, hosts in masters.items()}
    relay.Relay(__opts__["id"], ways).run()


def _masters(opts):
    """{name: [hosts]}: all hosts of one name are one master, of which one at a time is alive."""
    if opts.get("file_client") == "local" and not opts.get("use_master_when_local"):
        return {}
    kind = opts.get("master_type", "str")
    named = opts.get("master")
    hosts = [str(one) for one in (named if isinstance(named, list) else [named]) if one]
    if kind in ("func", "disable") or not hosts:
        return {}
    if kind in ("failover", "distributed") and len(hosts) > 1:
        return {",".join(hosts): hosts}
    return {host: [host] for host in hosts}


def _maker(hosts):
    return lambda: _Way(dict(__opts__), hosts)


class _Way:
    """To one master, by a channel that is made anew after each failure."""

    def __init__(self, opts, hosts):
        # the key is accepted already: whatever fails, fails soon, and the relay tries again
        opts.update(
            auth_timeout=LONGEST_ANSWER,
            auth_tries=1,
            auth_retries=1,
            auth_safemode=True,
            rejected_retry=True,
            retry_dns=0,
        )
        self._opts = opts
        self._hosts = list(hosts)
        self._loop = None
        self._channel = None
        self._patience = ANSWER

    def __call__(self, events):
        load = {"cmd": "_minion_event", "id": self._opts["id"], "pretag": None, "events": events}
        try:
            if self._channel is None:
                self._open()
            send = self._channel.send(load, tries=1, timeout=self._patience)
            # signing in comes before it
            said = self._run(send, 2 * self._patience)
        except relay.Unreached:
            raise
        except (Exception, SystemExit) as err:
            if self._channel is not None:
                self._patience = min(2 * self._patience, LONGEST_ANSWER)
            self._close()
            # of a failover pair, the other one next time
            self._hosts.append(self._hosts.pop(0))
            raise relay.Unreached(f"{type(err).__name__}: {err}".rstrip(": ")) from err
        # None: taken.  {} is the answer to what it cannot verify, "" when it could not put the
        # events on its bus.
        if said not in (None, True):
            raise relay.Unreached(f"it answered {said!r}")
        self._patience = ANSWER

    def _open(self):
        # Whoever comes first makes the minion's key: two at once make two, and one is rejected.
        # This file is there when the minion itself has been let in.
        if not os.path.exists(os.path.join(self._opts["pki_dir"], "minion_master.pub")):
            raise relay.Unreached("the minion itself has not been accepted by a master yet")
        opts = {**self._opts, "master": self._hosts[0]}
        opts.update(salt.minion.prep_ip_port(opts))
        opts.update(salt.minion.resolve_dns(opts, fallback=False))
        # Quicker and cheaper than a request that waits for a master which is not there.
        address = (opts["master_ip"].strip("[]"), int(opts["master_port"]))
        socket.create_connection(address, timeout=ANSWER).close()
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._channel = salt.channel.client.AsyncReqChannel.factory(opts, io_loop=self._loop)
        self._run(self._channel.connect(), ANSWER)

    def _run(self, coroutine, seconds):
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, seconds))

    def _close(self):
        loop, channel = self._loop, self._channel
        self._loop = self._channel = None
        try:
            if channel is not None:
                loop.run_until_complete(asyncio.wait_for(channel.close_async(), 2))
            if loop is not None:
                for task in asyncio.all_tasks(loop):
                    task.cancel()
                loop.run_until_complete(asyncio.sleep(0))
                loop.close()
        except (Exception, SystemExit) as err:
            log.debug("keepalived relay: closing a channel: %s", err)
