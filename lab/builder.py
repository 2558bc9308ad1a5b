"""Builds the layers that `images` names: `python3 -m lab.builder SUITE salt|no-salt`.

Runs as a process of its own, in mount and process namespaces of its own (see images.ensure).
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab import hostconfig, recipe
from lab.host import FILES, REPO, LabError, cache_dir, clean_environment
from lab.images import log_path, names

_KEEP_LAYERS = 2


class Builder:
    """Builds one suite's layers. Runs inside namespaces of its own (see `ensure`)."""

    def __init__(self, suite: str, salt: bool) -> None:
        self.suite, self.salt = suite, salt
        self.home = cache_dir() / suite
        self.names = names(suite)
        self.home.mkdir(parents=True, exist_ok=True)
        log_path(suite).parent.mkdir(parents=True, exist_ok=True)
        self.log = log_path(suite).open("ab")
        self.started = time.monotonic()

    def build(self) -> None:
        """Build every layer that does not exist."""
        with (self.home / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"another build of {self.suite} is running; waiting for it", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            self.log.truncate(0)
            for stale in self.home.glob("*.tmp"):
                shutil.rmtree(stale)
            steps: list[tuple[str, str, Callable[[Path], None]]] = [
                ("base", "Debian itself (debootstrap)", self._base),
                ("packages", "keepalived, haproxy, firewalld and friends", self._packages),
            ]
            if self.salt:
                steps.append(("salt", "Salt for this suite's Python", self._salt))
            steps.append(("tune", "lab settings", self._tune))
            for layer, what, step in steps:
                self._layer(layer, what, step)
            self._forget_old()

    def _layer(self, layer: str, what: str, step: Callable[[Path], None]) -> None:
        final = self.home / self.names[layer]
        if final.is_dir():
            return
        begun = time.monotonic()
        print(f"{self.suite}: {layer}: {what} …", flush=True)
        tmp = self.home / f"{self.names[layer]}.tmp"
        tmp.mkdir()
        step(tmp)
        (tmp / "layer").rename(final)
        shutil.rmtree(tmp)
        print(f"{self.suite}: {layer}: {time.monotonic() - begun:.1f} s", flush=True)

    def _forget_old(self) -> None:
        """Keep the newest few of each kind: somebody may be going back and forth in history."""
        for layer, current in self.names.items():
            others = [path for path in self.home.glob(f"{layer}-*") if path.name != current]
            others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            for old in others[_KEEP_LAYERS:]:
                if not _in_use(old):
                    shutil.rmtree(old)

    # -- the layers ---------------------------------------------------------------------------

    def _base(self, tmp: Path) -> None:
        mirror = hostconfig.debian_mirror()
        argv = ["debootstrap", "--variant=minbase", f"--include={','.join(recipe.BASE_PACKAGES)}"]
        if hostconfig.DEBIAN_KEYRING.exists():
            argv.append(f"--keyring={hostconfig.DEBIAN_KEYRING}")
        self._run([*argv, self.suite, str(tmp / "layer"), mirror])
        root = tmp / "layer"
        (root / "etc/machine-id").write_text("")
        for leftover in ("etc/resolv.conf", "etc/hostname"):
            (root / leftover).unlink(missing_ok=True)
        shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)

    def _packages(self, tmp: Path) -> None:
        root = self._overlay(tmp, ["base"])
        self._install(root, recipe.NODE_PACKAGES)
        self._chroot(root, ["apt-get", "clean"])
        self._close(root)
        (tmp / "upper").rename(tmp / "layer")

    def _salt(self, tmp: Path) -> None:
        root = self._overlay(tmp, ["packages", "base"])
        self._install(root, recipe.BUILD_PACKAGES)
        pip = hostconfig.PipSettings.of_this_machine()
        pip.bind_into(root, self._run)
        constraints = root / "root/constraints.txt"
        shutil.copyfile(REPO / "constraints.txt", constraints)
        self._chroot(root, ["python3", "-m", "venv", "/opt/salt"])
        install = ["/opt/salt/bin/python3", "-m", "pip", "install", "--no-cache-dir", "--compile"]
        install += ["-c", "/root/constraints.txt", recipe.SALT_REQUIREMENT]
        self._chroot(root, install, env=pip.environment)
        self._close(root)
        layer = tmp / "layer"
        (layer / "opt").mkdir(parents=True)
        (tmp / "upper/opt/salt").rename(layer / "opt/salt")
        (layer / "usr/bin").mkdir(parents=True)
        for tool in sorted((layer / "opt/salt/bin").glob("salt*")):
            (layer / "usr/bin" / tool.name).symlink_to(f"/opt/salt/bin/{tool.name}")
        units = layer / "etc/systemd/system"
        units.mkdir(parents=True)
        for unit in recipe.SALT_FILES:
            shutil.copyfile(FILES / unit, units / unit)

    def _tune(self, tmp: Path) -> None:
        layer = tmp / "layer"
        units = layer / "etc/systemd/system"
        units.mkdir(parents=True)
        for unit in recipe.MASKED_UNITS:
            (units / unit).symlink_to("/dev/null")
        for name, place in recipe.TUNE_FILES.items():
            (layer / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(FILES / name, layer / place)
        wants = units / "sysinit.target.wants"
        wants.mkdir()
        (wants / "lab-network.service").symlink_to("/etc/systemd/system/lab-network.service")
        # Nobody answers there: a look-up fails at once instead of waiting for a time-out.
        (layer / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions attempts:1\n")
        # A journal on disk outlives a reboot, and can be read while the machine is down.
        (layer / "var/log/journal").mkdir(parents=True)

    # -- helpers ------------------------------------------------------------------------------

    def _overlay(self, tmp: Path, lower: list[str]) -> Path:
        root, upper, work = tmp / "root", tmp / "upper", tmp / "work"
        for path in (root, upper, work):
            path.mkdir()
        stack = ":".join(str(self.home / self.names[layer]) for layer in lower)
        options = f"lowerdir={stack},upperdir={upper},workdir={work}"
        self._run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)])
        self._run(["mount", "-t", "proc", "proc", str(root / "proc")])
        self._run(["mount", "--rbind", "/dev", str(root / "dev")])
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
        (root / "etc/apt/apt.conf.d/90lab-host").write_text(hostconfig.apt_settings())
        return root

    def _close(self, root: Path) -> None:
        for leftover in (
            "usr/sbin/policy-rc.d",
            "etc/resolv.conf",
            "etc/apt/apt.conf.d/90lab-host",
        ):
            (root / leftover).unlink()
        self._run(["umount", "-R", str(root)])

    def _install(self, root: Path, packages: tuple[str, ...]) -> None:
        self._chroot(root, ["apt-get", "update", "-q"])
        install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
        self._chroot(root, install)

    def _chroot(self, root: Path, argv: list[str], env: dict[str, str] | None = None) -> None:
        base = {**clean_environment(), "DEBIAN_FRONTEND": "noninteractive"}
        self._run(["chroot", str(root), *argv], {**base, **(env or {})})

    def _run(self, argv: list[str], env: dict[str, str] | None = None) -> None:
        begun = time.monotonic()
        self.log.write(f"\n+ {' '.join(argv)}\n".encode())
        self.log.flush()
        done = subprocess.run(
            argv,
            env=env or {**hostconfig.proxy_environment(), **clean_environment()},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.log.write(f"= exit {done.returncode}, {time.monotonic() - begun:.1f} s\n".encode())
        self.log.flush()
        if done.returncode != 0:
            raise LabError(f"{' '.join(argv)}: exit status {done.returncode}")


def _in_use(layer: Path) -> bool:
    return str(layer) in Path("/proc/mounts").read_text()


def main(argv: list[str]) -> int:
    """Build one suite's missing layers; returns the exit status."""
    try:
        Builder(argv[0], argv[1] == "salt").build()
    except KeyboardInterrupt:
        return 130
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
