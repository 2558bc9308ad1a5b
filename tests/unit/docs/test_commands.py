"""Every command of ours that a page shows exists, with the parameters that the page gives it."""

from __future__ import annotations

import re

from docs import build, links

# From the program to the end of the line, of the code span, or to a comment.
_SALT = re.compile(r"\b(salt-run|salt-call|salt)\b(?! *[=:/])([^\n`#]*)")
_VERB = re.compile(r"\b((?:keepalived|firewalld_direct)\w*)\.([a-z]\w*)((?:\s+\S+)*)")
_STATE = re.compile(r"\bstate\.(?:apply|sls|orchestrate)\s+(keepalived[\w.]*)")
_GIVEN = re.compile(r"(?:^|\s)([a-z]\w*)=")
# What Salt itself takes from the command line of a verb.
_OF_SALT = {"timeout"}
# A dot in the name, but no verb.
_FILES = {"sls", "conf", "py", "service", "json", "yaml"}


def parameters(headings):
    """{(module, verb): its parameters, None when it takes any} of the sections named."""
    found = {}
    for module in build.modules():
        if module.heading in headings:
            for name, called, _text in module.functions:
                given = called.partition("(")[2]
                names = set(re.findall(r"(?:^|, )(\w+)", given))
                found[module.loaded, name] = None if "**" in given else names
    return found


VERBS = parameters({"Verbs on a node"})
RUNNERS = parameters({"Verbs on the master"})


def commands():
    """(page:line, program, rest of the line) of every command in a page."""
    for path in links.pages(build.ROOT):
        if path.name in ("reference.md", "CHANGELOG.md"):
            continue
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for match in _SALT.finditer(text):
            place = f"{path.relative_to(build.ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
            yield place, match[1], match[2]


def test_every_verb_that_a_page_calls_exists_with_those_parameters():
    wrong, seen = [], 0
    for place, program, rest in commands():
        match = _VERB.search(_STATE.sub("", rest))
        if not match or match[2] in _FILES:
            continue
        seen += 1
        known = RUNNERS if program == "salt-run" else VERBS
        name = (match[1], match[2])
        if name not in known:
            wrong.append(f"{place}: {program} knows no {'.'.join(name)}")
            continue
        words = re.split(r"[,;|(]\s", match[3])[0]
        for given in _GIVEN.findall(words):
            if known[name] is not None and given not in known[name] | _OF_SALT:
                wrong.append(f"{place}: {'.'.join(name)} takes no {given}")
    assert wrong == []
    assert seen > 100


def test_every_state_file_that_a_page_applies_exists():
    wrong, seen = [], 0
    for place, _program, rest in commands():
        for name in _STATE.findall(rest):
            seen += 1
            path = build.ROOT / "salt" / name.rstrip(".").replace(".", "/")
            if not (path.with_suffix(".sls").is_file() or (path / "init.sls").is_file()):
                wrong.append(f"{place}: there is no state file {name}")
    assert wrong == []
    assert seen > 10
