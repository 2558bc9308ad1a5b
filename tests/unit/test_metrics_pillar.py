"""``metrics`` in the pillar, of a node and of the master."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from keepalived_core import metrics_pillar
from keepalived_core.metrics_pillar import EXAMPLE, Settings
from keepalived_core.pillar import sections

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        ({"textfile": EXAMPLE}, Settings(EXAMPLE, 15)),
        ({"textfile": "/srv/x-1/k.prom", "interval": 60}, Settings("/srv/x-1/k.prom", 60)),
    ],
)
def test_sound_settings_are_read(given: Any, wanted: Settings | None) -> None:
    assert metrics_pillar.read(given) == (wanted, [])


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ([], "metrics", "a mapping with textfile belongs here, not list"),
        (True, "metrics", "not bool"),
        ({}, "metrics:textfile", f"missing; it would be {EXAMPLE}"),
        ({"textfile": "k.prom"}, "metrics:textfile", "no absolute path"),
        ({"textfile": "/x/k.txt"}, "metrics:textfile", "ends in .prom"),
        ({"textfile": "/k.prom"}, "metrics:textfile", "no absolute path"),
        ({"textfile": "/x/../etc/k.prom"}, "metrics:textfile", "no absolute path"),
        ({"textfile": "/x/a b.prom"}, "metrics:textfile", "letters, digits"),
        ({"textfile": "/x/%h.prom"}, "metrics:textfile", "letters, digits"),
        ({"textfile": "/x/k\nExecStart=/evil.prom"}, "metrics:textfile", "letters, digits"),
        ({"textfile": 5}, "metrics:textfile", "no absolute path"),
        ({"textfile": EXAMPLE, "interval": 1}, "metrics:interval", "from 5 to 3600"),
        ({"textfile": EXAMPLE, "interval": "15"}, "metrics:interval", "no whole number"),
        ({"textfile": EXAMPLE, "interval": True}, "metrics:interval", "no whole number"),
        ({"textfile": EXAMPLE, "intervall": 15}, "metrics:intervall", "did you mean interval?"),
        ({"textfile": EXAMPLE, "to": 15}, "metrics:to", "known are textfile, interval"),
    ],
)
def test_a_mistake_has_its_path_its_reason_and_what_would_be_right(
    given: Any, path: str, reason: str
) -> None:
    settings, mistakes = metrics_pillar.read(given)
    assert settings is None
    assert [where for where, _ in mistakes] == [path]
    assert reason in mistakes[0][1]
    assert sections.check({"metrics": given}) == [(f"keepalived:{path}", mistakes[0][1])]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(metrics_pillar.read({"textfile": "x", "interval": 0, "y": 1})[1]) == 3


def test_the_formula_writes_as_often_as_is_said_here_where_the_pillar_says_nothing() -> None:
    text = (ROOT / "salt" / "keepalived" / "metrics.jinja").read_text()
    assert re.findall(r'get\("interval", (\d+)\)', text) == [str(metrics_pillar.DEFAULT)]
