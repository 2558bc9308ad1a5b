"""What one node knows that an audit of its cluster needs; nothing is changed, nothing is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import conf
from . import plan as planning
from .check import describe as describing
from .conf.tree import Block, Container, Tree
from .node import audit_host, dump, process, verify
from .node.apply import differences
from .node.paths import DEFAULT, Paths
from .node.state import Instance

SCHEMA = 1
#: A node hears its master once an advert interval; so many of them show whether it does.
LOOK_ON = 1.3
#: Seconds.  Where adverts are farther apart, whether they come is left unsaid.
LONGEST = 5.0
#: What a release of keepalived may do badly; the words an audit asks for, and no other.
WORDS = ("SMTP_CHECK",)
#: A sync group that has one member.
LONE_GROUP = "vrrp_sync_group with one member"


class Gathered:
    """The facts that could be had, and why the others could not.

    Nothing raises: a fact that is not there is named in ``missing``.
    """

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.missing: dict[str, str] = {}

    def add(self, name: str, ask: Callable[[], Any]) -> Any:
        """What *ask* returns; None, and a word in ``missing``, when it raises."""
        try:
            self.facts[name] = ask()
        except Exception as err:
            self.facts[name] = None
            self.missing[name] = conf.redact(str(err).strip()) or type(err).__name__
        return self.facts[name]


def written(paths: Paths, pillar: Tree | None, mark: describing.Mark) -> dict[str, Any]:
    """What keepalived.conf says: ``{"path", "changed", "instances", "words"}``.

    pillar: what it should say, or None.  In the place of a secret stands whether it is the one of
    the pillar (None: not known).  Raises OSError, ConfError.
    """
    tree = _live(paths)
    changed = paths.config.stat().st_mtime
    wanted = {} if pillar is None else _by_name(describing.describe(pillar, mark))
    instances = describing.describe(tree, mark)
    for one in instances:
        if one["auth"] is not None:
            other = (wanted.get(one["instance"]) or {}).get("auth")
            same = None if pillar is None else (other or {}).get("mark") == one["auth"]["mark"]
            one["auth"] = {"type": one["auth"]["type"], "as_pillar": same}
    return {
        "path": str(paths.config),
        "changed": _rfc3339(changed),
        "instances": instances,
        "words": _words(tree),
    }


def running(
    paths: Paths = DEFAULT, sleep: Callable[[float], None] = time.sleep
) -> dict[str, dict[str, Any]]:
    """What keepalived runs, and what it hears while one looks on for an advert interval.

    Returns ``{instance: {"state", "effective_priority", "family", "seconds", "heard": adverts
    accepted in that time, "rejected": {counter: {"total", "grew"}}, and what ``verify.facts``
    names}}``.  Raises DumpUnavailable.
    """
    first = _by_instance(dump.read_json(paths).instances)
    longest = max((one.advert_interval or 1.0 for one in first.values()), default=0.0)
    seconds = min(LONGEST, LOOK_ON * longest)
    begin = time.monotonic()
    sleep(seconds)
    second = _by_instance(dump.read_json(paths).instances)
    seconds = max(seconds, time.monotonic() - begin)
    found = process.version()
    counters = verify.rejections(found.tuple if found else None)
    return {
        name: {
            **verify.facts(one),
            "state": one.state,
            "was": first[name].state if name in first else None,
            "effective_priority": one.effective_priority,
            "family": {"ipv6": 6, "ipv4": 4}.get(str(one.family)),
            "seconds": round(seconds, 2),
            "heard": _grown(first.get(name), one, "advert_rcvd"),
            "rejected": {
                counter: {
                    "total": one.stats[counter],
                    "grew": _grown(first.get(name), one, counter),
                }
                for counter in counters
                if one.stats.get(counter)
            },
        }
        for name, one in second.items()
    }


def not_loaded(paths: Paths, runs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How what runs differs from what the file says, a sentence a value; of what a dump shows."""
    return differences(
        planning.expected_of(_live(paths)), {name: dict(one) for name, one in runs.items()}
    )


def host(described: Iterable[Mapping[str, Any]], root: Path = Path("/")) -> Gathered:
    """The facts around keepalived: links, sysctl, binds, managers (see ``audit_host``)."""
    known = list(described)
    virtual = {vip for one in known for vip in [*one["vips"], *one["excluded"]]}
    interfaces = sorted({str(one["interface"]) for one in known if one["interface"]})
    found = Gathered()
    found.add("links", lambda: audit_host.links(virtual))
    found.add("sysctl", lambda: audit_host.sysctls(interfaces, root))
    found.add("binds", lambda: audit_host.binds(virtual, root))
    found.add("managers", lambda: audit_host.managers(interfaces, root))
    return found


def _live(paths: Paths) -> Tree:
    text = paths.config.read_text(encoding="utf-8", errors="surrogateescape")
    return conf.effective(text, str(paths.config), strict=False)


def _words(tree: Tree) -> list[str]:
    found = set()

    def walk(container: Container) -> None:
        for line in container.statements():
            if line.keyword in WORDS:
                found.add(line.keyword)
            if isinstance(line, Block):
                walk(line)

    walk(tree)
    for block in tree.blocks("vrrp_sync_group"):
        members = [
            word
            for part in block.blocks("group")
            for line in part.statements()
            for word in line.words
        ]
        if len(members) == 1:
            found.add(LONE_GROUP)
    return sorted(found)


def _grown(first: Instance | None, second: Instance, counter: str) -> int:
    before = first.stats.get(counter, 0) if first is not None else 0
    return max(0, second.stats.get(counter, 0) - before)


def _by_instance(instances: Iterable[Instance]) -> dict[str, Instance]:
    return {one.name: one for one in instances}


def _by_name(described: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["instance"]: one for one in described}


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
