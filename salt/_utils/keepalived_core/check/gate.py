"""Would keepalived take this file?  ``keepalived -t``, run with care and interpreted.

An exit status alone decides nothing: 2.2.7 answers 0 for a missing, an executable or an
empty file, 5 for a sync group with one member (which runs), 6 for any script without script
security, and kills itself (143) when script security meets a script user other than root.
So the gate checks what ``-t`` does not see, runs it as root with a time limit, and weighs
each message by itself.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from . import own
from .host import this_host
from .own import Message

# -t needs 11 ms for one instance and 70 ms for 2500; but keepalived's duplicate check is
# quadratic, and a file that expands to 65,024 instances ran for more than ten minutes.
TIMEOUT_SECONDS = 20.0
CONFIG_TEST_SINCE = (2, 0, 4)

_PLACE = re.compile(r"^\((?:(?P<file>[^()]*?): )?Line (?P<line>\d+)\) (?P<text>.*)$")

#: Messages that do not make a file unfit, each with the reason.  keepalived prints them and
#: runs the file all the same.
TOLERATED: tuple[tuple[re.Pattern[str], str], ...] = (
    # vrrp.c: a group of one has nothing to keep in step, so the group is without effect.
    # The classic three-controller guide has exactly this.
    (
        re.compile(r"^Sync group \S+ has only 1 virtual router\(s\)"),
        "a sync group with one member has no effect; "
        "remove it, or add the instance it shall keep in step",
    ),
    # -t exits 6 for it; the daemon only logs it and runs the scripts as root.
    (
        re.compile(r"^SECURITY VIOLATION - scripts are being executed but script_security"),
        "scripts run without script security; "
        "set enable_script_security and script_user root in global_defs",
    ),
    # The parent's note that it fell back to root for scripts; same case as above.
    (
        re.compile(r"^WARNING - default user '?\S+?'? for script execution does not exist"),
        "scripts run as root because the user keepalived_script does not exist; "
        "set script_user in global_defs",
    ),
    # A removed back end: the daemon uses nftables instead.
    (
        re.compile(r"^iptables not supported, using nftables instead"),
        "replace vrrp_iptables and vrrp_ipsets with nftables",
    ),
)

#: What a message means for the person who must mend it.
_HINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^Unknown keyword '\{'|^Missing '\{'|^Unexpected '\{'"), "a '{' is missing above"),
    (
        re.compile(r"interface (\S+) .*doesn't exist|^Non-existent interface"),
        "create the interface before keepalived needs it, correct its name, "
        "or set dynamic_interfaces in global_defs",
    ),
    (
        re.compile(r"since not found/accessible"),
        "install the script (pillar keepalived:scripts, or the package that has it) first",
    ),
    (
        re.compile(r"Unable to set default user"),
        "set script_user in global_defs: with enable_script_security there is no default",
    ),
    (
        re.compile(r"is missing a parameter after keyword"),
        "a reload with this line would end the running daemon",
    ),
)


@dataclass
class GateResult:
    """What the gate found.

    ``ok``: the file may go live.  ``warnings``: what keepalived takes without a word although it
    is hardly meant, in a file that a person wrote.  ``rc``: exit status of ``keepalived -t``
    (negative: ended by that signal; None: it did not run).  ``tested``: False when the installed
    keepalived has no ``-t`` (before 2.0.4), so that only our own checks stand behind ``ok``.
    """

    ok: bool
    rc: int | None
    errors: list[Message] = field(default_factory=list)
    tolerated: list[Message] = field(default_factory=list)
    warnings: list[Message] = field(default_factory=list)
    tested: bool = True

    @property
    def clean(self) -> bool:
        """True when keepalived itself exits 0, as reload_check_config will demand."""
        return self.ok and self.rc == 0

    def report(self) -> str:
        """One line a message; a hint that several share stands once."""
        lines, hints = [], set()
        for message in self.errors or self.tolerated:
            if message.hint in hints:
                message = Message(message.text, message.line)
            hints.add(message.hint)
            lines.append(str(message))
        return "\n".join(lines)


def run(
    path: str,
    binary: str = "keepalived",
    timeout: float = TIMEOUT_SECONDS,
    version: tuple[int, ...] | None = None,
    generated: bool = False,
    ours: Collection[str] = (),
) -> GateResult:
    """Judge the file at *path*.

    :param path: the staged file; it must stand in the directory of the file it will replace,
        so that relative includes resolve.
    :param binary: the keepalived program.
    :param timeout: seconds ``keepalived -t`` may take.
    :param version: the installed version; before 2.0.4 only our own checks are made.
    :param generated: the text came from pillar: then also what keepalived takes without a word,
        and hardly anybody means, is an error.
    :param ours: directories that this bundle makes by itself, so that they need not be there.
    :returns: a :class:`GateResult`; never raises for a bad file.
    :raises FileNotFoundError: when *binary* is not installed.
    """
    host = this_host()
    wrong = own.file_itself(path)
    if wrong:
        return GateResult(ok=False, rc=None, errors=wrong)
    text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    wrong, doubtful = own.inside(text, path, version, host, ours)
    if generated:
        wrong, doubtful = wrong + doubtful, []
    if wrong:
        return GateResult(ok=False, rc=None, errors=wrong)
    if version is not None and version < CONFIG_TEST_SINCE:
        return GateResult(ok=True, rc=None, warnings=doubtful, tested=False)
    result = _tested(path, binary, timeout, version)
    result.warnings = doubtful
    return result


def _tested(path: str, binary: str, timeout: float, version: tuple[int, ...] | None) -> GateResult:
    rc, output = _config_test(path, binary, timeout)
    if rc in (-signal.SIGTERM, 128 + signal.SIGTERM) and not _messages(output, path):
        # 2.2.7 (Debian 12) ends itself when script security is on and a script has a user
        # other than root: acassen/keepalived#2617, mended in 2.2.8.  A copy in which root
        # runs every script is judged instead; that the users exist is checked by us.
        result = _judge_with_root_scripts(path, binary, timeout)
        result.rc = rc  # reload_check_config would meet the same end: not clean
        return result
    return interpret(rc, output, path, version)


def interpret(
    rc: int, output: str, path: str = "", version: tuple[int, ...] | None = None
) -> GateResult:
    """Weigh exit status and messages of one ``keepalived -t`` run by that version."""
    errors: list[Message] = []
    tolerated: list[Message] = []
    for text, line in _messages(output, path):
        reason = next((why for pattern, why in TOLERATED if pattern.match(text)), None)
        if reason is not None:
            tolerated.append(Message(text, line, reason))
        else:
            errors.append(Message(text, line, _hint(text)))
    if not errors and rc != 0 and not tolerated:
        if rc < 0 or rc > 128:
            number = -rc if rc < 0 else rc - 128
            errors.append(Message(f"keepalived -t was ended by {_signal_name(number)}"))
        else:
            said = status_meaning(rc, version)
            errors.append(Message(f"keepalived -t exits {rc}{said} and gives no reason"))
    return GateResult(ok=not errors, rc=rc, errors=errors, tolerated=tolerated)


def status_meaning(rc: int, version: tuple[int, ...] | None) -> str:
    """What an exit status of ``-t`` means, as " (words)"; "" when it is not known.

    The numbers changed at 2.2.5 (the manual has the old ones to this day, acassen/keepalived#2457);
    a word without its value ends every release with 2.
    """
    if rc == 2:
        return " (a keyword lacks its value)"
    if version is None:
        return ""
    words = ("cannot run", "errors", "script security", "no configuration")
    first = 4 if version >= (2, 2, 5) else 3
    known = dict(enumerate(words[:3] if first == 4 else words, first))
    return f" ({known[rc]})" if rc in known else ""


def _config_test(path: str, binary: str, timeout: float) -> tuple[int, str]:
    """Run ``keepalived -t`` in a directory of its own for dumps and in the C locale."""
    env = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [binary, "-t", "-f", path],
            capture_output=True,
            timeout=timeout,
            env=env,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"keepalived -t did not finish within {timeout:g} seconds"
    return done.returncode, (done.stderr + done.stdout).decode("utf-8", "replace")


def _messages(output: str, path: str) -> list[tuple[str, int | None]]:
    """Messages once each, in order: every process parses the file and repeats them."""
    seen: dict[tuple[str, int | None], None] = {}
    for raw in output.splitlines():
        text = raw.strip()
        if not text or text == "Terminated":
            continue
        match = _PLACE.match(text)
        line = int(match["line"]) if match else None
        text = match["text"] if match else text
        if path:
            text = text.replace(path, "the file")
        seen.setdefault((text, line))
    return list(seen)


def _judge_with_root_scripts(path: str, binary: str, timeout: float) -> GateResult:
    source = Path(path)
    text = source.read_text(encoding="utf-8", errors="surrogateescape")
    shadow_text, users = scripts_as_root(text)
    unknown = [
        Message(f"script user '{user}' does not exist", line, "create it, or name another")
        for user, line in users
        if not this_host().user(user)
    ]
    fd, shadow = tempfile.mkstemp(prefix=".keepalived-shadow-", dir=source.parent)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as handle:
            handle.write(shadow_text)
        rc, output = _config_test(shadow, binary, timeout)
        result = interpret(rc, output, shadow)
    finally:
        Path(shadow).unlink(missing_ok=True)
    result.errors = unknown + result.errors
    result.ok = not result.errors
    return result


_USER_LINE = re.compile(r"^(\s*(?:script_user|user)\s+)(\S+)(.*)$")


def scripts_as_root(text: str) -> tuple[str, list[tuple[str, int]]]:
    """*text* with every script user replaced by root, and the users it named, with lines."""
    users: list[tuple[str, int]] = []
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        match = _USER_LINE.match(line.rstrip("\r\n"))
        if match:
            users.append((match.group(2), index + 1))
            lines[index] = f"{match.group(1)}root\n"
    return "".join(lines), users


def _hint(text: str) -> str:
    return next((hint for pattern, hint in _HINTS if pattern.search(text)), "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
