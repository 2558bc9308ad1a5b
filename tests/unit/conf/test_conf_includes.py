"""Included files are read where keepalived reads them, and what it would not open is said."""

import time

import pytest

from keepalived_core import conf
from keepalived_core.conf import opener

MAIN = "/etc/keepalived/keepalived.conf"
FILES = opener.Given(
    {
        "/etc/keepalived/a.conf": "a 1\n",
        "/etc/keepalived/b.conf": "b 1\nb 2\n",
        "/etc/keepalived/where.conf": "pwd ${_PWD}\n",
        "/etc/keepalived/define.conf": "$N=7\n",
        "/etc/keepalived/conf.d/10-x.conf": "x 1\ninclude sub/y.conf\nx 2\n",
        "/etc/keepalived/conf.d/20-z.conf": "z ${_PWD}\n",
        "/etc/keepalived/conf.d/.hidden.conf": "hidden 1\n",
        "/etc/keepalived/conf.d/sub/y.conf": "y ${_PWD}\ninclude ../../a.conf\n",
        "/etc/keepalived/inside.conf": "10.0.0.1\n10.0.0.2\n",
        "/etc/keepalived/open.conf": "block {\n",
        "/etc/keepalived/itself.conf": "include itself.conf\nc 1\n",
        "/etc/keepalived/ring1.conf": "include ring2.conf\nr 1\n",
        "/etc/keepalived/ring2.conf": "include ring1.conf\nr 2\n",
        MAIN: "this is given as text\n",
        "/etc/keepalived/main.conf": "include keepalived.conf\nm 1\n",
        "/etc/keepalived/star*.conf": "star 1\n",
    },
    others=("/etc/keepalived/script.conf",),
)


def seen(text, config_id="n1", strict=True):
    return conf.evaluate(text, config_id, MAIN, strict=strict, files=FILES)


def words(tree):
    return [" ".join(node.words) for node in tree.statements()]


# What is written, what keepalived reads.
READ = {
    "beside the file": ("include a.conf\n", ["a 1"]),
    "by its full path": ("include /etc/keepalived/a.conf\n", ["a 1"]),
    "where it stands": ("p 1\ninclude b.conf\np 2\n", ["p 1", "b 1", "b 2", "p 2"]),
    "several, sorted, without hidden ones": (
        "include conf.d/*.conf\n",
        ["x 1", "y /etc/keepalived/conf.d/sub", "a 1", "x 2", "z /etc/keepalived/conf.d"],
    ),
    "hidden ones when asked for": ("include conf.d/.*.conf\n", ["hidden 1"]),
    "braces in their order": ("include {b,a}.conf\n", ["b 1", "b 2", "a 1"]),
    "braces in braces": (
        "include {b,{a,where}}.conf\n",
        ["b 1", "b 2", "a 1", "pwd /etc/keepalived"],
    ),
    "a set": ("include [ab].conf\n", ["a 1", "b 1", "b 2"]),
    "all but a set": ("include [^b-z].conf\n", ["a 1"]),
    "one character": ("include ?.conf\n", ["a 1", "b 1", "b 2"]),
    "wildcards in folders": ("include c*/s*/*.conf\n", ["y /etc/keepalived/conf.d/sub", "a 1"]),
    "an escaped wildcard": ("include star\\*.conf\n", ["star 1"]),
    "the folder comes back": (
        "include conf.d/2*.conf\npwd ${_PWD}\n",
        ["z /etc/keepalived/conf.d", "pwd /etc/keepalived"],
    ),
    "definitions come along": ("include define.conf\nn $N\n", ["n 7"]),
    "a definition in the name": ("$W=a\ninclude ${W}.conf\n", ["a 1"]),
    "of another host": ("@n2 include a.conf\np 1\n", ["p 1"]),
    "in each round of a loop": ("~SEQ(I, 2) include a.conf\n", ["a 1"] * 4),
    "in each round of a loop, from where the first one led": (
        "~SEQ(I, 2) include conf.d/2*.conf\n",
        ["z /etc/keepalived/conf.d"] * 2,
    ),
    "below a definition": ("$I=\\\ninclude a.conf \\\n\n$I\n", ["a 1"]),
}


@pytest.mark.parametrize("text, lines", READ.values(), ids=READ.keys())
def test_keepalived_reads(text, lines):
    assert words(seen(text)) == lines


def test_an_include_inside_of_a_block_belongs_to_it():
    (block,) = seen("vrrp_instance A {\nvirtual_ipaddress {\ninclude inside.conf\n}\n}\n").blocks()
    (vips,) = block.blocks()
    assert words(vips) == ["10.0.0.1", "10.0.0.2"]


def test_a_file_may_open_a_block_that_another_closes():
    (block,) = seen("include open.conf\ninclude a.conf\n}\n").blocks()
    assert words(block) == ["a 1"]


def test_each_node_knows_its_file_and_line():
    tree = seen("p 1\ninclude conf.d/1*.conf\np 2\n")
    assert [(node.file, node.line) for node in tree.statements()] == [
        (None, 1),
        ("/etc/keepalived/conf.d/10-x.conf", 1),
        ("/etc/keepalived/conf.d/sub/y.conf", 1),
        ("/etc/keepalived/conf.d/sub/../../a.conf", 1),
        ("/etc/keepalived/conf.d/10-x.conf", 3),
        (None, 3),
    ]


def test_damage_is_told_with_the_file_it_is_in():
    (problem,) = seen("p 1\ninclude open.conf\n", strict=False).problems
    assert (problem.path, problem.line) == ("/etc/keepalived/open.conf", 1)


def test_without_files_an_include_stays_as_it_is():
    (node,) = conf.evaluate("include a.conf\n").children
    assert isinstance(node, conf.Include)


# keepalived 2.2.7's own word on each: an exit status of 0 is a warning, of 6 an error.
VARIANTS = ("include", "includer", "includem", "includew", "includeb", "includea")
NOT_OPENED = {
    # what is named:       include  r  m  w  b  a
    "nope.conf": "warning warning error error warning error",
    "nope*.conf": "- - - error - error",
    "nowhere/*.conf": "warning warning error error warning error",
    "{a,nope}.conf": "warning warning warning warning error error",
    "{nope,nor}.conf": "warning warning warning warning error error",
    "conf.d": "warning error error error error error",
    "script.conf": "warning error error error error error",
}


@pytest.mark.parametrize("variant", range(6), ids=VARIANTS)
@pytest.mark.parametrize("target", NOT_OPENED)
def test_what_is_not_opened(target, variant):
    tree = seen(f"p 1\n{VARIANTS[variant]} {target}\n")
    severity = NOT_OPENED[target].split()[variant]
    assert [fault.severity for fault in tree.faults] == [severity] * (severity != "-")
    assert all(fault.node.line == 2 for fault in tree.faults)


@pytest.mark.parametrize("variant", VARIANTS)
def test_of_braces_that_do_not_all_match_some_are_read_or_none(variant):
    lines = words(seen(f"{variant} {{a,nope}}.conf\n"))
    assert lines == ([] if variant in ("includeb", "includea") else ["a 1"])


# global_defs, and whether a plain include of a missing file is an error then.
CHECKS = {
    "": "warning",
    "include_check": "error",
    "include_check match": "error",
    "include_check read": "warning",
    "include_check read +match": "error",
    "include_check\ninclude_check -match": "warning",
}


@pytest.mark.parametrize("check, severity", CHECKS.items())
def test_include_check_makes_a_plain_include_stricter(check, severity):
    (fault,) = seen(f"global_defs {{\n{check}\n}}\ninclude nope.conf\n").faults
    assert fault.severity == severity


def test_include_check_elsewhere_counts_for_nothing():
    (fault,) = seen("vrrp_script {\ninclude_check\n}\ninclude nope.conf\n").faults
    assert fault.severity == "warning"


@pytest.mark.parametrize(
    "text", ["include itself.conf\n", "include ring1.conf\n", "include main.conf\n"]
)
def test_a_file_that_includes_itself_is_an_error_and_is_read_once(text):
    tree = seen(text)
    (fault,) = tree.faults
    assert (fault.code, fault.severity) == ("KA114", "error")
    assert "includes itself" in fault.message
    assert len(words(tree)) in (1, 2)


TWICE = {
    "behind a condition": "@n1 include a.conf\n",
    "in a definition": "$I=include a.conf\n$I\n",
    "behind a brace": "block { x 1\n} include a.conf\n",
}


@pytest.mark.parametrize("text", TWICE.values(), ids=TWICE.keys())
def test_an_include_that_does_not_begin_its_line_is_read_twice(text):
    """Seen on 2.2.7: keepalived's parent opens it, and so do its children."""
    tree = seen(text)
    assert words(tree).count("a 1") == 2
    assert [fault.code for fault in tree.faults] == ["KA115"]


# Texts and files that grow and grow.
ENDLESS = {
    "a loop of includes": ("~SEQ(A, 1, 9999) include a.conf\n", {"/a.conf": "a 1\n"}),
    "double each time": (
        "$I=include 1.conf\n$I\n",
        {f"/{number}.conf": f"$I=include {number + 1}.conf\n$I\n" for number in range(1, 31)},
    ),
    "a large file often": ("~SEQ(A, 1, 99) include a.conf\n", {"/a.conf": "\n" * 2**20}),
    "braces": ("include " + "{a,b}" * 30 + "\n", {}),
    "wildcards": ("include " + "*a" * 200 + "b\n", {f"/{'a' * 240}{n}": "" for n in range(50)}),
    "wildcards in a loop": (
        "~SEQ(A, 1, 9999) include *.conf\n",
        {f"/{number}.conf": "" for number in range(2000)},
    ),
    "wildcards that match nothing in a loop": (
        "~SEQ(A, 1, 9999) include *.nope\n",
        {f"/{number}.conf": "" for number in range(2000)},
    ),
    "deep": (
        "include 1.conf\n",
        {f"/{number}.conf": f"include {number + 1}.conf\n" for number in range(1, 99)},
    ),
}


@pytest.mark.parametrize("text, texts", ENDLESS.values(), ids=ENDLESS.keys())
def test_includes_cost_a_bounded_time(text, texts):
    before = time.process_time()
    try:
        conf.evaluate(text, "n1", "/keepalived.conf", files=opener.Given(texts))
    except conf.ConfError as error:
        assert "more" in error.reason or "many" in error.reason
    assert time.process_time() - before < 5


def test_a_long_line_of_braces_costs_linear_time():
    before = time.process_time()
    conf.evaluate("{ " * 20_000 + "\n", strict=False)
    assert time.process_time() - before < 2


def test_the_disk_gives_what_is_there(tmp_path):
    (tmp_path / "a.conf").write_text("a 1\n")
    (tmp_path / "exec.conf").write_text("e 1\n")
    (tmp_path / "exec.conf").chmod(0o744)
    (tmp_path / "link.conf").symlink_to("nowhere")
    main = tmp_path / "main.conf"
    tree = conf.evaluate("include *.conf\n", "", str(main), files=opener.Disk())
    assert words(tree) == ["a 1"]
    assert [fault.severity for fault in tree.faults] == ["warning", "warning"]


def test_effective_is_what_this_host_runs(tmp_path):
    (tmp_path / "a.conf").write_text("a $N\n")
    text = f"$N=1\n@{conf.own_id()} $N=2\ninclude a.conf\n"
    tree = conf.effective(text, str(tmp_path / "main.conf"))
    assert words(tree) == ["a 2"]
