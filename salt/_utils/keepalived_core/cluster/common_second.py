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
#: When this little is left no node is asked any more whether it waits.
MARGIN_SECONDS = 3
#: An answer that is under way is waited for until the order can only just be taken back: so much
#: before the second, and as long as the nodes take to hear of it.
CALL_OFF_SECONDS = 1
_LOOK = 0.02


def commit_together(
    world: World, nodes: Iterable[str], slowest: float
) -> dict[str, Mapping[str, Any]]:
    """``keepalived.commit`` on all *nodes* at the same second; what each returned.

    slowest: for how many seconds the nodes let us wait for an answer a moment ago.

    Every node has to confirm that it waits for that second.  Raises Failed when one does not in
    time (then the order was taken back on all), or when one says that it went wrong.
    """
    wanted = list(nodes)
    lead = min(LEAD_SECONDS + LEAD_PER_SECOND * slowest, LONGEST_LEAD)
    # At the beginning of a second, as keepalived's reload_time_file wants it.
    at = math.ceil(world.now() + lead)
    last = at - CALL_OFF_SECONDS - min(slowest, lead / LEAD_PER_SECOND)
    asked = world.aside(wanted, "keepalived.commit", WORK_SECONDS, at=at)
    missing = set(wanted)
    while missing and not asked.done() and world.now() < min(at - MARGIN_SECONDS, last):
        # Aside: a node that is gone costs more than is left, and the order must be taken back.
        question = world.aside(missing, "keepalived.waits_for", STATUS_SECONDS)
        while not question.done() and world.now() < last:
            world.sleep(_LOOK)
        if not question.done():
            break
        missing -= {node for node, answer in question.result().items() if answer.said == at}
        if missing:
            world.sleep(0.2)
    if missing:
        called = world.ask(wanted, "keepalived.call_off", STATUS_SECONDS, at=at)
        deaf = sorted(set(wanted) - set(called))
        # A question that was given up does not tell who had an answer; this one does.
        silent = sorted(missing.intersection(deaf) or missing)
        text = f"{', '.join(silent)} did not confirm the common reload in time: it was called off"
        if deaf:
            text += f" (except on {', '.join(deaf)}, which does not answer)"
        # One that is gone would be waited for as long as for a reload.
        early = _problems(wanted, asked.result()) if not deaf or asked.done() else []
        if deaf or early:  # else all were in time after all
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
