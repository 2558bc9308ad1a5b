"""Lint against one machine: does it have what the configuration names?"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from ..conf import lexer, values
from ..conf.fault import ERROR, WARNING, Facts, Fault, View, is_on, place
from ..conf.keyword import Version
from ..conf.meaning_script import commands
from ..conf.tree import Statement, Tree
from .host import HostFacts

# From here on keepalived refuses a script behind a symbolic link to a directory (lib/notify.c).
_NO_LINKS = (2, 3, 0)
_DEFAULT_USER = "keepalived_script"
_DEVICES = ("virtual_ipaddress", "virtual_ipaddress_excluded", "virtual_routes", "virtual_rules")
_ROOT_DEVICES = ("static_ipaddress", "static_routes", "static_rules")
_DEVICE_WORDS = ("dev", "oif", "iif")


def judge_host(tree: Tree, host: HostFacts, version: Version = ()) -> Iterator[Fault]:
    """What an evaluated tree names and this machine does not have, in no order."""
    facts = Facts(tree)
    elsewhere = None
    for node in tree.statements("net_namespace"):
        if node.args:
            elsewhere = node
    if elsewhere is not None:
        # The interfaces and addresses of that namespace are not those we know.
        yield from _namespace(elsewhere, host)
    else:
        yield from _interfaces(facts, host)
        yield from _peers(facts, host)
    yield from _scripts(tree, facts, host, version)
    yield from _track_files(facts, host)


def _namespace(node: Statement, host: HostFacts) -> Iterator[Fault]:
    name = node.args[0]
    if name not in host.namespaces:
        yield Fault(
            "KA602",
            WARNING,
            node,
            (),
            f"there is no network namespace {name}: keepalived -t exits 0 without a look at the "
            "file, and keepalived does not start",
            f"create it first: ip netns add {name}",
        )


def _interfaces(facts: Facts, host: HostFacts) -> Iterator[Fault]:
    made = {
        node.args[0]
        for view in facts.views
        for node in (view.get("use_vmac"), view.get("use_ipvlan"))
        if node is not None and node.args
    }
    known = {*host.interfaces, *made}
    dynamic = is_on(facts.globals.get("dynamic_interfaces"))
    for name, node, path in _named_interfaces(facts):
        if name and name not in known:
            yield Fault(
                "KA601",
                WARNING if dynamic else ERROR,
                node,
                path,
                f"there is no interface {name} on this machine",
                "keepalived waits for it (dynamic_interfaces)"
                if dynamic
                else "correct the name, create it before keepalived starts, or set "
                "dynamic_interfaces in global_defs",
            )


def _named_interfaces(facts: Facts) -> Iterator[tuple[str, Statement, tuple[str, ...]]]:
    for view in facts.views:
        node = view.get("interface")
        if node is not None and node.args:
            yield node.args[0], node, view.path
        for line in view.lines("track_interface"):
            yield line.keyword, line, (*view.path, "track_interface")
        for keyword in _DEVICES:
            yield from _devices(view.lines(keyword), (*view.path, keyword))
    for group in facts.blocks("vrrp_sync_group"):
        for line in View(group).lines("track_interface"):
            yield line.keyword, line, (*place(group), "track_interface")
    for keyword in _ROOT_DEVICES:
        for block in facts.blocks(keyword):
            yield from _devices(block.statements(), place(block))


def _devices(
    lines: Iterable[Statement], path: tuple[str, ...]
) -> Iterator[tuple[str, Statement, tuple[str, ...]]]:
    for line in lines:
        for option, word in zip(line.words, line.args, strict=False):
            if option in _DEVICE_WORDS:
                yield word, line, path


def _peers(facts: Facts, host: HostFacts) -> Iterator[Fault]:
    for view in facts.views:
        for line in view.lines("unicast_peer"):
            if line.keyword in host.addresses and line.keyword != view.value("unicast_src_ip"):
                yield Fault(
                    "KA312",
                    WARNING,
                    line,
                    (*view.path, "unicast_peer"),
                    f"{line.keyword} is this node's own address; it sends adverts to itself",
                    "list the other nodes only",
                )


def _scripts(tree: Tree, facts: Facts, host: HostFacts, version: Version) -> Iterator[Fault]:
    secure = facts.globals.get("enable_script_security")
    default = facts.globals.get("script_user")
    if default is not None:
        yield from _account(default, default.args, ("global_defs",), host, ERROR)
    tracked = {
        line.keyword
        for keyword in ("vrrp_instance", "vrrp_sync_group")
        for block in facts.blocks(keyword)
        for line in View(block).lines("track_script")
    }
    someone = False
    for block in tree.blocks():
        for node, around in commands(block, (block,)):
            path = place(*around)
            words = values.command(node) or [""]
            users = words[1:] if node.keyword.startswith(("notify", "quorum")) else []
            given = around[-1].get("user") if node.keyword in ("script", "misc_path") else None
            if given is not None:
                users = given.args
            # keepalived -t looks at the scripts of tracks alone; the others are disabled in silence
            # when the daemon starts.  Of users it says where they stand by themselves.
            heard = given is not None or node.keyword in ("startup_script", "shutdown_script")
            yield from _account(given or node, users, path, host, ERROR if heard else WARNING)
            heard = node.keyword == "script" and around[-1].name in tracked
            someone = someone or not users
            runs_as = users[0] if users else default.args[0] if default and default.args else ""
            command = (lexer.split_command(words[0]) or [""])[0]
            if command:
                root = runs_as in ("", "root")
                checks_links = not version or version >= _NO_LINKS
                yield from _program(
                    node,
                    path,
                    command,
                    host,
                    secure is not None and root,
                    checks_links,
                    ERROR if heard else WARNING,
                )
    if secure is not None and default is None and someone and not host.user(_DEFAULT_USER):
        yield Fault(
            "KA604",
            ERROR,
            secure,
            ("global_defs",),
            f"enable_script_security without script_user, and there is no user {_DEFAULT_USER}: "
            "keepalived removes the scripts",
            "write script_user root in global_defs",
        )


def _account(
    node: Statement, words: list[str], path: tuple[str, ...], host: HostFacts, severity: str
) -> Iterator[Fault]:
    for kind, name, exists in zip(("user", "group"), words, (host.user, host.group), strict=False):
        if not name.isdigit() and not exists(name):
            yield Fault(
                "KA603",
                severity,
                node,
                path,
                f"there is no {kind} {name} on this machine",
                "create it, or name another",
            )


def _program(
    node: Statement,
    path: tuple[str, ...],
    command: str,
    host: HostFacts,
    secure: bool,
    checks_links: bool,
    severity: str,
) -> Iterator[Fault]:
    found = host.program(command)
    if found is None:
        code, reason, hint = "KA605", "is not there", "install it first, or correct the path"
    elif not found.executable:
        code, reason, hint = "KA606", "is not executable", f"chmod 755 {command}"
    elif secure and checks_links and found.linked:
        code, reason = "KA607", "is behind a directory that is a symbolic link"
        hint = "write the real path, as realpath prints it"
    elif secure and found.writable:
        code, reason = "KA608", "can be changed by somebody other than root"
        hint = "let root own it and every directory above it, and nobody else write there"
    else:
        return
    message = f"{node.keyword}: {command} {reason}; keepalived disables it"
    yield Fault(code, severity, node, path, message, hint)


def _track_files(facts: Facts, host: HostFacts) -> Iterator[Fault]:
    for keyword in ("track_file", "vrrp_track_file"):
        for block in facts.blocks(keyword):
            node = block.get("file")
            folder = posixpath.dirname(node.args[0]) if node is not None and node.args else ""
            if node is not None and folder and not host.directory(folder):
                yield Fault(
                    "KA609",
                    WARNING,
                    node,
                    place(block),
                    f"there is no directory {folder}: keepalived cannot watch the file",
                    "create the directory first",
                )
