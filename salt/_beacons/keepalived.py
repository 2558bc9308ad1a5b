"""
Put every VRRP transition of this node on Salt's event bus.

The watch service notes transitions on disk; this beacon hands them to the minion, in order, at
most a second later.  While the engine ``keepalived_relay`` runs, which is quicker and asks for an
acknowledgement, the beacon keeps silent; when that one ends, the beacon goes on.  It needs the
``keepalived`` execution module; what is wrong it says in the minion's log, once.

Where no watch service runs (a container, no systemd), the beacon itself looks what keepalived's
dump and the kernel's addresses say: a dump is asked for in one call and read in the next.  Such
events have ``poll`` as their ``source``; what came and went between two calls is not among them.

.. code-block:: yaml

    # /etc/salt/minion.d/keepalived.conf; not in pillar: a pillar key "beacons" switches off every
    # beacon of the minion's own configuration.
    beacons:
      keepalived:
        - limit: 500

``limit`` is how many events one call may hand over (1 to 10000, default 500); the rest follows a
second later. Do not set ``disable_during_state_run``: it would hide what a state run causes.

What one call handed over counts as delivered when the same minion process asks again, so a
refresh of the beacons repeats nothing and a restart of the minion loses nothing: what it may not
have sent is sent once more. ``stream_id`` and ``seq`` tell such a repetition. Salt drops events
while it has no master: those are in ``keepalived.journal``, but do not reach the bus any more.

The event
---------

Tag: ``salt/beacon/<minion id>/keepalived/<instance>/<TO>``. The instance's name is
percent-encoded; the last word is ``to``: a state in upper case, or in lower case something that
happened within a state. The data is flat:

======================  ============================================================================
``schema``              1
``type``                ``instance``, or ``group`` for a sync group, whose name is then ``instance``
``id``                  the minion's id
``cluster``             ``keepalived:cluster`` of the pillar, or None
``stream_id``           the node's spool; a new one begins when the old one was lost
``seq``                 1, 2, 3 … in that stream, without gaps
``instance``            the name of the ``vrrp_instance`` or ``vrrp_sync_group``
``sync_group``          the group that the instance belongs to, or None
``vrid``                ``virtual_router_id``
``family``              ``ipv4`` or ``ipv6``
``interface``           where the instance speaks VRRP
``from``                the state before, None when it was not known
``to``                  ``MASTER``, ``BACKUP``, ``FAULT``, ``STOP``, ``DELETED``; or ``ghost`` (an
                        address is there without a live MASTER: keepalived died, or somebody else
                        put it there), ``hollow`` (MASTER without one of its addresses),
                        ``restored`` (the ghost or hollow of before is over), ``rx_lower`` (a peer
                        with lower priority sends adverts; ``count`` of them since the last such
                        event, at most one a minute), ``priority`` (the effective priority changed),
                        ``overflow`` (type and instance ``node``: the notify FIFO was full;
                        keepalived was asked what it could not write)
``reason``              a sentence, ``unknown`` when there is no evidence
``base_priority``       ``priority`` as configured
``effective_priority``  with the weights of the checks
``vips``                ``["192.168.1.220/24", …]``, excluded ones too
``vip_present``         whether the kernel has all of them on their interfaces; None: not known
``source``              who told first: ``fifo`` (keepalived's line), ``json`` (its dump, asked
                        because an address moved), ``resync`` (its dump, asked at the start or from
                        time to time), ``netlink`` (the kernel alone), ``poll`` (its dump, or the
                        kernel, asked once a second because no watch runs)
``time``                when the kernel moved the address, or else when it was told: RFC 3339, UTC,
                        microseconds
``monotonic_us``        the same on the node's monotonic clock
``boot_id``             within which monotonic times compare
``planned``             whether a state or verb had said that something would happen
``dropped``             how many events of this stream were lost before this one
``keepalived_version``  as the running keepalived says
``signature``           ``1:<key id>:<hex>``: HMAC-SHA256 over the JSON of all other fields, sorted,
                        without blanks, in ASCII, made when the event was recorded; None on a node
                        that has no key (docs/keys.md)
======================  ============================================================================

The heartbeat
-------------

Tag ``salt/beacon/<minion id>/keepalived/node/heartbeat``, every ten seconds and at once for a new
stream.  It has no number of its own: ``seq`` is that of the newest event, ``first`` that of the
oldest one the node still has.  ``type`` is ``node``, ``watched`` whether somebody watches now,
``states`` is ``{instance: [state, vip_present, since in microseconds]}``; the other fields are
those of an event.

Any minion can send an event in another's name: only a signature tells.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"

DEFAULT_LIMIT = 500
MAX_LIMIT = 10000
# what Salt itself reads from a beacon's configuration, or adds to it
_SALT_KEYS = frozenset(
    {"interval", "enabled", "beacon_module", "disable_during_state_run", "run_once"}
)


def __virtual__():
    # Not: is the execution module there? It may be synced after this one, in the same run.
    return __virtualname__


def validate(config):
    """
    Check the configuration; Salt calls this every second.

    Returns ``(True, text)``, or ``(False, text)`` naming the key, its value and what is right.
    """
    if not isinstance(config, list):
        return False, f"beacon keepalived: must be a list of settings, not {config!r}"
    for item in config:
        if not isinstance(item, dict):
            return False, f"beacon keepalived: each entry must be KEY: VALUE, not {item!r}"
        for key, value in item.items():
            wrong = _mistake(key, value)
            if wrong:
                return False, f"beacon keepalived: {wrong}"
    return True, "Valid beacon configuration"


def beacon(config):
    """
    Return the transitions that are to be sent now, the oldest first.

    Never raises and never returns None: either would cost the other beacons of this cycle their
    events.
    """
    try:
        rows = __salt__["keepalived.beacon_read"](_limit(config))
        events = [_event(row) for row in rows]
    except KeyError as err:
        if "keepalived.beacon_read" not in str(err):
            return _complain(err)
        return _complain("the keepalived execution module is not there: run saltutil.sync_all")
    except Exception as err:
        return _complain(err)
    _complain(None)
    return events


def _mistake(key, value):
    if key == "limit":
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not 1 <= value <= MAX_LIMIT:
            return f"limit must be a whole number from 1 to {MAX_LIMIT}, not {value!r}"
    elif key == "interval":
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or value <= 0:
            return f"interval must be a number of seconds above 0, not {value!r}"
    elif key not in _SALT_KEYS and not str(key).startswith("_"):
        return f"unknown key {key!r} (value {value!r}); known are limit and interval"
    return None


def _limit(config):
    for item in config:
        if "limit" in item:
            return item["limit"]
    return DEFAULT_LIMIT


def _event(row):
    return {
        **row,
        "id": row.get("id") or __opts__["id"],
        "tag": f"{quote(str(row.get('instance')), safe='')}/{row.get('to')}",
    }


def _complain(problem):
    """Log a problem when it is another one than a second ago; return no events."""
    text = None if problem is None else f"{problem}"
    before = __context__.get("keepalived.beacon.problem")
    if text != before:
        __context__["keepalived.beacon.problem"] = text
        if text is None:
            log.info("beacon keepalived: works again")
        else:
            log.error("beacon keepalived: no events can be read: %s", text)
    return []
