"""The example pillars are right for every node they name."""

from __future__ import annotations

import fnmatch
from typing import Any

import jinja2
import pytest
import yaml

from keepalived_core import conf
from keepalived_core.pillar import sections, to_tree
from tests.unit.formula.rendering import ROOT

PILLAR = ROOT / "pillar"
EXAMPLES = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((PILLAR / "keepalived").glob("*.sls"))
}
CLUSTERS = {name: text["keepalived"] for name, text in EXAMPLES.items() if "keepalived" in text}
MEMBERS = [(name, node) for name, data in CLUSTERS.items() for node in data["nodes"]]
VERSIONS = ["2.1.5", "2.2.7", "2.3.3", None]


@pytest.mark.parametrize("example", EXAMPLES)
def test_salt_renders_it_as_it_stands(example: str) -> None:
    """Jinja comes first and reads the comments too: no field in them may be taken for its own."""
    text = (PILLAR / "keepalived" / f"{example}.sls").read_text()
    jinja = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    rendered = jinja.from_string(text).render()
    assert yaml.safe_load(rendered) == EXAMPLES[example]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("example", "node"), MEMBERS)
def test_every_node_gets_a_configuration(example: str, node: str, version: str | None) -> None:
    tree = to_tree(CLUSTERS[example], node=node, version=version)
    assert conf.parse(conf.render(tree))


@pytest.mark.parametrize("example", CLUSTERS)
def test_the_sections_beside_config_hold_no_mistake(example: str) -> None:
    assert sections.check(CLUSTERS[example]) == []


@pytest.mark.parametrize("example", CLUSTERS)
def test_the_nodes_differ_only_where_they_should(example: str) -> None:
    """Priority, and in unicast the addresses: all else must be equal for VRRP to work."""
    texts = set()
    for node in CLUSTERS[example]["nodes"]:
        text = conf.render(to_tree(CLUSTERS[example], node=node))
        lines = [line for line in text.splitlines() if "priority" not in line]
        texts.add("\n".join(line for line in lines if ".1.1" not in line))
    assert len(texts) == 1


def test_the_classic_case_is_the_one_of_the_guide() -> None:
    tree = to_tree(CLUSTERS["classic"], node="controller3")
    words = conf.render(tree).split()
    for text in ("eth1", "52", "103", "192.168.1.220"):
        assert text in words
    numbers = CLUSTERS["classic"]["priorities"]["VI_PUBLIC"]
    assert sorted(numbers.values()) == [101, 102, 103]


def test_top_names_files_that_exist() -> None:
    top: dict[str, dict[str, list[Any]]] = yaml.safe_load((PILLAR / "top.sls").read_text())
    for target, names in top["base"].items():
        for name in names:
            assert (PILLAR / f"{name.replace('.', '/')}.sls").is_file(), f"{target}: {name}"


def test_top_gives_every_member_of_the_classic_case_its_pillar() -> None:
    top = yaml.safe_load((PILLAR / "top.sls").read_text())["base"]
    for node in CLUSTERS["classic"]["nodes"]:
        given = [
            name for target, names in top.items() for name in names if fnmatch.fnmatch(node, target)
        ]
        assert given == ["keepalived.classic"]
