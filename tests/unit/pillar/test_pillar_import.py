"""A whole file, with what it includes, into pillar: the same meaning, no secret, nothing silent."""

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core import conf, pillar
from keepalived_core.conf import opener
from keepalived_core.pillar import importing

MAIN = "/etc/keepalived/keepalived.conf"
TEXT = """\
# by hand
$IF=eth0
global_defs {
    router_id lb
}
include scripts.conf
vrrp_instance A {
    interface $IF
    virtual_router_id 5
    @n1 priority 150
    @n2 priority 100
    authentication {
        auth_type PASS
        auth_pass 0secret
    }
    virtual_ipaddress {
        10.0.0.2
        10.0.0.1/24 dev eth1
    }
    include tracks.conf
}
"""
FILES = {
    "/etc/keepalived/scripts.conf": "vrrp_script chk {\n  script /usr/bin/true\n}\n",
    "/etc/keepalived/tracks.conf": "track_script {\n  chk\n}\nnopreempt\n",
}


# The same in C, where it is built in: ten times as fast, and the files are large.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def imported(text=TEXT, config_id="n1", files=FILES, path=MAIN):
    return pillar.import_text(text, path, config_id, opener.Given(files))


def pasted(config):
    """Through YAML, as a person would paste it."""
    text = yaml.dump({"config": config}, Dumper=DUMPER, sort_keys=False)
    return yaml.load(text, Loader=LOADER)


def test_it_renders_to_what_the_daemon_sees():
    made = imported()
    data = pasted(made.config)
    data["config"]["vrrp_instance"]["A"]["authentication"]["auth_pass"] = "0secret"
    seen = conf.evaluate(TEXT, "n1", MAIN, files=opener.Given(FILES))
    assert made.complete
    assert conf.equal(pillar.to_tree(data), seen)


def test_each_host_gets_its_own():
    assert imported(config_id="n2").config["vrrp_instance"]["A"]["priority"] == 100


def test_the_order_of_addresses_is_kept():
    addresses = imported().config["vrrp_instance"]["A"]["virtual_ipaddress"]
    assert addresses == ["10.0.0.2", "10.0.0.1/24 dev eth1"]


def test_no_secret_is_shown_and_its_place_is():
    made = imported()
    assert "0secret" not in repr(made)
    mark = made.config["vrrp_instance"]["A"]["authentication"]["auth_pass"]
    assert f"{MAIN}:14" in mark
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(pasted(made.config))
    assert error.value.mistakes == [
        (
            "keepalived:config:vrrp_instance:A:authentication:auth_pass",
            f"this stands for a secret that was not shown: {mark}",
        )
    ]


SECRETS = {
    "in a definition": ("$P=hushhush\n", "auth_pass $P"),
    "on a line of its own": ("", "auth_pass\nhushhush"),
    "too long": ("", "auth_pass hushhushhush"),
    "cut by a comment": ("", "auth_pass hushhush#more"),
    "with more behind it": ("", "auth_pass a hushhush"),
    "twice": ("", "auth_pass hushhush\nauth_pass hushhush2"),
    "unquoted and broken": ("", 'auth_pass "hushhush'),
    "with a brace": ("", "auth_pass a{hushhush"),
}


@pytest.mark.parametrize("above, line", SECRETS.values(), ids=SECRETS.keys())
def test_no_secret_in_any_form(above, line):
    text = (
        f"{above}vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\nauthentication {{\n"
        f"auth_type PASS\n{line}\n}}\nvirtual_ipaddress {{\n10.0.0.1\n}}\n}}\n"
    )
    made = imported(text)
    assert "hush" not in importing.commented(repr(made.config), MAIN, made)


# What cannot come as it stands: the text, the files beside it, where, what is said.
NOTES = {
    "a definition": ("$A=1\n", {}, f"{MAIN}:1", "$A: only its value"),
    "a line of another host": ("@n2 instance x\n", {}, f"{MAIN}:1", "@n2 is left out"),
    "a loop": ("~SEQ(N, 2) instance a$N\n", {}, f"{MAIN}:1", "written out"),
    "an included file": ("include a\n", {"/etc/keepalived/a": "instance x\n"}, "keepalived/a", ""),
    "a missing file": ("include a\n", {}, f"{MAIN}:1", "there is no such file"),
    "an unknown word": ("\nrooter_id a\n", {}, f"{MAIN}:2", "rooter_id is no keyword"),
    "an unknown word in a file": (
        "include a\n",
        {"/etc/keepalived/a": "\nrooter_id a\n"},
        "/etc/keepalived/a:2",
        "rooter_id is no keyword",
    ),
    "ignored words": ("instance a b\n", {}, f"{MAIN}:1", "ignores 'b'"),
    "a comment": ("# why\ninstance a\n", {}, "comments", "1"),
    "damage": ("instance a\n}\n", {}, f"{MAIN}:2", "closes nothing"),
    "what pillar refuses": (
        "global_defs {\nrouter_id a\nvrrp_garp_master_repeat many\n}\n",
        {},
        f"{MAIN}:3",
        "no whole number",
    ),
    "a script below its use": (
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\ntrack_script {\nc\n}\n"
        "virtual_ipaddress {\n10.0.0.1\n}\n}\nvrrp_script c {\nscript /x\n}\n",
        {},
        f"{MAIN}:5",
        "is defined below",
    ),
    "global_defs too late": (
        "vrrp_script c {\nscript /x\n}\nglobal_defs {\nrouter_id a\n}\n",
        {},
        f"{MAIN}:4",
        "stand below vrrp_script c",
    ),
    "an instance that is not whole": (
        "vrrp_instance A {\ninterface eth0\n}\n",
        {},
        f"{MAIN}:1",
        "mend this before",
    ),
}


@pytest.mark.parametrize("text, files, place, words", NOTES.values(), ids=NOTES.keys())
def test_what_does_not_come_is_told_with_its_place(text, files, place, words):
    notes = imported(text, files=files).notes
    assert [note for note in notes if place in note and words in note], notes


def test_what_is_left_out_leaves_a_pillar_that_is_taken():
    made = imported("global_defs {\nrouter_id a\nvrrp_garp_master_repeat many\nsmtp_alert x\n}\n")
    assert made.complete
    assert made.config == {"global_defs": {"router_id": "a"}}
    pillar.to_tree(pasted(made.config))


def test_an_instance_is_never_left_out():
    made = imported("vrrp_instance A {\ninterface eth0\n}\n")
    assert not made.complete
    assert "A" in made.config["vrrp_instance"]


def test_a_password_too_long_comes_as_keepalived_uses_it():
    text = "vrrp_instance A {\nauthentication {\nauth_type PASS\nauth_pass 1234567890\n}\n}\n"
    config, notes = pillar.from_tree(conf.parse(text))
    assert config["vrrp_instance"]["A"]["authentication"]["auth_pass"] == "12345678"
    assert "first 8 bytes" in notes[0]
    assert "1234567890" not in notes[0]


def test_two_services_on_one_port():
    """DNS listens on TCP and UDP: two virtual servers with one name."""
    server = "virtual_server 10.0.0.1 53 {{\nprotocol {}\nreal_server 10.0.0.2 53 {{\n}}\n}}\n"
    text = server.format("TCP") + server.format("UDP")
    made = imported(text)
    assert made.notes == []
    tree = pillar.to_tree(pasted(made.config))
    assert conf.equal(tree, conf.parse(text))
    assert [block.value("protocol") for block in tree.blocks("virtual_server")] == ["TCP", "UDP"]


def test_the_yaml_says_above_itself_what_it_lacks():
    made = imported("$A=1\nvrrp_instance A {\ninterface eth0\n}\n")
    text = importing.commented("keepalived: {}\n", MAIN, made)
    assert yaml.safe_load(text) == {"keepalived": {}}
    assert f"# - {MAIN}:1: the definition $A" in text
    assert "refuses this until" in text


def restored(config, plain):
    """The config with the secrets of the real one."""
    if isinstance(config, dict):
        return {key: restored(value, plain[key]) for key, value in config.items()}
    if isinstance(config, list):
        return [restored(one, other) for one, other in zip(config, plain, strict=True)]
    return plain


def test_every_real_file_comes_back_or_is_told(corpus):
    """Without macros: the same evaluated tree, or a note for each thing that is not there."""
    same = noted = refused = 0
    for name, (text, row) in corpus.items():
        path = f"/corpus/{name}"
        try:
            made = pillar.import_text(text, path, "n1", opener.Given({}))
        except conf.ConfError:
            assert row["rc_2_2_7"] == "124", name  # keepalived itself never ends
            continue
        assert not any("does not mean the same" in note for note in made.notes), name
        left = [note for note in made.notes if "not carried" not in note and "secret" not in note]
        if not made.complete:
            refused += 1
            assert left, name
            continue
        tree = conf.effective(text, path, "n1", strict=False, files=opener.Given({}))
        plain = importing.accepted(tree)[0].config
        back = pillar.to_tree(pasted(restored(made.config, plain)))
        if conf.equal(back, tree):
            same += 1
        else:
            noted += 1
            assert left, name
    print(f"{same} the same, {noted} differ as noted, {refused} have something to mend")
    assert same > 0.6 * len(corpus)


NOTED = {
    "an escape in a command": (
        "vrrp_script s {\nscript /usr/bin/te\\x73t\n}\n",
        {"vrrp_script": {"s": {"script": "/usr/bin/test"}}},
        ":2: script: keepalived 2.4.0 and later leave a backslash",
    ),
    "a name of two words": (
        "vrrp_script s t {\nscript /x\n}\n",
        {"vrrp_script": {"s": {"script": "/x"}}},
        ":1: vrrp_script: keepalived ignores 't'",
    ),
    "of two paths the last": (
        "virtual_server 10.0.0.1 80 {\nreal_server 10.0.0.2 80 {\nHTTP_GET {\nurl {\n"
        "path /a\npath /b\n}\n}\n}\n}\n",
        {
            "virtual_server": {
                "10.0.0.1 80": {
                    "real_server": {"10.0.0.2 80": {"HTTP_GET": {"url": {"path": "/b"}}}}
                }
            }
        },
        ":6: a second path: the first is left out",
    ),
}


@pytest.mark.parametrize("text, config, note", NOTED.values(), ids=NOTED.keys())
def test_what_keepalived_reads_in_its_own_way_is_noted(text, config, note):
    made = imported(text)
    assert made.config == config
    assert any(note in one for one in made.notes), made.notes


@pytest.mark.parametrize("version, on", [("2.2.8", True), ("2.3.0", False), (None, False)])
def test_an_off_that_a_release_does_not_read_is_what_it_is_there(version, on):
    text = "global_defs {\nvrrp_strict off\n}\n"
    made = pillar.import_text(text, MAIN, "n1", opener.Given({}), version)
    assert made.config == {"global_defs": {"vrrp_strict": on}}
    assert any("does not read the 'off'" in note for note in made.notes) == on


# Pieces of a file, of which many make a large one.
LARGE = {
    "instances with a secret": lambda n: (
        f"vrrp_instance A{n} {{\nauthentication {{\nauth_type PASS\nauth_pass p{n}\n}}\n}}\n"
    ),
    "servers": lambda n: (
        "virtual_server 10.0.0.1 80 {\nreal_server 10.0.0.2 80 {\n}\n}\n"
        f"virtual_server 10.1.{n // 250}.{n % 250} 80 {{\nreal_server 10.0.0.2 80 {{\n}}\n}}\n"
    ),
    "unknown words": lambda n: f"word{n} x\n",
}


@pytest.mark.parametrize("piece", LARGE.values(), ids=LARGE.keys())
def test_time_grows_with_the_file_not_faster(piece):
    def seconds(size):
        text = "".join(map(piece, range(size)))
        spent = []
        for _ in range(2):
            started = time.process_time()
            imported(text)
            spent.append(time.process_time() - started)
        return min(spent)

    small, large = seconds(400), seconds(1600)
    # 4 times the text; squared that is 16 times.
    assert large < 11 * max(small, 0.004)


# Pieces of the language, in any order.
PIECES = st.sampled_from(
    [
        *("global_defs {", "vrrp_instance A {", "vrrp_instance {", "authentication {", "}", "{"),
        *('auth_pass x"y', "priority 1 2", "virtual_ipaddress {", "10.0.0.1", "track_script {"),
        *("include a", "@n1 include b", "include {a,b}*", "$A=include b", "$A", "${A}", "$B=\\"),
        *(
            "~SEQ(A, 3) x $A",
            "garp_group {",
            "interfaces {",
            "script '\\",
            "notify",
            "key 1 file:x",
        ),
        *("virtual_server 1.2.3.4 5 {", "real_server 1 2 {", "url {", "HTTP_GET {", "path /"),
        *("include_check", "router_id \ud800", "vrrp_script x {", "weight 99999999999999999999999"),
        *("auth_hmac {", "key 1 abc", "nopreempt x", "smtp_alert", "# c", "static_ipaddress {"),
    ]
)
LINES = st.lists(PIECES, max_size=25).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(LINES, LINES, LINES)
def test_any_text_is_imported_or_refused(text, first, second):
    files = {"/etc/keepalived/a": first, "/etc/keepalived/b": second}
    try:
        made = imported(text, files=files)
    except conf.ConfError:
        return
    for note in made.notes:
        assert "does not mean the same" not in note
    if made.complete:
        yaml.safe_dump(made.config)


def test_pasted_is_the_yaml_alone_a_document_for_each_node():
    made = {"yaml": "keepalived: {}\n", "complete": True, "notes": [], "pillar": {}}
    assert importing.pasted({"local": made}) == "keepalived: {}"
    both = importing.pasted({"n1": made, "n2": {**made, "yaml": "keepalived: {config: {}}\n"}})
    assert both == "# n1\nkeepalived: {}\n---\n# n2\nkeepalived: {config: {}}"
    assert list(yaml.safe_load_all(both)) == [{"keepalived": {}}, {"keepalived": {"config": {}}}]


@pytest.mark.parametrize("data", [{}, None, "text", {"n1": "an error"}, {"n1": {"yaml": "x"}}])
def test_what_no_import_returned_is_not_pasted(data):
    assert importing.pasted(data) is None
