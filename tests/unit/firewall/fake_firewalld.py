"""A firewalld in memory: answers argument lists as firewall-cmd 1.3.3 was seen to answer them."""

from __future__ import annotations

import shlex
from typing import Any


class FakeFirewalld:
    """Two configurations, and whether the daemon runs.

    refuse: (place, word) pairs; an add or remove in that place whose arguments hold the word
    fails. deaf: reports success and does nothing. calls: every argument list that was run.
    """

    def __init__(self, running: bool = True, zones: dict[str, dict[str, Any]] | None = None):
        self.running = running
        self.default = "public"
        self.direct: dict[str, list[tuple[str, tuple[str, ...]]]] = {"runtime": [], "permanent": []}
        given = zones if zones is not None else {"public": {}, "internal": {}, "trusted": {}}
        self.zones = {
            place: {
                name: {
                    "interfaces": list(zone.get("interfaces", ())),
                    "sources": list(zone.get("sources", ())),
                    "rich": list(zone.get("rich", ())),
                }
                for name, zone in given.items()
            }
            for place in ("runtime", "permanent")
        }
        self.refuse: list[tuple[str, str]] = []
        self.deaf = False
        self.calls: list[list[str]] = []

    def __call__(self, argv: list[str]) -> dict[str, Any]:
        assert isinstance(argv, list) and all(isinstance(word, str) for word in argv)
        self.calls.append(argv)
        program, *words = argv
        place = "runtime"
        if program == "firewall-cmd":
            if not self.running:
                return _answer(252, "", "FirewallD is not running")
            if words[0] == "--permanent":
                place = "permanent"
                words = words[1:]
        else:
            assert program == "firewall-offline-cmd", argv
            assert not self.running, f"{argv}: while firewalld runs it would not notice"
            place = "permanent"
        return self._do(place, words)

    @property
    def changing(self) -> list[list[str]]:
        """The calls that could change something."""
        verbs = ("--add", "--remove", "--set", "--reload", "--complete-reload")
        return [call for call in self.calls if any(word.startswith(verbs) for word in call)]

    def stop(self) -> None:
        """Stopping throws the runtime configuration away."""
        self.running = False
        self.direct["runtime"] = []

    def _do(self, place: str, words: list[str]) -> dict[str, Any]:
        if words == ["--get-default-zone"]:
            return _answer(0, self.default)
        if words == ["--list-all-zones"]:
            return _answer(0, "\n".join(self._printed(place)))
        if words[0] == "--direct":
            return self._do_direct(place, words[1], tuple(words[2:]))
        if words[0].startswith("--zone="):
            return self._do_rich(place, words[0].partition("=")[2], words[1])
        raise AssertionError(f"unexpected call: {words}")

    def _do_direct(self, place: str, option: str, words: tuple[str, ...]) -> dict[str, Any]:
        held = self.direct[place]
        verb, _, kind = option.removeprefix("--").partition("-")
        if verb == "get":
            kind = kind.removeprefix("all-").removesuffix("s")
            return _answer(0, "\n".join(shlex.join(w) for k, w in held if k == kind))
        entry = (kind, words)
        if verb == "query":
            return _answer(0, "yes") if entry in held else _answer(1, "no")
        if refused := self._refused(place, words):
            return refused
        if not self.deaf:
            held.append(entry) if verb == "add" else held.remove(entry)
        return _answer(0, "success")

    def _do_rich(self, place: str, name: str, option: str) -> dict[str, Any]:
        flag, _, rule = option.partition("=")
        if name not in self.zones[place]:
            return _answer(112, "", f"Error: INVALID_ZONE: {name}")
        if refused := self._refused(place, (option,)):
            return refused
        held = self.zones[place][name]["rich"]
        if not self.deaf:
            held.append(rule) if flag == "--add-rich-rule" else held.remove(rule)
        return _answer(0, "success")

    def _refused(self, place: str, words: tuple[str, ...]) -> dict[str, Any] | None:
        for where, word in self.refuse:
            if where == place and word in " ".join(words):
                return _answer(13, "", "Error: COMMAND_FAILED: iptables-restore: line 2 failed")
        return None

    def _printed(self, place: str) -> list[str]:
        lines: list[str] = []
        for name, zone in self.zones[place].items():
            active = place == "runtime" and (zone["interfaces"] or zone["sources"])
            lines += [
                f"{name} (active)" if active else name,
                "  target: default",
                "  icmp-block-inversion: no",
                f"  interfaces: {' '.join(zone['interfaces'])}",
                f"  sources: {' '.join(zone['sources'])}",
                "  services: dhcpv6-client ssh",
                "  protocols: ",
                "  rich rules: ",
                *(f"\t{rule}" for rule in zone["rich"]),
                "",
            ]
        return lines


def _answer(code: int, stdout: str, stderr: str = "") -> dict[str, Any]:
    return {"retcode": code, "stdout": stdout, "stderr": stderr, "pid": 1}
