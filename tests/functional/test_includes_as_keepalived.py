"""Includes are read by the installed keepalived as our evaluator says.

The files are full of words keepalived does not know: it names each with file and line, so its
messages show what it read and in which order.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from keepalived_core import conf
from keepalived_core.conf import opener

pytestmark = pytest.mark.skipif(
    shutil.which("keepalived") is None, reason="keepalived is not installed"
)

HOST = conf.own_id()
FILES = {
    "a.conf": "in_a ${_PWD} 1\nin_a2\n",
    "b.conf": "in_b\ninclude a.conf\nin_b2\n",
    "conf.d/10.conf": "in_10 ${_PWD}\ninclude sub/x.conf\n",
    "conf.d/20.conf": "in_20\n",
    "conf.d/.hidden.conf": "in_hidden\n",
    "conf.d/sub/x.conf": "in_x\ninclude ../../a.conf\n",
    "block.conf": "vrrp_script {\n",
    "script.conf": "in_script\n",
}
EXECUTABLE = "script.conf"

# name -> main file
CASES = {
    "one": "p\ninclude a.conf\nq\n",
    "nested": "include b.conf\nq\n",
    "sorted": "include conf.d/*.conf\nq\n",
    "hidden": "include conf.d/.*.conf\n",
    "braces": "include {b,a,nope}.conf\nq\n",
    "braces in braces": "include {b,{a,c}}.conf\n",
    "all braces must match": "includeb {a,nope}.conf\nq\n",
    "sets": "include [^b-z].conf\n",
    "executable": "include script.conf\n",
    "executable, strict": "includer script.conf\n",
    "directory": "include conf.d\n",
    "directory, strict": "includea conf.d\n",
    "missing": "include nope.conf\nq\n",
    "missing, strict": "includem nope.conf\nq\n",
    "nothing matches": "includem nope*.conf\n",
    "nothing matches, strict": "includew nope*.conf\n",
    "no such folder": "include nowhere/*.conf\n",
    "no such folder, strict": "includem nowhere/*.conf\n",
    "check": "global_defs {\ninclude_check\n}\ninclude nope.conf\n",
    "check of matches": "global_defs {\ninclude_check match\n}\ninclude {a,nope}.conf\n",
    "condition": f"@{HOST} include a.conf\nq\n",
    "condition of another": "@nobody include a.conf\nq\n",
    "definition": "$I=include a.conf\n$I\nq\n",
    "definition in the name": "$N=a\ninclude ${N}.conf\nq\n",
    "definition of several lines": "$I=p \\\ninclude a.conf \\\nq\nr\n$I\ns\n",
    "definition below": "$I=\\\ninclude a.conf\\\n\n$I\ns\n",
    "loop": "~SEQ(I, 2) include conf.d/2*.conf\nq\n",
    "loop that goes astray": "~SEQ(I, 2) include conf.d/sub/../20.conf\nq\n",
    "loop, strict, that goes astray": "~SEQ(I, 2) includem conf.d/sub/../20.conf\nq\n",
}


def ours(path: Path) -> tuple[int, list[str]]:
    """(6 for an include that must not be missing, the words in order)."""
    tree = conf.evaluate(path.read_text(), HOST, str(path), strict=False, files=opener.Disk())
    words = [
        f"{Path(node.file or path).name}:{node.line}:{node.keyword}"
        for node in tree.statements()
        if not isinstance(node, conf.Block)
    ]
    fatal = any(fault.severity == "error" for fault in tree.faults)
    return 6 if fatal else 0, words


def theirs(path: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        ["keepalived", "-t", "-f", str(path)],
        capture_output=True,
        text=True,
        timeout=20,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(path.parent)},
    )
    found = re.findall(
        r"^\((?:(.*?): )?Line (\d+)\) Unknown keyword '(\S+)'", done.stderr, re.MULTILINE
    )
    words = [f"{Path(file or path).name}:{line}:{word}" for file, line, word in found]
    return done.returncode, words


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_keepalived_reads_the_same(text: str, tmp_path: Path) -> None:
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o744 if name == EXECUTABLE else 0o640)
    main = tmp_path / "main.conf"
    main.write_text(text)
    main.chmod(0o640)
    fatal, words = ours(main)
    code, read = theirs(main)
    assert code == (6 if fatal else 5 if words else 0)
    if not fatal:  # else its parent ends before its children read
        # Parent and children read in turn; the last one's account is compared.
        assert read[len(read) - len(words) :] == words
        assert bool(read) == bool(words)
