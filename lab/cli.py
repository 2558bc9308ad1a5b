"""The lab's command line: `python3 -m lab VERB …`; `-h` after any verb explains it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lab import faults, images, network, recipe, teardown
from lab.host import LabError, Progress, require
from lab.lab import Lab
from lab.machine import Node
from lab.state import State, known_labs


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status (1 after an error, which is printed)."""
    options = _parser().parse_args(argv)
    try:
        return int(options.verb(options) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
    except BrokenPipeError:
        # Somebody closed our output (| head): not an error, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


# -- verbs ----------------------------------------------------------------------------------------


def _build(options: argparse.Namespace) -> None:
    progress = Progress()
    images.ensure(options.suite, options.suite not in recipe.SUITES_WITHOUT_SALT)
    progress.say(f"the {options.suite} image is ready")


def _up(options: argparse.Namespace) -> None:
    lab = Lab(options.name, options.nodes, options.suite, options.salt, options.prefix).up()
    _print_machines(lab)


def _down(options: argparse.Namespace) -> None:
    require()
    for name in known_labs() if options.all else [options.name]:
        State(name)  # refuses a bad name
        existed = State(name).path.exists()
        Lab(name, quiet=True).down()
        print(f"lab {name} removed" if existed else f"there is no lab {name}; nothing to do")
    teardown.tidy_up()


def _status(options: argparse.Namespace) -> int:
    names = known_labs()
    if not names:
        print("no lab")
        return 0
    for name in names:
        if not State(name).read()["up"]:
            print(f"{name}: not completely up (being made, or left behind: lab down --name {name})")
            continue
        _print_machines(Lab.attach(name))
    return 0


def _exec(options: argparse.Namespace) -> int:
    node = _lab(options).node(options.node)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    argv = node.command(command or ["bash", "-l"])
    terminal = os.environ.get("TERM", "dumb")
    os.execvpe(argv[0], argv, {**node.environment(), "TERM": terminal})


def _logs(options: argparse.Namespace) -> int:
    node = _lab(options).node(options.node)
    if not options.follow:
        print(node.logs(lines=options.lines, unit=options.unit), end="")
        return 0
    argv = ["journalctl", "-f", "-o", "short-precise", "-n", str(options.lines)]
    argv = node.command(argv + (["-u", options.unit] if options.unit else []))
    os.execvpe(argv[0], argv, node.environment())


def _push(options: argparse.Namespace) -> None:
    _lab(options).push(options.src, node=options.node)


def _door(options: argparse.Namespace) -> None:
    _lab(options).door(options.position == "open")


def _fault(options: argparse.Namespace) -> None:
    lab, node = _lab(options), options.node
    if options.fault == "stop":
        lab.stop(node, unit=options.unit)
    elif options.fault == "kill":
        print("killed", *lab.kill(node, what=options.what))
    elif options.fault == "freeze":
        lab.freeze(node, what=options.what)
    elif options.fault == "thaw":
        lab.thaw(node)
    elif options.fault == "cut":
        lab.cut(node, link=options.link)
    elif options.fault == "partition":
        lab.partition(node, options.link, options.direction, options.peer)
    elif options.fault == "heal":
        lab.heal(None if node == "all" else node)
    elif options.fault == "reboot":
        lab.reboot(node, hard=options.hard)


def _lab(options: argparse.Namespace) -> Lab:
    require()
    return Lab.attach(options.name)


def _print_machines(lab: Lab) -> None:
    door = lab.state.read().get("door", "shut")
    print(f"{lab.name}: {lab.suite}, {'with' if lab.salt_wanted else 'without'} Salt, door {door}")
    for node in lab.nodes:
        vip = node.vip_address if "vip" in node.links else "-"
        power = f"pid {node.pid}" if node.running else "off"
        addresses = f"{node.mgmt_address:<14} {vip:<14}"
        print(f"  {node.name:<16} {addresses} {power:<12} {_ailments(lab, node)}".rstrip())
    print(
        f"  {'(client)':<16} {'-':<14} {network.VIP_NET}.{network.CLIENT_NUMBER:<3}  "
        f"nsenter --net={lab.state.netns}"
    )


def _ailments(lab: Lab, node: Node) -> str:
    return ", ".join(
        " ".join(str(value) for value in fault.values() if value is not None)
        for fault in lab.faults(node.name)
    )


# -- the parser -----------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("--name", default="lab", help="which lab (default: lab)")
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    verb = verbs.add_parser("build", help="build a suite's image, if it is not there")
    verb.add_argument("--suite", default="bookworm", choices=recipe.SUITES)
    verb.set_defaults(verb=_build)

    verb = verbs.add_parser("up", parents=[named], help="make a lab")
    verb.add_argument("--nodes", type=int, default=3, help="how many machines beside the master")
    verb.add_argument("--suite", default="bookworm", choices=recipe.SUITES)
    verb.add_argument("--no-salt", dest="salt", action="store_false", help="no master, no minions")
    verb.add_argument("--prefix", default="controller", help="machines are PREFIX1, PREFIX2, …")
    verb.set_defaults(verb=_up)

    verb = verbs.add_parser("down", parents=[named], help="remove a lab, whatever state it is in")
    verb.add_argument("--all", action="store_true", help="every lab on this machine")
    verb.set_defaults(verb=_down)

    verb = verbs.add_parser("status", help="show all labs, their machines and faults")
    verb.set_defaults(verb=_status)

    verb = verbs.add_parser("exec", parents=[named], help="run a command (default: a shell)")
    verb.add_argument("node")
    verb.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    verb.set_defaults(verb=_exec)

    verb = verbs.add_parser("logs", parents=[named], help="show a machine's journal")
    verb.add_argument("node")
    verb.add_argument("-f", "--follow", action="store_true")
    verb.add_argument("-u", "--unit")
    verb.add_argument("-n", "--lines", type=int, default=100)
    verb.set_defaults(verb=_logs)

    verb = verbs.add_parser("push", parents=[named], help="copy salt/ and pillar/ to the master")
    verb.add_argument("--src", help="the tree that has them (default: this repository)")
    verb.add_argument("--node", default="master", help="another machine, for masterless use")
    verb.set_defaults(verb=_push)

    verb = verbs.add_parser("door", parents=[named], help="package installs from inside the lab")
    verb.add_argument("position", choices=("open", "shut"))
    verb.set_defaults(verb=_door)

    _add_faults(verbs.add_parser("fault", help="break something, or heal it"), named)
    return parser


def _add_faults(parser: argparse.ArgumentParser, named: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="faults", dest="fault", required=True, metavar="FAULT")
    parser.set_defaults(verb=_fault)

    def fault(name: str, text: str) -> argparse.ArgumentParser:
        kind = kinds.add_parser(name, parents=[named], help=text, description=text)
        kind.add_argument("node")
        return kind

    links = tuple(network.LINKS)
    fault("stop", "stop a unit in an orderly way").add_argument("--unit", default="keepalived")
    fault("kill", "SIGKILL keepalived").add_argument(
        "--what", default="both", choices=("parent", "child", "both")
    )
    fault("freeze", "suspend processes (SIGSTOP)").add_argument(
        "--what", default="keepalived", choices=("keepalived", "node")
    )
    fault("thaw", "let frozen processes run on")
    fault("cut", "pull the cable: no carrier").add_argument("--link", default="vip", choices=links)
    kind = fault("partition", "drop packets on the wire, carrier up")
    kind.add_argument("--link", default="vip", choices=links)
    kind.add_argument("--direction", default="both", choices=faults.DIRECTIONS)
    kind.add_argument("--peer", help="only between NODE and this machine (or: client)")
    fault("heal", "undo every fault of a machine, or of `all`")
    fault("reboot", "reboot the machine").add_argument(
        "--hard", action="store_true", help="pull the plug instead of an orderly halt"
    )
