"""Histories of three nodes and the incidents that they are, as data."""

from __future__ import annotations

from keepalived_core.cluster.incident_state import REMOVED

#: n3 is MASTER, the others stand by.
WHOLE = [(1, "n1", "BACKUP"), (1, "n2", "BACKUP"), (1, "n3", "BACKUP"), (5, "n3", "MASTER")]
FAULT = {"reason": "chk_haproxy failed"}
PLANNED = {"planned": True}
LOWERED = {"base_priority": 103, "effective_priority": 53, "reason": "a peer took over"}

BACK = [(140, "n3", "BACKUP"), (144, "n3", "MASTER"), (144.001, "n2", "BACKUP")]

#: name: (what happened after WHOLE, what was told).  All is well again by second 150.
CASES = {
    "nothing happens": ([], []),
    "a failed check moves the address": (
        [(100, "n3", "FAULT", FAULT), (100.6, "n2", "MASTER"), *BACK],
        ["failover opened", "failover resolved"],
    ),
    "keepalived is stopped by hand": (
        [(100, "n3", "STOP"), (100.6, "n2", "MASTER"), *BACK],
        ["failover opened", "failover resolved"],
    ),
    "a check lowers the owner's priority": (
        [
            (100, "n2", "MASTER"),
            (100.002, "n3", "BACKUP", LOWERED),
            (140, "n3", "MASTER"),
            (140.001, "n2", "BACKUP"),
        ],
        ["failover opened", "failover resolved"],
    ),
    "the address is removed by hand, and comes back on the same node": (
        [(100, "n3", "BACKUP", {"reason": REMOVED}), (100.61, "n3", "MASTER")],
        ["failover opened", "failover resolved"],
    ),
    "the address is removed by hand, and another node has it": (
        [(100, "n3", "BACKUP", {"reason": REMOVED}), (100.61, "n2", "MASTER"), *BACK[1:]],
        ["failover opened", "failover resolved"],
    ),
    "the owner goes back to a better node": (
        [(100, "n2", "MASTER"), (100.003, "n3", "BACKUP")],
        [],
    ),
    "it goes back, and the clock of the better node is behind": (
        [(100, "n3", "BACKUP"), (100.2, "n2", "MASTER")],
        [],
    ),
    "all backups flash": (
        [(100, "n2", "MASTER"), (100.001, "n2", "BACKUP"), (100.4, "n1", "MASTER"),
         (100.5, "n1", "BACKUP")],
        [],
    ),
    "a flash that ends in a fault": (
        [(100, "n2", "MASTER"), (100.5, "n2", "FAULT", FAULT), (105, "n2", "BACKUP")],
        [],
    ),
    "a second node flashes in a failover": (
        [(100, "n3", "FAULT", FAULT), (100.6, "n2", "MASTER"), (100.6, "n1", "MASTER"),
         (100.601, "n1", "BACKUP"), *BACK],
        ["failover opened", "failover resolved"],
    ),
    "a planned switchover": (
        [(100, "n3", "BACKUP", PLANNED), (100.6, "n2", "MASTER")],
        [],
    ),
    "a drain, and the end of it an hour later": (
        [(100, "n3", "FAULT", PLANNED), (100.6, "n2", "MASTER"),
         (140, "n3", "BACKUP", PLANNED), (144, "n3", "MASTER"), (144.001, "n2", "BACKUP")],
        [],
    ),
    "a drained node is switched off": (
        [(100, "n1", "STOP", PLANNED), (110, "n1", "silent"), (240, "n1", "heard")],
        [],
    ),
    "a rollout that restarts one after the other": (
        [(100, "n1", "STOP", PLANNED), (103, "n1", "BACKUP", PLANNED),
         (110, "n3", "STOP", PLANNED), (110.6, "n2", "MASTER"), (113, "n3", "BACKUP", PLANNED),
         (117, "n3", "MASTER"), (117.001, "n2", "BACKUP")],
        [],
    ),
    "two masters for long": (
        [(100, "n2", "MASTER"), (130, "n2", "BACKUP")],
        ["split_brain opened", "split_brain resolved"],
    ),
    "two masters for less than two adverts": (
        [(100, "n2", "MASTER"), (101.9, "n2", "BACKUP")],
        [],
    ),
    "two masters while a change is carried out": (
        [(99, "n1", "BACKUP", PLANNED), (100, "n2", "MASTER"), (120, "n2", "BACKUP")],
        [],
    ),
    "a check fails a moment after a peer was drained and undrained": (
        [(95, "n1", "priority", PLANNED), (100, "n3", "FAULT", FAULT), (100.6, "n2", "MASTER"),
         *BACK],
        ["failover opened", "failover resolved"],
    ),
    "a change that leaves two masters": (
        [(99, "n1", "priority", PLANNED), (100, "n2", "MASTER", PLANNED), (140, "n2", "BACKUP")],
        ["split_brain opened", "split_brain resolved"],
    ),
    "keepalived is killed, a peer takes over, keepalived is started again": (
        [(100, "n3", "ghost", {"reason": "keepalived was killed, 192.0.2.10 stayed"}),
         (103.1, "n2", "MASTER"), (120, "n3", "BACKUP"), (124, "n3", "MASTER"),
         (124.001, "n2", "BACKUP")],
        ["ghost_vip opened", "ghost_vip resolved"],
    ),
    "an address on a backup": (
        [(100, "n1", "ghost"), (110, "n1", "restored")],
        ["ghost_vip opened", "ghost_vip resolved"],
    ),
    "keepalived is killed, and there again within an advert": (
        [(100, "n3", "ghost"), (100.3, "n3", "BACKUP"), (101, "n2", "MASTER"), *BACK[1:]],
        ["failover opened", "failover resolved"],
    ),
    "the master has no address": (
        [(100, "n3", "hollow", {"reason": "192.0.2.10 is missing"}), (110, "n3", "restored")],
        ["hollow_master opened", "hollow_master resolved"],
    ),
    "the master has no address, and another node takes over": (
        [(100, "n3", "hollow", {"reason": "192.0.2.10 is missing"}), (103.2, "n2", "MASTER"),
         (120, "n3", "BACKUP"), (120.1, "n3", "restored")],
        ["hollow_master opened", "hollow_master resolved"],
    ),
    "all checks fail at once": (
        [(100, "n3", "FAULT", FAULT), (100.1, "n2", "FAULT", FAULT), (100.2, "n1", "FAULT", FAULT),
         (130, "n1", "BACKUP"), (130.1, "n2", "BACKUP"), (130.2, "n3", "BACKUP"),
         (134, "n3", "MASTER")],
        ["no_master opened", "no_master resolved"],
    ),
    "a stranger with the same virtual_router_id is MASTER": (
        [(100, "n3", "BACKUP"), (110, "n3", "MASTER")],
        ["no_master opened", "no_master resolved"],
    ),
    "an election that takes its time": (
        [(100, "n3", "STOP"), (103.9, "n2", "MASTER"), *BACK],
        ["failover opened", "failover resolved"],
    ),
    "a backup fails for long": (
        [(100, "n1", "FAULT", FAULT), (130, "n1", "BACKUP")],
        ["degraded opened", "degraded resolved"],
    ),
    "a backup fails for a moment": (
        [(100, "n1", "FAULT", FAULT), (105, "n1", "BACKUP")],
        [],
    ),
    "a check that flaps on a backup": (
        [(100 + 4 * turn + part, "n1", *(("FAULT", FAULT), ("BACKUP",))[part // 2])
         for turn in range(6) for part in (0, 2)],
        ["flapping opened", "flapping resolved"],
    ),
    "a node dies, and comes back": (
        [(100, "n3", "silent"), (103.6, "n2", "MASTER"), (150, "n3", "heard"),
         (150, "n3", "BACKUP", {"boot": "the next"}), (154, "n3", "MASTER"),
         (154.001, "n2", "BACKUP")],
        ["failover opened", "failover resolved"],
    ),
    "a backup is not heard any more": (
        [(100, "n1", "silent"), (160, "n1", "heard")],
        ["degraded opened", "degraded resolved"],
    ),
    "the owner cannot be heard, nobody takes over": (
        [(100, "n3", "silent"), (160, "n3", "heard")],
        ["degraded opened", "degraded resolved"],
    ),
    "the master of Salt is cut off from all": (
        [(100, node, "silent") for node in ("n1", "n2", "n3")]
        + [(160, node, "heard") for node in ("n1", "n2", "n3")],
        [],
    ),
    "a failover that gets worse keeps its id": (
        [(100, "n3", "FAULT", FAULT), (100.6, "n2", "MASTER"), (120, "n1", "MASTER"),
         (140, "n1", "BACKUP"), (145, "n3", "BACKUP")],
        ["failover opened", "split_brain opened", "split_brain resolved"],
    ),
}  # fmt: skip
