"""Tracked things that cannot do what they are tracked for."""

from __future__ import annotations

from collections.abc import Iterator

from .fault import ERROR, INFO, TRACKS, WARNING, Facts, Fault, View
from .tree import Statement
from .values import number

# The address owner: keepalived lets no weight change this priority.
OWNER = "255"
_DEFAULT_PRIORITY = "100"
# What weights may make of a priority: 255 is the owner's, 0 means that a node leaves.
_LEAST, _MOST = 1, 254
_WEIGHTED = ("track_interface", *TRACKS)


def judge_tracks(view: View, facts: Facts) -> Iterator[Fault]:
    """Everything wrong with what one instance tracks."""
    own = view.value("interface")
    for line in view.lines("track_interface"):
        if line.keyword == own:
            yield Fault(
                "KA310",
                ERROR,
                line,
                (*view.path, "track_interface"),
                f"{own} is the instance's own interface, which is tracked anyway; keepalived "
                "ignores the line",
                "remove it",
            )
    for keyword in _WEIGHTED:
        for line in view.lines(keyword):
            weight, reverse = _weight(keyword, line, facts)
            if weight:
                yield from _weighed(view, facts, keyword, line, -weight if reverse else weight)


def _weighed(
    view: View, facts: Facts, keyword: str, line: Statement, weight: float
) -> Iterator[Fault]:
    """A track that shall change the priority: can it?"""
    path = (*view.path, keyword)
    priority = view.value("priority", _DEFAULT_PRIORITY)
    if keyword in TRACKS and priority == OWNER:
        why, hint = f"the address owner (priority {OWNER})", "write weight 0, or another priority"
    elif keyword in TRACKS and keyword != "track_process" and view.name in facts.grouped:
        # a weighted track_process counts there: seen on 2.2.7, which -t passes without a word
        why, hint = "a member of a sync group", "write weight 0, or track it in the sync group"
    else:
        yield from _in_vain(view, line, path, keyword, number(priority), weight)
        return
    yield Fault(
        "KA311",
        ERROR,
        line,
        path,
        f"{line.keyword} has weight {weight:g}, but {view.path[0]} is {why}; keepalived ignores "
        "the line",
        hint,
    )


def _in_vain(
    view: View,
    line: Statement,
    path: tuple[str, ...],
    keyword: str,
    priority: float | None,
    weight: float,
) -> Iterator[Fault]:
    """Weights that move nothing, as far as one node's file can tell."""
    if keyword == "track_file" or priority is None:
        return  # the file's value is a factor: nobody knows it here
    end = _MOST if weight > 0 else _LEAST
    if priority == end:
        yield Fault(
            "KA321",
            WARNING,
            line,
            path,
            f"{line.keyword} has weight {weight:g}, but the priority is {priority:g} and weights "
            f"cannot take it beyond {end}: its failure changes nothing",
            f"choose a priority further from {end}, or weight 0 so that a failure gives the "
            "address away",
        )
    elif "nopreempt" in view:
        yield Fault(
            "KA322",
            INFO,
            line,
            path,
            f"{line.keyword} has weight {weight:g}; where the other nodes have nopreempt as well, "
            "a lower priority here does not make one of them take the address",
            "write weight 0 if a failure shall give the address away",
        )


def _weight(keyword: str, line: Statement, facts: Facts) -> tuple[float, bool]:
    """The weight a tracked thing has here, given on the line, else where it is defined; and
    whether its meaning is reversed."""
    words = line.args
    if "weight" in words[:-1]:
        return number(words[words.index("weight") + 1]) or 0, "reverse" in words
    definition = facts.defined.get((keyword, line.keyword))
    given = definition.get("weight") if definition is not None else None
    if given is None or not given.args:
        return (1 if definition is not None and keyword == "track_file" else 0), False
    return number(given.args[0]) or 0, "reverse" in given.args
