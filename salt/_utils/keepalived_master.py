"""
What the runners of this project share: which clusters there are, and asking their nodes
========================================================================================

Not a part of the library: it imports Salt and runs on the master only.  Runners drop it from
``sys.modules`` together with the library, so that what ``sync_all`` brings counts at once.
"""

from __future__ import annotations

import logging
import pathlib
import stat
import time

import salt.cache
import salt.client
import salt.exceptions
import salt.key

from keepalived_core.cluster import membership
from keepalived_core.cluster.answers import Answer

log = logging.getLogger(__name__)

# Seconds.  A node that is up answers within one; a dead one costs the person who asks both.
ANSWER_SECONDS = 5
GATHER_SECONDS = 2


class Master:
    """Asks the minions of one master.

    opts (dict)
        The master's configuration (``__opts__``).
    runners (mapping)
        The runner functions (``__salt__``), for ``pillar.show_pillar``.
    """

    def __init__(self, opts, runners):
        self.opts = dict(opts)
        self._runners = runners

    def clusters(self, only=None):
        """The clusters of all accepted minions' pillars, and what is to be said about the choice.

        Returns ``({cluster: [Member]}, message or None)``; with *only*, that one or nothing.
        """
        accepted = salt.key.get_key(self.opts).list_keys()["minions"]
        cache = salt.cache.factory(self.opts)
        pillars = {node: self.cached_pillar(node, cache) for node in accepted}
        clusters = membership.members(pillars, accepted)
        if only is None:
            text = None if clusters else "No accepted minion has the pillar keepalived:config."
            return clusters, text
        if str(only) in clusters:
            return {str(only): clusters[str(only)]}, None
        return {}, f"There is no cluster {only}; known: {', '.join(clusters) or 'none'}."

    def ask(self, nodes, fun, timeout, arg=(), **kwarg):
        """Run a function on accepted minions, by name and never by pattern.

        timeout (int)
            Seconds; one that still works on it then is waited for.
        arg, kwarg
            Its arguments.

        Returns ``{node: Answer}`` of those that answered.
        """
        nodes = sorted(nodes)
        answers = {}
        if not nodes:
            return answers
        with salt.client.get_local_client(mopts=self.opts) as client:
            returned = client.cmd_iter(
                nodes,
                fun,
                arg=list(arg),
                tgt_type="list",
                timeout=timeout,
                kwarg=kwarg,
                gather_job_timeout=GATHER_SECONDS,
            )
            for each in returned:
                for node, data in each.items():
                    if node in nodes and "ret" in data and not data.get("failed"):
                        answers[node] = Answer(data["ret"], time.time())
        return answers

    def ask_one(self, node, fun, timeout, **kwarg):
        """What one minion returned, or None."""
        try:
            answer = self.ask([node], fun, timeout, **kwarg).get(node)
        except salt.exceptions.SaltException as error:
            log.warning("keepalived: %s could not be asked for %s: %s", node, fun, error)
            return None
        return answer.said if answer else None

    def is_accepted(self, node):
        """Whether the master accepts that minion's key."""
        keys = salt.cache.Cache(self.opts, driver=self.opts["keys.cache_driver"])
        try:
            return (keys.fetch("keys", node) or {}).get("state") == "accepted"
        except salt.exceptions.SaltCacheError:
            return False

    def cached_pillar(self, node, cache=None):
        """The pillar as the minion last had it; compiled where the master keeps no copy."""
        cache = cache or salt.cache.factory(self.opts)
        if self.opts.get("minion_data_cache") and cache.contains("pillar", node):
            return cache.fetch("pillar", node)
        return self.compiled_pillar(node)

    def last_macs(self, nodes):
        """The hardware addresses that minions had when they last told their grains."""
        cache = salt.cache.factory(self.opts)
        found = {}
        for node in nodes:
            grains = (cache.fetch("grains", node) if cache.contains("grains", node) else None) or {}
            macs = grains.get("hwaddr_interfaces")
            found[node] = list(macs.values()) if isinstance(macs, dict) else []
        return found

    def compiled_pillar(self, node):
        """The pillar as it is now, so that a permission taken back is taken back at once."""
        return self._runners["pillar.show_pillar"](node)


def timeline_path(opts):
    """The file that the hub of this master writes."""
    return pathlib.Path(opts["cachedir"]) / "keepalived" / "timeline.db"


def no_hub(opts, retcode):
    """A verb's return where no hub ever wrote its file."""
    return complaint(
        f"There is no hub: {timeline_path(opts)} does not exist. The state keepalived.master "
        "switches the engine keepalived_hub on.",
        retcode=retcode,
    )


def pillars_of(master, clusters):
    """What the pillars of all members say of keepalived, compiled now.

    clusters (dict)
        As ``Master.clusters`` returns them.

    Returns ``{cluster: {node: the pillar's keepalived}}``; None for a node that is not accepted or
    whose pillar says nothing.
    """
    return {
        name: {
            each.node: master.compiled_pillar(each.node).get("keepalived")
            if each.accepted
            else None
            for each in members
        }
        for name, members in clusters.items()
    }


def count(last, what="rows"):
    """How many are wanted, at least 1.  Raises ValueError for what is no number."""
    try:
        return max(1, int(last))
    except (TypeError, ValueError):
        raise ValueError(f"last={last!r} is no number of {what}") from None


def target(out):
    """The file on the master that a verb is to write.  Raises ValueError for what is none."""
    path = pathlib.Path(str(out))
    if not path.is_absolute():
        raise ValueError(f"out={out!r} is no absolute path: the master may run elsewhere")
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        return path
    except OSError as error:
        raise ValueError(f"out={out!r} cannot be written: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"out={out!r} is no path: it has a null character in it") from None
    if stat.S_ISDIR(kind):
        raise ValueError(f"out={out!r} is a directory: give the name of a file")
    if not stat.S_ISREG(kind):
        # a device would be replaced by a file, for all who use it
        raise ValueError(f"out={out!r} is no regular file: give the name of a file")
    return path


def complaint(mistake, retcode=1):
    """A verb's return that is nothing but a message."""
    data = {"kind": "message", "message": str(mistake), "retcode": retcode}
    return {"outputter": "keepalived", "data": data}
