"""Which addresses a node can ask about, and on which interface each is to be asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ..conf import instances as configured
from . import addresses, drain_status, dump, neighbour
from .paths import DEFAULT, Paths

Kernel = Mapping[str, Iterable[tuple[str, int]]]

#: So many addresses at once, and no more; keepalived's own limit for one instance is far below.
MOST = 4096
LONGEST = 10.0


def answers(
    wanted: Iterable[str] | None, seconds: float = neighbour.SECONDS, paths: Paths = DEFAULT
) -> dict[str, dict[str, Any]]:
    """Who answers for each address, asked now.

    wanted
        Addresses without prefix length; None: all virtual addresses that this node knows.

    Returns ``{address: {"interface", "macs", "problem"}}``.  Raises ValueError for what is no
    address, too many of them, or a time that is not above 0 and at most 10 s.
    """
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"timeout={seconds!r} is not above 0 and at most {LONGEST:g} seconds")
    kernel = addresses.snapshot()
    known = virtual(paths)
    asked = list(known) if wanted is None else [_address(each) for each in wanted]
    if len(asked) > MOST:
        raise ValueError(f"{len(asked)} addresses are more than can be asked for at once ({MOST})")
    mine = {ip for items in kernel.values() for ip, _ in items}
    questions = {each: known.get(each) or on_link(each, kernel) for each in asked}
    found = neighbour.ask(
        {each: name for each, name in questions.items() if each not in mine}, seconds
    )
    for each in questions:
        if each in mine:
            problem = "this node has it itself: its own answer does not come over the wire"
            found[each] = neighbour.Answer(questions[each], problem=problem)
    return {
        each: {"interface": one.interface, "macs": one.macs, "problem": one.problem}
        for each, one in found.items()
    }


def virtual(paths: Paths = DEFAULT) -> dict[str, str | None]:
    """``{virtual address: the interface on whose network it is}``, by the dump or by the file."""
    try:
        dumped = dump.read_json(paths).instances
    except dump.DumpUnavailable:
        written = configured.instances(drain_status.configured(paths))
        return {
            address.partition("/")[0]: device or one.interface or None
            for one in written
            for address, device in [*one.vips, *one.excluded]
        }
    return {vip.address: one.wire(vip) for one in dumped for vip in one.vips}


def on_link(address: str, kernel: Kernel) -> str | None:
    """The interface whose network an address is of; None when there is none."""
    ip = ipaddress.ip_address(address)
    found = [
        (prefix, name)
        for name, items in kernel.items()
        for own, prefix in items
        if ip in ipaddress.ip_interface(f"{own}/{prefix}").network
    ]
    return max(found)[1] if found else None


def _address(text: object) -> str:
    try:
        return str(ipaddress.ip_address(str(text)))
    except ValueError:
        raise ValueError(
            f"{text!r} is no address: give IPv4 or IPv6 addresses without a prefix length"
        ) from None
