"""The lines of value blocks: what we take the installed keepalived takes, and the reverse."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from keepalived_roots import Root

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

REPO = Path(__file__).resolve().parents[2]
LINES = yaml.safe_load((REPO / "tests/unit/conf/lines.yaml").read_text(encoding="utf-8"))
INSTANCE = """vrrp_instance I {
    interface eth1
    virtual_router_id 5
    virtual_ipaddress_excluded {
        192.168.1.9
    }
    %s
}
"""
VIP = "virtual_ipaddress {\n192.168.1.20\n}\n"


def text(keyword: str, line: str) -> str:
    """The least file this line can stand in."""
    block = f"{keyword} {{\n{line}\n}}\n"
    if keyword in ("use_vmac", "use_ipvlan"):
        return INSTANCE % f"{VIP}{keyword} {line}"
    if keyword == "virtual_server_group":
        return f"virtual_server_group G {{\n{line}\n}}\n"
    if keyword == "linkbeat_interfaces":
        return block
    if keyword == "virtual_ipaddress":
        # An address of another family than the excluded one would be a fault of its own.
        return (INSTANCE % block).replace(
            "virtual_ipaddress_excluded {\n        192.168.1.9\n    }", ""
        )
    return INSTANCE % (VIP + block)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    found = Root("", tmp_path_factory.mktemp("root"))
    yield found
    found.close()


@pytest.mark.parametrize("keyword", LINES)
def test_keepalived_takes_the_lines_we_take(root: Root, keyword: str) -> None:
    said = {line: root.check(text(keyword, line))[1] for line in LINES[keyword]["right"]}
    assert {line: told for line, told in said.items() if told.strip()} == {}


@pytest.mark.parametrize("keyword", LINES)
def test_keepalived_refuses_the_lines_we_refuse(root: Root, keyword: str) -> None:
    said = {str(line): root.check(text(keyword, str(line)))[1] for line in LINES[keyword]["wrong"]}
    assert [line for line, told in said.items() if not told.strip()] == []
