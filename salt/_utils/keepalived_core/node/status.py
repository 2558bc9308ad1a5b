"""What is true on this node: keepalived's claim beside the kernel's addresses."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ..conf import instances as configured
from . import addresses, drain_status, dump, netlink, process, verify, watch_status
from .paths import DEFAULT, Paths
from .spool import Spool, SpoolError
from .state import Instance

Kernel = Mapping[str, Iterable[tuple[str, int]]]


def status(node: str, cluster: str | None, paths: Paths = DEFAULT) -> dict[str, Any]:
    """The node's whole state as plain data.

    ``instances`` come from keepalived's dump; when there is none (not running, frozen, no
    JSON), from the file, with ``state`` STOP or None (unknown), so that an address which stayed
    behind a killed daemon is still reported.
    """
    daemon = process.find(paths)
    found = process.version()
    kernel = addresses.snapshot()
    problem, dumped = None, None
    try:
        dumped = dump.read_json(paths)
    except dump.DumpUnavailable as err:
        problem = err.reason
    tree = drain_status.configured(paths)
    written = configured.instances(tree)
    groups = {one.name: one.sync_group for one in written}
    if dumped is not None:
        rows = [from_dump(one, kernel, groups.get(one.name)) for one in dumped.instances]
        rejections = verify.rejections(found.tuple if found else None)
        for row, one in zip(rows, dumped.instances, strict=True):
            row.update(running(one, rejections))
    else:
        state = "STOP" if daemon is None else None
        rows = [from_config(one, kernel, state) for one in written]
    return {
        "node": node,
        "cluster": cluster,
        "time": now(),
        "keepalived": {
            "version": found.text if found else None,
            "running": daemon is not None,
            "pid": daemon.pid if daemon else None,
            "problem": problem,
        },
        "watch": watch_summary(paths),
        "drain": drain_status.status(paths, tree, found.tuple if found else None),
        "interfaces": interfaces(kernel, rows),
        "instances": rows,
    }


def running(one: Instance, rejections: Iterable[str]) -> dict[str, Any]:
    """What all nodes of a cluster must agree about, and the adverts that came in.

    rejections
        The counters that tell of adverts which were not accepted (:func:`verify.rejections`).

    ``adverts`` and ``transitions`` count since keepalived started; of the rejected ones only what
    is not 0.
    """
    return {
        "family": one.family,
        "version": one.version,
        "advert_int": one.advert_interval,
        "auth_type": one.auth_type,
        "use_vmac": bool(one.vmac),
        "adverts": {
            "received": one.stats.get("advert_rcvd"),
            "sent": one.stats.get("advert_sent"),
            "rejected": {name: one.stats[name] for name in rejections if one.stats.get(name)},
        },
        "transitions": {
            "became_master": one.stats.get("become_master"),
            "released_master": one.stats.get("release_master"),
        },
    }


def interfaces(kernel: Kernel, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """This node's hardware addresses: ``{interface: {"mac", "addresses": [its own]}}``.

    Of all that may answer for an address: not the ports of a bridge or bond, which do so under its
    name.  The virtual addresses are left out.  By them the master tells whose answer to a question
    for a virtual address is.
    """
    virtual = {vip["address"] for row in rows for vip in row["vips"]}
    named = {row["interface"] for row in rows}
    found = {}
    for name, link in netlink.dump_links().items():
        own = [f"{ip}/{prefix}" for ip, prefix in kernel.get(name, ())]
        if own or name in named or not link.port:
            kept = [each for each in own if each not in virtual]
            found[name] = {"mac": link.mac, "addresses": kept}
    return found


def from_dump(one: Instance, kernel: Kernel, sync_group: str | None) -> dict[str, Any]:
    """One instance's row: claim, priorities, and which of its addresses the kernel has."""
    vips = []
    for vip in one.vips:
        on = sorted(
            name
            for name in one.devices(vip) or kernel.keys()
            if (vip.address, vip.prefix) in {tuple(item) for item in kernel.get(name, ())}
        )
        wanted = vip.device or one.interface
        vips.append(_vip(f"{vip.address}/{vip.prefix}", on, wanted, vip.excluded))
    return {
        "instance": one.name,
        "sync_group": sync_group,
        "state": one.state,
        "vrid": one.vrid,
        "interface": one.interface,
        "base_priority": one.base_priority,
        "effective_priority": one.effective_priority,
        "vips": vips,
        "vip_present": _all_present(vips),
        "since": rfc3339(one.since) if one.since else None,
    }


def from_config(one: configured.Instance, kernel: Kernel, state: str | None) -> dict[str, Any]:
    """The row of an instance that nobody answers for: what the file says, and the kernel."""
    vips = []
    listed = [(*vip, False) for vip in one.vips] + [(*vip, True) for vip in one.excluded]
    for address, device, excluded in listed:
        wanted = device or one.interface
        have = {f"{ip}/{prefix}" for ip, prefix in kernel.get(wanted, ())}
        vips.append(_vip(address, [wanted] if address in have else [], wanted, excluded))
    return {
        "instance": one.name,
        "sync_group": one.sync_group,
        "state": state,
        "vrid": one.vrid,
        "interface": one.interface,
        "base_priority": one.priority,
        "effective_priority": None,
        "vips": vips,
        "vip_present": _all_present(vips),
        "since": None,
    }


def adverts(paths: Paths = DEFAULT) -> dict[str, dict[str, Any]]:
    """Are VRRP adverts really received?  From keepalived's own counters.

    ``receiving`` is True when any was received, None for a MASTER that received none (it is
    the one who sends), False for everyone else: then the network or a firewall drops them.

    :raises dump.DumpUnavailable: when keepalived does not answer.
    """
    found = {}
    for one in dump.read_json(paths).instances:
        received = one.stats.get("advert_rcvd", 0)
        receiving: bool | None = received > 0
        if not received and one.state == "MASTER":
            receiving = None
        found[one.name] = {"state": one.state, "receiving": receiving, **one.stats}
    return found


def own_addresses(paths: Paths = DEFAULT) -> dict[str, list[str]]:
    """This node's addresses by interface, virtual and link-local ones left out.

    What peers may send unicast adverts to: a VIP that happens to be here is not it.
    """
    written = configured.instances(drain_status.configured(paths))
    virtual = {address for one in written for address, _dev in [*one.vips, *one.excluded]}
    found = {}
    for name, items in addresses.snapshot().items():
        own = [ip for ip, prefix in items if f"{ip}/{prefix}" not in virtual]
        own = [ip for ip in own if not ip.startswith(("fe80:", "127.", "::1"))]
        if own:
            found[name] = own
    return found


def watch_summary(paths: Paths = DEFAULT) -> dict[str, Any]:
    """What the watch says of itself, and who brings its events to the master.

    ``running`` is False without it; where the beacon stands in, ``sources`` is ``["poll"]``.
    ``delivery`` is ``relay``, ``beacon``, or None when there is nothing to deliver from.
    """
    told = watch_status.read(paths) or {}
    found = {
        "running": bool(told.get("running")),
        "sources": told.get("sources", []),
        "spool": told.get("spool", {}),
        "problems": told.get("problems", []),
        "delivery": _delivery(paths),
    }
    if told:
        found["age"] = round(time.monotonic() - told["monotonic"], 1)
    return found


def _delivery(paths: Paths) -> str | None:
    try:
        with Spool.open(paths.spool) as spool:
            holder = spool.holder()
    except (OSError, SpoolError, sqlite3.Error):
        return None
    return holder.kind if holder else "beacon"


def now() -> str:
    return rfc3339(time.time())


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds")


def _vip(address: str, on: list[str], wanted: str | None, excluded: bool) -> dict[str, Any]:
    return {
        "address": address,
        "interface": on[0] if on else wanted,
        "present": bool(on),
        "excluded": excluded,
    }


def _all_present(vips: list[dict[str, Any]]) -> bool | None:
    return all(vip["present"] for vip in vips) if vips else None
