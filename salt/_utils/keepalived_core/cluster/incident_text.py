"""Incidents in words: what caused one, why it is one, what is safe to do next.  Pure.

A cause says only what the rows say; its ``class`` is for machines, its ``text`` for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .incident_state import (
    ELECTION_ADVERTS,
    FLAP_US,
    FLAPS,
    LAME_US,
    OVERLAP_ADVERTS,
    SECOND,
    STEADY,
    Condition,
    Instance,
    Judged,
    election_us,
    lower_heard_us,
)
from .incident_track import Track

#: What each kind means, and the next step that is safe.
MEANING = {
    "split_brain": (
        f"Several nodes said that they are MASTER for more than {OVERLAP_ADVERTS} adverts, and "
        "each of them was heard saying so after that.",
        "Change nothing on the nodes yet. See on each owner whether adverts arrive (salt NODE "
        "keepalived.adverts) and whether the firewall lets VRRP through; the node with the lower "
        "priority is the one to drain, once the other is known to serve.",
    ),
    "ghost_vip": (
        "The address is on a node whose keepalived is not its MASTER, so that node answers for "
        "it and nobody there takes it away.",
        "See whether keepalived runs on that node; starting it again removes the address. "
        "Remove it by hand (ip address del) only when another node is MASTER.",
    ),
    "no_master": (
        f"No node had the address for longer than an election takes ({ELECTION_ADVERTS} adverts), "
        "or no node was left that could take it.",
        "See why each node is not ready (salt-run keepalived.status); repair the check or the "
        "service that keeps them in FAULT, on one node first.",
    ),
    "hollow_master": (
        "The MASTER does not have the address on its interface: no client gets an answer, and no "
        "peer takes over.",
        "Find out what removed the address (systemd-networkd and NetworkManager do); a restart "
        "of keepalived on that node puts it back or lets a peer take over.",
    ),
    "flapping": (
        f"A node lost its state {FLAPS} times within {FLAP_US // SECOND} s.",
        "Drain that node (salt-run keepalived.drain) so that the address stays where it is, then "
        "look for what the check or the link does.",
    ),
    "failover": (
        "The owner lost the address, nobody had planned that, and a node took it over.",
        "Nothing has to be done at once: the address has an owner. Repair what the cause names, "
        "so that there is a node to fail over to again.",
    ),
    "degraded": (
        f"The address has an owner, but another node could not take over for {LAME_US // SECOND} "
        "s or longer.",
        "Repair the node that is not ready; until then a failure of the owner may cost the "
        "address.",
    ),
}


def cause(
    condition: Condition, instance: Instance, judged: Mapping[str, Judged], clock_us: int
) -> dict[str, str] | None:
    """Why it is so, as far as rows say: ``{"class", "text"}``; None: nothing new is known."""
    advert_us = judged[instance.name].advert_us
    tracks = [instance.tracks[node] for node in condition.nodes if node in instance.tracks]
    silent = [node for each in judged.values() for node in each.silent]
    if condition.kind == "failover" and silent:
        names = ", ".join(sorted(set(silent)))
        return {
            "class": "silent",
            "text": f"{names} was MASTER and is not heard any more; another node took over",
        }
    if condition.kind == "split_brain":
        others = [each for node, each in instance.tracks.items() if node not in condition.nodes]
        return _of_split(tracks, others, condition.since_us, clock_us, advert_us)
    if condition.kind == "failover":
        return _of_failover(tracks)
    if condition.kind in ("degraded", "no_master"):
        return _of_lame(tracks, judged[instance.name].unknown, clock_us - election_us(advert_us))
    if condition.kind == "flapping":
        return _of_flapping(tracks)
    texts = [f"{each.node}: {each.odd_reason or 'no reason was told'}" for each in tracks]
    return {"class": condition.kind, "text": "; ".join(texts)}


def _of_split(
    tracks: Sequence[Track],
    others: Sequence[Track],
    since_us: int,
    clock_us: int,
    advert_us: int,
) -> dict[str, str]:
    lists = {frozenset(each.vips) for each in tracks if each.vips}
    if len(lists) > 1:
        differ = sorted(set().union(*lists) - frozenset.intersection(*lists))
        return {
            "class": "vip_list",
            "text": f"the owners' lists of addresses differ ({', '.join(differ[:8])}): they "
            "refuse each other's adverts",
        }
    vrids = {each.vrid for each in tracks if each.vrid is not None}
    if len(vrids) > 1:
        listed = ", ".join(str(each) for each in sorted(vrids))
        return {"class": "vrid", "text": f"the owners' virtual_router_id differ ({listed})"}
    hearing = [
        each.node
        for each in tracks
        if each.lower_us >= since_us - SECOND
        and lower_heard_us(each.lower_us, since_us, advert_us) <= clock_us
        # a third node that yielded at that moment is no owner: it was the one that was heard
        and not any(
            not other.claims and abs(other.since_us - each.lower_us) <= advert_us
            for other in others
        )
    ]
    if hearing:
        return {
            "class": "one_way",
            "text": f"{', '.join(hearing)} receives the adverts of an owner with lower priority, "
            "which should yield: it does not receive or does not accept those of its peer",
        }
    return {
        "class": "no_adverts",
        "text": "no owner told that it hears another one: adverts are lost on the way, dropped by "
        "a firewall, or refused (authentication, version, advert_int)",
    }


def _of_failover(tracks: Sequence[Track]) -> dict[str, str]:
    away = [each for each in tracks if not each.claims]
    if not away:
        # it has the address again
        texts = [f"{each.node} lost it and took it back" for each in tracks]
        return {"class": "owner_lost", "text": "; ".join(texts)}
    classes = {"FAULT": "fault", "STOP": "stopped", "DELETED": "removed"}
    first = away[0]
    if first.restarted:
        text = f"{first.node} was MASTER when its machine stopped, which was started anew since"
        return {"class": "silent", "text": text}
    word = "ghost" if first.odd == "ghost" else classes.get(first.state, "owner_lost")
    return {"class": word, "text": _because(first)}


def _of_lame(
    tracks: Sequence[Track], unknown: Sequence[str], before_us: int
) -> dict[str, str] | None:
    """before_us: who is ready since then would have become MASTER by now."""
    gone = [each.node for each in tracks if each.node in unknown]
    texts = [f"{node} is not heard any more" for node in gone]
    lame = [each for each in tracks if each.node not in unknown and each.state not in STEADY]
    texts += [_because(each) for each in lame]
    states = {each.state for each in lame} | ({"unknown"} if gone else set())
    words = {"FAULT": "fault", "STOP": "stopped"}
    (state,) = states if len(states) == 1 else ("",)
    word = words.get(state, "silent" if state == "unknown" else "several")
    ready = [each.node for each in tracks if each.state == "BACKUP" and not each.odd]
    if not texts and any(each.since_us > before_us for each in tracks if each.node in ready):
        # they are just coming back
        return None
    if not texts and len(ready) > 1:
        # a BACKUP that hears nobody becomes MASTER
        return {
            "class": "stranger",
            "text": f"{', '.join(ready)} are all BACKUP, so they hear adverts of a router that is "
            "no member of this cluster: another one has their virtual_router_id",
        }
    if ready and any(each.state != "BACKUP" for each in tracks):
        texts.append(f"{', '.join(ready)} stood ready and did not become MASTER")
    if not texts:
        return {"class": "no_election", "text": "a node is ready, and does not become MASTER"}
    return {"class": word, "text": "; ".join(texts)}


def _of_flapping(tracks: Sequence[Track]) -> dict[str, str]:
    texts = [
        f"{each.node} was in FAULT again and again: {each.fault}" if each.fault else _because(each)
        for each in tracks
    ]
    return {"class": "flapping", "text": "; ".join(texts)}


def _because(track: Track) -> str:
    if track.odd == "ghost":
        return f"{track.node}: {track.odd_reason or 'no reason was told'}"
    known = track.reason and track.reason != "unknown"
    return f"{track.node} is {track.state}: {track.reason if known else 'the reason is not known'}"


def not_ready(instances: Mapping[str, Instance], judged: Mapping[str, Judged]) -> dict[str, str]:
    """Which nodes could not take over, and why."""
    found: dict[str, str] = {}
    for name, one in sorted(judged.items()):
        for node, track in sorted(instances[name].tracks.items()):
            if node in one.unknown:
                found[node] = "not heard any more"
            elif node in one.silent:
                found[node] = "not heard since another node took over"
            elif track.odd:
                found.setdefault(node, f"{track.odd}: {track.odd_reason or 'no reason was told'}")
            elif track.state not in (*STEADY, "DELETED"):
                planned = " (planned)" if track.planned else ""
                found.setdefault(node, f"{track.state}: {track.reason or 'unknown'}{planned}")
    return found


def story(incident: Mapping[str, Any]) -> list[str]:
    """Why it is an incident, and what it cost, in plain sentences.

    incident
        As :meth:`incident_case.Incident.public` gives it.
    """
    meaning, _ = MEANING[str(incident["kind"])]
    told = [meaning]
    if incident["was"]:
        told.append(f"It began as {_words(incident['was'])} and became worse; it kept its id.")
    if incident["cause"]:
        told.append(f"What the rows say of the cause: {incident['cause']['text']}.")
    else:
        told.append("The rows say nothing of the cause.")
    told.append(
        f"Without an owner for {incident['seconds_without_owner']:.3f} s, with several for "
        f"{incident['seconds_several_owners']:.3f} s, by the nodes' clocks, which are taken to "
        "agree."
    )
    if not incident["exact"]:
        told.append(
            "A node was not heard during it: what it had or lacked meanwhile is not in these "
            "seconds."
        )
    if incident["planned"]:
        told.append("Some of it happened while a change was under way, and lasted too long.")
    if incident["state"] == "open":
        told.append("It is still open.")
    else:
        told.append(f"It ended at {incident['resolved']}, after {incident['seconds']:.3f} s.")
    return told


def next_step(incident: Mapping[str, Any]) -> str:
    """What is safe to do now."""
    if incident["state"] != "open":
        return "Nothing: it is over."
    return MEANING[str(incident["kind"])][1]


def _words(kinds: Sequence[str]) -> str:
    return ", then ".join(str(each).replace("_", " ") for each in kinds)
