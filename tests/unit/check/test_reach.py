"""Who holds the address after each failure: upstream's cases, and keepalived's rules one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from keepalived_core import conf
from keepalived_core.check import reach, reach_reason, reach_table
from keepalived_core.pillar import PillarError

CASES = yaml.safe_load(Path(__file__).with_name("reach_cases.yaml").read_text(encoding="utf-8"))


def text_of(case: dict, own: str) -> str:
    """One node's configuration; the last word of a keyword counts."""
    return "\n".join(
        [
            case.get("shared", ""),
            "vrrp_instance VI {",
            "interface eth0",
            "virtual_router_id 51",
            case.get("instance", ""),
            own,
            "virtual_ipaddress {",
            "10.0.0.100/24",
            "}",
            "}",
            case.get("below", ""),
        ]
    )


def report_of(texts: dict[str, str], addresses=None):
    return reach.reach({node: conf.evaluate(text) for node, text in texts.items()}, addresses)


def rows_of(instance) -> dict[str, str]:
    """``{failure: "owner verdict"}``."""
    found = {}
    for row in instance.rows:
        what = f"{row.holder} dies"
        if row.kind != "dies":
            where = "all" if row.kind == "all" else row.holder
            what = f"{reach_reason.name_of(row.track, row.name, row.value)} on {where}"
        owner = row.owner or ("|".join(row.tied) if row.tied else "nobody")
        found[what] = f"{owner} {row.verdict}"
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_known_case(case) -> None:
    report = report_of({node: text_of(case, own) for node, own in case["nodes"].items()})
    instance = report.instances[0]
    rows = rows_of(instance)

    assert instance.owner == case["normal"]
    assert {what: rows.get(what) for what in case["rows"]} == case["rows"]
    assert not set(case.get("absent", ())) & set(rows)
    codes = sorted({(one.code, one.message) for one in report.all_findings})
    assert sorted({c for c, _ in codes}) == sorted(set(case["codes"])), codes
    assert instance.priorities.items() >= case.get("priorities", {}).items()


GROUP = """
vrrp_script chk {{
 script /bin/true
 weight -50
}}
vrrp_script hard {{
 script /bin/true
}}
track_file drain {{
 file /run/drain
}}
vrrp_track_process proc {{
 process proc
 weight -5
}}
vrrp_sync_group G {{
 group {{
  VI
  VJ
 }}
 {group}
}}
vrrp_instance VI {{
 interface eth0
 virtual_router_id 51
 priority {first}
 {own}
 virtual_ipaddress {{
  10.0.0.100
 }}
}}
vrrp_instance VJ {{
 interface eth1
 virtual_router_id 52
 priority {second}
 virtual_ipaddress {{
  10.0.0.101
 }}
}}
"""
CHK = "track_script {\n chk\n }"
HARD = "track_script {\n hard\n }"


def group_of(group="", own="", a=(103, 103), b=(100, 100)):
    return report_of(
        {
            node: GROUP.format(group=group, own=own, first=first, second=second)
            for node, (first, second) in {"a": a, "b": b}.items()
        }
    )


@pytest.mark.parametrize(
    ("settings", "rows", "codes"),
    [
        ({"own": HARD}, {"hard fails on a": "b moves"}, set()),
        ({"group": HARD}, {"hard fails on a": "b moves"}, set()),
        ({"own": CHK}, {}, {"KR007"}),
        ({"group": CHK}, {"chk fails on a": "b moves"}, set()),
        # Only one member wants to move, and a group moves as a whole.
        (
            {"own": CHK, "group": "sync_group_tracking_weight"},
            {"chk fails on a": "a stays"},
            {"KR002"},
        ),
        # keepalived says that it ignores this weight, but it does not.
        (
            {"own": "track_interface {\n eth9 weight -50\n }"},
            {"interface eth9 down on a": "a stays"},
            {"KR002"},
        ),
        # The weight of the group counts for both, where both name a check.
        (
            {"group": CHK, "own": "track_script {\n chk weight 0\n }"},
            {"chk fails on a": "b moves"},
            set(),
        ),
        # One member is not heard, but the other is, and holds the others' group back.
        ({"own": "dont_track_primary"}, {"interface eth0 down on a": "a stays"}, {"KR011"}),
        # A group with an address owner has no weights: what fails is FAULT.
        ({"group": CHK, "a": (255, 103)}, {"chk fails on a": "b moves"}, set()),
        # Its default weight of 1 makes a file in a member one of weight 0.
        ({"own": "track_file {\n drain\n }"}, {"file drain is 1 on a": "b moves"}, set()),
        # The own interface of one is that of both.
        ({}, {"interface eth1 down on a": "b moves", "interface eth0 down on a": "b moves"}, set()),
    ],
)
def test_a_sync_group_moves_as_one(settings, rows, codes) -> None:
    report = group_of(**settings)

    for instance in report.instances:
        found = rows_of(instance)
        assert {what: found.get(what) for what in rows} == rows
        assert ("chk fails on a" in found) == ("chk fails on a" in rows)
    assert {one.code for one in report.all_findings} == codes


@pytest.mark.parametrize(
    ("own", "group", "priorities"),
    [
        ("track_script {\n chk weight 0\n }", CHK, [None, None]),
        ("track_script {\n chk weight -3\n }\n", CHK, [53, 53]),
        ("", CHK, [53, 53]),
    ],
)
def test_the_group_s_weight_counts_unless_the_member_has_weight_0(own, group, priorities) -> None:
    group += "\nsync_group_tracking_weight"
    found = []
    for instance in group_of(group=group, own=own).instances:
        row = next(row for row in instance.rows if (row.kind, row.name) == ("check", "chk"))
        found.append(row.priorities["a"])
    assert found == priorities


def test_a_process_keeps_the_direction_of_the_member() -> None:
    report = group_of(
        own="track_process {\n proc weight 4 reverse\n }",
        group="track_process {\n proc weight 7\n }\nsync_group_tracking_weight",
    )

    # The member loses 7 while the process is there; the other gains 7.
    rows = [next(row for row in each.rows if row.name == "proc") for each in report.instances]
    assert [row.priorities["a"] for row in rows] == [96, 103]


def test_a_sync_group_whose_members_rank_the_nodes_differently_is_told() -> None:
    report = group_of(a=(103, 100), b=(100, 103))

    assert [instance.owner for instance in report.instances] == [None, None]
    assert {one.code for one in report.all_findings} == {"KR008"}


def test_groups_that_differ_are_told() -> None:
    alone = GROUP.replace("  VJ\n", "")
    report = report_of(
        {
            "a": GROUP.format(group="", own="", first=103, second=103),
            "b": alone.format(group="", own="", first=100, second=100),
        }
    )

    assert "KR008" in {one.code for one in report.findings}


def test_a_warning_has_the_numbers_and_what_would_be_right() -> None:
    case = CASES[3]
    report = report_of({node: text_of(case, own) for node, own in case["nodes"].items()})

    (finding,) = report.all_findings
    assert finding.message == "VI: chk fails on a: 103 - 2 = 101, still not below b's 100"
    assert finding.hint == "write a weight of at least 4, or weight 0, which makes it FAULT"
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["codes"] == ["KR002"]], ids=lambda c: c["name"]
)
def test_the_weight_that_is_proposed_moves_it_and_the_one_before_does_not(case) -> None:
    def stays(weight: int) -> bool:
        found = {
            node: text_of(case, own).replace(f"weight {given}", f"weight {weight}")
            for node, own in case["nodes"].items()
        }
        return "KR002" in {one.code for one in report_of(found).all_findings}

    report = report_of({node: text_of(case, own) for node, own in case["nodes"].items()})
    hint = next(one.hint for one in report.all_findings if one.code == "KR002")
    words = hint.replace(",", "").split()
    text = text_of(case, next(iter(case["nodes"].values())))
    given = next(
        int(line.split()[1]) for line in text.split("\n") if line.strip().startswith("weight")
    )
    if "least" not in words and "most" not in words:
        # No weight helps: the most there is does not either.
        assert stays(253 if given > 0 else -253)
        return
    needed = int(words[6])
    assert not stays(needed)
    assert stays(needed - (1 if needed > 0 else -1))


def test_only_a_cluster_that_nothing_could_take_over_is_an_error() -> None:
    severities = set()
    for case in CASES:
        report = report_of({node: text_of(case, own) for node, own in case["nodes"].items()})
        severities |= {(one.severity, one.code == "KR001") for one in report.all_findings}
    assert severities == {("error", True), ("warning", False)}


PILLAR = {
    "cluster": "controllers",
    "config": {
        "vrrp_script": {"chk": {"script": "/bin/true", "weight": -2}},
        "vrrp_instance": {
            "VI": {
                "interface": "eth0",
                "virtual_router_id": 51,
                "virtual_ipaddress": ["10.0.0.100/24"],
                "track_script": ["chk"],
            }
        },
    },
    "nodes": {"a": {}, "b": {}},
    "priorities": {"VI": {"a": 101, "b": 104}},
}


def test_a_pillar_is_read_for_all_of_its_nodes() -> None:
    instance = reach.reach_of_pillar(PILLAR).instances[0]

    assert instance.owner == "b"
    assert rows_of(instance)["chk fails on b"] == "b stays"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"nodes": {}}, "keepalived:nodes"),
        ({"nodes": None}, "keepalived:nodes"),
        ({"priorities": {"VJ": {"a": 1}}}, "keepalived:priorities:VJ"),
    ],
)
def test_a_wrong_pillar_is_named_once(change, path) -> None:
    with pytest.raises(PillarError) as error:
        reach.reach_of_pillar({**PILLAR, **change})

    assert [found for found, _reason in error.value.mistakes] == [path]


def test_addresses_of_the_nodes_decide_between_equals() -> None:
    pillar = {**PILLAR, "priorities": {}, "nodes": ["a", "b"]}
    addresses = {"a": {"eth0": ["fe80::9", "10.0.0.9"]}, "b": {"eth0": ["10.0.0.10"]}}

    assert reach.reach_of_pillar(pillar).instances[0].owner is None
    assert reach.reach_of_pillar(pillar, addresses=addresses).instances[0].owner == "b"


def test_plain_data_is_of_json_s_types_and_has_the_documented_keys() -> None:
    plain = reach.to_plain(reach.reach_of_pillar(PILLAR))

    assert json.loads(json.dumps(plain)) == plain
    assert set(plain) == {"schema", "nodes", "findings", "instances"}
    (instance,) = plain["instances"]
    keys = "instance vrid family vips sync_group owner tied holders priorities rows findings"
    assert sorted(instance) == sorted(keys.split())
    keys = "kind track name value holder priorities owner tied late verdict reason"
    assert sorted(instance["rows"][0]) == sorted(keys.split())
    assert set(instance["findings"][0]) == {"severity", "code", "message", "hint"}


def test_the_table_names_failures_numbers_and_owners() -> None:
    text = reach.table(reach.to_plain(reach.reach_of_pillar(PILLAR)))

    assert text.splitlines() == [
        "VI  vrid 51  10.0.0.100/24  normally b",
        "  priorities: a, b",
        "  failure              where      priorities  owner  verdict  why",
        "  nothing                         101 104     b",
        "  interface eth0 down  b          101 -       a      moves    "
        "b goes to FAULT; a's 101 is the highest of the others",
        "  chk fails            b          101 102     b      stays    "
        "104 - 2 = 102, still not below a's 101",
        "  it dies              b          101 -       a      moves    "
        "b is gone; a's 101 is the highest of the others",
        "  chk fails            all nodes  99 102      b      stays    a 99, b 102; b keeps it",
        "warning KR002 VI: chk fails on b: 104 - 2 = 102, still not below a's 101",
        "    write a weight of at most -4, or weight 0, which makes it FAULT",
    ]


def test_the_table_obeys_no_name_and_colours_on_request_only() -> None:
    pillar = json.loads(json.dumps(PILLAR).replace('"b"', '"b\\u001b[2J"'))
    plain = reach.to_plain(reach.reach_of_pillar(pillar))

    assert "\x1b" not in reach.table(plain)
    assert "\x1b[2J" not in reach.table(plain, color=True)
    assert "\x1b[33mstays\x1b[0m" in reach.table(plain, color=True)


def test_a_cluster_without_instances_has_an_empty_table() -> None:
    assert reach.table(reach.to_plain(report_of({"a": "", "b": ""}))) == "No VRRP instance."


def test_clusters_are_judged_each_and_the_worst_decides_the_exit_status() -> None:
    good = {**PILLAR, "priorities": {"VI": {"a": 101, "b": 102}}}
    wrong = {**PILLAR, "priorities": {"VJ": {"a": 1}}}

    def judged(**clusters):
        return reach.reach_of_clusters(
            {name: {"a": data, "b": None} for name, data in clusters.items()}
        )

    assert judged(one=good)["retcode"] == 0
    assert judged(one=good, two=PILLAR)["retcode"] == 1
    assert reach.reach_of_clusters({})["retcode"] == 1
    data = judged(one=good, two=wrong)
    assert data["retcode"] == 1
    assert [each["problem"] is None for each in data["clusters"]] == [True, False]
    text = reach_table.screen({**data, "message": None})
    assert text.startswith("one\nVI  vrid 51")
    assert "Every failure of one node moves the address." in text
    assert text.endswith("two\nkeepalived:priorities:VJ: no such vrrp_instance")
