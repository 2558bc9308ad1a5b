"""Scenarios for the tracker, as data: the steps of a story, and what is told of them."""

TO_MASTER = ["line INSTANCE \"A\" BACKUP 100", "@3", "+ eth0 10.0.0.1",
             "line INSTANCE \"A\" MASTER 100"]  # fmt: skip
IS_MASTER = ["A None>BACKUP fifo gone", "A BACKUP>MASTER fifo held"]

SCENARIOS = {
    "start, promotion and stop, told by all three": (
        [*TO_MASTER, "dump A=MASTER", "@9", "resync A=MASTER",
         "- eth0 10.0.0.1", 'line INSTANCE "A" STOP 100', "gone"],
        [*IS_MASTER, "A MASTER>STOP fifo gone"],
    ),
    "without a FIFO the dump tells": (
        ["resync A=BACKUP", "@3", "+ eth0 10.0.0.1", "dump A=MASTER",
         "@3", "- eth0 10.0.0.1", "dump A=FAULT"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER json held", "A MASTER>FAULT json gone"],
    ),
    "without FIFO and dump the address tells": (
        ["blind", "+ eth0 10.0.0.1", "@1", "- eth0 10.0.0.1", "@1", "+ eth0 10.0.0.9"],
        ["A None>MASTER netlink held", "A MASTER>BACKUP netlink gone"],
    ),
    "with the address alone to go by, a faulty instance is not taken for a backup": (
        ['line INSTANCE "A" FAULT 100', "blind", "+ lo 10.0.0.1", "- lo 10.0.0.1"],
        ["A None>FAULT fifo gone"],
    ),
    "a flash on a third node is two transitions": (
        [*TO_MASTER, "- eth0 10.0.0.1", 'line INSTANCE "A" BACKUP 100'],
        [*IS_MASTER, "A MASTER>BACKUP fifo gone"],
    ),
    "a line repeated after a reload is no transition": (
        [*TO_MASTER, 'line INSTANCE "A" MASTER 100'],
        IS_MASTER,
    ),
    "a dump asked before a line came does not undo the line": (
        ["resync A=BACKUP", "@3", "+ eth0 10.0.0.1", 'line INSTANCE "A" MASTER 100', "@0.1",
         "dump@-0.2 A=BACKUP"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER fifo held"],
    ),
    "a line that was lost is made up for by the next dump": (
        ["resync A=BACKUP", "@3", "+ eth0 10.0.0.1", "@0.05", "dump A=MASTER"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER json held"],
    ),
    "INIT is no state to tell of": (["resync A=INIT", "resync A=BACKUP"],
                                    ["A None>BACKUP resync gone"]),
    "killed: the address stays, then somebody removes it": (
        [*TO_MASTER, "@5", "gone keepalived died", "@1", "gone keepalived died", "@60",
         "- eth0 10.0.0.1"],
        [*IS_MASTER, "A MASTER>ghost netlink held", "A MASTER>STOP netlink gone"],
    ),
    "killed and started again: the stale address is cleared by keepalived": (
        [*TO_MASTER, "@5", "gone", "@2", "found", "- eth0 10.0.0.1",
         'line INSTANCE "A" BACKUP 100'],
        [*IS_MASTER, "A MASTER>ghost netlink held", "A MASTER>BACKUP fifo gone"],
    ),
    "killed while it was a backup": (
        ["resync A=BACKUP", "gone"],
        ["A None>BACKUP resync gone", "A BACKUP>STOP netlink gone"],
    ),
    "stopped properly: its end is no second event": (
        ['line INSTANCE "A" STOP 100', "gone", "tick"],
        ["A None>STOP fifo gone"],
    ),
    "an instance removed by a reload": (
        [*TO_MASTER, "- eth0 10.0.0.1", 'line INSTANCE "A" FAULT 100', "@1", "empty"],
        [*IS_MASTER, "A MASTER>FAULT fifo gone", "A FAULT>DELETED resync gone"],
    ),
    "an instance removed by a reload, with notify_deleted": (
        ["resync A=BACKUP", 'line INSTANCE "A" DELETED 100', "@1", "empty"],
        ["A None>BACKUP resync gone", "A BACKUP>DELETED fifo gone"],
    ),
    "an instance removed and added again": (
        ["resync A=BACKUP", "@1", "empty", "@1", 'line INSTANCE "A" BACKUP 100'],
        ["A None>BACKUP resync gone", "A BACKUP>DELETED resync gone",
         "A DELETED>BACKUP fifo gone"],
    ),
    "a priority that changes is told, the same one is not": (
        ["resync A=BACKUP/100", 'line INSTANCE "A" BACKUP_PRIORITY 90', "@1", "resync A=BACKUP/90",
         "@1", "resync A=BACKUP/100"],
        ["A None>BACKUP resync gone", "A BACKUP>priority fifo gone",
         "A BACKUP>priority resync gone"],
    ),
    "a dump asked before a priority line does not undo it": (
        ["resync A=BACKUP/100", "@1", 'line INSTANCE "A" BACKUP_PRIORITY 90', "dump@-0.2 A=BACKUP"],
        ["A None>BACKUP resync gone", "A BACKUP>priority fifo gone"],
    ),
    "the address on another interface is not the instance's": (
        ["blind", "+ lo 10.0.0.1", "+ eth1 10.0.0.1"],
        ["A None>BACKUP netlink gone"],
    ),
    "what waited in the FIFO is told, without a word on addresses": (
        ["+ eth0 10.0.0.1", 'late INSTANCE "A" BACKUP 100', 'late INSTANCE "A" MASTER 100',
         "resync A=MASTER"],
        ["A None>BACKUP fifo -", "A BACKUP>MASTER fifo -"],
    ),
    "MASTER without its address is hollow, once, until it is back": (
        [*TO_MASTER, "- eth0 10.0.0.1", "tick", "@1.1", "tick", "resync A=MASTER", "tick", "@1",
         "resync A=MASTER", "tick", "+ eth0 10.0.0.1", "@3", "tick"],
        [*IS_MASTER, "A MASTER>hollow netlink gone", "A MASTER>restored netlink held"],
    ),
    "hollow ends with the state, too": (
        [*TO_MASTER, "- eth0 10.0.0.1", "@1.1", "resync A=MASTER", "tick",
         'line INSTANCE "A" BACKUP 100', "@3", "tick"],
        [*IS_MASTER, "A MASTER>hollow netlink gone", "A MASTER>BACKUP fifo gone"],
    ),
    "an address on a node that is not MASTER is a ghost, until it goes": (
        ["resync A=BACKUP", "@9", "+ eth0 10.0.0.1", "@1.1", "resync A=BACKUP", "tick", "@5",
         "tick", "- eth0 10.0.0.1", "@5", "tick"],
        ["A None>BACKUP resync gone", "A BACKUP>ghost netlink held",
         "A BACKUP>restored netlink gone"],
    ),
    "a ghost is told once, whatever becomes of an instance that is not MASTER": (
        ["resync A=FAULT", "@9", "+ eth0 10.0.0.1", "@1.1", "resync A=FAULT", "tick", "@5",
         'line INSTANCE "A" BACKUP 100', "@1.1", "resync A=BACKUP", "tick", "@5", "tick",
         "- eth0 10.0.0.1", "@5", "tick"],
        ["A None>FAULT resync gone", "A FAULT>ghost netlink held", "A FAULT>BACKUP fifo held",
         "A BACKUP>restored netlink gone"],
    ),
    "a keepalived that stops has no way back, though it closes its FIFO and answers no more": (
        [*TO_MASTER, 'line INSTANCE "A" STOP 100', "blind", "@1", "- eth0 10.0.0.1",
         "resync A=BACKUP", "@1", "gone"],
        [*IS_MASTER, "A MASTER>STOP fifo held"],
    ),
    "the next keepalived is believed again": (
        [*TO_MASTER, "- eth0 10.0.0.1", 'line INSTANCE "A" STOP 100', "@1", "gone", "@1",
         "found started", "@3", "resync A=BACKUP"],
        [*IS_MASTER, "A MASTER>STOP fifo gone", "A STOP>BACKUP resync gone"],
    ),
    "a line that was lost makes no ghost": (
        ["resync A=BACKUP", "@9", "+ eth0 10.0.0.1", "@1.1", "tick", "@5", "tick",
         "resync A=MASTER", "tick"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER resync held"],
    ),
    "a MASTER that is frozen when its address goes is hollow": (
        [*TO_MASTER, "- eth0 10.0.0.1", "@1.1", "frozen", "tick"],
        [*IS_MASTER, "A MASTER>hollow netlink gone"],
    ),
    "a contradiction of less than half a second is none": (
        [*TO_MASTER, "@9", "- eth0 10.0.0.1", "@0.3", "resync A=MASTER", "tick", "@0.1",
         'line INSTANCE "A" BACKUP 100', "@3", "tick"],
        [*IS_MASTER, "A MASTER>BACKUP fifo gone"],
    ),
    "a keepalived that has only begun is not faulty yet": (
        ["found started", "@0.1", "resync A=FAULT", "@0.1", 'line INSTANCE "A" BACKUP 100'],
        ["A None>BACKUP fifo gone"],
    ),
    "a keepalived that is still faulty after its start is": (
        ["found started", "@0.1", "resync A=FAULT", "@5", "resync A=FAULT"],
        ["A None>FAULT resync gone"],
    ),
    "a FIFO that was full": (
        ["resync A=BACKUP", "overflow"],
        ["A None>BACKUP resync gone", "node None>overflow fifo -"],
    ),
}  # fmt: skip

GROUP_SCENARIOS = {
    "keepalived's own lines": (
        ['line GROUP "G" BACKUP 0', 'line INSTANCE "A" BACKUP 100', 'line INSTANCE "B" BACKUP 100',
         "resync A=BACKUP B=BACKUP"],
        ["G None>BACKUP fifo -", "A None>BACKUP fifo gone", "B None>BACKUP fifo gone"],
    ),
    "without a FIFO the group has the state its members share": (
        ["resync A=BACKUP B=BACKUP", "+ eth0 10.0.0.1", "dump A=MASTER B=BACKUP", "+ eth1 10.0.0.2",
         "+ eth2 fd00::2", "dump A=MASTER B=MASTER"],
        ["A None>BACKUP resync gone", "B None>BACKUP resync gone", "G None>BACKUP resync -",
         "A BACKUP>MASTER json held", "B BACKUP>MASTER json held", "G BACKUP>MASTER json -"],
    ),
    "all members die with keepalived": (
        ["resync A=BACKUP B=BACKUP", "gone"],
        ["A None>BACKUP resync gone", "B None>BACKUP resync gone", "G None>BACKUP resync -",
         "A BACKUP>STOP netlink gone", "B BACKUP>STOP netlink gone", "G BACKUP>STOP netlink -"],
    ),
    "an address held only in part is not held": (
        ["resync A=BACKUP B=BACKUP", "+ eth1 10.0.0.2", 'line INSTANCE "B" MASTER 100'],
        ["A None>BACKUP resync gone", "B None>BACKUP resync gone", "G None>BACKUP resync -",
         "B BACKUP>MASTER fifo gone"],
    ),
}  # fmt: skip
