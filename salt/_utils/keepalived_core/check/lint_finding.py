"""What lint says about one place."""

from __future__ import annotations

from dataclasses import dataclass

from ..conf.fault import ERROR, INFO, WARNING, Fault

_SEVERITIES = {ERROR: 0, WARNING: 1, INFO: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    severity: error, warning or info; line: in the file, 0 for none; path: the blocks around it,
    as ``vrrp_instance VI_1: authentication``; hint: what to do, may be empty; file: the included
    file that line is of, empty for the file itself.
    """

    severity: str
    code: str
    line: int
    path: str
    message: str
    hint: str
    file: str = ""

    @classmethod
    def of(cls, fault: Fault) -> Finding:
        """A judgement, as lint reports it."""
        node = fault.node
        path = ": ".join(fault.path)
        return cls(
            fault.severity, fault.code, node.line, path, fault.message, fault.hint, node.file or ""
        )


def order(finding: Finding) -> tuple[str, int, int]:
    """The file itself before those it includes, line by line, the worst first."""
    return finding.file, finding.line, _SEVERITIES[finding.severity]
