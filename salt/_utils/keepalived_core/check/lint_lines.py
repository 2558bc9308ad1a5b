"""Lint before any keyword is looked at: long lines, and comments where none were meant."""

from __future__ import annotations

from collections.abc import Iterator

from ..conf import lexer
from ..conf.fault import ERROR, INFO, WARNING
from ..conf.keyword import Version
from ..conf.renderer import MAX_LINE
from .lint_finding import Finding

# reload_check_config came with 2.2.0; the fault is in every release up to the newest known.
_READS_MARKS = (2, 2, 0)


def judge_lines(source: str, file: str) -> Iterator[Finding]:
    """What goes wrong before any keyword is looked at."""
    lines = source.split("\n")
    if "#" not in source and "!" not in source and max(map(len, lines)) <= MAX_LINE // 4:
        return  # nothing to cut, and a character has four bytes at most
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE // 4 and len(lexer.encoded(line)) > MAX_LINE:
            yield Finding(
                ERROR,
                "KA112",
                number,
                "",
                f"the line is longer than the {MAX_LINE} bytes keepalived reads at once; it takes "
                "the rest for another line",
                "write shorter lines, comments included",
                file,
            )
        if "#" in line or "!" in line:
            cut = lexer.split_comment(line)
            start = cut.start
            if lexer.split_comment(cut.text).start >= 0:
                yield Finding(
                    WARNING,
                    "KA109",
                    number,
                    "",
                    "a backslash does not save a '#' or '!': keepalived's children see a comment",
                    "put the value in double quotes",
                    file,
                )
            if start > 0 and line[start - 1] not in " \t{}":
                yield Finding(
                    WARNING,
                    "KA109",
                    number,
                    "",
                    f"{line[start]!r} cuts a word: what follows is a comment to keepalived",
                    "put the value in double quotes, or a blank before the comment",
                    file,
                )


def killer_comment(source: str, release: Version) -> Iterator[Finding]:
    """The first comment in the first column of a file that has no reload_check_config.

    After a reload that was checked keepalived takes it for a mark of its own and dies, see
    docs/keepalived-findings.md.
    """
    if release and release < _READS_MARKS:
        return
    for number, line in enumerate(source.split("\n"), 1):
        if line.startswith(("#", "!")):
            yield Finding(
                INFO,
                "KA117",
                number,
                "",
                "a comment in the first column, and no reload_check_config: a keepalived whose "
                "file had it until now dies at the second reload from here",
                "put a blank before such comments, or restart when reload_check_config goes",
            )
            return
