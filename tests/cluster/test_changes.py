"""Every kind of change, carried out on three live nodes while a client looks on.

What the classifier predicts is what happens: nothing and safe cost no probe and move nothing; the
rest is refused by the state and carried out by the rollout, and never are there two holders for
longer than one advert.
"""

from __future__ import annotations

import os

import pytest
from change_cases import CASES, HARMLESS, VIPS, data
from change_matrix import Matrix
from support import apply, failures, set_pillar, wait_one_holder

from lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(1500)]

#: The lab's suites: keepalived 2.2.7 and 2.3.3.
SUITES = ["bookworm", "trixie"] if os.environ.get("SALT_KEEPALIVED_VERSIONS") else ["bookworm"]
WAYS = ("there", "back")
#: Seconds: one advert (advert_int 1).
ONE_ADVERT = 1.0
SEVERITY = ("nothing", "safe", "moves", "restart", "cluster", "removes")


@pytest.fixture(scope="module", params=SUITES)
def matrix(request):
    """All changes carried out, on each suite."""
    if request.param == "bookworm":
        yield _run(request.getfixturevalue("cluster"))
        return
    lab = Lab(f"t{os.getpid()}-{request.param}", nodes=3, suite=request.param, quiet=True).up()
    try:
        lab.push()
        lab.wait_minions()
        lab.salt("*", "saltutil.sync_all")
        lab.salt_run("saltutil.sync_all")
        yield _run(lab)
    finally:
        lab.down()


def _run(lab):
    lab.heal()
    set_pillar(lab, data())
    assert failures(apply(lab, pillar={"keepalived": {"allow_disruptive": True}})) == {}
    for node in lab.controllers:
        node.run(["systemctl", "start", "keepalived", "haproxy"])
    wait_one_holder(lab, "controller3", timeout=30)
    found = lab.salt("controller1", "keepalived.version")["controller1"]["version"]
    matrix = Matrix(lab)
    matrix.version = tuple(int(part) for part in found.split("."))
    matrix.run()
    print(f"keepalived {found}\n{matrix.table()}")
    return matrix


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_is_what_it_is_called_and_costs_no_more(matrix, case, way):
    row = matrix.rows[case.name, way]
    wanted = case.kinds(matrix.version)[WAYS.index(way)]
    assert row.failed == {}
    assert max(row.kinds.values(), key=SEVERITY.index) == wanted
    assert row.how == ("state" if wanted in HARMLESS else "rollout")
    assert {a: s for a, s in row.shared.items() if s > ONE_ADVERT} == {}
    if wanted in HARMLESS:
        assert row.pids_kept
        assert [move for move in row.moves if move["address"] in VIPS] == []
    untouched = [address for address in VIPS if address not in case.touched]
    assert {address: row.lost[address] for address in untouched} == dict.fromkeys(untouched, 0)
    assert {a: row.away[a] for a in case.touched if row.away[a] > case.outage} == {}
