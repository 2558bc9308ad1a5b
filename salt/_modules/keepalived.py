"""
A node's keepalived: look and judge
===================================

What ``salt '*' keepalived.VERB`` can tell; what changes something is in ``keepalived_change``,
what happened in ``keepalived_events``.
All knowledge is in the library ``keepalived_core``; this module reads pillar, calls it, and turns
its errors into Salt's.  Configuration comes from the pillar key ``keepalived``.
"""

from __future__ import annotations

import dataclasses
import logging
import sys

import salt.utils.yaml

# A running minion still holds what it imported before sync_all: drop it, import the new.
[
    sys.modules.pop(n)
    for n in list(sys.modules)
    if n.partition(".")[0] in ("keepalived_core", "keepalived_node")
]

from keepalived_node import Errors, Node, installed

from keepalived_core import __version__ as bundle
from keepalived_core import conf
from keepalived_core import plan as planning
from keepalived_core.check import gate
from keepalived_core.check import report as reporting
from keepalived_core.check.host import this_host
from keepalived_core.conf import instances as configured
from keepalived_core.node import checks as checking
from keepalived_core.node import firewall, process
from keepalived_core.node import status as looking
from keepalived_core.node.paths import DEFAULT as PATHS
from keepalived_core.pillar import importing

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"

# What a version older than this cannot do for its users.
_PROTECTION = (
    ((2, 0, 4), "no config test (-t): a bad file is noticed only by our own checks"),
    ((2, 2, 0), "no reload_check_config: reloading a file broken by hand may end the daemon"),
    ((1, 3, 8), "no JSON dump: state is read from kernel addresses alone"),
)


def __virtual__():
    return __virtualname__


# --- looking ---------------------------------------------------------------------------------


def version():
    """
    The installed keepalived, and what it cannot protect.

    Returns ``{"version", "running", "pid", "json", "options", "lost_protection", "bundle"}``;
    ``options`` are the words of ``keepalived -v``'s config options, ``bundle`` is the version
    of this bundle that the minion has loaded.  Raises CommandExecutionError when
    keepalived is not installed.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.version
    """
    found = installed()
    daemon = process.find(PATHS)
    return {
        "version": found.text,
        "running": daemon is not None,
        "pid": daemon.pid if daemon else None,
        "json": found.json,
        "options": sorted(found.options),
        "lost_protection": [text for since, text in _PROTECTION if found.tuple < since],
        "bundle": bundle,
    }


def status():
    """
    What is true on this node: keepalived's claim beside the kernel's addresses.

    Returns ``{"node", "cluster", "time", "keepalived": {"version", "running", "pid",
    "problem"}, "watch": {...}, "drain": {...}, "interfaces": {name: {"mac", "addresses"}},
    "instances": [{"instance", "sync_group", "state", "vrid", "interface", "base_priority",
    "effective_priority", "vips": [{"address", "interface", "present", "excluded"}], "vip_present",
    "since"}]}``.  ``state`` is MASTER, BACKUP, FAULT, INIT, STOP (not running) or None (running,
    but it does not answer: ``keepalived.problem`` says why).  ``drain`` is what
    ``keepalived.drain_status`` returns; ``interfaces`` are without the virtual addresses.  While
    keepalived answers, each instance also has ``family``, ``version``, ``advert_int`` (seconds),
    ``auth_type``, ``use_vmac``, ``adverts`` (``{"received", "sent", "rejected": {counter: n}}``),
    ``transitions`` (``{"became_master", "released_master"}``, since keepalived started).

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.status
        salt '*' keepalived.status --out=keepalived
    """
    data = _node().pillar
    return looking.status(__opts__["id"], data.get("cluster"), PATHS)


def adverts():
    """
    Are VRRP adverts really received here?  From keepalived's own counters.

    Returns ``{instance: {"state", "receiving", "advert_rcvd", "advert_sent", ...}}`` with all
    counters of the dump.  ``receiving`` is False for a node that is not MASTER and has received
    none: a firewall or the network drops them, and split brain follows.  None for a MASTER that
    has received none.  Raises CommandExecutionError when keepalived does not answer.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.adverts
    """
    with Errors():
        return looking.adverts(PATHS)


def addresses():
    """
    This node's addresses by interface, without the virtual ones.

    Returns ``{interface: [address, ...]}``.  The mine carries it to the peers, which derive
    ``unicast_peer: auto`` from it.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.addresses
    """
    return looking.own_addresses(PATHS)


def checks(instance=None):
    """
    Run each tracked ``vrrp_script`` once, as keepalived would, and say what came of it.

    instance (str, optional)
        Only what this instance (or its sync group) tracks.

    Returns ``{check: {"ok", "rc", "timed_out", "seconds", "reason", "command",
    "instances"}}``; ``rc`` is None for a check that could not run or was ended for its time.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.checks
        salt '*' keepalived.checks VI_PUBLIC
    """
    tree = _live_tree()
    return checking.run_checks(configured.checks(tree), configured.instances(tree), instance)


# --- judging ---------------------------------------------------------------------------------


def render():
    """
    The keepalived.conf that this node's pillar asks for; secrets are redacted.

    Returns the text.  Raises SaltInvocationError with every mistake in the pillar.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.render
    """
    tree, _notes = _node().desired()
    return conf.redact(planning.render(tree))


def lint(path=None):
    """
    Read a keepalived.conf and say what is wrong with it; keepalived itself is not asked.

    path (str, optional)
        The file; by default the live one.

    Included files are followed.  Returns ``[{"severity", "code", "line", "path", "message",
    "hint", "file"}]``, worst first.  The return code is 1 for warnings and 2 for errors, which
    salt-call passes on with ``--retcode-passthrough``.  ``python3 -m keepalived_core lint`` does
    the same without Salt.

    CLI Example:

    .. code-block:: bash

        salt-call --local --retcode-passthrough keepalived.lint path=/root/new.conf
    """
    found = process.version()
    with Errors():
        findings = reporting.file_findings(
            str(path or PATHS.config), found and found.tuple, host=this_host()
        )
    if code := reporting.status(findings):
        __context__["retcode"] = code
    return [dataclasses.asdict(one) for one in findings]


def import_config(path=None):
    """
    A keepalived.conf written by hand, as the pillar that renders to the same meaning.

    path (str, optional)
        The file; by default the live one.

    It is read as this host's daemon does: includes opened, ``@id`` lines decided, definitions
    replaced.  Returns ``{"pillar", "yaml", "notes", "complete"}``: the pillar as data and as text
    to paste, what it does not carry and where that stands, and whether nothing but secrets is
    missing.  In the place of a secret is a text that says where it stands, and that
    ``keepalived.managed`` refuses.  With ``--out=keepalived`` the text alone is printed.

    CLI Example:

    .. code-block:: bash

        salt-call --local keepalived.import_config --out=keepalived
        salt-call --local keepalived.import_config /root/old.conf
    """
    path = str(path or PATHS.config)
    found = process.version()
    with Errors():
        made = importing.import_text(reporting.read(path), path, version=found and found.tuple)
    data = {"keepalived": {"config": made.config}}
    text = salt.utils.yaml.safe_dump(data, default_flow_style=False, sort_keys=False, width=1000)
    return {
        "pillar": data,
        "yaml": importing.commented(text, path, made),
        "notes": made.notes,
        "complete": made.complete,
    }


def config_test(path=None):
    """
    Would keepalived take this file?  ``keepalived -t``, interpreted (an exit status alone is
    no answer: see docs/config-test.md).

    path (str, optional)
        The file; by default the live one.

    Returns ``{"ok", "rc", "errors", "tolerated", "warnings", "tested"}``; ``warnings`` are what
    keepalived takes without a word although it is hardly meant.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.config_test
        salt '*' keepalived.config_test /root/new.conf
    """
    path = str(path or PATHS.config)
    result = gate.run(path, version=installed().tuple)
    return {
        "ok": result.ok,
        "rc": result.rc,
        "errors": [str(one) for one in result.errors],
        "tolerated": [str(one) for one in result.tolerated],
        "warnings": [str(one) for one in result.warnings],
        "tested": result.tested,
    }


def vrrp_instances():
    """
    The instances the pillar gives this node, as plain facts (what a firewall must let pass).

    Returns ``[{"instance", "interface", "vmac", "family", "unicast_peers", "mcast_group",
    "auth_type"}]``.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.vrrp_instances
    """
    tree, _notes = _node().desired()
    return firewall.instances(tree)


# --- beneath ---------------------------------------------------------------------------------


def _node():
    return Node(__opts__, __pillar__, __salt__)


def _live_tree():
    path = str(PATHS.config)
    with Errors():
        return conf.effective(reporting.read(path), path)
