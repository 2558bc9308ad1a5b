"""Reload several nodes at one second, or none of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from . import rollout
from .conductor import STATUS_SECONDS, WORK_SECONDS, Failed, World

#: Seconds from the order to the second it names, and more for each that the nodes took to answer
#: before: the order has to arrive, and a confirmation to come back.
LEAD_SECONDS = 6
LEAD_PER_SECOND = 4
LONGEST_LEAD = 90
#: When this little is left and not every node has confirmed, the order is taken back.
MARGIN_SECONDS = 3


def commit_together(
    world: World, nodes: Iterable[str], slowest: float
) -> dict[str, Mapping[str, Any]]:
    """``keepalived.commit`` on all *nodes* at the same second; what each returned.

    slowest: for how many seconds the nodes let us wait for an answer a moment ago.

    Every node has to confirm that it waits for that second.  Raises Failed when one does not in
    time (then the order was taken back on all), or when one says that it went wrong.
    """
    wanted = list(nodes)
    # At the beginning of a second, as keepalived's reload_time_file wants it.
    at = math.ceil(world.now() + min(LEAD_SECONDS + LEAD_PER_SECOND * slowest, LONGEST_LEAD))
    asked = world.aside(wanted, "keepalived.commit", WORK_SECONDS, at=at)
    missing = set(wanted)
    while missing and not asked.done() and world.now() < at - MARGIN_SECONDS:
        answers = world.ask(missing, "keepalived.waits_for", STATUS_SECONDS)
        missing -= {node for node, answer in answers.items() if answer.said == at}
        if missing:
            world.sleep(0.2)
    if missing and world.now() < at - 0.5:
        called = world.ask(wanted, "keepalived.call_off", STATUS_SECONDS, at=at)
        deaf = sorted(set(wanted) - set(called))
        text = f"{', '.join(sorted(missing))} did not confirm the common reload in time: "
        text += "it was called off"
        if deaf:
            text += f" (except on {', '.join(deaf)}, which does not answer)"
        early = _problems(wanted, asked.result())
        raise Failed("; ".join([text, *(each for each in early if "no answer" not in each)]))
    answers = asked.result()
    problems = _problems(wanted, answers)
    if problems:
        raise Failed("; ".join(problems))
    return {node: answers[node].said for node in wanted}


def let_it_pass(world: World, nodes: Iterable[str]) -> None:
    """Wait for the second that a master which is gone has named, and for what comes of it."""
    wanted = list(nodes)
    answers = world.ask(wanted, "keepalived.waits_for", STATUS_SECONDS)
    seconds = [each.said for each in answers.values() if isinstance(each.said, int)]
    if seconds:
        world.say("the nodes still wait for their common second")
    for at in seconds:
        world.sleep(max(0.0, at + 1 - world.now()))
    deadline = world.now() + WORK_SECONDS
    while world.now() < deadline:
        answers = world.ask(wanted, "keepalived.pending", STATUS_SECONDS)
        if not any(rollout.phase_of(each.said) == "reloading" for each in answers.values()):
            return
        world.sleep(1)


def _problems(nodes: Iterable[str], answers: Mapping[str, Any]) -> list[str]:
    found = []
    for node in nodes:
        said = answers[node].said if node in answers else None
        if not isinstance(said, Mapping):
            why = rollout.one_line(said) if said else "no answer"
            found.append(f"{node}: keepalived.commit: {why}")
    return found
