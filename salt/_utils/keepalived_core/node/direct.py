"""firewalld's direct interface: iptables rules, chains and passthroughs beside the zones.

A direct rule is known by all its words together (firewalld compares the argument list, not what
it means): ``-s 10.0.0.1`` and ``-s 10.0.0.1/32`` are two rules.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from .firewalld import PERMANENT, RUNTIME, Firewalld, FirewallError, Outcome

_INET_CHAINS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "POSTROUTING", "INPUT", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
_BRIDGE_CHAINS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "OUTPUT", "POSTROUTING"),
    "broute": ("BROUTING",),
}
#: ipv -> table -> the chains that are always there.
TABLES = {"ipv4": _INET_CHAINS, "ipv6": _INET_CHAINS, "eb": _BRIDGE_CHAINS}

CHAIN_LENGTH = 28  # XT_EXTENSION_MAXNAMELEN is 29 with the closing NUL
_INT32 = 2**31  # D-Bus carries the priority as a signed 32 bit number

_FIELDS = {
    "rule": ("ipv", "table", "chain", "priority", "args"),
    "chain": ("ipv", "table", "chain"),
    "passthrough": ("ipv", "args"),
}
KINDS = tuple(_FIELDS)


class DirectError(ValueError):
    """A direct rule, chain or passthrough that cannot be; lists every mistake."""

    def __init__(self, kind: str, mistakes: list[str]):
        self.mistakes = mistakes
        super().__init__(f"direct {kind}: " + "; ".join(mistakes))


@dataclass(frozen=True)
class Direct:
    """One entry of the direct interface.

    kind: rule, chain or passthrough. words: what firewall-cmd takes behind ``--add-rule``,
    ``--add-chain`` or ``--add-passthrough``.
    """

    kind: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join(self.words)

    @property
    def accepts(self) -> bool:
        """True when it lets packets pass: what the nftables backend does not take as final."""
        return any(
            jump in ("-j", "--jump") and target == "ACCEPT"
            for jump, target in zip(self.words, self.words[1:], strict=False)
        )

    def command(self, verb: str) -> list[str]:
        """The arguments of firewall-cmd; verb: add or remove."""
        return ["--direct", f"--{verb}-{self.kind}", *self.words]


def build(kind: str, **given: Any) -> Direct:
    """The entry that *given* describes: ipv, table, chain, priority, args as the kind has them.

    args: a string, split as a shell would, or a list of words. None counts as not given.
    Raises :class:`DirectError` that names each wrong parameter, its value and what is right.
    """
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise DirectError("entry", [_wrong("kind", kind, f"is none of {', '.join(KINDS)}")])
    fields = _FIELDS[kind]
    values = {name: value for name, value in given.items() if value is not None}
    mistakes = [
        _wrong(name, value, f"a {kind} has no such parameter: it has {', '.join(fields)}")
        for name, value in values.items()
        if name not in fields
    ]
    missing = [name for name in fields if name not in values]
    mistakes += [f"{name} is missing: {_EXAMPLES[name]}" for name in missing]
    ipv = values.get("ipv")
    words: list[str] = []
    for name in fields:
        if name in values:
            try:
                words += _READERS[name](values[name], ipv, values.get("table"))
            except ValueError as error:
                mistakes.append(_wrong(name, values[name], str(error)))
    if kind == "chain" and not mistakes and words[2] in TABLES[words[0]][words[1]]:
        mistakes.append(
            _wrong("chain", words[2], f"is built into table {words[1]}; give a name of your own")
        )
    if mistakes:
        raise DirectError(kind, mistakes)
    return Direct(kind, tuple(words))


def parse_rule(line: str) -> dict[str, Any]:
    """One line of ``--get-all-rules`` as the parameters of :func:`build`."""
    ipv, table, chain, priority, *args = _split(line, 4)
    return {"ipv": ipv, "table": table, "chain": chain, "priority": int(priority), "args": args}


def parse_chain(line: str) -> dict[str, Any]:
    """One line of ``--get-all-chains``."""
    ipv, table, chain = _split(line, 3)
    return {"ipv": ipv, "table": table, "chain": chain}


def parse_passthrough(line: str) -> dict[str, Any]:
    """One line of ``--get-all-passthroughs``."""
    ipv, *args = _split(line, 1)
    return {"ipv": ipv, "args": args}


_PARSERS = {"rule": parse_rule, "chain": parse_chain, "passthrough": parse_passthrough}


def places(permanent: bool | None) -> tuple[str, ...]:
    """The configurations meant: both for None, else the permanent or the runtime one alone.

    The runtime one comes first: what the kernel refuses there must not become permanent, because
    firewalld starts with its stock configuration when it cannot load one of its direct rules.
    """
    if permanent is None:
        return (RUNTIME, PERMANENT)
    if not isinstance(permanent, bool):
        raise DirectError("entry", [_wrong("permanent", permanent, "is not true, false or none")])
    return (PERMANENT,) if permanent else (RUNTIME,)


def query(
    firewalld: Firewalld, entry: Direct, permanent: bool | None = None
) -> dict[str, bool | None]:
    """``{"runtime": held?, "permanent": held?}``; None for runtime: firewalld is stopped."""
    return {where: firewalld.holds(where, entry.kind, entry.words) for where in places(permanent)}


def change(
    firewalld: Firewalld, entry: Direct, present: bool, permanent: bool | None = None
) -> dict[str, dict[str, bool | None]]:
    """Add or remove *entry* where it is not yet so, and look again.

    Returns ``{place: {"old": held before?, "new": held now?}}``; both None for the runtime part
    while firewalld is stopped. Raises :class:`FirewallError`.
    """
    result = {}
    for where in places(permanent):
        old = firewalld.holds(where, entry.kind, entry.words)
        result[where] = {"old": old, "new": old}
        if old is not None and old != present:
            _set(firewalld, where, entry, present)
            result[where]["new"] = present
    return result


def ensure(
    firewalld: Firewalld,
    entry: Direct,
    present: bool,
    permanent: bool | None = None,
    test: bool = False,
) -> Outcome:
    """:func:`change` as a state does it: says what changed, also when a later step fails.

    test: change nothing and say what would change.
    """
    changes: dict[str, dict[str, Any]] = {}
    stopped = False
    try:
        for where in places(permanent):
            held = firewalld.holds(where, entry.kind, entry.words)
            if held is None:
                stopped = True
            elif held != present:
                if not test:
                    _set(firewalld, where, entry, present)
                changes[where] = {
                    "old": str(entry) if held else None,
                    "new": str(entry) if present else None,
                }
    except FirewallError as error:
        comment = str(error)
        if changes:
            comment += f"; the {' and '.join(changes)} configuration was changed before"
        return Outcome(False, comment, changes)
    if stopped and permanent is False:
        reason = f"firewalld does not run: it has no runtime configuration for {entry.kind} {entry}"
        return Outcome(not present, reason, {})
    where = " and ".join(changes or (PERMANENT,) if stopped else changes or places(permanent))
    comment = (
        f"{entry.kind} {entry} {_verb(present, bool(changes), test)} the {where} configuration"
    )
    if stopped:
        comment += "; firewalld does not run, the runtime part follows when it starts"
    if present and entry.accepts and firewalld.backend() == "nftables":
        comment += (
            "; with FirewallBackend=nftables the zones of firewalld must accept such a packet too"
        )
    return Outcome(None if test and changes else True, comment, changes)


def _set(firewalld: Firewalld, where: str, entry: Direct, present: bool) -> None:
    firewalld.ask(where, entry.command("add" if present else "remove"))
    if firewalld.holds(where, entry.kind, entry.words) != present:
        raise FirewallError(
            f"firewalld reported success, but its {where} configuration "
            f"{'does not hold' if present else 'still holds'} {entry.kind} {entry}"
        )


def _verb(present: bool, changed: bool, test: bool) -> str:
    if not changed:
        return "is already in" if present else "is not in"
    return f"{'would be' if test else 'was'} {'added to' if present else 'removed from'}"


def listed(
    firewalld: Firewalld, kind: str, permanent: bool | None = None
) -> dict[str, list[dict[str, Any]] | None]:
    """All entries of a kind as the parameters of :func:`build`; None as in :func:`query`."""
    found: dict[str, list[dict[str, Any]] | None] = {}
    for where in places(permanent):
        text = firewalld.ask(where, ["--direct", f"--get-all-{kind}s"])
        lines = None if text is None else [line for line in text.splitlines() if line.strip()]
        found[where] = None if lines is None else [_PARSERS[kind](line) for line in lines]
    return found


_EXAMPLES = {
    "ipv": "one of ipv4, ipv6, eb",
    "table": "such as filter",
    "chain": "such as INPUT",
    "priority": "a whole number; 0 comes before 1",
    "args": "such as -i eth1 -d 224.0.0.0/8 -j ACCEPT",
}


def _ipv(value: Any, _ipv: Any, _table: Any) -> list[str]:
    if not isinstance(value, str) or value not in TABLES:
        raise ValueError(f"is none of {', '.join(TABLES)}")
    return [value]


def _table(value: Any, ipv: Any, _table: Any) -> list[str]:
    known = TABLES.get(ipv) if isinstance(ipv, str) else None
    tables = known if known is not None else {**_INET_CHAINS, **_BRIDGE_CHAINS}
    if not isinstance(value, str) or value not in tables:
        of = f" of {ipv}" if known is not None else ""
        raise ValueError(f"is none of the tables{of}: {', '.join(tables)}")
    return [value]


def _chain(value: Any, _ipv: Any, _table: Any) -> list[str]:
    right = f"a chain's name has 1 to {CHAIN_LENGTH} visible characters and starts with no - or !"
    if not isinstance(value, str):
        raise ValueError(f"is no text: {right}")
    if not re.fullmatch(rf"(?![-!])[!-~]{{1,{CHAIN_LENGTH}}}", value):
        raise ValueError(right)
    return [value]


def _priority(value: Any, _ipv: Any, _table: Any) -> list[str]:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]+", text):
        raise ValueError("is no whole number; 0 comes before 1")
    if not -_INT32 <= int(text) < _INT32:
        raise ValueError(f"is not within {-_INT32} and {_INT32 - 1}")
    return [str(int(text))]


def _args(value: Any, _ipv: Any, _table: Any) -> list[str]:
    right = f"give the words behind the chain, {_EXAMPLES['args']}"
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"{str(error).lower()}: close the quote") from None
    elif isinstance(value, (list, tuple)):
        wrong = [w for w in value if isinstance(w, bool) or not isinstance(w, (str, int))]
        if wrong:
            raise ValueError(f"holds {wrong[0]!r}, which is no word: quote it in the pillar")
        words = [str(word) for word in value]
    else:
        raise ValueError(f"is no text and no list: {right}")
    if not words:
        raise ValueError(f"is empty: {right}")
    for word in words:
        if not word or not word.isprintable():
            raise ValueError(f"holds {word!r}: a word may not be empty nor hold a line break")
        # firewalld hands such a word to iptables-restore in quotes, with no way to escape one.
        if '"' in word and re.search(r"\s", word):
            raise ValueError(f'holds {word!r}: firewalld cannot pass a blank together with a "')
    return words


_READERS = {
    "ipv": _ipv,
    "table": _table,
    "chain": _chain,
    "priority": _priority,
    "args": _args,
}


def _split(line: str, least: int) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise FirewallError(f"firewalld printed a line with a broken quote: {line!r}") from error
    if len(words) < least:
        raise FirewallError(f"firewalld printed a line that is no direct entry: {line!r}")
    return words


def _wrong(name: str, value: Any, reason: str) -> str:
    return f"{name} {value!r}: {reason}"
