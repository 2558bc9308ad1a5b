"""Run a tracked ``vrrp_script`` once, as keepalived would, and say what came of it."""

from __future__ import annotations

import pwd
import subprocess
import time
from dataclasses import asdict, dataclass

from ..conf.instances import Check, Instance


@dataclass
class CheckResult:
    """``ok``: exit status 0 in time.  ``rc`` is None when it could not run or ran too long.

    ``timed_out``: it ran, and was ended because it took too long (a failure for keepalived).
    """

    ok: bool
    rc: int | None
    timed_out: bool
    seconds: float
    reason: str
    command: list[str]
    instances: list[str]

    def as_dict(self) -> dict:
        return asdict(self)


def run_checks(
    checks: dict[str, Check], instances: list[Instance], instance: str | None = None
) -> dict[str, dict]:
    """Run each check that *instance* (None: any instance) tracks, once.

    :returns: ``{check name: {"ok", "rc", "timed_out", "seconds", "reason", "command",
        "instances"}}``.
    """
    wanted: dict[str, list[str]] = {}
    for one in instances:
        if instance is None or one.name == instance:
            for name in one.checks:
                wanted.setdefault(name, []).append(one.name)
    return {
        name: _run(checks[name], users).as_dict()
        for name, users in wanted.items()
        if name in checks
    }


def _run(check: Check, users: list[str]) -> CheckResult:
    # A check that sets no timeout has its interval (vrrp_track.c); never less than a second,
    # for this run competes with keepalived's own.
    limit = max(1.0, check.timeout or check.interval)
    begin = time.monotonic()

    def result(ok: bool, rc: int | None, reason: str, timed_out: bool = False) -> CheckResult:
        seconds = round(time.monotonic() - begin, 3)
        return CheckResult(ok, rc, timed_out, seconds, reason, check.command, users)

    if not check.command:
        return result(False, None, "the vrrp_script has no script")
    identity: dict = {}
    if check.user and check.user != "root":
        try:
            entry = pwd.getpwnam(check.user)
        except KeyError:
            return result(False, None, f"its user {check.user} does not exist")
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    try:
        done = subprocess.run(
            check.command,
            timeout=limit,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            check=False,
            **identity,
        )
    except subprocess.TimeoutExpired:
        return result(False, None, f"did not end within {limit:g} s", timed_out=True)
    except OSError as err:
        return result(False, None, f"cannot run: {err.strerror}")
    if done.returncode == 0:
        return result(True, 0, "exit status 0")
    return result(False, done.returncode, f"exit status {done.returncode}")
