"""Why an instance is as it is, by what two looks a moment apart have shown, and the next step."""

from __future__ import annotations

import pytest
from cluster_samples import VIP, WHEN, answers, node_status

from keepalived_core.cluster import facts, status_cause
from keepalived_core.cluster.facts import Answer, Evidence, Member
from keepalived_core.cluster.verdict import VERDICTS

STRANGER = "52:54:00:aa:bb:cc"
MEMBERS = {"controllers": [Member(f"controller{n}", ("VI_PUBLIC",)) for n in (1, 2, 3)]}


def two(low: dict | None = None, high: dict | None = None, third: dict | None = None) -> dict:
    """controller2 and controller3 claim it; what each says besides."""
    return {
        1: node_status(1, **(third or {})),
        2: node_status(2, "MASTER", **(low or {})),
        3: node_status(3, "MASTER", **(high or {})),
    }


def adverts(received: int, **rejected: int) -> dict:
    return {"adverts": {"received": received, "sent": 1, "rejected": rejected}}


def vips(*addresses: str) -> dict:
    return {"vips": [{"address": f"{each}/32", "present": True} for each in addresses]}


def frozen(number: int, held: bool) -> dict:
    said = node_status(number, None, held)
    said["keepalived"]["problem"] = "keepalived (pid 7) is stopped"
    return said


def down(number: int, note: str | None = None, **drain: object) -> dict:
    said = node_status(number, "FAULT")
    if drain:
        said["drain"] = drain
    return said


EXCLUDED = {"address": "10.0.0.1/24", "present": True, "excluded": True}
GOOD = {1: node_status(1), 2: node_status(2), 3: node_status(3, "MASTER")}
#: name: (before, now, what controller1 hears, verdict, class, part of the text, part of the next)
CASES = {
    "neither owner receives adverts": (
        two(),
        two(),
        answers(2, 3),
        "split brain",
        "no_adverts",
        "neither controller2 nor controller3 receives an advert",
        "salt controller2 keepalived_firewall.check",
    ),
    "one owner receives adverts, the other does not": (
        two(),
        two(high=adverts(12)),
        answers(2, 3),
        "split brain",
        "one_way",
        "controller3 receives adverts, controller2 receives none",
        "salt controller2 keepalived_firewall.check",
    ),
    "an owner refuses adverts for their password": (
        two(),
        two(low=adverts(10, auth_failure=2)),
        answers(2, 3),
        "split brain",
        "auth_pass",
        "controller2 refuses the adverts it receives (auth_failure +2)",
        "salt-run keepalived.audit controllers",
    ),
    "an owner refused adverts long ago": (
        two(low=adverts(10, auth_failure=2)),
        two(low=adverts(10, auth_failure=2)),
        answers(2, 3),
        "split brain",
        "no_adverts",
        "neither",
        "keepalived_firewall.check",
    ),
    "an owner was restarted between the looks": (
        two(low=adverts(500)),
        two(low=adverts(0)),
        answers(2, 3),
        "split brain",
        None,
        "",
        "salt-run keepalived.audit controllers",
    ),
    "the owners' numbers differ": (
        two(),
        two(low={"vrid": 53}),
        answers(2, 3),
        "split brain",
        "vrid",
        "virtual_router_id differs: 52 on controller1 controller3, 53 on controller2",
        "salt-run keepalived.audit controllers",
    ),
    "the owners' lists of addresses differ": (
        two(),
        two(low=vips(VIP, "192.168.1.221")),
        answers(2, 3),
        "split brain",
        "vip_list",
        "controller2 has 192.168.1.221",
        "salt-run keepalived.audit controllers",
    ),
    "the owners' versions differ": (
        two(),
        two(low={"version": 3}),
        answers(2, 3),
        "split brain",
        "version",
        "version differs: 2 on controller1 controller3, 3 on controller2",
        "salt-run keepalived.audit",
    ),
    "the owners' authentication differs": (
        two(),
        two(low={"auth_type": "PASS"}),
        answers(2, 3),
        "split brain",
        "auth_type",
        "PASS on controller2",
        "salt-run keepalived.audit",
    ),
    "in version 2 another advert_int divides them": (
        two(),
        two(low={"advert_int": 3.0}),
        answers(2, 3),
        "split brain",
        "advert_int",
        "3 s on controller2",
        "salt-run keepalived.audit",
    ),
    "in version 3 another advert_int does not": (
        two(),
        two({"advert_int": 3.0, "version": 3}, {"version": 3}, {"version": 3}),
        answers(2, 3),
        "split brain",
        "no_adverts",
        "neither",
        "keepalived_firewall.check",
    ),
    "what no advert names does not divide them either": (
        two(),
        two(low={"vips": [{"address": f"{VIP}/24", "present": True}, EXCLUDED]}),
        answers(2, 3),
        "split brain",
        "no_adverts",
        "neither",
        "keepalived_firewall.check",
    ),
    "a setting differs on a node that is no owner": (
        two(),
        two(third={"advert_int": 2.0}),
        answers(2, 3),
        "split brain",
        "no_adverts",
        "neither",
        "keepalived_firewall.check",
    ),
    "the old owner is frozen and keeps the address": (
        {**GOOD, 2: node_status(2, "MASTER"), 3: frozen(3, True)},
        {**GOOD, 2: node_status(2, "MASTER"), 3: frozen(3, True)},
        answers(2, 3),
        "split brain",
        "frozen",
        "controller3 holds the address, and keepalived (pid 7) is stopped",
        "see what stopped keepalived on controller3",
    ),
    "a stranger has the address": (
        None,
        GOOD,
        answers(3, also=(STRANGER,)),
        "split brain",
        "stranger",
        f"{STRANGER}, which answers for {VIP}, is a stranger's",
        "find that hardware address in the switch",
    ),
    "a node that is cut off has the address": (
        None,
        {1: node_status(1), 2: node_status(2, "MASTER"), 3: None},
        answers(2, 3),
        "split brain",
        "silent",
        f"answers for {VIP}, is controller3's",
        "reach controller3 by another way",
    ),
    "its keepalived was killed": (
        None,
        {**GOOD, 1: node_status(1, "STOP", True)},
        answers(1, 3),
        "ghost vip",
        "stopped",
        "keepalived does not run on controller1",
        "salt controller1 service.start keepalived",
    ),
    "somebody put it there": (
        None,
        {**GOOD, 1: node_status(1, "BACKUP", True)},
        answers(1, 3),
        "ghost vip",
        "ghost_vip",
        "controller1 is BACKUP and has the address",
        f"salt controller1 cmd.run 'ip address del {VIP}/24",
    ),
    "another node answers for it": (
        None,
        GOOD,
        answers(2, 3),
        "ghost vip",
        "answers",
        "controller2 has it on an interface keepalived does not know",
        "see where controller2 has it",
    ),
    "somebody removed it": (
        None,
        {**GOOD, 3: node_status(3, "MASTER", False)},
        answers(),
        "hollow master",
        "hollow_master",
        "removed from controller3",
        "salt controller3 service.restart keepalived",
    ),
    "the owner does not answer for it": (
        None,
        GOOD,
        answers(),
        "hollow master",
        "no_answer",
        "controller3 does not answer",
        "see what keeps controller3 from answering",
    ),
    "all checks fail": (
        None,
        {n: down(n) for n in (1, 2, 3)},
        answers(),
        "no master",
        "fault",
        "controller1 is FAULT; controller2 is FAULT; controller3 is FAULT",
        "salt controller1 keepalived.checks",
    ),
    "all are stopped": (
        None,
        {n: node_status(n, "STOP", False) for n in (1, 2, 3)},
        answers(),
        "no master",
        "stopped",
        "controller1 is STOP (keepalived does not run)",
        "salt controller1 service.start keepalived",
    ),
    "all are drained": (
        None,
        {n: down(n, drained=True, reason="disk") for n in (1, 2, 3)},
        answers(),
        "no master",
        "drained",
        "controller1 is drained: disk",
        "salt-run keepalived.undrain controller1",
    ),
    "one is stopped, one fails, one stands by": (
        None,
        {1: node_status(1), 2: down(2), 3: node_status(3, "STOP", False)},
        answers(),
        "no master",
        "several",
        "controller2 is FAULT; controller3 is STOP",
        "salt controller2 keepalived.checks",
    ),
    "a router that is no member makes them BACKUP": (
        None,
        {n: node_status(n) for n in (1, 2, 3)},
        answers(also=(STRANGER,), reached=0),
        "no master",
        "stranger",
        f"they hear a router that is none of them at {STRANGER}",
        "another router uses this virtual_router_id",
    ),
    "nobody can be asked": (
        None,
        {1: node_status(1), 2: node_status(2), 3: None},
        answers(),
        "unknown",
        "silent",
        "controller3 is unknown (no answer)",
        "salt controller3 test.ping",
    ),
    "settings differ while all is well": (
        None,
        {**GOOD, 1: node_status(1, advert_int=2.0)},
        answers(3),
        "mismatch",
        "advert_int",
        "advert_int differs: 2 s on controller1, 1 s on controller2 controller3",
        "salt-run keepalived.audit controllers",
    ),
    "a standby's check fails": (
        None,
        {**GOOD, 1: down(1)},
        answers(3),
        "degraded",
        "fault",
        "controller1 is FAULT",
        "salt controller1 keepalived.checks",
    ),
    "a standby is drained": (
        None,
        {**GOOD, 1: down(1, drained=True, reason="disk")},
        answers(3),
        "degraded",
        "drained",
        "controller1 is drained: disk",
        "salt-run keepalived.undrain controller1",
    ),
    "a standby is stopped": (
        None,
        {**GOOD, 1: node_status(1, "STOP", False)},
        answers(3),
        "degraded",
        "stopped",
        "controller1 is STOP",
        "salt controller1 service.start keepalived",
    ),
    "a standby is silent": (
        None,
        {**GOOD, 1: None},
        answers(3),
        "degraded",
        "silent",
        "controller1 is unknown",
        "salt controller1 test.ping",
    ),
    "all is well": (None, GOOD, answers(3), "ok", None, "", None),
}


def judged(before: dict | None, now: dict, heard: dict) -> dict:
    def said(statuses: dict, at: float) -> dict:
        return {f"controller{n}": Answer(one, at) for n, one in statuses.items() if one}

    replies = {node: Answer(heard, WHEN) for node in ("controller1", "controller2")}
    evidence = Evidence(
        replies,
        {"controller3": ["02:00:00:00:00:03"]},
        said(before, WHEN - 1.5) if before else None,
    )
    data = facts.gather(MEMBERS, said(now, WHEN), WHEN, evidence)
    (instance,) = data["clusters"][0]["instances"]
    return instance


@pytest.mark.parametrize(
    ("before", "now", "heard", "verdict", "word", "text", "step"), CASES.values(), ids=CASES
)
def test_the_cause_follows_from_the_evidence(
    before: dict | None,
    now: dict,
    heard: dict,
    verdict: str,
    word: str | None,
    text: str,
    step: str | None,
) -> None:
    found = judged(before, now, heard)

    assert found["verdict"] == verdict
    cause = found["cause"] or {"class": None, "text": ""}
    assert cause["class"] == word
    assert text in cause["text"]
    assert (step is None) == (found["next"] is None)
    assert (step or "") in (found["next"] or "")


def test_every_verdict_but_flapping_has_a_case_and_every_trouble_a_next_step() -> None:
    assert {case[3] for case in CASES.values()} == set(VERDICTS) - {"flapping"}
    for verdict in set(VERDICTS) - {"ok"}:
        assert status_cause.next_step(verdict, None, [], "c", [])


def test_without_a_second_look_nothing_is_said_of_adverts() -> None:
    assert judged(None, two(), answers(2, 3))["cause"] is None
