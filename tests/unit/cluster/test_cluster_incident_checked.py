"""What an audit says of an open incident: only what can be its cause, the surest first."""

from __future__ import annotations

import pytest

from keepalived_core.cluster.audit_codes import CODES
from keepalived_core.cluster.incident_checked import CAUSES, checked

INCIDENT = {"instances": ["VI_1"]}


def finding(code: str, instance: str | None = "VI_1", **more) -> dict:
    return {
        "code": code, "severity": "error", "nodes": ["n1"], "text": "seen", "do": "this",
        "instance": instance, "cluster": "c", "why": "because", "seen": {}, **more,
    }  # fmt: skip


def audited(*findings: dict) -> dict:
    return {"time": "2026-11-25T10:00:00Z", "findings": list(findings)}


def test_every_code_that_it_knows_is_one_of_the_audit() -> None:
    assert set(CAUSES) <= set(CODES)


@pytest.mark.parametrize(
    ("findings", "codes", "cause"),
    [
        ([], [], None),
        ([finding("auth-mismatch")], ["auth-mismatch"], "authentication"),
        (
            [finding("adverts-refused"), finding("advert-mismatch")],
            ["advert-mismatch", "adverts-refused"],
            "advert_int",
        ),
        ([finding("firewall-closed", None)], ["firewall-closed"], "firewall"),
        ([finding("vip-mismatch", "VI_2")], [], None),
        ([finding("clock-skew", None), finding("priority-tie")], [], None),
    ],
)
def test_what_can_be_its_cause_is_shown_the_surest_first(findings, codes, cause) -> None:
    said = checked(INCIDENT, audited(*findings))

    assert [each["code"] for each in said["findings"]] == codes
    assert (said["cause"], said["problem"]) == (cause, None)


def test_without_an_audit_it_says_why() -> None:
    said = checked(INCIDENT, {"kind": "message", "message": "no minion answers"})
    assert (said["cause"], said["problem"]) == (None, "no minion answers")
