"""
A node's metrics for Prometheus
===============================

``keepalived.metrics`` writes what node_exporter's textfile collector reads.  docs/metrics.md lists
all metrics, and says how to have them written regularly without Salt.
"""

from __future__ import annotations

import configparser
import pathlib
import sys

import salt.exceptions

# A running minion still holds the library it imported before sync_modules: import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core import exposition, textfile
from keepalived_core.node import install, paths
from keepalived_core.node import metrics as measuring

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def metrics(out=None):
    """
    State, addresses, priorities, counters and spool of this node as Prometheus text.

    out (str, optional)
        The file to write, in the directory of node_exporter's textfile collector: an absolute path
        that ends in ``.prom``.  It is replaced at once and readable by everybody (mode 0644).

    Returns the text, or with ``out`` the file's name.  Raises SaltInvocationError for a name that
    the collector would not read, CommandExecutionError when the file cannot be written.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.metrics
        salt '*' keepalived.metrics out=/var/lib/prometheus/node-exporter/keepalived.prom
    """
    try:
        path = None if out is None else textfile.path_of(out)
    except ValueError as error:
        raise salt.exceptions.SaltInvocationError(f"out={error}") from error
    pillar = __pillar__.get("keepalived")
    cluster = pillar.get("cluster") if isinstance(pillar, dict) else None
    text = exposition.render(measuring.gather(node=__opts__["id"], cluster=cluster))
    if path is None:
        return text
    try:
        textfile.write(path, text)
    except OSError as error:
        raise salt.exceptions.CommandExecutionError(f"{out}: {error.strerror}") from error
    return str(out)


def metrics_textfile(unit="/etc/systemd/system/salt-keepalived-metrics.service"):
    """
    The metrics file that a unit of the formula writes, so that it can be taken away with the unit.

    unit (str)
        Path of the service unit.

    Returns the path, None when there is no such unit.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.metrics_textfile
    """
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(pathlib.Path(unit).read_text(encoding="utf-8"))
        return str(textfile.path_of(parser["X-Metrics"]["Textfile"]))
    except (OSError, KeyError, ValueError, configparser.Error):
        return None


def install_library(directory, test=False):
    """
    Copy the library that this minion has loaded into a directory, for a service that runs it.

    directory (str)
        Where ``keepalived_core`` shall lie.
    test (bool)
        Only say which files would change.

    Returns the list of changed files, those to be removed with a leading ``-``.  Raises
    CommandExecutionError when it cannot be written.

    CLI Example:

    .. code-block:: bash

        salt master keepalived.install_library /usr/local/lib/salt-keepalived-hub test=True
    """
    try:
        return install.install_library(paths.PACKAGE_DIR, directory, bool(test))
    except (OSError, ValueError) as error:
        raise salt.exceptions.CommandExecutionError(f"{directory}: {error}") from error
