"""VRRP as it happens: timers and adverts, tick by tick, told nothing of who should win.

A slow reference for predictions.  One advert interval is 256 ticks, so that a skew of one priority
is one tick (RFC 5798, 6.1); an advert arrives at once.  Timers that end in the same tick cross.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ADVERT = 256
NEVER = 1 << 40


@dataclass
class Peer:
    """A virtual router of one node.  address: decides between equals; delay: in ticks."""

    node: str
    slot: int
    priority: int
    nopreempt: bool = False
    delay: int = 0
    address: int = 0
    state: str = "BACKUP"
    wants: str = "BACKUP"
    timer: int = 0
    preempt_at: int | None = None

    def down(self) -> int:
        return 3 * ADVERT + 256 - self.priority


@dataclass
class Simulation:
    """groups: whether the routers of one node are a sync group."""

    peers: list[Peer]
    groups: bool = False
    now: int = 0
    sends: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for peer in self.peers:
            peer.timer = peer.down()

    def siblings(self, peer: Peer) -> list[Peer]:
        if not self.groups:
            return [peer]
        return [each for each in self.peers if each.node == peer.node]

    def owners(self, slot: int) -> list[str]:
        return [each.node for each in self.peers if (each.slot, each.state) == (slot, "MASTER")]

    def fault(self, peer: Peer) -> None:
        """It goes to FAULT with its group, and says goodbye where it was MASTER."""
        for each in self.siblings(peer):
            was, each.state = each.state, "FAULT"
            if was == "MASTER":
                for other in self.peers:
                    if other.slot == each.slot and other.state == "BACKUP":
                        other.timer = self.now + 256 - other.priority

    def run(self, ticks: int) -> None:
        end = self.now + ticks
        while self.now < end:
            self.now = min([end, *(max(self.now, self._next(peer)) for peer in self.peers)])
            due = [peer for peer in self.peers if self._due(peer)]
            for peer in due:
                self._expire(peer)
            # Whatever was sent in this tick has crossed.
            for peer in [each for each in due if each.state == "MASTER"]:
                self.sends[id(peer)] = self.now + ADVERT
            sent = [(each, each.priority) for each in due if each.state == "MASTER"]
            for sender, priority in sent:
                for peer in self.peers:
                    if peer.slot == sender.slot and peer.node != sender.node:
                        self._receive(peer, sender, priority)

    def _next(self, peer: Peer) -> int:
        """When it does something by itself."""
        if peer.state == "MASTER":
            return self.sends[id(peer)]
        return peer.timer if peer.state == "BACKUP" else NEVER

    def _due(self, peer: Peer) -> bool:
        return self._next(peer) <= self.now

    def _expire(self, peer: Peer) -> None:
        if peer.state != "BACKUP":
            return
        peer.wants = "MASTER"
        group = self.siblings(peer)
        if all(each.wants == "MASTER" or each.state == "MASTER" for each in group):
            for each in group:
                each.state = "MASTER"
                self.sends.setdefault(id(each), self.now)
                self.sends[id(each)] = min(self.sends[id(each)], self.now)
        peer.timer = self.now + peer.down()

    def _receive(self, peer: Peer, sender: Peer, priority: int) -> None:
        if peer.state == "BACKUP":
            waits = peer.delay and (peer.preempt_at is None or self.now < peer.preempt_at)
            if peer.nopreempt or priority >= peer.priority or waits:
                if priority >= peer.priority:
                    peer.preempt_at = None
                elif peer.delay and peer.preempt_at is None:
                    peer.preempt_at = self.now + peer.delay
                peer.timer = self.now + peer.down()
                peer.wants = "BACKUP"
        elif peer.state == "MASTER" and (priority, sender.address) > (peer.priority, peer.address):
            for each in self.siblings(peer):
                each.state = each.wants = "BACKUP"
                each.timer = self.now + each.down()
