"""The setting keepalived:alerts: which routes it names, what they take, and what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keepalived_core.cluster.alert_route import (
    Apprise,
    Log,
    Mail,
    Route,
    Webhook,
    read_routes,
)
from keepalived_core.cluster.alert_template import Template

SECRET = "T0KEN-4711"
WEBHOOK = {"url": f"https://hooks.example.com/{SECRET}?key={SECRET}"}
MAIL = {"to": ["ops@example.com"], "from": "salt@example.com"}
PAGER = f"pagerduty://{SECRET}@{SECRET}"
ONE_KIND = ["apprise", "webhook", "url", "mail", "to", "from", "host", "port"]
ALL_KINDS = ["log", "planned", "group", "remind", "template", "severity", "clusters"]
KEYS = st.sampled_from([*ONE_KIND, *ALL_KINDS, 0])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["critical", "30s", "{{ x }}", "a@example.com", "http://[", PAGER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=9,
)


def routes(**named: object):
    return read_routes({"alerts": {"routes": named}})


def test_the_flat_settings_are_routes() -> None:
    found = read_routes({"alerts": {"webhook": WEBHOOK, "mail": MAIL, "log": True}})

    assert found.mistakes == ()
    assert found.routes == (
        Route("log", Log()),
        Route("webhook", Webhook(WEBHOOK["url"], "https://hooks.example.com")),
        Route("mail", Mail(("ops@example.com",), "salt@example.com", "localhost", 25)),
    )


def test_named_routes_are_of_every_kind() -> None:
    found = routes(
        oncall={"apprise": PAGER},
        hook={"webhook": WEBHOOK},
        short={"webhook": WEBHOOK["url"]},
        post={"mail": MAIL},
        trace={"log": True},
    )

    assert found.mistakes == ()
    assert [(each.name, type(each.target), each.target.shown) for each in found.routes] == [
        ("oncall", Apprise, "pagerduty://…"),
        ("hook", Webhook, "https://hooks.example.com"),
        ("short", Webhook, "https://hooks.example.com"),
        ("post", Mail, "localhost:25"),
        ("trace", Log, "the master's log"),
    ]


def test_a_list_of_urls_is_a_route_for_each_so_that_one_delays_no_other() -> None:
    found = routes(
        chat={"apprise": ["slack://a/b/c", "msteams://d"]}, one={"apprise": ["json://h"]}
    )

    assert [(each.name, each.target.url) for each in found.routes] == [
        ("chat/1", "slack://a/b/c"),
        ("chat/2", "msteams://d"),
        ("one", "json://h"),
    ]


def test_what_stands_above_the_routes_counts_for_each_that_says_nothing_else() -> None:
    settings = {
        "log": True,
        "remind": "30m",
        "group": 20,
        "template": "{{ cluster }}",
        "routes": {"own": {"log": True, "remind": "2h", "group": 0, "template": {"subject": "s"}}},
    }
    flat, own = read_routes({"alerts": settings}).routes

    assert (flat.remind, flat.group, flat.template) == (1800, 20, Template("{{ cluster }}"))
    assert (own.remind, own.group, own.template) == (7200, 0, Template("", "s"))


TAKES = {
    "all by default": ({}, "info", "any", True),
    "its severity": ({"severity": ["warning", "critical"]}, "critical", "any", True),
    "not another severity": ({"severity": ["warning", "critical"]}, "info", "any", False),
    "one severity as a text": ({"severity": "critical"}, "warning", "any", False),
    "a cluster by its name": ({"clusters": "prod"}, "info", "prod", True),
    "a cluster by a glob": ({"clusters": ["prod*", "core"]}, "info", "prod-eu", True),
    "not a cluster that only begins so": ({"clusters": ["prod"]}, "info", "prod-eu", False),
    "not a cluster in other case": ({"clusters": ["prod*"]}, "info", "PROD", False),
    "both must fit": ({"clusters": ["prod*"], "severity": "critical"}, "info", "prod", False),
}


@pytest.mark.parametrize(("settings", "severity", "cluster", "takes"), TAKES.values(), ids=TAKES)
def test_a_route_takes(settings: dict, severity: str, cluster: str, takes: bool) -> None:
    (route,) = routes(r={"log": True, **settings}).routes

    assert route.takes(severity, cluster) is takes


@pytest.mark.parametrize("master", [None, {}, {"alerts": None}, {"alerts": {}}, {"other": 1}])
def test_without_settings_there_is_no_route_and_no_mistake(master: object) -> None:
    found = read_routes(master)

    assert (found.routes, found.mistakes) == ((), ())


FLAT_MISTAKES = {
    "keepalived is a text": ("x", "keepalived:alerts is no mapping"),
    "alerts is a list": ({"alerts": []}, "keepalived:alerts is no mapping"),
    "an unknown key": ({"alerts": {"slack": 1}}, "unknown key 'slack'; known are group, log, mail"),
    "log is a text": ({"alerts": {"log": "yes"}}, "keepalived:alerts:log is neither true nor"),
    "planned is a text": ({"alerts": {"planned": "yes"}}, "keepalived:alerts:planned is neither"),
    "webhook is a text": ({"alerts": {"webhook": WEBHOOK["url"]}}, "webhook is no mapping"),
    "webhook has no url": ({"alerts": {"webhook": {}}}, "webhook:url must be http"),
    "webhook has an unknown key": (
        {"alerts": {"webhook": {**WEBHOOK, "method": "PUT"}}},
        "webhook has an unknown key 'method'; known are url",
    ),
    "webhook is a file": ({"alerts": {"webhook": {"url": "file:///etc/shadow"}}}, "must be http"),
    "webhook has no host": ({"alerts": {"webhook": {"url": f"http:///{SECRET}"}}}, "must be http"),
    "webhook has a password": (
        {"alerts": {"webhook": {"url": f"https://me:{SECRET}@example.com/"}}},
        "which is not supported",
    ),
    "webhook has no port": (
        {"alerts": {"webhook": {"url": f"https://example.com:{SECRET}/"}}},
        "webhook:url is no URL",
    ),
    "webhook has a line end": (
        {"alerts": {"webhook": {"url": "https://example.com/\r\nHost: evil"}}},
        "must be percent-encoded",
    ),
    "mail without recipients": ({"alerts": {"mail": {"from": "a@b"}}}, "mail:to must be a list"),
    "mail to a phrase": ({"alerts": {"mail": {**MAIL, "to": ["ops"]}}}, "mail:to:1 is no"),
    "mail to two in one": (
        {"alerts": {"mail": {**MAIL, "to": "a@example.com\nBcc: b@example.com"}}},
        "mail:to:1 is no mail address",
    ),
    "mail from nobody": ({"alerts": {"mail": {"to": ["a@b.c"]}}}, "mail:from is no mail"),
    "mail to a URL": (
        {"alerts": {"mail": {**MAIL, "to": ["ops@example.com", f"mailtos://me:{SECRET}@x.org"]}}},
        "mail:to:2 is no mail address",
    ),
    "mail from a URL": (
        {"alerts": {"mail": {**MAIL, "from": f"tgram://{SECRET}/4711"}}},
        "mail:from is no mail address",
    ),
    "mail through a path": ({"alerts": {"mail": {**MAIL, "host": "/tmp/x"}}}, "mail:host is no"),
    "mail through port 0": ({"alerts": {"mail": {**MAIL, "port": 0}}}, "mail:port is no port"),
    "routes is a list": ({"alerts": {"routes": [PAGER]}}, "routes is no mapping"),
    "remind is no time": ({"alerts": {"remind": "soon"}}, "keepalived:alerts:remind is no time"),
}
NAMED_MISTAKES = {
    "no target": ({}, "must have one of apprise, log, mail, webhook, and has none"),
    "two targets": ({"log": True, "apprise": PAGER}, "and has apprise and log"),
    "a text": (PAGER, "oncall is no mapping"),
    "a URL in the place of a key": ({PAGER: None}, "unknown key 'pagerduty'; known are apprise"),
    "log false": ({"log": False}, "oncall:log must be true"),
    "no URL": ({"apprise": SECRET}, "oncall:apprise is no URL of apprise"),
    "a number": ({"apprise": 4711}, "oncall:apprise is no text"),
    "an empty list": ({"apprise": []}, "oncall:apprise is an empty list"),
    "a URL with a blank": ({"apprise": f"json://{SECRET} x"}, "must be percent-encoded"),
    "a secret that sdb has not": (
        {"apprise": f"sdb://vault/{SECRET}"},
        "stands in sdb, which gave nothing: has the master's configuration a profile 'vault'",
    ),
    "a severity that is none": ({"log": True, "severity": ["fatal"]}, "must be a list of info"),
    "clusters is a number": ({"log": True, "clusters": 7}, "clusters must be a list of names"),
    "clusters has a number": ({"log": True, "clusters": [7]}, "clusters has what is no text"),
    "group of an hour": ({"log": True, "group": "1h"}, "group is no time from 1s to 15m"),
    "remind each second": ({"log": True, "remind": "1s"}, "remind is no time from 1m to 7d"),
    "a template that is no Jinja2": (
        {"log": True, "template": {"text": "a\n{{ text"}},
        "template:text: line 2 is no Jinja2",
    ),
    "a template with an unknown field": (
        {"log": True, "template": "{{ token }}"},
        "template:text: there is no field 'token'; there are cause, cluster",
    ),
    "a template that fails": ({"log": True, "template": "{{ text + 1 }}"}, "it fails on a sample"),
    "a template too deep for the parser": (
        {"log": True, "template": "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}"},
        "template:text: it cannot be read: RecursionError",
    ),
    "a template that reaches for Python": (
        {"log": True, "template": "{{ text.__class__.__mro__ }}"},
        "it fails on a sample: SecurityError",
    ),
    "a template of another key": ({"log": True, "template": {"body": "x"}}, "template is neither"),
}
MISTAKES = {
    **FLAT_MISTAKES,
    **{
        name: ({"alerts": {"routes": {"oncall": settings}}}, says)
        for name, (settings, says) in NAMED_MISTAKES.items()
    },
    "a name that is a URL": (
        {"alerts": {"routes": {PAGER: {"log": True}}}},
        "keepalived:alerts:routes:pagerduty is no name",
    ),
    "a name that is taken": (
        {"alerts": {"log": True, "routes": {"log": {"log": True}}}},
        "has the name of the route keepalived:alerts:log",
    ),
}


@pytest.mark.parametrize(("master", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_settings_is_named_without_the_secret(master: object, says: str) -> None:
    (mistake,) = read_routes(master).mistakes

    assert says in mistake
    assert mistake.startswith("keepalived:alerts")
    assert SECRET not in mistake


def test_one_wrong_route_does_not_take_the_others_along() -> None:
    settings = {"webhook": {"url": "ftp://x"}, "mail": MAIL, "log": True}
    settings["routes"] = {"bad": {}, "chat": {"apprise": ["nothing", "json://h"]}}
    found = read_routes({"alerts": settings})

    assert [route.name for route in found.routes] == ["log", "mail", "chat/2"]
    assert len(found.mistakes) == 3


@given(
    st.dictionaries(KEYS, VALUES, max_size=4),
    st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2),
)
@example({}, {"a": {"log": True, "severity": [["critical"]]}})
def test_whatever_is_wrong_a_good_route_works(settings: dict, named: dict) -> None:
    found = read_routes({"alerts": {**settings, "routes": {**named, "good": {"log": True}}}})

    assert any(route.name == "good" for route in found.routes)


def test_a_wrong_template_is_a_mistake_and_the_route_works_in_the_built_in_words() -> None:
    found = routes(a={"log": True, "template": "{{ nothing }}", "clusters": "x"})

    assert found.routes == (Route("a", Log(), clusters=("x",)),)
    assert found.mistakes[0].endswith("; the built-in words are used")


def test_no_route_shows_its_secret() -> None:
    found = routes(hook={"webhook": WEBHOOK}, oncall={"apprise": [PAGER, PAGER]})

    assert len(found.routes) == 3
    assert SECRET not in f"{found} {found!r}"


def test_without_a_route_that_needs_it_apprise_is_not_imported() -> None:
    program = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
        "from keepalived_core.cluster import deliver, postman\n"
        "print('apprise' in sys.modules, deliver.deliver_apprise.is_installed())\n"
        "print('apprise' in sys.modules)"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            json.dumps(sys.path),
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["False", "True", "False"]
