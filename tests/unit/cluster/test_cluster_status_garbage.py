"""What nodes say is not trusted: whatever their answers hold, there is a screen."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from cluster_samples import WHEN, answers, node_status
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core.cluster import answerer, facts, table
from keepalived_core.cluster.facts import Answer, Evidence, Member
from keepalived_core.cluster.verdict import VERDICTS

MEMBERS = {"controllers": [Member(f"controller{n}", ("VI_PUBLIC",)) for n in (1, 2, 3)]}
STATUSES = {f"controller{n}": node_status(n, "MASTER" if n == 3 else "BACKUP") for n in (1, 2, 3)}
REPLY = answers(3)

SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.sampled_from(["", "\x1b[2J", "MASTER", "192.168.1.220/33", "x" * 5000, "::1%eth0", "é\n"])
)
GARBAGE = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Every place in plain data where something else could stand."""
    if isinstance(value, dict):
        keys: Any = value.items()
    elif isinstance(value, list):
        keys = enumerate(value)
    else:
        keys = ()
    return [path, *(place for key, one in keys for place in places(one, (*path, key)))]


def replaced(value: Any, path: tuple, garbage: Any) -> Any:
    if not path:
        return garbage
    made = copy.deepcopy(value)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = garbage
    return made


def screen(statuses: dict, reply: Any, before: dict | None = None) -> tuple[dict, str]:
    told = {node: Answer(said, WHEN) for node, said in statuses.items()}
    answerer.plan(facts.by_instance(each, told, WHEN) for each in MEMBERS.values())
    replies = {node: Answer(reply, WHEN) for node in statuses}
    first = {node: Answer(said, WHEN - 1.5) for node, said in (before or statuses).items()}
    data = facts.gather(MEMBERS, told, WHEN, Evidence(replies, {}, first))
    return data, table.render(data) or ""


def check(data: dict, text: str) -> None:
    assert data["verdict"] in VERDICTS
    json.dumps(data)
    assert all(char == "\n" or char.isprintable() for char in text)


@pytest.mark.parametrize("node", ["controller1", "controller3"])
@pytest.mark.parametrize(
    "garbage", [None, True, -1, "\x1b[2J", [], {}, [[]], {"a": None}], ids=repr
)
def test_garbage_in_each_place_of_a_status(node: str, garbage: Any) -> None:
    for path in places(STATUSES[node]):
        broken = {**STATUSES, node: replaced(STATUSES[node], path, garbage)}
        check(*screen(broken, REPLY))
        check(*screen(STATUSES, REPLY, broken))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_garbage_in_any_place(data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(sorted(STATUSES)))
    path = data.draw(st.sampled_from(places(STATUSES[node])))
    where = data.draw(st.sampled_from(places(REPLY)))
    broken = {**STATUSES, node: replaced(STATUSES[node], path, data.draw(GARBAGE))}

    check(*screen(broken, replaced(REPLY, where, data.draw(GARBAGE))))
