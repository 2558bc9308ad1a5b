"""Findings for people and pipelines: order, exit status, text, and nothing secret."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..conf import parse
from ..conf.opener import FILE, FOLDER, MAX_FILE, NOTHING, OTHER, Disk
from ..conf.redactor import mask, secret_words
from .host import HostFacts
from .lint import Finding, lint

# Exit status of the command line, and retcode of the execution function.
OK, WARNINGS, ERRORS, UNREADABLE = 0, 1, 2, 3

_RANK = {"error": 0, "warning": 1, "info": 2}
_COLOURS = {"error": "31", "warning": "33", "info": "36"}


class Unreadable(Exception):
    """The file cannot be read; the text says why."""


def file_findings(
    path: str,
    version: str | tuple[int, ...] | None = None,
    config_id: str | None = None,
    host: HostFacts | None = None,
) -> list[Finding]:
    """What is wrong with a file and those it includes, worst first, every secret masked.

    version, config_id, host: as ``lint`` has them.  ``file`` is set in each finding.  Raises
    Unreadable.
    """
    text = read(path)
    found = lint(parse(text, path, strict=False), version, config_id, Disk(), host)
    if Disk().kind(path) != FILE:
        text = "the file is executable: keepalived does not read it, and reloads to nothing at all"
        found.append(Finding("error", "KA114", 0, "", text, f"chmod a-x {path}"))
    # A file that is read twice has each of its findings twice.
    found = list(dict.fromkeys(replace(one, file=one.file or path) for one in found))
    texts = {path: text}
    for one in found:
        if one.file not in texts:
            texts[one.file] = read(one.file)
    masked = _masking(texts)
    return sorted(
        map(masked, found),
        key=lambda one: (_RANK[one.severity], one.file != path, one.file, one.line),
    )


def read(path: str) -> str:
    """The text of a configuration file.  Raises Unreadable."""
    disk = Disk()
    kind = disk.kind(path)
    if kind == NOTHING:
        raise Unreadable(f"{path}: there is no such file")
    if kind == FOLDER:
        raise Unreadable(f"{path}: this is a directory; keepalived reads files")
    if kind == OTHER and not os.path.isfile(path):
        raise Unreadable(f"{path}: this is no regular file")
    try:
        text = disk.read(path)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    if len(text) > MAX_FILE:
        raise Unreadable(f"{path}: larger than {MAX_FILE // 2**20} MiB")
    return text


def status(findings: Iterable[Finding]) -> int:
    """0 for nothing above info, 1 for warnings, 2 for errors."""
    worst = min((_RANK[one.severity] for one in findings), default=_RANK["info"])
    return (ERRORS, WARNINGS, OK)[worst]


def line(finding: Finding, colours: bool = False) -> str:
    """``FILE:LINE: severity CODE message (hint)``, as editors and CI systems know it."""
    place = _printable(f"{finding.file}:{finding.line}" if finding.line else finding.file)
    severity = finding.severity
    if colours:
        place, severity = f"\033[1m{place}\033[0m", f"\033[{_COLOURS[severity]}m{severity}\033[0m"
    inside = f" [{finding.path}]" if finding.path else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{place}: {severity} {finding.code} {_printable(finding.message + inside + hint)}"


def _printable(text: str) -> str:
    """The file may hold what a terminal obeys, and bytes that are no text."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _masking(texts: Mapping[str, str]) -> Callable[[Finding], Finding]:
    """Takes the secret of its line out of a finding."""
    secret = {
        (file, number): words
        for file, text in texts.items()
        for number, words in secret_words(text).items()
    }

    def masked(finding: Finding) -> Finding:
        words = secret.get((finding.file, finding.line), ())
        return replace(
            finding,
            message=mask(finding.message, words),
            hint=mask(finding.hint, words),
            path=mask(finding.path, words),
        )

    return masked
