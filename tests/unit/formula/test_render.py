"""Every SLS of the formula renders to valid states, whatever the machine and the pillar."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.unit.formula.rendering import FAMILIES, ROOT, Rendered

FORMULA = ROOT / "salt" / "keepalived"
SLS = sorted(path.stem for path in FORMULA.glob("*.sls"))
# What a top file names; between them they include every other SLS.
ENTRIES = ("keepalived", "keepalived.master", "keepalived.clean", "keepalived.firewall_clean")
EXAMPLES = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "pillar" / "keepalived").glob("*.sls"))
}

# Shapes that a slip of the pen gives. None may end in a stack trace, for the state that reads the
# pillar can say better what is wrong.
PILLARS: dict[str, dict[str, Any]] = {
    "no pillar": {},
    "empty pillar": {"keepalived": {}},
    "null": {"keepalived": None},
    "a text": {"keepalived": "controllers"},
    "a list": {"keepalived": ["controllers"]},
    "sections that are null": {
        "keepalived": dict.fromkeys(("config", "package", "scripts", "sysctl", "firewall"))
    },
    "sections that are lists": {
        "keepalived": {key: ["x"] for key in ("config", "package", "scripts", "sysctl", "firewall")}
    },
    "metrics of the wrong shapes": {
        "keepalived": {"metrics": {"textfile": "keepalived.prom", "interval": "often"}},
        "keepalived_master": {"metrics": {"textfile": 5}},
    },
    "metrics that are lists": {
        "keepalived": {"metrics": ["x"]},
        "keepalived_master": {"metrics": ["x"]},
    },
    "scripts without content": {
        "keepalived": {"scripts": {"/a": None, "/b": {}, "/c": {"contents": 5}, "/d": "text"}}
    },
}

Render = Callable[..., Rendered]


@pytest.mark.parametrize("sls", SLS)
def test_each_sls_renders_on_its_own(render: Render, sls: str) -> None:
    rendered = render(f"keepalived.{sls}", pillar=EXAMPLES["classic"])
    assert rendered.errors == []
    assert "keepalived-modules-synced" not in rendered.ids()


@pytest.mark.parametrize("family", FAMILIES)
def test_renders_on_every_family(render: Render, family: str) -> None:
    assert render(*ENTRIES, family=family, pillar=EXAMPLES["classic"]).errors == []


@pytest.mark.parametrize("pillar", [pytest.param(p, id=name) for name, p in PILLARS.items()])
def test_renders_with_a_pillar_that_cannot_work(render: Render, pillar: dict[str, Any]) -> None:
    rendered = render(*ENTRIES, pillar=pillar)
    assert rendered.errors == []
    # The states that read the pillar themselves, and say what is wrong with it.
    assert {"keepalived-pillar-valid", "keepalived-config"} <= set(rendered.ids())


def test_modules_that_are_not_synced_are_one_failure_that_names_the_remedy(render: Render) -> None:
    rendered = render(*ENTRIES, pillar=EXAMPLES["classic"], synced=False)
    assert rendered.errors == []
    assert rendered.ids() == ["keepalived-modules-synced"]
    assert "salt 'controller1' saltutil.sync_all" in rendered.chunks[0]["comment"]


@pytest.mark.parametrize("pillar", [pytest.param(p, id=name) for name, p in EXAMPLES.items()])
def test_every_example_pillar_renders(render: Render, pillar: dict[str, Any]) -> None:
    assert render("keepalived", pillar=pillar).errors == []


def own_states() -> set[str]:
    """Functions of the state modules in this tree, read without loading them."""
    found = set()
    for path in (ROOT / "salt" / "_states").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found.add(f"{path.stem}.{node.name}")
    return found


def test_every_own_state_that_the_formula_calls_exists(render: Render) -> None:
    rules = {"clean": {"stop_keepalived": True}, **EXAMPLES["classic"]["keepalived"]}
    modules = {path.stem for path in (ROOT / "salt" / "_states").glob("*.py")}
    used = render(*ENTRIES, pillar={"keepalived": rules}).functions()
    own = {function for function in used if function.partition(".")[0] in modules}
    assert own - own_states() == set()
    assert "keepalived.managed" in own


def order(rendered: Rendered, *ids: str) -> list[int]:
    return [rendered.ids().index(state_id) for state_id in ids]


def test_the_work_is_done_in_the_order_that_keeps_the_address(render: Render) -> None:
    rendered = render("keepalived", pillar=EXAMPLES["several-vips"])
    steps = order(
        rendered,
        "keepalived-pillar-valid",
        "keepalived-package-installed",
        "keepalived-script-/usr/libexec/keepalived/check-http.sh",
        "keepalived-firewall-vrrp",
        "keepalived-watch-running",
        "keepalived-config",
        "keepalived-service-running",
        "keepalived-events-in-force",
    )
    assert steps == sorted(steps)


def test_the_configuration_waits_for_what_it_needs(render: Render) -> None:
    config = render("keepalived", pillar=EXAMPLES["several-vips"])["keepalived-config"]
    assert {name for requisite in config["require"] for name in requisite.values()} == {
        "keepalived-version-supported",
        "keepalived-script-/usr/libexec/keepalived/check-http.sh",
        "keepalived-firewall-vrrp",
        "keepalived-watch-installed",
    }


def test_nothing_restarts_keepalived(render: Render) -> None:
    service = render("keepalived", pillar=EXAMPLES["classic"])["keepalived-service-running"]
    assert not {"watch", "watch_any", "listen", "onchanges"} & set(service)
    for chunk in render("keepalived", pillar=EXAMPLES["classic"]).chunks:
        names = [n for kind in ("watch_in", "listen_in") for r in chunk.get(kind, []) for n in r]
        assert "keepalived-service-running" not in names


def test_a_pinned_version_is_asked_for_by_name(render: Render) -> None:
    pillar = {"keepalived": {"package": {"version": "1:2.2.7-1+b2"}}}
    installed = render("keepalived.package", pillar=pillar)["keepalived-package-installed"]
    assert installed["pkgs"] == [{"keepalived": "1:2.2.7-1+b2"}, "psmisc"]


SCRIPT = {"keepalived": {"scripts": {"/usr/libexec/keepalived/x.sh": {"contents": "#!/bin/sh\n"}}}}


@pytest.mark.parametrize(
    ("family", "enabled", "labelled"),
    [
        ("rhel8", True, True),
        ("rhel9", True, True),
        ("suse", True, True),
        ("rhel9", False, False),
        # Debian's policy does not know the type.
        ("debian", True, False),
        ("arch", False, False),
    ],
)
def test_scripts_get_the_selinux_type_where_the_policy_has_it(
    render: Render, family: str, enabled: bool, labelled: bool
) -> None:
    rendered = render(
        "keepalived.scripts", family=family, pillar=SCRIPT, selinux={"enabled": enabled}
    )
    script = rendered["keepalived-script-/usr/libexec/keepalived/x.sh"]
    assert script.get("selinux", {}).get("setype") == (
        "keepalived_unconfined_script_exec_t" if labelled else None
    )


def test_scripts_are_roots_and_executable_unless_said_otherwise(render: Render) -> None:
    plain = render("keepalived.scripts", pillar=SCRIPT)
    script = plain["keepalived-script-/usr/libexec/keepalived/x.sh"]
    assert (script["user"], script["group"], script["mode"]) == ("root", "root", "0755")


@pytest.mark.parametrize("mode", ["0750", 750])
def test_a_mode_reaches_the_file_as_text(render: Render, mode: Any) -> None:
    pillar = {"keepalived": {"scripts": {"/x": {"source": "salt://x", "mode": mode}}}}
    assert render("keepalived.scripts", pillar=pillar)["keepalived-script-/x"]["mode"] == str(mode)


def test_names_and_texts_of_scripts_cannot_become_states(render: Render) -> None:
    path = "/x\n  evil:\n    cmd.run: []\n"
    text = '"\n- cmd: {{ 7 * 7 }}\n'
    pillar = {"keepalived": {"scripts": {path: {"contents": text}}}}
    chunks = [c for c in render("keepalived.scripts", pillar=pillar).chunks if c["state"] == "file"]
    assert [(chunk["name"], chunk["contents"]) for chunk in chunks] == [(path, text)]


@pytest.mark.parametrize(("wanted", "set_"), [(True, True), (False, False), (None, False)])
def test_nonlocal_bind_only_on_request(render: Render, wanted: bool | None, set_: bool) -> None:
    pillar = {"keepalived": {"sysctl": {"ip_nonlocal_bind": wanted}}}
    names = {chunk["name"] for chunk in render("keepalived.sysctl", pillar=pillar).chunks}
    assert ("net.ipv4.ip_nonlocal_bind" in names) is set_


def test_without_systemd_the_watch_is_left_out_and_said_so(render: Render) -> None:
    rendered = render("keepalived", pillar=EXAMPLES["classic"], init="unknown")
    assert rendered.errors == []
    assert "keepalived-watch-running" not in rendered.ids()
    assert "no systemd" in rendered["keepalived-watch-skipped"]["text"]


def test_the_watch_runs_under_salts_own_python(render: Render) -> None:
    unit = render("keepalived.watch", pythonexecutable="/opt/x/bin/python3")[
        "keepalived-watch-unit"
    ]
    assert unit["context"] == {"python": "/opt/x/bin/python3"}


def test_clean_leaves_the_address_where_it_is(render: Render) -> None:
    rendered = render("keepalived.clean", pillar=EXAMPLES["classic"])
    touched = {chunk["name"] for chunk in rendered.chunks}
    assert not {"keepalived", "/etc/keepalived/keepalived.conf"} & touched
    # keepalived still runs: a node that hears no adverts makes itself master.
    assert not {
        f for f in rendered.functions() if f.startswith(("keepalived_firewall", "firewalld"))
    }


def test_clean_stops_keepalived_before_it_shuts_the_firewall(render: Render) -> None:
    pillar = {
        "keepalived": {**EXAMPLES["classic"]["keepalived"], "clean": {"stop_keepalived": True}}
    }
    rendered = render("keepalived.clean", pillar=pillar)
    assert rendered.errors == []
    steps = order(
        rendered, "keepalived-clean-keepalived-stopped", "keepalived-firewall-vrrp-closed"
    )
    assert steps == sorted(steps)


METRICS = {"textfile": "/srv/metrics/keepalived.prom", "interval": 30}


def test_metrics_are_written_by_a_timer_only_on_request(render: Render) -> None:
    without = render("keepalived", "keepalived.master", pillar=EXAMPLES["classic"])
    assert not [name for name in without.ids() if name.startswith("keepalived-metrics")]
    assert "keepalived-hub-metrics-running" not in without.ids()

    asked = {"keepalived": {**EXAMPLES["classic"]["keepalived"], "metrics": METRICS}}
    rendered = render("keepalived", pillar=asked)
    service = rendered["keepalived-metrics-service"]
    assert service["context"] == {
        "library": "/usr/local/lib/salt-keepalived",
        "python": "/opt/saltstack/salt/bin/python3",
        "textfile": METRICS["textfile"],
        "directory": "/srv/metrics",
    }
    assert rendered["keepalived-metrics-timer"]["context"] == {"interval": 30}
    steps = order(
        rendered,
        "keepalived-watch-installed",
        "keepalived-service-running",
        "keepalived-metrics-service",
        "keepalived-metrics-units-read",
        "keepalived-metrics-running",
    )
    assert steps == sorted(steps)


def test_metrics_of_a_wrong_pillar_are_not_written(render: Render) -> None:
    asked = {"keepalived": {**EXAMPLES["classic"]["keepalived"], "metrics": METRICS}}
    directory = render("keepalived", pillar=asked)["keepalived-metrics-directory"]
    assert {"keepalived_pillar": "keepalived-pillar-valid"} in directory["require"]


def test_the_master_writes_metrics_with_a_library_of_its_own(render: Render) -> None:
    """keepalived.clean takes the watch's away, where the master is a node too."""
    rendered = render("keepalived.master", pillar={"keepalived_master": {"metrics": METRICS}})
    library = rendered["keepalived-hub-metrics-library"]
    service = rendered["keepalived-hub-metrics-service"]
    assert library["name"] == service["context"]["library"] != "/usr/local/lib/salt-keepalived"
    assert library["require"] == [{"keepalived_minion": "keepalived-master-settings"}]
    assert service["context"]["timeline"].endswith("/keepalived/timeline.db")


def test_without_systemd_no_metrics_are_written(render: Render) -> None:
    asked = {
        "keepalived": {**EXAMPLES["classic"]["keepalived"], "metrics": METRICS},
        "keepalived_master": {"metrics": METRICS},
    }
    rendered = render("keepalived", "keepalived.master", pillar=asked, init="unknown")
    assert rendered.errors == []
    assert not [name for name in rendered.ids() if "metrics" in name]
