"""What a virtual_server means (check_data.c, validate_check_config)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .fault import ERROR, INFO, WARNING, Facts, Fault, is_on, place
from .tree import Block, Statement
from .values import bare_address, family, number

_METHODS = ("NAT", "DR", "TUN")
_PORTS = 65535
# What a checker must name to check anything; and whose names these are, in Facts.defined.
_CHECKS = {
    "MISC_CHECK": "misc_path",
    "FILE_CHECK": "track_file",
    "BFD_CHECK": "name",
    "HTTP_GET": "url",
    "SSL_GET": "url",
}
_NAMED = {
    "FILE_CHECK": ("track_file", "track_file"),
    "BFD_CHECK": ("track_bfd", "bfd_instance"),
}


@dataclass(frozen=True, slots=True)
class Service:
    """What a virtual_server stands for.

    address, port: of its own; marks, addresses: whether it (or its group) has firewall marks,
    and addresses; bare: an address of it has no port; known: all of that could be read.
    """

    address: str = ""
    port: int = 0
    marks: bool = False
    addresses: bool = False
    bare: bool = False
    known: bool = True


def judge_servers(facts: Facts) -> Iterator[Fault]:
    """Everything wrong with the virtual servers, in the order of the file."""
    groups = {
        block.name: list(block.statements()) for block in facts.blocks("virtual_server_group")
    }
    for server in facts.blocks("virtual_server"):
        yield from _server(server, groups, facts)


def _server(server: Block, groups: dict[str, list[Statement]], facts: Facts) -> Iterator[Fault]:
    path = place(server)
    name = path[0]
    service, fault = _service(server, groups, facts)
    if fault:
        yield fault
    if not service.known:
        return
    reals = list(server.blocks("real_server"))
    sound = []
    for real in reals:
        reason = _misfit(real, service)
        if reason:
            yield Fault(
                "KA514",
                ERROR,
                real,
                path,
                f"{' '.join(real.words)}: {reason}; keepalived skips it",
                "write real_server ADDRESS PORT, in the family of the virtual server",
            )
        else:
            sound.append(real)
        yield from _checkers(real, (*path, *place(real)), facts)
    if not sound:
        yield Fault(
            "KA507",
            WARNING,
            server,
            (),
            f"{name} has no real_server; keepalived ignores it",
            "list at least one real_server",
        )
        return
    yield from _settings(server, service, path)
    yield from _sorry(server, sound, path)
    yield from _quorum(server, sound, path)
    yield from _ports(server, service, sound, path)


def _service(
    server: Block, groups: dict[str, list[Statement]], facts: Facts
) -> tuple[Service, Fault | None]:
    words = server.args
    if words[:1] == ["fwmark"]:
        return Service(marks=True), None
    if words[:1] == ["group"] and len(words) > 1:
        lines = groups.get(words[1])
        if lines is None:
            return Service(known=False), Fault(
                "KA217",
                WARNING,
                server,
                (),
                f"there is no virtual_server_group {words[1]}",
                facts.hint(words[1], groups, "define the group"),
            )
        plain = [line for line in lines if line.keyword != "fwmark"]
        return (
            Service(
                marks=len(plain) < len(lines),
                addresses=bool(plain),
                bare=any(not line.args for line in plain),
            ),
            None,
        )
    port = _port(words[1:2])
    address = bare_address(words[0]) if words else ""
    if not family(address) or port is None:
        return Service(known=False), Fault(
            "KA516",
            ERROR,
            server,
            (),
            f"{' '.join(server.words)}: that is no IP address and port; keepalived skips it",
            "write virtual_server ADDRESS PORT, virtual_server fwmark N or virtual_server group "
            "NAME",
        )
    return Service(address, port, addresses=True, bare=not port), None


def _port(words: list[str]) -> int | None:
    """The port, 0 where none is written, None for what is no port."""
    if not words:
        return 0
    found = number(words[0])
    return int(found) if found is not None and 0 <= found <= _PORTS else None


def _misfit(real: Block, service: Service) -> str:
    address = bare_address(real.args[0]) if real.args else ""
    kind = family(address)
    if not kind or _port(real.args[1:2]) is None:
        return "that is no IP address and port"
    own = family(service.address)
    if own and kind != own and real.value("lvs_method", "NAT") != "TUN":
        return f"it is IPv{kind}, the virtual server is IPv{own}"
    return ""


def _checkers(real: Block, path: tuple[str, ...], facts: Facts) -> Iterator[Fault]:
    """Each real server should be checked, and by something that knows what to check."""
    found = [node for node in real.blocks() if node.keyword.isupper()]
    if not found:
        yield Fault(
            "KA508",
            INFO,
            real,
            path[:-1],
            f"{path[-1]} has no checker: it gets connections whether it answers or not",
            "add TCP_CHECK, HTTP_GET or another checker",
        )
    for checker in found:
        needed = _CHECKS.get(checker.keyword)
        if needed is None:
            continue
        node = checker.get(needed)
        if node is None or (isinstance(node, Block) and node.get("path") is None):
            what = "url with a path" if needed == "url" else needed
            dies = "; keepalived 2.2.7 dies of it" * (needed == "url")
            yield Fault(
                "KA518",
                ERROR,
                checker,
                path,
                f"{checker.keyword} has no {what}{dies or '; keepalived skips it'}",
                f"write {needed}",
            )
        elif checker.keyword in _NAMED and node.args:
            track, kind = _NAMED[checker.keyword]
            if (track, node.args[0]) not in facts.defined:
                yield Fault(
                    "KA519",
                    ERROR,
                    node,
                    (*path, checker.keyword),
                    f"there is no {kind} {node.args[0]}",
                    f"define {kind} {node.args[0]} above",
                )


def _settings(server: Block, service: Service, path: tuple[str, ...]) -> Iterator[Fault]:
    protocol = server.get("protocol")
    if service.addresses and protocol is None:
        yield Fault(
            "KA501",
            WARNING,
            server,
            (),
            f"{path[0]} has no protocol; keepalived takes UDP",
            "write protocol TCP, UDP or SCTP",
        )
    if protocol is not None and service.marks and not service.addresses:
        yield Fault(
            "KA509",
            WARNING,
            protocol,
            path,
            "a firewall mark stands for all protocols; keepalived ignores the line",
            "remove it",
        )
    ops = server.get("ops")
    if (
        ops is not None
        and service.addresses
        and server.value("protocol").upper() in ("TCP", "SCTP")
    ):
        yield Fault(
            "KA512",
            WARNING,
            ops,
            path,
            "ops (one packet scheduling) needs protocol UDP; keepalived clears it",
            "remove it",
        )
    if server.get("lb_algo") is None and server.get("lvs_sched") is None:
        yield Fault(
            "KA502",
            WARNING,
            server,
            (),
            f"{path[0]} has no scheduler; keepalived takes wlc",
            "write lb_algo",
        )
    if service.bare and server.get("persistence_timeout") is None:
        yield Fault(
            "KA504",
            WARNING,
            server,
            (),
            f"{path[0]} has no port, which only a persistent service can do without; keepalived "
            "makes it persistent",
            "write the port, or persistence_timeout",
        )


def _method(block: Block) -> Statement | None:
    return block.get("lvs_method") or block.get("lb_kind")


def _ports(
    server: Block, service: Service, reals: list[Block], path: tuple[str, ...]
) -> Iterator[Fault]:
    """How packets get to the real servers, and what that means for their ports."""
    default = _method(server)
    for node in [default, *(_method(real) for real in reals)]:
        if node is not None and node.args and node.args[0] not in _METHODS:
            yield Fault(
                "KA513",
                ERROR,
                node,
                path,
                f"{node.keyword} {node.args[0]!r} is not one of {', '.join(_METHODS)}",
                "correct it; keepalived would take NAT",
            )
    if default is None and any(_method(real) is None for real in reals):
        yield Fault(
            "KA503",
            WARNING,
            server,
            (),
            f"{path[0]} has no lb_kind; keepalived takes NAT",
            "write lb_kind NAT, DR or TUN",
        )
    seen: dict[tuple[str, ...], Block] = {}
    for real in reals:
        first = seen.setdefault(tuple(real.args[:2]), real)
        if first is not real:
            yield Fault(
                "KA511",
                ERROR,
                real,
                path,
                f"{' '.join(real.words)} is listed twice; keepalived drops this one",
                "remove it",
            )
        method = _method(real) or default
        port = _port(real.args[1:2])
        if method is None or method.args[:1] not in (["DR"], ["TUN"]) or not port:
            continue
        if service.marks or (service.address and port != service.port):
            other = "a firewall mark" if service.marks else f"port {service.port}"
            yield Fault(
                "KA506",
                WARNING,
                real,
                path,
                f"{' '.join(real.words)}: {method.args[0]} cannot change the port, and the virtual "
                f"server has {other}; keepalived ignores this one",
                "write the same port, or lb_kind NAT",
            )


def _sorry(server: Block, reals: list[Block], path: tuple[str, ...]) -> Iterator[Fault]:
    """A real server that is the sorry server as well must be inhibited alike."""
    sorry = server.get("sorry_server")
    if sorry is None:
        return
    inhibited = server.get("sorry_server_inhibit") is not None
    for real in reals:
        own = real.get("inhibit_on_failure") or server.get("inhibit_on_failure")
        if real.args == sorry.args and is_on(own) != inhibited:
            yield Fault(
                "KA517",
                WARNING,
                sorry,
                path,
                f"{' '.join(sorry.words)} is a real_server as well, and only one of the two is "
                "inhibited; keepalived follows the real_server",
                "set inhibit_on_failure and sorry_server_inhibit, or none of them",
            )


def _quorum(server: Block, reals: list[Block], path: tuple[str, ...]) -> Iterator[Fault]:
    default = number(server.value("weight", "1")) or 0
    total = 0.0
    for real in reals:
        given = real.value("weight")
        found = number(given) if given else default
        total += default if found is None else found
    node = server.get("quorum")
    quorum = number(server.value("quorum", "1")) or 1
    if quorum > total:
        yield Fault(
            "KA505",
            WARNING,
            node or server,
            path if node else (),
            f"quorum {quorum:g} is more than all real servers together weigh ({total:g}); "
            "keepalived lowers it",
            "write a lower quorum, or higher weights",
        )
        quorum = total
    hysteresis = server.get("hysteresis")
    value = number(server.value("hysteresis")) or 0
    if hysteresis is not None and value >= quorum:
        yield Fault(
            "KA510",
            WARNING,
            hysteresis,
            path,
            f"hysteresis {value:g} is not below the quorum {quorum:g}; keepalived lowers it",
            "write a number below the quorum",
        )
