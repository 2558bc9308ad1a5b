"""keepalived takes the lines of the drain file without a word, in every release at hand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

if os.geteuid() != 0:
    pytest.skip("namespaces need root", allow_module_level=True)

from keepalived_roots import Root, layers

from keepalived_core import conf
from keepalived_core.node import drain_track

pytestmark = pytest.mark.root

INSTANCE = """
vrrp_instance {name} {{
    interface eth1
    virtual_router_id {vrid}
    priority {priority}
    {more}
    virtual_ipaddress {{
        192.168.1.{vrid}/24
    }}
}}
"""
MINE = "track_file mine {\n    file /tmp/mine\n    weight -5\n}\n"
TRACKS = "track_file {\n        mine\n    }"


def text(*members: str, priority: int = 100, more: str = "") -> str:
    """Two instances, and a sync group of some."""
    group = f"vrrp_sync_group G {{\n    group {{\n        {' '.join(members)}\n    }}\n}}\n"
    return (group if members else "") + "".join(
        INSTANCE.format(name=name, vrid=vrid, priority=priority, more=more)
        for name, vrid in (("A", 51), ("B", 52))
    )


CASES = {
    "alone": text(),
    "in a sync group": text("A", "B"),
    "a sync group of one": text("A"),
    "address owners": text(priority=255),
    "address owners in a sync group": text("A", "B", priority=255),
    "with nopreempt": text(more="nopreempt"),
    "VRRPv3 at 0.1 s": text(more="version 3\n    advert_int 0.1"),
    "beside a track_file of the pillar": MINE + text(more=TRACKS),
}


@pytest.fixture(scope="module", params=["installed", "bullseye", "trixie"])
def root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Root]:
    suite = "" if request.param == "installed" else str(request.param)
    if not suite and shutil.which("keepalived") is None:
        pytest.skip("keepalived is not installed")
    if suite and not all(layer.is_dir() for layer in layers(suite)):
        pytest.skip(f"the {suite} image is not built: `python3 -m lab build --suite {suite}`")
    found = Root(suite, tmp_path_factory.mktemp("root"))
    yield found
    found.close()


@pytest.mark.parametrize("case", CASES)
def test_the_drain_file_changes_nothing_in_what_keepalived_says_to_a_configuration(
    root: Root, case: str
) -> None:
    before = root.check(CASES[case])
    tree = conf.parse(CASES[case])
    assert drain_track.add(tree, root.version, "/tmp/drain") == []
    assert root.check(conf.render(tree)) == before


def test_without_its_directory_new_releases_refuse_the_file(root: Root) -> None:
    """Why it is made before the configuration names it, and while that is judged.  Older ones
    take it, and then track nothing."""
    tree = conf.parse(text())
    drain_track.add(tree, root.version, "/tmp/not-there/drain")
    status, said = root.check(conf.render(tree))
    if root.version >= (2, 2, 8):
        assert "realpath() error 2" in said
    else:
        assert (status, said) == (0, "")
