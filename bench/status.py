"""The screen of many clusters: what ``salt-run keepalived.status`` does beside waiting for nodes.

Simulated answers of clusters of three nodes, every tenth in trouble of some kind.  Measured: whom
to ask on the wire, the verdicts of all, the table as text, and a single cluster alone.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "salt" / "_utils"))

from keepalived_core.cluster import answerer, facts, status_table, table
from keepalived_core.cluster.facts import Answer, Evidence, Member

SIZES = (250, 500, 1000)
ROUNDS = 9
NODES = 3
NOW = 1_800_000_000.0
#: What may not be exceeded: seconds for the largest size, seconds for one cluster.
ALL_SECONDS, ONE_SECONDS = 2.0, 0.001
STRANGER = "52:54:00:00:00:01"
Said = dict[str, Any]


def mac(cluster: int, node: int) -> str:
    """The hardware address of a node."""
    return f"02:00:{cluster >> 8:02x}:{cluster & 255:02x}:00:{node:02x}"


def status(cluster: int, node: int, state: str, held: bool) -> Said:
    """What ``keepalived.status`` returns on a node, as large as in a real cluster."""
    high, low = divmod(cluster, 250)
    return {
        "node": f"c{cluster}n{node}",
        "cluster": f"cluster{cluster}",
        "time": "2027-01-15T08:00:00.000000+00:00",
        "keepalived": {"version": "2.2.7", "running": True, "pid": 7, "problem": None},
        "watch": {"running": True, "sources": ["netlink", "fifo", "json"], "delivery": "relay"},
        "drain": {"drained": False, "reason": None, "until": None, "problem": None},
        "interfaces": {
            "eth0": {"mac": mac(cluster, node + 16), "addresses": [f"192.0.2.{node}/24"]},
            "eth1": {"mac": mac(cluster, node), "addresses": [f"10.{high}.{low}.{node}/24"]},
        },
        "instances": [
            {
                "instance": "VI_PUBLIC",
                "sync_group": None,
                "state": state,
                "vrid": 52,
                "interface": "eth1",
                "base_priority": 100 + node,
                "effective_priority": 100 + node,
                "vips": [
                    {
                        "address": f"10.{high}.{low}.100/24",
                        "interface": "eth1",
                        "present": held,
                        "excluded": False,
                    }
                ],
                "vip_present": held,
                "since": "2027-01-15T07:00:00.000000+00:00",
                "family": "ipv4",
                "version": 2,
                "advert_int": 1.0,
                "auth_type": "none",
                "use_vmac": False,
                "adverts": {"received": 1000, "sent": 1, "rejected": {}},
            }
        ],
    }


def world(count: int) -> tuple[dict[str, list[Member]], dict[str, Answer], dict[str, Answer]]:
    """Clusters, what their nodes say, and who answers on the wire."""
    clusters, answers, replies = {}, {}, {}
    for cluster in range(count):
        names = [f"c{cluster}n{node}" for node in range(1, NODES + 1)]
        clusters[f"cluster{cluster}"] = [Member(name, ("VI_PUBLIC",)) for name in names]
        trouble = cluster // 10 % 5 if cluster % 10 == 0 else None
        for node, name in enumerate(names, 1):
            master = node == NODES or (trouble == 0 and node == 2)
            state = "FAULT" if trouble == 1 else "MASTER" if master else "BACKUP"
            if trouble == 2 and node == 1:
                continue
            answers[name] = Answer(status(cluster, node, state, state == "MASTER"), NOW - 0.5)
        high, low = divmod(cluster, 250)
        macs = [mac(cluster, NODES)] + [STRANGER] * (trouble == 3)
        heard = {"interface": "eth1", "macs": macs, "problem": None}
        own = {"interface": "eth1", "macs": [mac(cluster, NODES)], "problem": None}
        said = {f"10.{high}.{low}.100": heard, f"10.{high}.{low}.{NODES}": own}
        replies[names[0]] = replies[names[1]] = Answer(said, NOW - 0.2)
    return clusters, answers, replies


def screen(
    clusters: dict[str, list[Member]], answers: dict[str, Answer], replies: dict[str, Answer]
) -> tuple[dict[str, Any], str]:
    """All that the verb does with what it was told."""
    answerer.plan(facts.by_instance(found, answers, NOW) for found in clusters.values())
    data = facts.gather(clusters, answers, NOW, Evidence(replies, {}))
    return data, "\n".join(status_table.screen(data, table.Painter(True)))


def median(action: Callable[[], object], rounds: int) -> float:
    """Median processor seconds of *rounds* runs after one that does not count."""
    action()
    seconds = []
    for _ in range(rounds):
        begin = time.process_time()
        action()
        seconds.append(time.process_time() - begin)
    return statistics.median(seconds)


def main() -> int:
    print("| clusters | nodes | status ms | one cluster µs | growth |")
    print("| --- | --- | --- | --- | --- |")
    before: tuple[int, float] | None = None
    seconds = single = 0.0
    for count in SIZES:
        clusters, answers, replies = world(count)
        seconds = median(partial(screen, clusters, answers, replies), ROUNDS)
        # one that is split: the most is said of it
        (name, members), *_ = clusters.items()
        one = {name: members}
        single = median(
            partial(facts.gather, one, answers, NOW, Evidence(replies, {})), ROUNDS * 20
        )
        growth = f"{count / before[0]:g} x: {seconds / before[1]:.2f}" if before else ""
        print(
            f"| {count} | {count * NODES} | {seconds * 1000:.0f} | {single * 1e6:.0f} | {growth} |",
            flush=True,
        )
        before = count, seconds
    print(
        f"\nlimits: {SIZES[-1]} clusters in {ALL_SECONDS:g} s, one in {ONE_SECONDS * 1000:g} ms; "
        "growth: how many times the row before, in clusters and in time."
    )
    return int(seconds > ALL_SECONDS or single > ONE_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
