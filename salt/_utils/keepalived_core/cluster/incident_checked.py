"""What an audit of this moment says of an open incident's cause.  Pure.

Rows tell what keepalived did; which of the members differs, whose firewall is shut and who hears
whom only a look at the nodes can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Codes of an audit that can be why an incident is there, the surest first, and the class of cause.
CAUSES = {
    "vrid-mismatch": "vrid",
    "family-mismatch": "family",
    "vrrp-version-mismatch": "version",
    "transport-mismatch": "transport",
    "unicast-peer-missing": "transport",
    "vip-mismatch": "vip_list",
    "auth-mismatch": "authentication",
    "advert-mismatch": "advert_int",
    "vrid-clash": "stranger",
    "vrid-stranger": "stranger",
    "firewall-closed": "firewall",
    "firewall-stale": "firewall",
    "keepalived-mute": "frozen",
    "keepalived-stopped": "stopped",
    "second-master": "one_way",
    "adverts-refused": "refused",
    "adverts-not-heard": "no_adverts",
    "networkd-removes-addresses": "removed",
    "networkmanager-removes-addresses": "removed",
}
_SHOWN = ("code", "severity", "nodes", "text", "do")
_ORDER = {code: place for place, code in enumerate(CAUSES)}


def checked(incident: Mapping[str, Any], audited: Mapping[str, Any]) -> dict[str, Any]:
    """What of an audit concerns an incident.

    incident
        As :meth:`incident_case.Incident.public` gives it.
    audited
        What ``salt-run keepalived.audit`` of its cluster returned as data.

    Returns ``{"time", "cause", "findings", "problem"}``: ``cause`` is the class that the surest
    finding stands for, None when there is none; ``problem`` says why nothing is known, or is None.
    """
    if "findings" not in audited:
        problem = str(audited.get("message") or "the audit gave no answer")
        return {"time": None, "cause": None, "findings": [], "problem": problem}
    instances = set(incident["instances"])
    found = sorted(
        (
            each
            for each in audited["findings"]
            if each["code"] in CAUSES and each["instance"] in (None, *instances)
        ),
        key=lambda each: _ORDER[each["code"]],
    )
    return {
        "time": audited["time"],
        "cause": CAUSES[found[0]["code"]] if found else None,
        "findings": [{name: each[name] for name in _SHOWN} for each in found],
        "problem": None,
    }
