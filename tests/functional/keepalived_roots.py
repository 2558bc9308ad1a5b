"""keepalived of other Debian suites, from the lab's image layers, in namespaces of its own.

The layers are stacked read-only: nothing here can change the images.  All mounts, the interfaces
and the files end with the process that holds the namespaces.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from lab import images

_SETUP = r"""
set -eu
work=$1 layers=$2
mount -t tmpfs -o mode=755 tmpfs "$work"
mkdir "$work/root"
if [ -n "$layers" ]; then
    mount -t overlay overlay -o "lowerdir=$layers" "$work/root"
    mount -t proc proc "$work/root/proc"
    mount --rbind /dev "$work/root/dev"
else
    mount --rbind / "$work/root"
fi
for place in run tmp; do mount -t tmpfs tmpfs "$work/root/$place"; done
mount -t sysfs sysfs "$work/root/sys" 2>/dev/null || true
ip link set lo up
for name in eth1 eth2; do
    ip link add "$name" type veth peer name "far$name"
    ip link set "$name" up
    ip link set "far$name" up
done
ip address add 192.168.1.2/24 dev eth1
ip address add 192.168.2.2/24 dev eth2
ip address add 2001:db8::2/64 dev eth1 nodad
# A net_namespace statement needs one that exists.
mkdir "$work/root/run/netns"
touch "$work/root/run/netns/NETNS"
mount --bind /proc/self/ns/net "$work/root/run/netns/NETNS"
echo ready
read -r _
"""


class Root:
    """One keepalived.  suite: of Debian, or "" for what this machine has installed."""

    def __init__(self, suite: str, work: Path) -> None:
        self.layers = [str(layer) for layer in layers(suite)] if suite else []
        self.work = work
        argv = ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--net"]
        argv += ["--propagation=private", "sh", "-c", _SETUP, "sh", str(work)]
        self._holder = subprocess.Popen(
            [*argv, ":".join(self.layers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None and self._holder.stderr is not None
        if self._holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"no root for {suite}: {self._holder.stderr.read()}")
        about = self.run("-v").stderr
        found = re.search(r"Keepalived v([0-9.]+)", about)
        assert found, about
        self.version = tuple(int(part) for part in found[1].split("."))
        # Config options and System options: the words of what was compiled in.
        self.options = frozenset(
            re.findall(r"[A-Z][A-Z0-9_]+", about.partition("Config options")[2])
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """keepalived with these arguments, there."""
        enter = ["nsenter", "-t", str(self._holder.pid), "-m", "-n"]
        return subprocess.run(
            [*enter, "chroot", f"{self.work}/root", "/usr/sbin/keepalived", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )

    def check(self, text: str) -> tuple[int, str]:
        """(exit status, messages) of ``keepalived -t`` on a text."""
        # The holder's own view of the mounts, seen from here.
        path = Path(f"/proc/{self._holder.pid}/root{self.work}/root/tmp/keepalived.conf")
        path.write_text(text, encoding="utf-8")
        os.chmod(path, 0o640)
        done = self.run("-t", "-f", "/tmp/keepalived.conf")
        return done.returncode, done.stderr

    def close(self) -> None:
        """End the namespaces, and with them all that was mounted."""
        self._holder.communicate("\n", timeout=20)


def layers(suite: str) -> list[Path]:
    """What the suite's keepalived needs of its image, topmost first; may not exist yet."""
    return [
        layer for layer in images.layers(suite, salt=False) if not layer.name.startswith("tune")
    ]
