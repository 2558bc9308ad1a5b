"""
Who answers for a virtual address
=================================

The third side of the truth that ``salt-run keepalived.status`` shows: which machine on the wire
answers ARP or neighbour discovery for an address.  All knowledge is in the library
``keepalived_core``.
"""

from __future__ import annotations

import sys

# A running minion still holds what it imported before sync_all: drop it, import the new.
[
    sys.modules.pop(n)
    for n in list(sys.modules)
    if n.partition(".")[0] in ("keepalived_core", "keepalived_node")
]

import salt.exceptions
from keepalived_node import Errors

from keepalived_core.node import questions
from keepalived_core.node.paths import DEFAULT as PATHS

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def answers(addresses=None, timeout=0.3):
    """
    Which hardware addresses answer for virtual addresses, asked from this node.

    addresses (list, str or dict, optional)
        What to ask for, without prefix length; a text may name several, with commas between them.
        By default all virtual addresses that this node's keepalived knows.  A mapping
        ``{minion: [address, ...]}`` asks each minion of one job for something else.
    timeout (float)
        Seconds that answers count, above 0 and at most 10.  All addresses are asked for at once,
        and the whole time is waited, for the second answer is the one that matters.

    An IPv4 address is asked for by an ARP probe (RFC 5227), an IPv6 address by a neighbour
    solicitation (RFC 4861), on the interface where keepalived has it, below a macvlan of
    ``use_vmac``; any other one on the interface whose network it is of.  Nothing is changed, no
    neighbour's cache either.

    Returns ``{address: {"interface", "macs", "problem"}}``: ``macs`` are all that answered, none
    when nobody did; ``problem`` says why it could not be asked (this node has it itself, say), else
    None.  Raises SaltInvocationError for what is no address.

    CLI Example:

    .. code-block:: bash

        salt controller1 keepalived.answers
        salt controller1 keepalived.answers 192.168.1.220 timeout=1
    """
    if isinstance(addresses, dict):
        addresses = addresses.get(__opts__["id"], [])
    if isinstance(addresses, str):
        addresses = [each.strip() for each in addresses.split(",")]
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise salt.exceptions.SaltInvocationError(f"timeout={timeout!r} is no number of seconds")
    with Errors():
        return questions.answers(addresses, timeout, PATHS)
