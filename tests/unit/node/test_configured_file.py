"""What a node reads in its keepalived.conf is what its daemon runs."""

from dataclasses import replace

import pytest

from keepalived_core import conf
from keepalived_core.node import layout, status
from keepalived_core.node.paths import DEFAULT

TEXT = f"""\
$IF=eth1
@{conf.own_id()} $PRIORITY=150
@^{conf.own_id()} $PRIORITY=50
global_defs {{
    vrrp_notify_fifo $FIFO
}}
vrrp_instance A {{
    interface $IF
    virtual_router_id 5
    priority $PRIORITY
    include addresses.conf
}}
include more/*.conf
"""


@pytest.fixture
def paths(tmp_path):
    paths = replace(DEFAULT, config=tmp_path / "keepalived.conf", run_dir=tmp_path)
    paths.config.write_text(f"$FIFO={paths.fifo}\n{TEXT}")
    (tmp_path / "addresses.conf").write_text("virtual_ipaddress {\n192.0.2.9\n}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "group.conf").write_text("vrrp_sync_group G {\ngroup {\nA\n}\n}\n")
    return paths


def test_the_watch_knows_conditions_definitions_and_included_files(paths):
    known = layout.read(paths)
    instance = known.instances["A"]
    assert (instance.interface, instance.base_priority) == ("eth1", 150)
    assert [vip.address for vip in instance.vips] == ["192.0.2.9"]
    assert known.group_of("A") == "G"
    assert known.fifo


def test_status_of_a_stopped_node_knows_them_too(paths, monkeypatch):
    monkeypatch.setattr(status.process, "find", lambda _paths: None)
    (row,) = status.status("n1", None, paths)["instances"]
    assert (row["instance"], row["base_priority"], row["sync_group"]) == ("A", 150, "G")
    assert [vip["address"] for vip in row["vips"]] == ["192.0.2.9/32"]


def test_a_file_that_cannot_be_read_is_unknown_not_empty(paths, monkeypatch):
    said = []
    monkeypatch.setattr(layout.log, "warning", lambda text, error: said.append(str(error)))
    paths.config.write_text("~SEQ(A, 1, 999) ~SEQ(B, 1, 9999) x\n")
    assert not layout.read(paths).known
    assert "50000 lines" in said[0]
