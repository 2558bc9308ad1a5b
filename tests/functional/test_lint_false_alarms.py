"""What keepalived takes with exit status 0 and without a message gets no error from lint.

The least file of every keyword is changed at random: other words, words more and less, lines
twice or elsewhere.  Much of it is wrong then; what keepalived says nothing of is held against lint.
"""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from keepalived_roots import Root
from keyword_samples import Config, samples

from keepalived_core import conf, pillar
from keepalived_core.check.host import this_host
from keepalived_core.check.lint import lint

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

RUNS = 300
SECURE: Config = {"global_defs": {"enable_script_security": True, "script_user": "root"}}
WORDS = [
    *("007", "+5", "0x10", "5.0", "-0", "00", "0", "1", "255", "1.5", "3600", "4294967295"),
    *("10.0.0.1/24", "192.168.1.77", "2001:db8::5/64", "0.0.0.0", "192.168.1.5-9", "weight"),
    *("'x'", "a\\b", "x.y", '""', "@x", "eth1", "eth2", "lo", "MASTER", "true", "false", "off"),
    *("TRUE", "any", "default", "$X", "${X}", "/usr/bin/true", "'/usr/bin/true'", "/gone"),
    *("reverse", "dev", "label", "no_track", "inet", "inet6", "root", "jane"),
]


def changed(text: str, chance: random.Random) -> str:
    """The text with one to three changes."""
    lines = text.split("\n")
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(lines))
        words = lines[at].split(" ")
        places = [place for place, word in enumerate(words) if word and word not in "{}"]
        how = chance.choice(("replace", "insert", "remove", "quote", "twice", "move", "end"))
        if how == "twice":
            lines.insert(at, lines[at])
        elif how == "move":
            lines.insert(at, lines.pop(chance.randrange(len(lines))))
        elif how == "end":
            lines[at] += chance.choice((" # c", "#c", " !c", "\t", "\r", " \\", " '"))
        elif places:
            place = chance.choice(places)
            if how == "replace":
                words[place] = chance.choice(WORDS)
            elif how == "insert":
                words.insert(place + 1, chance.choice(WORDS))
            elif how == "remove":
                del words[place]
            else:
                words[place] = f'"{words[place]}"'
            lines[at] = " ".join(words)
    return "\n".join(lines)


def test_what_keepalived_takes_in_silence_is_no_error(tmp_path: Path) -> None:
    root = Root("", tmp_path)
    host = replace(
        this_host(),
        interfaces=frozenset({"lo", "eth1", "eth2", "fareth1", "fareth2"}),
        namespaces=frozenset({"NETNS"}),
    )
    texts = []
    for sample in samples():
        try:
            config = {**SECURE, **sample.config}
            texts.append(conf.render(pillar.to_tree({"config": config}, version=root.version)))
        except pillar.PillarError:
            continue  # newer than what is installed
    chance = random.Random(20)
    silent, false = 0, []
    for _ in range(RUNS):
        text = changed(chance.choice(texts), chance)
        if "net_namespace" in text or root.check(text) != (0, ""):
            continue  # without its namespace keepalived -t does not read on
        silent += 1
        found = lint(conf.parse(text, strict=False), root.version, host=host)
        errors = [(text, one) for one in found if one.severity == "error"]
        # On a machine that is very busy keepalived -t was seen to say nothing once.
        if errors and root.check(text) == (0, ""):
            false += errors
    root.close()
    print(f"{silent} of {RUNS} were taken in silence")
    assert false == []
    assert silent > RUNS / 5
