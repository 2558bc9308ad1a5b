"""The machines' images: read-only layers, built once, stacked by overlayfs.

    base       debootstrap, a small set
    packages   keepalived, haproxy, firewalld … (nothing starts while they are installed)
    salt       /opt/salt: Salt for this suite's own Python
    tune       what makes them lab machines: addresses at boot, no timers, a web server that says
               its name

Each layer is a directory named after a hash of what it is made of, built beside its final place
and renamed, so a layer that exists is complete. The builder runs in mount and process namespaces
of its own: killed at any moment it leaves neither mount nor process, only a directory that the next
build removes.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from lab import recipe
from lab.host import FILES, REPO, LabError, cache_dir, require


def layers(suite: str, salt: bool = True) -> list[Path]:
    """The layers of a machine, topmost first, as overlayfs wants them; they need not exist yet."""
    _check_suite(suite)
    found = names(suite)
    order = ["tune", "salt", "packages", "base"] if salt else ["tune", "packages", "base"]
    return [cache_dir() / suite / found[layer] for layer in order]


def ensure(suite: str, salt: bool = True, quiet: bool = False) -> list[Path]:
    """Build what is missing of a suite's layers and return them all, topmost first.

    Raises LabError with the end of the log when a step fails.
    """
    wanted = layers(suite, salt)
    if all(layer.is_dir() for layer in wanted):
        return wanted
    require()
    # If we die, so does the build.
    argv = ["setpriv", "--pdeathsig=KILL"]
    argv += ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation=private"]
    argv += [sys.executable, "-m", "lab.builder", suite, "salt" if salt else "no-salt"]
    # The environment is passed on: pip's settings and proxies live there.
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    out = subprocess.DEVNULL if quiet else None
    done = subprocess.run(argv, env=env, stdout=out, check=False)
    if done.returncode != 0 or not all(layer.is_dir() for layer in wanted):
        log = log_path(suite)
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else ""
        raise LabError(f"building the {suite} image failed; the log is {log}:\n{tail}")
    return wanted


def _check_suite(suite: str) -> None:
    if suite not in recipe.SUITES:
        raise LabError(f"suite {suite!r} is not one of {', '.join(recipe.SUITES)}")


def names(suite: str) -> dict[str, str]:
    """Layer -> directory name: the layer and a hash of all it is built from."""
    units = {name: (FILES / name).read_text() for name in recipe.SALT_FILES}
    tuned = {name: (FILES / name).read_text() for name in recipe.TUNE_FILES}
    base = _hash(suite, recipe.BASE_VERSION, recipe.BASE_PACKAGES)
    packages = _hash(base, recipe.PACKAGES_VERSION, recipe.NODE_PACKAGES)
    constraints = (REPO / "constraints.txt").read_text()
    salt = _hash(
        base,
        recipe.SALT_VERSION,
        recipe.SALT_REQUIREMENT,
        recipe.BUILD_PACKAGES,
        units,
        [line for line in constraints.splitlines() if line and not line.startswith("#")],
    )
    tune = _hash(recipe.TUNE_VERSION, recipe.MASKED_UNITS, tuned)
    return {
        "base": f"base-{base}",
        "packages": f"packages-{packages}",
        "salt": f"salt-{salt}",
        "tune": f"tune-{tune}",
    }


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def log_path(suite: str) -> Path:
    """Where the commands of a suite's build and their output are kept."""
    return cache_dir() / "logs" / f"build-{suite}.log"
