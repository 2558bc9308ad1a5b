"""The pillar's JSON Schema and the keyword page: fresh, and true to what the formula reads."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from docs import schema
from keepalived_core.conf import grammar
from tests.functional.keyword_samples import samples

SCHEMA = json.loads(schema.SCHEMA.read_text(encoding="utf-8"))
TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
# All that the schema uses; a word that is not here would be ignored by the check below.
KNOWN = {"type", "properties", "additionalProperties", "items", "enum", "minimum", "maximum"} | {
    *("pattern", "anyOf", "$ref", "$defs", "$schema", "title", "description", "deprecated")
}


def faults(value: Any, rule: Any, path: str = "") -> list[str]:
    """What JSON Schema says to a value, for the words this schema uses."""
    if isinstance(rule, bool):
        return [] if rule else [f"{path}: not allowed"]
    assert set(rule) <= KNOWN, set(rule) - KNOWN
    found = []
    if "$ref" in rule:
        found += faults(value, SCHEMA["$defs"][rule["$ref"].removeprefix("#/$defs/")], path)
    if "anyOf" in rule:
        tried = [faults(value, option, path) for option in rule["anyOf"]]
        found += [] if [] in tried else tried[0]
    if "enum" in rule and not any(type(value) is type(o) and value == o for o in rule["enum"]):
        found.append(f"{path}: {value!r} is none of {rule['enum']}")
    types = rule.get("type", list(TYPES))
    if not any(is_a(value, name) for name in ([types] if isinstance(types, str) else types)):
        return [*found, f"{path}: {value!r} is no {types}"]
    counts = isinstance(value, (int, float)) and not isinstance(value, bool)
    if counts and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
        found.append(f"{path}: {value} is out of range")
    if isinstance(value, str) and not re.search(rule.get("pattern", ""), value):
        found.append(f"{path}: {value!r} does not look right")
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += faults(item, rule.get("items", True), f"{path}:{index}")
    if isinstance(value, dict):
        for key, item in value.items():
            inner = rule.get("properties", {}).get(key, rule.get("additionalProperties", True))
            found += faults(item, inner, f"{path}:{key}")
    return found


def is_a(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


EXAMPLES = sorted((schema.ROOT / "pillar" / "keepalived").glob("*.sls"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_the_example_pillars_are_valid(path):
    assert faults(yaml.safe_load(path.read_text(encoding="utf-8")), SCHEMA) == []


def test_every_keyword_is_valid_where_it_belongs():
    wrong = {
        sample.name: found
        for sample in samples()
        if (found := faults({"keepalived": {"config": sample.config}}, SCHEMA))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "wrong, told",
    [
        ("{conifg: {}}", "conifg: not allowed"),
        ("{config: {vrrp_instance: {A: {prioritty: 5}}}}", "prioritty: not allowed"),
        ("{config: {vrrp_instance: {A: {priority: 256}}}}", "out of range"),
        ("{config: {vrrp_instance: {A: {nopreempt: 'false'}}}}", "is no boolean"),
        ("{config: {vrrp_instance: {A: {state: SLAVE}}}}", "is none of"),
        ("{config: {vrrp_instance: {A: {authentication: {auth_pass: 83}}}}}", "83 is no"),
        ("{config: {vrrp_script: {S: {interval: true}}}}", "is no"),
        ("{config: {virtual_server: {a 80: {real_server: {b 80: {wait: 1}}}}}}", "wait: not"),
        ("{nodes: {n: {config: {global_defs: {routerid: x}}}}}", "routerid: not allowed"),
        ("{sysctl: {ip_nonlocal_bind: 'yes'}}", "is no boolean"),
        ("{priorities: {A: {n: 0}}}", "out of range"),
    ],
)
def test_a_wrong_pillar_is_not_valid(wrong, told):
    found = faults({"keepalived": yaml.safe_load(wrong)}, SCHEMA)
    assert any(told in line for line in found), found


def test_the_schema_names_every_keyword_of_the_table():
    for path, keyword in grammar.walk():
        scope = ".".join(path[:-1]) or "config"
        assert path[-1] in SCHEMA["$defs"][scope]["properties"], path
        assert not keyword.children or ".".join(path) in SCHEMA["$defs"], path


def test_schema_and_keyword_page_are_fresh():
    assert schema.schema() == SCHEMA, "python3 -m docs.schema"
    assert schema.page() == schema.PAGE.read_text(encoding="utf-8"), "python3 -m docs.schema"
