"""What a configuration needs of the machine it runs on, as plain facts that can be injected."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

_NAMESPACES = ("/run/netns", "/var/run/netns")
_FIB_TRIE = "/proc/net/fib_trie"
_IF_INET6 = "/proc/net/if_inet6"
# keepalived looks for a command without a '/' here when it has no PATH (lib/notify.c, find_path).
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Program:
    """A file that exists.

    executable: somebody may run it; linked: a directory on the way to it is a symbolic link;
    writable: somebody other than root may change it, or a directory on the way to it.
    """

    executable: bool = True
    linked: bool = False
    writable: bool = False


@dataclass(frozen=True)
class HostFacts:
    """What lint wants to know of a machine.

    interfaces: their names; addresses: IP addresses on them, without prefix length; namespaces:
    names of network namespaces; user, group: whether there is one of that name; program: the
    file behind a path or a command, None when there is none; directory: whether that path is one;
    ipvs: whether the kernel has, or can load, what a virtual_server needs.
    """

    interfaces: Collection[str]
    addresses: Collection[str]
    namespaces: Collection[str]
    user: Callable[[str], bool]
    group: Callable[[str], bool]
    program: Callable[[str], Program | None]
    directory: Callable[[str], bool]
    ipvs: bool = True


def this_host() -> HostFacts:
    """The facts of the machine this runs on, in the network namespace of this process."""
    return HostFacts(
        interfaces=frozenset(name for _, name in socket.if_nameindex()),
        addresses=frozenset(_addresses()),
        namespaces=frozenset(
            entry.name
            for folder in map(Path, _NAMESPACES)
            if folder.is_dir()
            for entry in folder.iterdir()
        ),
        user=_user,
        group=_group,
        program=program,
        directory=os.path.isdir,
        ipvs=_ipvs(),
    )


def program(command: str) -> Program | None:
    """The program a command starts, looked up as keepalived does."""
    path = command
    if "/" not in command:
        path = shutil.which(command, path=os.environ.get("PATH", _DEFAULT_PATH)) or ""
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(info.st_mode):
        return None
    linked = writable = False
    for part in (Path(path), *Path(path).parents):
        try:
            own = os.lstat(part)
        except OSError:
            continue
        if stat.S_ISLNK(own.st_mode):
            linked = linked or part != Path(path)
            continue
        # A sticky directory lets nobody replace what is not their own.
        sticky = stat.S_ISDIR(own.st_mode) and own.st_mode & stat.S_ISVTX
        open_to_others = own.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky
        writable = writable or own.st_uid != 0 or bool(open_to_others)
    return Program(bool(info.st_mode & 0o111), linked, writable)


def _addresses() -> list[str]:
    """The machine's own addresses, as /proc has them: no program and no netlink is needed."""
    found = []
    last = ""
    for line in _read(_FIB_TRIE):
        words = line.split()
        if words[:1] == ["|--"]:
            last = words[1]
        elif words[:3] == ["/32", "host", "LOCAL"]:
            found.append(last)
    for line in _read(_IF_INET6):
        packed = bytes.fromhex(line.split()[0])
        found.append(socket.inet_ntop(socket.AF_INET6, packed))
    return found


def _ipvs(proc: str = "/proc/net/ip_vs", modules: str = "/lib/modules") -> bool:
    """Whether IPVS is there, or is a module that keepalived would load (it runs modprobe)."""
    if os.path.exists(proc):
        return True
    folder = f"{modules}/{os.uname().release}"
    listed = _read(f"{folder}/modules.dep") + _read(f"{folder}/modules.builtin")
    return any("/ip_vs.ko" in line for line in listed)


def _read(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return []


def _user(name: str) -> bool:
    import pwd  # POSIX only; lint is used on the master's side as well

    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _group(name: str) -> bool:
    import grp

    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
