"""One node's part in an instance, and what is known of the nodes.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .incident_mark import Key, Mark, saved_key
from .saved import known

#: The next transition of a node that is here, but whose turn has not come yet.
Coming = Callable[[str], "Mark | None"]


class World(Protocol):
    """What is known of the nodes at the moment."""

    def expected(self, instance: str) -> frozenset[str]:
        """The members that shall run it."""

    def advert_us(self, instance: str) -> int:
        """Its ``advert_int``."""

    def confirmed_us(self, node: str) -> int:
        """Until when the node's word is known to be complete."""

    def waited_us(self, node: str) -> int:
        """For how long its word is awaited now."""

    def boot(self, node: str) -> str | None:
        """Which boot of its machine gave that word."""

    def unknown_us(self, node: str) -> int | None:
        """Since when the node is unknown; None while it is heard."""

    def back_us(self, node: str) -> int:
        """Since when the node is heard again, after it was unknown."""


@dataclass
class Track:
    """One node's part: its state, and what its last rows said."""

    node: str
    state: str
    since_us: int
    key: Key
    odd: str | None = None
    odd_us: int = 0
    odd_key: Key | None = None
    odd_reason: str | None = None
    planned: bool = False
    reason: str | None = None
    vips: list[str] = field(default_factory=list)
    vrid: int | None = None
    version: str | None = None
    boot: str | None = None
    #: It had the address when its machine stopped, which was started anew since.
    restarted: bool = False
    #: Why it was last in FAULT.
    fault: str | None = None
    lower_us: int = 0

    @property
    def claims(self) -> bool:
        """Whether a living keepalived there says that it is MASTER."""
        return self.state == "MASTER" and self.odd != "ghost"

    @property
    def holds(self) -> bool:
        """Whether the address is on its interface."""
        return self.odd == "ghost" or (self.state == "MASTER" and self.odd != "hollow")

    def outlived(self, mark: Mark) -> bool:
        """Whether its machine stopped while it had the address: its next row is of another boot."""
        return self.holds and bool(mark.boot and self.boot and mark.boot != self.boot)

    @classmethod
    def load(cls, saved: Mapping[str, Any]) -> Track:
        odd_key = saved["odd_key"]
        keys = {"key": saved_key(saved["key"]), "odd_key": odd_key and saved_key(odd_key)}
        return cls(**{**known(cls, saved), **keys})


def lasted(track: Track, until_us: int, world: World, coming: Coming) -> bool:
    """Whether the node is known to have been in this state until then.

    Its next row says so, or a later word of it; not what comes after its machine was started anew.
    """
    mark = coming(track.node)
    boot = mark.boot if mark is not None else world.boot(track.node)
    if boot and track.boot and boot != track.boot:
        return False
    return told_until(track, world, coming) >= until_us


def told_until(track: Track, world: World, coming: Coming) -> int:
    """Until when the node said that it is in this state: its next row, or its latest word."""
    mark = coming(track.node)
    return mark.time_us if mark is not None else world.confirmed_us(track.node)
