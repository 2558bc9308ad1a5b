"""Probe the VIP from a lab's client while something happens."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from lab.host import REPO, LabError
from lab.lab import Lab


@contextlib.contextmanager
def probing(
    lab: Lab, address: str, interval: float = 0.01, tcp: int | None = None
) -> Iterator[dict[str, Any]]:
    """Probe *address* every *interval* seconds while the body runs, by ICMP and, with *tcp*, by
    connecting to that port.

    The dictionary it gives is filled in at the end with what ``lab.probe`` prints.
    """
    result: dict[str, Any] = {}
    program = [sys.executable, "-m", "lab.probe", address, "--interval", str(interval)]
    command = ["nsenter", f"--net={lab.state.netns}", *program, "--http", "80"]
    command += ["--tcp", str(tcp)] if tcp else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPO, start_new_session=True)
    try:
        yield result
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=15)
        with contextlib.suppress(ValueError):
            result.update(json.loads(out))
    if not result:
        raise LabError("the client's probe gave no result")
