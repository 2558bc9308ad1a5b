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

from lab.demo import wait_for_beacons
from lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(1500)]

#: What is left out of the ordinary run, half a minute to one each: all is carried out on 2.2.7
#: and on 2.3.3 with SALT_KEEPALIVED_LONG=1 (25 minutes).
LONG = ("a check's interval", "the owner's priority goes up", "an address more",
        "nopreempt", "an instance more", "another address instead", "a password", "advert_int",
        "VRRPv3", "unicast", "a check's fall, rise and timeout", "preempt_delay", "gratuitous ARP",
        "a notify script", "mail", "router_id and the garp defaults", "skip_check_adv_addr",
        "debugging off, dont_track_primary", "an interface is tracked", "no check any more",
        "another check that passes", "an excluded address",
        "a backup's priority goes down")  # fmt: skip
if os.environ.get("SALT_KEEPALIVED_LONG"):
    RUNS = {"bookworm": CASES, "trixie": CASES}
else:
    RUNS = {"bookworm": [case for case in CASES if case.name not in LONG]}
ROWS = [(suite, case) for suite, cases in RUNS.items() for case in cases]
WAYS = ("there", "back")
#: Seconds: one advert (advert_int 1).
ONE_ADVERT = 1.0
SEVERITY = ("nothing", "safe", "moves", "restart", "cluster", "removes")


@pytest.fixture(scope="module")
def matrix(request):
    """All changes carried out, on the suite that the test asks for."""
    if request.param == "bookworm":
        yield _run(request.getfixturevalue("cluster"), RUNS["bookworm"])
        return
    lab = Lab(f"t{os.getpid()}-{request.param}", nodes=3, suite=request.param, quiet=True).up()
    try:
        lab.push()
        lab.wait_minions()
        lab.salt("*", "saltutil.sync_all")
        lab.salt_run("saltutil.sync_all")
        yield _run(lab, RUNS[request.param])
    finally:
        lab.down()


def _run(lab, cases):
    lab.heal()
    set_pillar(lab, data())
    assert failures(apply(lab, pillar={"keepalived": {"allow_disruptive": True}})) == {}
    for node in lab.controllers:
        node.run(["systemctl", "start", "keepalived", "haproxy"])
    wait_one_holder(lab, "controller3", timeout=30)
    wait_for_beacons(lab, timeout=90)  # the formula restarts each minion once
    found = lab.salt("controller1", "keepalived.version")["controller1"]["version"]
    matrix = Matrix(lab)
    matrix.version = tuple(int(part) for part in found.split("."))
    matrix.run(cases)
    print(f"keepalived {found}\n{matrix.table()}")
    return matrix


def per_suite(test):
    return pytest.mark.parametrize("matrix", RUNS, indirect=True, scope="module")(test)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("matrix", "case"),
    ROWS,
    ids=[f"{suite}-{case.name}" for suite, case in ROWS],
    indirect=["matrix"],
    scope="module",
)
def test_a_change_is_what_it_is_called_and_costs_no_more(matrix, case, way):
    row = matrix.rows[case.name, way]
    wanted = case.kinds(matrix.version)[WAYS.index(way)]
    assert row.failed == {}
    assert max(row.kinds.values(), key=SEVERITY.index) == wanted
    felt = "rollout" if way == "there" else "allowed"
    assert row.how == ("state" if wanted in HARMLESS else felt), row.refused
    assert {a: s for a, s in row.shared.items() if s > ONE_ADVERT} == {}
    if wanted in HARMLESS:
        assert row.pids_kept
        assert [move for move in row.moves if move["address"] in VIPS] == []
    untouched = [address for address in VIPS if address not in case.touched]
    assert {address: row.lost[address] for address in untouched} == dict.fromkeys(untouched, 0)
    assert {a: row.away[a] for a in case.touched if row.away[a] > case.outage} == {}


@per_suite
def test_a_new_vrid_costs_no_more_than_reloading_all_nodes_at_once_by_hand(matrix):
    by_hand = max(matrix.rows["the VRID, by hand", way].away[VIPS[0]] for way in WAYS)
    ours = matrix.rows["the VRID", "there"].away[VIPS[0]]
    print(f"away for {ours} s by the rollout, {by_hand} s by hand: {ours / by_hand:.2f}")
    assert ours <= 1.2 * by_hand


@per_suite
def test_a_restart_costs_no_more_than_keepalived_s_own_stop(matrix):
    stop = matrix.rows["keepalived's own stop", "there"].away[VIPS[0]]
    assert stop > 0.3
    for row in matrix.rows.values():
        if row.how == "rollout" and "restart" in row.kinds.values():
            print(f"{row.name}: away for {max(row.away.values())} s, a stop takes {stop} s")
            assert max(row.away.values()) <= 1.2 * stop
