"""What members of one cluster must have alike, as plain data that can be compared across nodes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any

from ..conf.tree import Tree
from . import change_model

#: A secret as something that can be compared and not be read.
Mark = Callable[[str, bytes], str]


def marker() -> Mark:
    """Marks for secrets: equal ones for equal secrets, worth nothing outside of this process.

    The key is random and kept nowhere, so that a mark cannot be tried against guessed passwords.
    """
    key = secrets.token_bytes(32)

    def mark(kind: str, secret: bytes) -> str:
        return hmac.new(key, kind.encode() + b"\0" + secret, hashlib.sha256).hexdigest()

    return mark


def describe(tree: Tree, mark: Mark) -> list[dict[str, Any]]:
    """The instances of a tree by what counts on the wire, as keepalived runs them.

    tree: evaluated; mark: from :func:`marker`.

    Returns ``[{"instance", "vrid", "family", "interface", "version" (of VRRP), "priority",
    "advert_int" (seconds), "vips" (without prefix), "excluded", "way" ("unicast" or the multicast
    group), "peers", "vmac", "group" (members of its sync group), "auth": None or {"type",
    "mark"}}]``.
    """
    return [_one(each, mark) for each in change_model.read(tree).instances]


def _one(one: change_model.Instance, mark: Mark) -> dict[str, Any]:
    auth = one.auth
    peers = sorted(one.peers)
    vrid = one.given.get("virtual_router_id")
    return {
        "instance": one.name,
        "vrid": None if vrid is None else int(vrid),
        "family": one.family,
        "interface": one.given.get("interface"),
        "version": one.version,
        "priority": one.base,
        "advert_int": one.advert,
        "vips": one.wire(),
        "excluded": sorted(vip.address for vip in one.vips if vip.excluded),
        "way": "unicast" if peers else str(one.given["mcast_dst_ip"]),
        "peers": peers,
        "vmac": "use_vmac" in one.said,
        "group": sorted(one.group),
        "auth": auth and {"type": auth[0], "mark": mark(*auth)},
    }
