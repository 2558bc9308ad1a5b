"""
Salt's own daemons, as the keepalived formula needs them: settings that really count, and a
restart that loses no job.

Two facts shape this module:

* A file in ``minion.d`` (``master.d``) *replaces* a key of the same name in the main file
  ``minion`` (``master``); only the files in the directory are merged with each other. Writing
  ``beacons:`` there would switch off the beacons of the main file without a word.
* A minion reads its settings and its engines' code only when it starts, and a job that restarts
  its own minion may lose its return. So the restart runs as a transient systemd unit which waits
  for the job first. That unit runs this very file (see ``_restart_when_idle``).
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

__virtualname__ = "keepalived_minion"

# How long the transient unit waits for jobs to end. Then it gives up and says so in the journal;
# the next state run finds the daemon still older than its settings and schedules anew.
WAIT_SECONDS = 3600
POLL_SECONDS = 0.5
# A queued state run starts a moment after the one before it, and with threads instead of
# processes a job's return is still on its way when its proc file is gone.
IDLE_SECONDS = 3

# What the relay has of the library; a test compares it with what the relay imports.
RELAY_LIBRARY = (
    "__init__.py",
    "node/__init__.py",
    "node/event.py",
    "node/event_key.py",
    "node/files.py",
    "node/heartbeat.py",
    "node/paths.py",
    "node/process.py",
    "node/relay.py",
    "node/settings.py",
    "node/spool.py",
    "node/spool_delivery.py",
    "node/spool_file.py",
    "node/wake.py",
    "node/watch_status.py",
    "signing.py",
    "sqlite_file.py",
)

# The same of the hub, on the master.
_HUB_CLUSTER = """
    alert alert_incident alert_message alert_route alert_template alert_view answers asking
    clock deeds deliver deliver_apprise event heartbeat hub hub_findings hub_incidents
    hub_session hub_view incident incident_case incident_mark incident_owner incident_state
    incident_subject incident_text incident_track lanes ledger membership ordering outbox paint
    picture policy policy_seen postman rows saved secret settle settling store store_file
    store_read timeline
"""
HUB_LIBRARY = (
    "__init__.py",
    "cluster/__init__.py",
    *(f"cluster/{name}.py" for name in _HUB_CLUSTER.split()),
    "policy_pillar.py",
    "signing.py",
    "sqlite_file.py",
)


def __virtual__() -> str:
    return __virtualname__


def shadowed(main: str, keys: list[str]) -> list[str]:
    """
    Which of ``keys`` the main configuration file sets. A file in its ``.d`` directory that sets
    one of them too would replace the whole key, not add to it.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_minion.shadowed /etc/salt/minion '[beacons]'

    main
        Path of the main file, for example ``/etc/salt/minion``. A file that does not exist sets
        nothing.
    keys
        Top-level keys to look for.

    Returns the keys found, in the order asked. Raises CommandExecutionError for a file that is
    not a YAML mapping.
    """
    import salt.utils.yaml
    from salt.exceptions import CommandExecutionError

    path = Path(main)
    if not path.exists():
        return []
    try:
        settings = salt.utils.yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except salt.utils.yaml.YAMLError as err:
        raise CommandExecutionError(f"{main} is not valid YAML: {err}") from err
    if not isinstance(settings, dict):
        raise CommandExecutionError(f"{main} is not a YAML mapping of settings")
    return [key for key in keys if settings.get(key)]


def master_group() -> str:
    """
    The group that must be able to read the master's settings: the primary group of the user the
    master of this machine runs as (``user:`` of its configuration).

    CLI Example:

    .. code-block:: bash

        salt master keepalived_minion.master_group
    """
    import salt.config

    main = Path(__opts__["conf_file"]).with_name("master")
    user = salt.config.master_config(str(main))["user"]
    return __salt__["user.primary_group"](user) or "root"


def relay_code() -> list[str]:
    """
    The files that the engine keepalived_relay runs from. A new version of one of them is in force
    only after a restart of the minion.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_minion.relay_code
    """
    here = Path(__file__).resolve().parent
    # synced: extmods/modules beside extmods/engines; in place: salt/_modules, salt/_engines
    mark = "_" if here.name.startswith("_") else ""
    library = here.parent / f"{mark}utils" / "keepalived_core"
    return [
        str(here.parent / f"{mark}engines" / "keepalived_relay.py"),
        *(str(library / name) for name in RELAY_LIBRARY),
    ]


def hub_code() -> list[str]:
    """
    The files that the engine keepalived_hub of this machine's master runs from. A new version of
    one of them is in force only after a restart of the master.

    CLI Example:

    .. code-block:: bash

        salt master keepalived_minion.hub_code
    """
    import salt.config

    main = Path(__opts__["conf_file"]).with_name("master")
    synced = Path(salt.config.master_config(str(main))["extension_modules"])
    return [
        str(synced / "engines" / "keepalived_hub.py"),
        str(synced / "utils" / "keepalived_master.py"),
        str(synced / "utils" / "keepalived_trail.py"),
        *(str(synced / "utils" / "keepalived_core" / name) for name in HUB_LIBRARY),
    ]


def running_since(service: str = "salt-minion") -> float | None:
    """
    When the running main process of a service started.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_minion.running_since salt-minion

    service
        Name of a systemd unit. Default ``salt-minion``.

    Returns seconds since the epoch, or None when the service does not run or this machine has no
    systemd.
    """
    pid = _main_pid(service)
    ticks = _start_ticks(pid) if pid else None
    if ticks is None:
        return None
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age


def newer_files(files: list[str], service: str = "salt-minion") -> list[str]:
    """
    Which of ``files`` were written after the service started, so that it has not read them.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_minion.newer_files '[/etc/salt/minion.d/keepalived.conf]'

    files
        Paths. One that does not exist is never newer.
    service
        Name of a systemd unit. Default ``salt-minion``.

    Returns the paths, an empty list when the service does not run.
    """
    since = running_since(service)
    if since is None:
        return []
    return [f for f in files if Path(f).exists() and Path(f).stat().st_mtime > since]


def restart_scheduled(service: str = "salt-minion") -> bool:
    """
    Whether a restart of the service by this module is waiting for a job to end.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_minion.restart_scheduled salt-minion
    """
    return _unit_property(_restart_unit(service), "ActiveState") in ("active", "activating")


def schedule_restart(service: str = "salt-minion") -> bool:
    """
    Restart a Salt daemon once the running job, and any other state run, has ended and has been
    answered. For ``salt-master`` the state runs of all its minions are waited for. Gives up
    after an hour; ``journalctl -u salt-keepalived-restart-<service>`` tells.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_minion.schedule_restart salt-minion

    service
        ``salt-minion`` (default) or ``salt-master``.

    Returns False when a restart was waiting already. Raises CommandExecutionError where systemd
    does not take the unit.
    """
    from salt.exceptions import CommandExecutionError

    if restart_scheduled(service):
        return False
    command = [
        "systemd-run",
        "--collect",
        "--quiet",
        f"--unit={_restart_unit(service)}",
        f"--description=Restart {service} when no state run needs it",
        sys.executable,
        "-I",  # the other modules beside this file must not shadow Python's own
        str(Path(__file__).resolve()),
        service,
        __opts__["cachedir"],
        str(Path(__opts__["conf_file"]).with_name("master")),
    ]
    # In a minion with threads (multiprocessing: False) this process is the daemon itself.
    if __opts__.get("multiprocessing", True) or __opts__.get("__cli") == "salt-call":
        command += [str(os.getpid()), str(_start_ticks(os.getpid()))]
    result = __salt__["cmd.run_all"](command, python_shell=False)
    if result["retcode"] != 0:
        raise CommandExecutionError(
            f"systemd-run cannot schedule the restart of {service}: {result['stderr']}"
        )
    return True


def sync_master() -> dict[str, list[str]]:
    """
    Copy the bundle's runners, outputters and libraries to the master of this machine, as
    ``salt-run saltutil.sync_all`` does.

    CLI Example:

    .. code-block:: bash

        salt master keepalived_minion.sync_master

    Returns what was copied: kind -> modules, without the kinds where nothing changed. Raises
    CommandExecutionError when the sync fails.
    """
    from salt.exceptions import CommandExecutionError

    copied = __salt__["saltutil.runner"]("saltutil.sync_all")
    if not isinstance(copied, dict):
        raise CommandExecutionError(f"salt-run saltutil.sync_all failed: {copied}")
    return {kind: names for kind, names in copied.items() if names}


def _restart_unit(service: str) -> str:
    return f"salt-keepalived-restart-{service}.service"


def _unit_property(unit: str, name: str) -> str:
    """A property of a systemd unit; "" where there is no systemd."""
    try:
        shown = subprocess.run(
            ["systemctl", "show", f"--property={name}", "--value", unit],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return shown.stdout.strip()


def _main_pid(service: str) -> int | None:
    pid = _unit_property(service, "MainPID")
    return int(pid) if pid.isdigit() and pid != "0" else None


def _start_ticks(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (proc(5), stat field 22)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in field 2 may hold blanks and parentheses: count from its end.
    return int(stat.rpartition(")")[2].split()[19])


def _alive(pid: int, ticks: int) -> bool:
    """Whether that very process still runs: a number may be used again, a start time is not."""
    return _start_ticks(pid) == ticks


def _state_runs(cachedir: str) -> list[dict[str, Any]]:
    """State runs of this machine's minion, from Salt's own files of running jobs."""
    from salt.utils.minion import running

    jobs = running({"cachedir": cachedir, "multiprocessing": True})
    return [job for job in jobs if str(job.get("fun", "")).startswith("state.")]


def _cluster_state_runs(master_conf: str) -> list[str]:
    """Job ids of the state runs that a master's minions are busy with."""
    import salt.config
    import salt.runner

    runner = salt.runner.RunnerClient(salt.config.master_config(master_conf))
    jobs = runner.cmd("jobs.active", print_event=False)
    return [jid for jid, job in jobs.items() if str(job.get("Function", "")).startswith("state.")]


def _restart_when_idle(argv: list[str]) -> int:
    """
    What the transient unit runs: wait for the job that asked, then for other state runs, then
    restart the service. The process of the job is waited for, not its file in the proc
    directory: Salt removes that before the return is on its way, and the process ends only when
    the master has acknowledged it.
    """
    service, cachedir, master_conf, *job = argv
    asker = (int(job[0]), int(job[1])) if job else None
    deadline = time.monotonic() + WAIT_SECONDS
    idle_since = None
    while time.monotonic() < deadline:
        if (asker and _alive(*asker)) or _state_runs(cachedir):
            idle_since = None
        elif idle_since is None:
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since >= IDLE_SECONDS:
            if service != "salt-master" or not _cluster_state_runs(master_conf):
                return subprocess.run(
                    ["systemctl", "restart", service], timeout=300, check=False
                ).returncode
            idle_since = None
        time.sleep(POLL_SECONDS)
    print(f"{service} was not restarted: jobs still run after {WAIT_SECONDS} s", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(_restart_when_idle(sys.argv[1:]))
