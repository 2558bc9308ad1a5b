"""
A node's keepalived: say again who has the addresses
====================================================

``salt NODE keepalived.announce``, for neighbours that have an older answer in mind; it is what the
policy's action ``reannounce`` does (docs/remediation.md).
"""

from __future__ import annotations

import sys

from salt.exceptions import CommandExecutionError

# A running minion still holds the library it imported before sync_all: import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.node import announce as announcing
from keepalived_core.node import netlink
from keepalived_core.node import status as looking
from keepalived_core.node.paths import DEFAULT as PATHS

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def announce():
    """
    Announce the addresses of the instances that this node is MASTER of, to all its neighbours.

    Gratuitous ARP for IPv4, unsolicited neighbour advertisements for IPv6, three times 0.1 s
    apart, from the interfaces that have the addresses.  An address that is not here, or whose
    instance is not MASTER here, is never announced.

    Returns ``{"sent": [{"address", "interface"}]}``; empty when this node is MASTER of nothing.
    Raises CommandExecutionError when the kernel refuses.

    CLI Example:

    .. code-block:: bash

        salt controller3 keepalived.announce
    """
    status = looking.status(__opts__["id"], None, PATHS)
    mine = {
        str(vip["address"]).partition("/")[0]
        for row in status["instances"]
        if row["state"] == "MASTER"
        for vip in row["vips"]
        if vip["present"]
    }
    try:
        held = [
            (address, name)
            for name, pairs in sorted(netlink.dump_addresses().items())
            for address, _ in pairs
            if address in mine and name != "lo"
        ]
        return {"sent": announcing.announce(held)}
    except OSError as error:
        raise CommandExecutionError(f"cannot announce: {error.strerror or error}") from error
