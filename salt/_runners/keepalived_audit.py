"""
What is wrong in a cluster, before it is felt
=============================================

``salt-run keepalived.audit`` compares pillar, files and running state of all nodes.  docs/audit.md
has every finding.  All judgement is in the library ``keepalived_core``; this module asks.
"""

from __future__ import annotations

import sys
import time

import salt.exceptions

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
from keepalived_master import ANSWER_SECONDS

from keepalived_core import audit_pillar
from keepalived_core.check import describe
from keepalived_core.cluster import audit as auditing
from keepalived_core.cluster import facts

__virtualname__ = "keepalived"

#: Seconds: keepalived -t, firewalld, and an advert interval to look on.  A node that works on it
#: longer is waited for.
FACTS_SECONDS = 10


def __virtual__():
    return __virtualname__


def audit(cluster=None):
    """
    Compare pillar, files and running state of all nodes of a cluster; the worst finding first.

    cluster (str, optional)
        Only this one (pillar ``keepalived:cluster``).

    Finds what would split the cluster or keep it from failing over: numbers that clash, members
    that differ, files that are not as the pillar says, a firewall that is closed, clocks that are
    off, and so on.  Each finding has a stable code; docs/audit.md explains all of them, and the
    schema of ``--out=json``.  Changes nothing; the nodes read their pillar anew.  A node that does
    not answer is a finding.  The exit status is 0 (nothing, or for your information), 1
    (warnings), 2 (errors) or 3 (no error is known, but not all nodes could be asked).

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.audit
        salt-run keepalived.audit controllers --out=json
    """
    master = keepalived_master.Master(__opts__, __salt__)
    everything, message = master.clusters()
    wanted = everything if cluster is None else {}
    if cluster is not None:
        wanted, message = master.clusters(cluster)
    mark = describe.marker()
    try:
        told = _ask(master, wanted)
        audited = [_cluster(master, name, members, told, mark) for name, members in wanted.items()]
        rest = {name: found for name, found in everything.items() if name not in wanted}
        neighbours = _neighbours(master, audited, rest, mark)
    except salt.exceptions.SaltException as error:
        return keepalived_master.complaint(error, retcode=3)
    data = auditing.audit(audited, time.time(), neighbours)
    return {"outputter": "keepalived", "data": {**data, "message": message}}


class _Told:
    """What the nodes returned."""

    def __init__(self, asked, status, gathered):
        self.asked, self.status, self.gathered = asked, status, gathered

    def node(self, member, pillar):
        answer = self.status.get(member.node)
        found = self.gathered.get(member.node)
        return auditing.Node(
            member.node,
            member.accepted,
            member.instances,
            status=answer.said if answer else None,
            asked=self.asked,
            answered=answer.at if answer else 0.0,
            facts=auditing.usable(found.said) if found else None,
            pillar=pillar,
        )


def _ask(master, clusters):
    nodes = sorted({each.node for found in clusters.values() for each in found if each.accepted})
    # Its time is read at once: how far its clock is off is known no better than this takes.
    asked = time.time()
    status = master.ask(nodes, "keepalived.status", ANSWER_SECONDS)
    # A node compares its file with the pillar it holds.
    master.ask(status, "saltutil.refresh_pillar", ANSWER_SECONDS, wait=True)
    return _Told(asked, status, master.ask(status, "keepalived.audit_facts", FACTS_SECONDS))


def _cluster(master, name, members, told, mark):
    pillars = keepalived_master.pillars_of(master, {name: members})[name]
    read = _read(pillars, told, mark)
    gathered = facts.gather({name: members}, told.status, time.time())
    (table,) = gathered["clusters"]
    return auditing.Cluster(
        name,
        tuple(told.node(each, read.nodes.get(each.node)) for each in members),
        tuple(table["instances"]),
        tuple(read.reach),
        read.mistakes,
    )


def _neighbours(master, audited, rest, mark):
    """Other clusters that use a number of these; where they are on the network they say."""
    used = auditing.numbers(audited)
    near = {}
    nobody = _Told(0.0, {}, {})
    for name, members in rest.items():
        pillars = {
            each.node: master.cached_pillar(each.node).get("keepalived") if each.accepted else None
            for each in members
        }
        read = _read(pillars, nobody, mark, reach=False)
        nodes = tuple(nobody.node(each, read.nodes.get(each.node)) for each in members)
        if used & auditing.numbers([auditing.Cluster(name, nodes)]):
            near[name] = (members, read)
    nodes = {each.node for members, _ in near.values() for each in members if each.accepted}
    found = _Told(0.0, {}, master.ask(nodes, "keepalived.audit_facts", FACTS_SECONDS))
    return [
        auditing.Cluster(
            name, tuple(found.node(each, read.nodes.get(each.node)) for each in members)
        )
        for name, (members, read) in near.items()
    ]


def _read(pillars, told, mark, reach=True):
    nodes = ",".join(pillars)
    addresses = __salt__["mine.get"](nodes, "keepalived.addresses", "list") if nodes else {}
    versions = {node: auditing.release_of(answer.said) for node, answer in told.status.items()}
    known = {node: version for node, version in versions.items() if node in pillars and version}
    return audit_pillar.read(pillars, known, addresses, mark, reach)
