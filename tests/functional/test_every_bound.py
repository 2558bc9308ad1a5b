"""The bounds of every number in the table: keepalived takes both, and reports what is beyond."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from keepalived_roots import Root
from keyword_samples import Sample, samples
from test_every_keyword import HEAD, endless, known, root

from keepalived_core import conf, pillar
from keepalived_core.conf.keyword import DECIMAL, INTEGER

__all__ = ["root"]  # a fixture

pytestmark = pytest.mark.root

NUMBERS = (INTEGER, DECIMAL)
# What keepalived says of a number in range because of its company; and what older releases say.
SAID = {
    # VRRPv2 sends whole seconds.
    "vrrp_instance/advert_int": "must be an integer. rounding",
    # One real server of weight 1 is all these samples have.
    "virtual_server/quorum": "exceeds total weight",
    "virtual_server/hysteresis": "hysteresis",
    "virtual_server/real_server/weight": "exceeds total weight|hysteresis 0 >= quorum 0",
    "virtual_server/real_server/UDP_CHECK/min_reply_length": "will always fail",
    # No decimals before 2.3.3, so that the least is a second.
    "vrrp_script/interval": r"invalid number '0.001'|interval '0.001' must be between 1",
    "vrrp_script/timeout": r"invalid number '0.001'|timeout '0.001' invalid",
    # Half of today's before 2.2.8, and whole seconds in 2.1.
    "garp_group/garp_interval": r"'4294\.967295'|does not have any delay set",
    "garp_group/gna_interval": r"'4294\.967295'",
    "global_defs/vrrp_garp_interval": r"'4294\.967295'",
    "global_defs/vrrp_gna_interval": r"'4294\.967295'",
    "global_defs/vrrp_startup_delay": r"'4294\.967295'",
}
# Cut to 32 bits without a word; we say that the number cannot be right.
SILENT = re.compile("/url/regex_(min|max)_offset$")
# 2.1 took any delay above nothing.
LOOSE = {(2, 1, 5): {"global_defs/vrrp_startup_delay"}}


class Number(NamedTuple):
    """A number's sample, its line in the file, and the file."""

    sample: Sample
    line: str
    text: str


def text_of(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".") if isinstance(number, float) else str(number)


def numbers(root: Root, end: str) -> Iterator[list[Number]]:
    """The numbers this release knows, at one bound; those that can share a file together."""
    found: dict[str, list[Number]] = {}
    for sample in samples(lambda row: getattr(row, end) if row.kind in NUMBERS else None):
        if known(root, sample) and not endless(root, sample):
            indent = "    " * (len(sample.path) - 1)
            line = f"{indent}{sample.path[-1]} {text_of(getattr(sample.keyword, end))}\n"
            text = conf.render(pillar.to_tree({"config": sample.config}))
            assert f"\n{line}" in f"\n{text}", sample.name
            found.setdefault(sample.path[0], []).append(Number(sample, line, text))
    yield from found.values()


def told(root: Root, batch: list[Number]) -> dict[str, list[str]]:
    """Sample -> what keepalived says to it that it need not; a silent file clears all in it."""
    excuses = [SAID[number.sample.name] for number in batch if number.sample.name in SAID]
    if any(number.sample.keyword.deprecated for number in batch):
        excuses.append("deprecated|please replace")
    _, said = root.check(HEAD + "".join(number.text for number in batch))
    lines = [line for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if not any(re.search(excuse, line) for excuse in excuses)]
    if not lines:
        return {}
    if len(batch) == 1:
        return {batch[0].sample.name: lines}
    middle = len(batch) // 2
    return {**told(root, batch[:middle]), **told(root, batch[middle:])}


def reported(root: Root, texts: list[tuple[str, str]]) -> list[bool]:
    """Whether keepalived complains of each text's own line, asked in one file."""
    whole = HEAD
    places = []
    for text, line in texts:
        before = f"\n{text}".partition(f"\n{line}")[0] + "\n"
        places.append((whole + before).count("\n"))
        whole += text
    lines = {int(number) for number in re.findall(r"Line (\d+)\)", root.check(whole)[1])}
    return [place in lines for place in places]


@pytest.mark.parametrize("end", ["low", "high"])
def test_keepalived_takes_the_bound(root: Root, end: str) -> None:
    wrong: dict[str, list[str]] = {}
    for batch in numbers(root, end):
        wrong.update(told(root, batch))
    assert wrong == {}


@pytest.mark.parametrize(("end", "direction"), [("low", -1), ("high", 1)])
def test_keepalived_reports_what_is_beyond_the_bound(root: Root, end: str, direction: int) -> None:
    silent = []
    for batch in numbers(root, end):
        texts = []
        for sample, line, text in batch:
            row, bound = sample.keyword, getattr(sample.keyword, end)
            # A float holds no millionth beside a number of fourteen digits.
            step = 1 if row.kind == INTEGER or bound > 10**9 else 10**-row.places
            beyond = line.replace(text_of(bound), text_of(bound + direction * step))
            texts.append((f"\n{text}".replace(f"\n{line}", f"\n{beyond}", 1)[1:], beyond))
        for number, pair, heard in zip(batch, texts, reported(root, texts), strict=True):
            # Asked alone where the complaint names no line.
            if not heard and not root.check(HEAD + pair[0])[1].strip():
                silent.append(number.sample.name)
    expected = LOOSE.get(root.version, set())
    assert [name for name in silent if not SILENT.search(name) and name not in expected] == []
