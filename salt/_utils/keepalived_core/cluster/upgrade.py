"""Upgrade the package node by node, without losing an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import rollout
from .conductor import (
    DONE,
    MARK_SECONDS,
    POLL_SECONDS,
    PUT_BACK,
    SETTLE_SECONDS,
    Conductor,
    Failed,
    Refused,
    refuse,
    table,
)
from .picture import can_drain, in_order, is_drained, masters_on, peers_ready, picture

PACKAGE = "keepalived"
#: A package index and a download may take their time.
INSTALL_SECONDS = 300
_REASON = "the package is upgraded"


class Upgrade(Conductor):
    """Brings the package to a version, backups first, each node drained meanwhile."""

    verb = "upgrade"

    def run(self, version: str | None = None, test: bool = False) -> dict[str, Any]:
        """Upgrade to *version*, or to the newest the nodes' own sources have.

        Raises Refused when the cluster is not healthy.
        """
        self.world.say(f"asking {len(self.nodes)} nodes")
        facts = self.facts()
        findings = rollout.preflight(facts, plans=False)
        refuse(findings)
        statuses = {one.node: one.status for one in facts}
        before = picture(statuses)
        have, wanted = self._versions(version)
        order = [node for node in in_order(statuses) if wanted[node] != have[node]]
        changes = [
            {"node": node, "from": have[node], "to": wanted[node], "state": "todo"}
            for node in order
        ]
        more: dict[str, Any] = {
            "findings": [each.to_data() for each in findings],
            "packages": changes,
            "rows": table(before, before),
        }
        if not order:
            return self.report("nothing", DONE, "every node has that version", **more)
        if test:
            return self.report("would", DONE, f"would upgrade {', '.join(order)}", **more)
        for change in changes:
            self.world.say(f"{change['node']}: {change['from']} -> {change['to']}")
            try:
                self._one(str(change["node"]), str(change["to"]), before)
            except Failed as failed:
                change["state"] = "failed"
                self.mark(0, _REASON)
                now = picture(self.statuses())
                more["rows"] = table(before, now)
                return self.report("failed", PUT_BACK, self._stopped(change, failed), **more)
            change["state"] = "done"
        self.mark(0, _REASON)
        more["rows"] = table(before, picture(self.statuses()))
        return self.report("done", DONE, f"upgraded {', '.join(order)}", **more)

    def _versions(self, version: str | None) -> tuple[dict[str, str], dict[str, str]]:
        """What every node has, and what it shall have."""
        have = self._ask_all("pkg.version")
        if version:
            return have, dict.fromkeys(have, str(version))
        newest = self._ask_all("pkg.latest_version", refresh=True)
        # Salt says nothing where there is nothing newer.
        return have, {node: newest[node] or have[node] for node in have}

    def _ask_all(self, fun: str, **kwarg: Any) -> dict[str, str]:
        answers = self.world.ask(self.nodes, fun, INSTALL_SECONDS, arg=[PACKAGE], **kwarg)
        bad = [node for node in self.nodes if not _is_text(answers.get(node))]
        if bad:
            said = answers[bad[0]].said if bad[0] in answers else "no answer"
            raise Refused(f"nothing was changed: {bad[0]}: {fun}: {rollout.one_line(said)}")
        return {node: str(answers[node].said) for node in self.nodes}

    def _one(self, node: str, version: str, before: Mapping[str, Any]) -> None:
        statuses = self.statuses()
        holds = masters_on(statuses[node])
        ready = peers_ready(node, statuses)
        alone = [name for name in holds if not ready.get(name)]
        if alone:
            raise Failed(f"no healthy node would take {', '.join(alone)} from {node}")
        self.mark(MARK_SECONDS + INSTALL_SECONDS, _REASON)
        ours = can_drain(statuses[node])
        if ours:
            self.drain_away(node, _REASON, before)
        elif holds and not is_drained(statuses[node]):
            self.world.say(f"{node} cannot be drained: keepalived hands over when it stops")
        self.do(
            node,
            "pkg.install",
            INSTALL_SECONDS,
            name=PACKAGE,
            version=version,
            refresh=True,
        )
        self._runs(node, version)
        self._settled(before, f"after the upgrade of {node}")
        if ours:
            self.do(node, "keepalived.undrain")
            self._settled(before, f"after {node} was undrained")

    def _settled(self, before: Mapping[str, Any], when: str) -> None:
        _, problems = self.settle(before)
        if problems:
            raise Failed(f"{when}: {'; '.join(problems)}")

    def _runs(self, node: str, version: str) -> None:
        """The package is there, keepalived runs, and hears adverts where it should."""
        answers = self.world.ask([node], "pkg.version", INSTALL_SECONDS, arg=[PACKAGE])
        have = answers[node].said if node in answers else None
        if have != version:
            raise Failed(f"{node} has {have or 'no package'} after pkg.install, not {version}")
        deadline = self.world.now() + SETTLE_SECONDS
        while True:
            answers = self.world.ask([node], "keepalived.adverts", INSTALL_SECONDS)
            said = answers[node].said if node in answers else None
            if isinstance(said, Mapping):
                deaf = [name for name, row in said.items() if row.get("receiving") is False]
                problem = f"{', '.join(deaf)} hears no adverts" if deaf else ""
            else:
                problem = rollout.one_line(said) if said else "no answer"
            if not problem:
                return
            if self.world.now() >= deadline:
                raise Failed(f"{node}: {problem}")
            self.world.sleep(POLL_SECONDS)

    def _stopped(self, change: Mapping[str, Any], failed: Failed) -> str:
        node = change["node"]
        return (
            f"{failed}. The upgrade stopped at {node}; the nodes after it keep what they have. "
            f"{node} stays drained if it was: when it is well, salt-run keepalived.undrain {node}, "
            "then the upgrade again"
        )


def _is_text(answer: Any) -> bool:
    return answer is not None and isinstance(answer.said, str) and "\n" not in answer.said
