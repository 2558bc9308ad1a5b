"""
Change a live cluster from the master
=====================================

``rollout`` brings a whole cluster to its pillar without losing an address, ``drain``,
``undrain`` and ``switchover`` move addresses on purpose, ``failover_test`` there and back,
``upgrade`` renews the package.  What they print, what they refuse, and what to do when one stops
midway is in docs/rollout.md (of a failover test: docs/audit.md).

All judgement is in the library ``keepalived_core.cluster``; this module asks and acts.
"""

from __future__ import annotations

import concurrent.futures
import logging
import pathlib
import sys
import time
from urllib import parse

import salt.exceptions
import salt.utils.event
import salt.utils.user

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master

from keepalived_core.cluster import clock, conductor, moving, rollout_run
from keepalived_core.cluster import failover_test as testing
from keepalived_core.cluster import upgrade as upgrading
from keepalived_core.cluster.journal import Journal, JournalError, Locked

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"
__func_alias__ = {"upgrade_": "upgrade"}


def __virtual__():
    return __virtualname__


def rollout(cluster, test=False, resume=False, undo=False, raw=False):
    """
    Bring every node of a cluster to what its pillar says, without losing an address.

    cluster (str)
        Its name (pillar ``keepalived:cluster``).
    test (bool)
        Only say what would be done, in which order, and what stands in the way.
    resume (bool)
        Finish a rollout that broke off because the master died or the run was ended.
    undo (bool)
        Put back what such a rollout has changed.
    raw (bool)
        Return plain data, for an orchestrate SLS (``keepalived.orch.rollout``).

    Nothing is written before every node is reachable and healthy, has exactly one master per
    instance, a clock within a second, and would take its new configuration.  A change that all
    nodes must have at once is reloaded by all at one second; any other goes node by node, the
    master last, each step verified.  When a step fails all nodes are put back.  The exit status
    is 0 (done, or nothing to do), 1 (refused, nothing changed), 2 (failed and put back) or 3
    (failed, and not all is as it was).

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.rollout controllers test=True
        salt-run keepalived.rollout controllers
        salt-run keepalived.rollout controllers resume=True
    """
    if bool(resume) + bool(undo) + bool(test) > 1:
        return _complain("give one of test, resume and undo", raw)

    def work(members, journal, world, who):
        run = rollout_run.Rollout(members, journal, world, who)
        return run, (run.resume if resume else run.undo if undo else lambda: run.start(bool(test)))

    return _conduct(cluster, "a rollout", work, raw)


def drain(node, reason=None, expires=None, mode="auto", force=False):
    """
    Give a node's addresses to its peers, until ``undrain``.

    node (str)
        The minion.
    reason (str, optional)
        Why; status shows it.
    expires (str or int, optional)
        When it shall end by itself (``90s``, ``2h``, ``2026-11-22T18:00:00Z``; never a bare
        ``18:00``, see ``salt NODE keepalived.drain``).
    mode (str)
        ``auto``, ``weight`` or ``fault``, as of ``salt NODE keepalived.drain``.
    force (bool)
        Also when no healthy peer would take over; the address may then be on no node.

    The peers are asked first.  Shows before and after, and for how long an address was on no node.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.drain controller3 reason='new disk' expires=2h
    """
    how = {"reason": reason, "expires": expires, "mode": mode, "force": bool(force)}

    def work(members, journal, world, who):
        run = moving.Moving(members, journal, world, who)
        return run, lambda: run.drain(str(node), **how)

    return _conduct(_cluster_of(str(node)), f"the drain of {node}", work)


def undrain(node):
    """
    End the drain of a node: it may take addresses again.

    node (str)
        The minion.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.undrain controller3
    """

    def work(members, journal, world, who):
        run = moving.Moving(members, journal, world, who)
        return run, lambda: run.undrain(str(node))

    return _conduct(_cluster_of(str(node)), f"the undrain of {node}", work)


def switchover(cluster, to=None, instance=None):
    """
    Let another node have the addresses, on purpose.

    cluster (str)
        Its name.
    to (str, optional)
        The node that shall have them; by default the best healthy backup.
    instance (str, optional)
        Only this one; by default all.

    Drains whoever keepalived would prefer to that node, verifies that it has the addresses, and
    shows before, after and the measured gap.  They stay drained: the return says how to go back.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.switchover controllers
        salt-run keepalived.switchover controllers to=controller1 instance=VI_PUBLIC
    """

    def work(members, journal, world, who):
        run = moving.Moving(members, journal, world, who)
        return run, lambda: run.switchover(to and str(to), instance and str(instance))

    return _conduct(cluster, "a switchover", work)


def failover_test(cluster, test=False, back=True):
    """
    Let a cluster's addresses go to a peer and come home, and measure what that costs.

    cluster (str)
        Its name.
    test (bool)
        Only say what would be done, and what stands in the way.
    back (bool)
        False: leave the addresses with the peer; the return says how to go back.

    Nothing is touched unless every node is reachable and healthy, each address on exactly one
    node, and a peer ready for it.  Each node that holds addresses is drained and undrained; with
    ``nopreempt`` the addresses are then fetched home by a switchover.  Shows for each step from
    where to where, the seconds without an owner by the nodes' own journals, and the verdict
    after it.  When a step fails, what was drained for the test is undrained, and the return says
    what is true then.  The exit status is 0 (done), 1 (refused, nothing changed), 2 (failed, and
    all is as before) or 3 (failed, and not all is as it was).  docs/audit.md has more.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.failover_test controllers test=True
        salt-run keepalived.failover_test controllers
    """

    def work(members, journal, world, who):
        run = testing.FailoverTest(members, journal, world, who)
        return run, lambda: run.start(bool(test), bool(back))

    return _conduct(cluster, "a failover test", work)


def upgrade_(cluster, version=None, test=False):
    """
    Upgrade keepalived's package on all nodes of a cluster, one at a time, the master last.

    cluster (str)
        Its name.
    version (str, optional)
        The package version; by default the newest that the nodes' package sources have.
    test (bool)
        Only say which nodes would be upgraded, and in which order.

    Each node is drained, upgraded and undrained; the next one follows when keepalived runs there,
    hears adverts, and each address is on exactly one node.  Stops at the first that is not well.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.upgrade controllers test=True
        salt-run keepalived.upgrade controllers version=1:2.2.7-1+b2
    """

    def work(members, journal, world, who):
        run = upgrading.Upgrade(members, journal, world, who)
        return run, lambda: run.run(version and str(version), bool(test))

    return _conduct(cluster, "an upgrade", work)


# --- beneath ---------------------------------------------------------------------------------


def _conduct(cluster, what, work, raw=False):
    """Hold the cluster's lock, do *work*, and return what a verb returns."""
    master = keepalived_master.Master(__opts__, __salt__)
    clusters, message = master.clusters(cluster)
    if cluster is None or str(cluster) not in clusters:
        return _complain(message or "name a cluster", raw)
    cluster = str(cluster)
    folder = pathlib.Path(__opts__["cachedir"]) / "keepalived" / "rollout"
    journal = Journal(folder, cluster)
    who = salt.utils.user.get_specific_user()
    world = _World(master)
    run, verb = work(clusters[cluster], journal, world, who)
    try:
        with journal.locked(who, what, clock.render(time.time())):
            _tell(cluster, run.verb, "started", {"who": who})
            data = verb()
            _tell(cluster, run.verb, data["result"], {"who": who, "message": data["message"]})
    except conductor.Refused as why:
        data = run.refused(why)
        _tell(cluster, run.verb, "refused", {"who": who, "message": data["message"]})
    except (Locked, JournalError) as why:
        data = run.report("refused", conductor.REFUSED, str(why), findings=[])
    except salt.exceptions.SaltException as error:
        # Nobody can be asked (the master is gone): the journal knows how far it came.
        data = run.report("failed", conductor.UNCLEAR, f"the nodes cannot be asked: {error}")
    return _give(data, raw)


def _give(data, raw):
    if raw:
        __context__["retcode"] = data["retcode"]
        return data
    return {"outputter": "keepalived", "data": data}


def _complain(text, raw=False):
    return _give({"kind": "message", "message": str(text), "retcode": 1}, raw)


def _cluster_of(node):
    clusters, _ = keepalived_master.Master(__opts__, __salt__).clusters()
    for name, members in clusters.items():
        if any(each.node == node for each in members):
            return name
    return None


def _tell(cluster, verb, what, data):
    """The same onto the master's bus and into its log."""
    verb = verb.replace(" ", "_")
    log.info("keepalived: %s of %s: %s: %s", verb, cluster, what, data)
    tag = "/".join(("keepalived", parse.quote(cluster, safe=""), verb, what))
    fired = {**data, "cluster": cluster, "time": clock.render(time.time())}
    with salt.utils.event.get_master_event(__opts__, __opts__["sock_dir"], listen=False) as bus:
        bus.fire_event(fired, tag)


class _World:
    """The nodes, asked through Salt."""

    def __init__(self, master):
        self._master = master
        self.ask = master.ask

    def aside(self, nodes, fun, timeout, **kwarg):
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        try:
            return pool.submit(self.ask, nodes, fun, timeout, **kwarg)
        finally:
            pool.shutdown(wait=False)

    def now(self):
        return time.time()

    def sleep(self, seconds):
        time.sleep(seconds)

    def say(self, text):
        log.info("keepalived: %s", text)
        # The return goes to stdout, which may be read by a program; this is for eyes alone.
        if sys.stderr.isatty():
            print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
