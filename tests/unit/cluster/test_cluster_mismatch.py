"""Settings that all nodes must run alike: what is compared, and who is the odd one."""

from __future__ import annotations

import pytest
from cluster_samples import WHEN, node_status

from keepalived_core.cluster.facts import Answer, Member, by_instance
from keepalived_core.cluster.mismatch import differences

MEMBERS = [Member(f"controller{n}", ("VI_PUBLIC",)) for n in (1, 2, 3)]
STOPPED = {"version": "2.2.7", "running": False, "pid": None, "problem": None}


def vips(*addresses: str, excluded: bool = False) -> dict:
    listed = [{"address": f"{each}/32", "present": False} for each in addresses[:1]]
    listed += [
        {"address": f"{each}/32", "present": False, "excluded": excluded} for each in addresses[1:]
    ]
    return {"vips": listed}


#: name: (what the nodes run besides, [(setting, text, the odd ones)])
CASES: dict[str, tuple[list[dict], list[tuple]]] = {
    "all alike": ([{}, {}, {}], []),
    "priorities may differ": ([{"base_priority": 1}, {"base_priority": 2}, {}], []),
    "one of three": (
        [{}, {"advert_int": 0.5}, {}],
        [
            (
                "advert_int",
                "advert_int differs: 1 s on controller1 controller3, 0.5 s on controller2",
                ("controller2",),
            )
        ],
    ),
    "all three, so nobody is the odd one": (
        [{"vrid": 51}, {"vrid": 52}, {"vrid": 53}],
        [
            (
                "vrid",
                "virtual_router_id differs: 51 on controller1, 52 on controller2, "
                "53 on controller3",
                ("controller1", "controller2", "controller3"),
            )
        ],
    ),
    "addresses in another order": (
        [vips("10.0.0.1", "10.0.0.2"), vips("10.0.0.2", "10.0.0.1"), vips("10.0.0.1", "10.0.0.2")],
        [],
    ),
    "an address too few": (
        [vips("10.0.0.1", "10.0.0.2"), vips("10.0.0.1", "10.0.0.2"), vips("10.0.0.1")],
        [
            (
                "vip_list",
                "virtual_ipaddress differs: controller1 controller2 has 10.0.0.2, "
                "controller3 has none of these",
                ("controller3",),
            )
        ],
    ),
    "an address that one node advertises and another one does not": (
        [vips("10.0.0.1", "10.0.0.2", excluded=True)] * 2 + [vips("10.0.0.1", "10.0.0.2")],
        [
            (
                "vip_list",
                "virtual_ipaddress differs: controller1 controller2 has none of these, "
                "controller3 has 10.0.0.2",
                ("controller3",),
            ),
            (
                "excluded",
                "virtual_ipaddress_excluded differs: controller1 controller2 has 10.0.0.2, "
                "controller3 has none of these",
                ("controller3",),
            ),
        ],
    ),
    "the most telling first": (
        [{}, {}, {"version": 3, "auth_type": "PASS"}],
        [
            (
                "version",
                "version differs: 2 on controller1 controller2, 3 on controller3",
                ("controller3",),
            ),
            (
                "auth_type",
                "auth_type differs: none on controller1 controller2, PASS on controller3",
                ("controller3",),
            ),
        ],
    ),
    "what a node does not tell": ([{}, {"version": None, "advert_int": "soon"}, {}], []),
    "what an older bundle's file says and nobody runs": ([{}, {"state": None, "vrid": 7}, {}], []),
}


@pytest.mark.parametrize(("besides", "found"), CASES.values(), ids=CASES)
def test_what_differs_is_named_with_who_has_what(besides: list[dict], found: list) -> None:
    answers = {
        f"controller{n}": Answer(node_status(n, **{"state": "BACKUP", **more}), WHEN)
        for n, more in enumerate(besides, 1)
    }
    (rows,) = by_instance(MEMBERS, answers, WHEN).values()

    assert [(each.setting, each.text, each.nodes) for each in differences(rows)] == found


def test_a_daemon_that_does_not_run_runs_nothing_else() -> None:
    stopped = node_status(1, "STOP", False, vrid=99)
    stopped["keepalived"] = STOPPED
    answers = {
        "controller1": Answer(stopped, WHEN),
        "controller2": Answer(node_status(2), WHEN),
        "controller3": Answer(node_status(3), WHEN),
    }
    (rows,) = by_instance(MEMBERS, answers, WHEN).values()

    assert differences(rows) == []


def test_many_addresses_are_not_all_named() -> None:
    many = [f"10.0.0.{n}" for n in range(1, 9)]
    answers = {
        "controller1": Answer(node_status(1, **vips(*many)), WHEN),
        "controller2": Answer(node_status(2, **vips("10.0.0.1")), WHEN),
    }
    (rows,) = by_instance(MEMBERS, answers, WHEN).values()

    (found,) = differences(rows)
    assert "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 and 3 more" in found.text
