"""What one vrrp_instance means: what it needs, and what in it contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator

from . import lexer
from .fault import ERROR, WARNING, Facts, Fault, View
from .meaning_address import family_in, judge_addresses
from .meaning_track import OWNER, judge_tracks
from .tree import Block
from .values import number

# Any of these makes keepalived look for peers (VRRP_FLAG_UNICAST_CONFIGURED).
_UNICAST = ("unicast_peer", "unicast_src_ip", "check_unicast_src", "old_unicast_checksum")


def judge_instance(view: View, facts: Facts) -> Iterator[Fault]:
    """Everything wrong with one instance."""
    version = view.value("version") or ("3" if family_in(view) == 6 else "")
    version = version or facts.vrrp_version
    yield from _required(view)
    yield from judge_addresses(view)
    yield from judge_tracks(view, facts)
    yield from _preemption(view)
    yield from _unicast(view)
    yield from _timers(view, version)
    if "authentication" in view:
        yield from _authentication(view, facts, version)
    if view.value("interface") == "lo":
        node = view.get("interface")
        assert node is not None
        yield Fault(
            "KA324",
            ERROR,
            node,
            view.path,
            "keepalived takes no loopback interface for VRRP",
            "name the interface that the other nodes are reached by",
        )


def family_of(instance: Block) -> int:
    """4 or 6: what the instance speaks, which its first virtual address decides; 0 unknown."""
    return family_in(View(instance))


def _required(view: View) -> Iterator[Fault]:
    instance, name = view.block, view.path[0]
    if "virtual_router_id" not in view:
        yield Fault(
            "KA307",
            ERROR,
            instance,
            (),
            f"{name} has no virtual_router_id; keepalived drops the instance",
            "give it a number from 1 to 255 that no other cluster on this network uses",
        )
    if "interface" not in view and not ("unicast_src_ip" in view and view.lines("unicast_peer")):
        yield Fault(
            "KA306", ERROR, instance, (), f"{name} has no interface", "write interface NAME"
        )
    if not view.lines("virtual_ipaddress") and "no_virtual_ipaddress" not in view:
        yield Fault(
            "KA308",
            ERROR,
            instance,
            (),
            f"{name} has no virtual_ipaddress",
            "list at least one address in virtual_ipaddress",
        )


def _preemption(view: View) -> Iterator[Fault]:
    master = view.value("state") == "MASTER"
    nopreempt, delay = view.get("nopreempt"), view.get("preempt_delay")
    if nopreempt is not None and master:
        yield Fault(
            "KA302",
            ERROR,
            nopreempt,
            view.path,
            "nopreempt does not work with state MASTER; keepalived clears it",
            "write state BACKUP on every node",
        )
    elif nopreempt is not None and view.value("priority") == OWNER:
        yield Fault(
            "KA326",
            WARNING,
            nopreempt,
            view.path,
            f"nopreempt does not work with priority {OWNER}; keepalived clears it",
            "write a priority below it",
        )
    if delay is not None and delay.args and number(delay.args[0]) and (nopreempt or master):
        why = "state MASTER" if master else "nopreempt"
        yield Fault(
            "KA325",
            WARNING,
            delay,
            view.path,
            f"preempt_delay does not work with {why}; keepalived clears it",
            f"remove one of the two{'; write state BACKUP on every node' * master}",
        )


def _unicast(view: View) -> Iterator[Fault]:
    peers = view.lines("unicast_peer")
    node = next((view.get(keyword) for keyword in _UNICAST if keyword in view), None)
    if node is None:
        return
    if not peers and "unicast_fault_no_peer" not in view:
        yield Fault(
            "KA313",
            WARNING,
            node,
            view.path,
            f"{node.keyword} without any unicast_peer: keepalived uses multicast all the same",
            "list the other nodes in unicast_peer, or remove the word",
        )
    if ("use_vmac" in view or "use_ipvlan" in view) and "vmac_xmit_base" not in view:
        vmac = view.get("use_vmac") or view.get("use_ipvlan")
        assert vmac is not None
        yield Fault(
            "KA314",
            WARNING,
            vmac,
            view.path,
            f"{vmac.keyword} with unicast needs vmac_xmit_base; keepalived sets it",
            "write vmac_xmit_base",
        )
    source = view.value("unicast_src_ip")
    for line in peers:
        if source and line.keyword == source:
            yield Fault(
                "KA312",
                WARNING,
                line,
                (*view.path, "unicast_peer"),
                f"{source} is this node's own address; it sends adverts to itself",
                "list the other nodes only",
            )


def _timers(view: View, version: str) -> Iterator[Fault]:
    """Intervals that do not fit into the protocol (vrrp_complete_instance)."""
    node = view.get("advert_int")
    seconds = number(node.args[0]) if node is not None and node.args else None
    if node is not None and seconds is not None and seconds >= 0.01:
        reason = ""
        if version == "3" and seconds >= 40.96:  # 12 bits of centiseconds in the packet
            reason = "is out of range with VRRP version 3; keepalived takes 40.95"
        elif version == "3" and abs(seconds * 100 - round(seconds * 100)) > 1e-6:
            reason = "is no multiple of 0.01 s, which VRRP version 3 counts in; keepalived rounds"
        elif version == "2" and seconds != int(seconds):
            reason = "is no whole number of seconds, which VRRP version 2 needs; keepalived rounds"
        if reason:
            yield Fault(
                "KA315",
                WARNING,
                node,
                view.path,
                f"advert_int {node.args[0]} {reason}",
                "write what keepalived can send, the same on every node",
            )


def _authentication(view: View, facts: Facts, version: str) -> Iterator[Fault]:
    for block in view.blocks("authentication"):
        inside = (*view.path, "authentication")
        password = block.get("auth_pass")
        if block.get("auth_type") is not None:
            if version == "3":
                yield Fault(
                    "KA304",
                    ERROR,
                    block,
                    view.path,
                    "VRRP version 3 has no authentication; keepalived ignores it",
                    "remove authentication, or set version 2",
                )
            elif facts.strict:
                yield Fault(
                    "KA327",
                    ERROR,
                    block,
                    view.path,
                    "vrrp_strict allows no authentication; keepalived ignores it",
                    "remove one of the two",
                )
        if password is not None and password.args:
            if len(lexer.encoded(password.args[0])) > 8:
                yield Fault(
                    "KA303",
                    ERROR,
                    password,
                    inside,
                    "auth_pass is longer than 8 bytes; keepalived cuts it to 8",
                    "write 8 characters or fewer",
                )
        elif block.get("auth_type") is not None:
            yield Fault(
                "KA305",
                ERROR,
                block,
                view.path,
                "auth_type without auth_pass; keepalived ignores it",
            )
