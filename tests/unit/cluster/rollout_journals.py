"""What the tests of rollouts start them with, and journals that do not do as they should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rollout_world import Died, World

from keepalived_core.cluster.journal import Journal, JournalError
from keepalived_core.cluster.rollout_run import Rollout

KINDS = ("safe", "cluster", "restart")


def rollout(world: World, journal: Journal) -> Rollout:
    return Rollout(world.members, journal, world, "root")


def first(fun: str, kind: str) -> int:
    """The moment before that is asked for, in a rollout that nothing disturbs."""
    world = World(kind)
    Rollout(world.members, Forgetful(), world, "root").start()
    return [asked for asked, _ in world.asked].index(fun)


def moments(kind: str) -> list[float]:
    """Every moment at which the master may die: before each question, and after its effect."""
    world = World(kind)
    Rollout(world.members, Forgetful(), world, "root").start()
    return [count + half for count in range(len(world.asked)) for half in (0, 0.5)]


class Forgetful:
    cluster = "controllers"

    def read(self) -> None:
        return None

    def write(self, data: dict) -> None:
        json.dumps(data)

    def forget(self) -> None:
        return None


class FullDisk(Journal):
    """Takes *writes* more; *forgets*: whether it can be removed."""

    writes = 0
    forgets = True

    def write(self, data: dict) -> None:
        if self.writes <= 0:
            raise JournalError(f"{self.path} cannot be written: No space left on device")
        self.writes -= 1
        super().write(data)

    def forget(self) -> None:
        if not self.forgets:
            raise JournalError(f"{self.path} cannot be removed: Input/output error")
        super().forget()


def deaths(kind: str, folder: Path) -> Iterator[tuple[float, World, Journal]]:
    """Rollouts whose master has died, one for each moment, with what it wrote."""
    for number, moment in enumerate(moments(kind)):
        world = World(kind, dies_at=moment)
        journal = Journal(folder / str(number), "controllers")
        with journal.locked("root", "a test", "now"), pytest.raises(Died):
            rollout(world, journal).start()
        world.dies_at = None
        yield moment, world, journal
