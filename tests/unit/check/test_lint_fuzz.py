"""No text makes lint fail, and none makes it slow: a file may come from a stranger."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core import conf
from keepalived_core.check.host import HostFacts
from keepalived_core.check.lint import lint

NOWHERE = HostFacts(
    interfaces=(),
    addresses=(),
    namespaces=(),
    user=lambda name: False,
    group=lambda name: False,
    program=lambda command: None,
    directory=lambda path: False,
)

WORDS = """
    vrrp_instance vrrp_sync_group vrrp_script track_file vrrp_track_process bfd_instance global_defs
    virtual_server virtual_server_group real_server garp_group static_routes static_rules group
    track_script track_interface track_bfd virtual_ipaddress virtual_routes virtual_rules
    unicast_peer authentication auth_type auth_pass state interface virtual_router_id priority
    advert_int nopreempt preempt_delay version use_vmac unicast_src_ip weight quorum hysteresis
    protocol lb_algo lb_kind MISC_CHECK misc_path HTTP_GET url path FILE_CHECK BFD_CHECK name
    sorry_server inhibit_on_failure script user notify neighbor_ip source_ip lvs_sync_daemon inst
    enable_script_security script_user vrrp_strict net_namespace notification_email fwmark reverse
    A B eth0 lo MASTER PASS 10.0.0.1/24 10.0.0.1 fd00::1 fd00::1/64 0 1 255 -5 0.001 1e9 dev label
    include /x "/x y" "" ' " \\ # ! { } { } { } $A $A= ${A} ~SEQ(A,1,3) @low @^low
"""
# An end of the line after every other word makes texts that are nearly right.
NEARLY = st.lists(st.sampled_from(WORDS.split()), max_size=60).flatmap(
    lambda words: st.lists(
        st.sampled_from([" ", "\n"]), min_size=len(words), max_size=len(words)
    ).map(lambda ends: "".join(word + end for word, end in zip(words, ends, strict=True)))
)
BYTES = st.binary(max_size=400).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(st.one_of(NEARLY, BYTES))
@settings(deadline=None, max_examples=600)
def test_any_text_is_judged_or_refused_with_our_own_error(text):
    try:
        tree = conf.parse(text, strict=False)
    except conf.ConfError as error:
        assert error.reason
        return
    for found in lint(tree, "2.2.7", "low", host=NOWHERE):
        assert found.code and found.message


NINES = "9" * 6000
# What a number can be, wherever one is read.
NUMBERS = [NINES, "-" + NINES, "0." + NINES, NINES + ".5", "1e999", "nan", "٣", "²", ""]
PLACES = {
    "advert_int": "vrrp_instance A {\nadvert_int %s\n}\n",
    "a priority": "vrrp_instance A {\npriority %s\n}\n",
    "a delay": "vrrp_instance A {\nnopreempt\npreempt_delay %s\n}\n",
    "a mask": "vrrp_instance A {\nvirtual_ipaddress {\n10.0.0.1/%s\n}\n}\n",
    "a weight": "vrrp_instance A {\ntrack_interface {\ne weight %s\n}\n}\n",
    "the weight of a script": (
        "vrrp_script s {\nweight %s\n}\nvrrp_instance A {\ntrack_script {\ns\n}\n}\n"
    ),
    "a port": "virtual_server 10.0.0.1 %s {\nreal_server 10.0.0.2 %s {\nweight %s\n}\n}\n",
    "a quorum": "virtual_server 10.0.0.1 80 {\nquorum %s\nreal_server 10.0.0.2 80 {\n}\n}\n",
    "hysteresis": "virtual_server 10.0.0.1 80 {\nhysteresis %s\nreal_server 10.0.0.2 80 {\n}\n}\n",
    "a ttl": "vrrp_instance A {\nunicast_peer {\n10.0.0.1 min_ttl %s\n}\n}\n",
    "a route": "static_routes {\n10.0.0.0/8 via 10.0.0.1 metric %s\n}\n",
    "a rule": "static_rules {\nfrom 10.0.0.1 priority %s\n}\n",
    "a repetition": "~SEQ(N, %s) x $N\n",
    "a random number": "priority ${_RANDOM 1 %s}\n",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES.keys())
def test_no_number_is_too_long_or_too_odd(text):
    for value in NUMBERS:
        for written in (value, f'"{value}"'):
            lint(conf.parse(text.replace("%s", written), strict=False), host=NOWHERE)


# What grows, as a text of n.
SHAPES = {
    "instances": lambda n: "".join(
        f"vrrp_instance A{i} {{\ninterface e{i}\nvirtual_router_id 1\n"
        f"virtual_ipaddress {{\n10.0.0.{i % 200}/24\n}}\n}}\n"
        for i in range(n)
    ),
    "instances of one name": lambda n: "vrrp_instance A {\nvirtual_router_id 1\n}\n" * n,
    "addresses": lambda n: (
        "vrrp_instance A {\nvirtual_ipaddress {\n"
        + "".join(f"10.{i // 250}.{i % 250}.1/24\n" for i in range(n))
        + "}\n}\n"
    ),
    "unknown tracks": lambda n: (
        "".join(f"vrrp_script script_{i} {{\nscript x\n}}\n" for i in range(n // 10))
        + "vrrp_instance A {\ntrack_script {\n"
        + "".join(f"skript_{i}\n" for i in range(n))
        + "}\n}\n"
    ),
    "unknown members": lambda n: (
        "".join(f"vrrp_instance inst_{i} {{\n}}\n" for i in range(n // 10))
        + "vrrp_sync_group G {\ngroup {\n"
        + "".join(f"insd_{i}\n" for i in range(n))
        + "}\n}\n"
    ),
    "unknown groups of addresses": lambda n: (
        "".join(f"virtual_server_group group_{i} {{\n}}\n" for i in range(n // 10))
        + "".join(f"virtual_server group grup_{i} {{\n}}\n" for i in range(n))
    ),
    "unknown words": lambda n: "".join(f"zzz_{i} x\n" for i in range(n)),
    "misspelt words": lambda n: (
        "vrrp_instance A {\n" + "".join(f"priorit{i} 5\n" for i in range(n)) + "}\n"
    ),
    "servers": lambda n: "virtual_server 10.0.0.1 80 {\nreal_server 10.0.0.2 80 {\n}\n}\n" * n,
    "real servers": lambda n: (
        "virtual_server 10.0.0.1 80 {\n" + "real_server 10.0.0.2 80 {\n}\n" * n + "}\n"
    ),
    "file checkers": lambda n: (
        "".join(f"track_file f{i} {{\nfile /x\n}}\n" for i in range(n))
        + "virtual_server 10.0.0.1 80 {\n"
        + "real_server 10.0.0.2 80 {\nFILE_CHECK {\ntrack_file f1\n}\n}\n" * n
        + "}\n"
    ),
    "the same word again": lambda n: "vrrp_instance A {\n" + "priority 5\n" * n + "}\n",
    "empty blocks of one kind": lambda n: (
        "vrrp_instance A {\n" + "virtual_ipaddress {\n}\n" * n + "}\n"
    ),
    "words of one line": lambda n: "vrrp_instance A {\npriority " + "5 " * n + "\n}\n",
    "one long word": lambda n: "vrrp_instance A {\nstate " + "M" * (10 * n) + "\n}\n",
    "comments": lambda n: "x#y\n" * n,
    "marks on one line": lambda n: "x " + r"\#" * n,
    "open blocks": lambda n: "vrrp_instance A {\n" * n,
    "open blocks of no kind": lambda n: "x {\n" * n,
    "closed blocks": lambda n: "}\n" * n,
    "braces on one line": lambda n: "{ } " * n,
    "quotes": lambda n: "notify \"a\" 'b'\n" * n,
    "open quotes": lambda n: "vrrp_instance A {\nnotify '" + "\\'" * n + "\n}\n",
    "definitions": lambda n: "".join(f"$A{i}=x\n" for i in range(n)),
    "a chain of definitions": lambda n: (
        "$A0=x\n" + "".join(f"$A{i}=$A{i - 1}\n" for i in range(1, n)) + f"y $A{n - 1}\n"
    ),
    "definitions in use": lambda n: "$A=priority 5\n" + "$A\n" * n,
    "a sequence": lambda n: f"~SEQ(N, 1, {n}) x $N\n",
    "conditions": lambda n: "@low priority 5\n@^low x\n" * n,
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_time_grows_with_the_text_not_faster(shape):
    def seconds(size):
        text = shape(size)
        spent = []
        for _ in range(2):
            started = time.process_time()
            try:
                lint(conf.parse(text, strict=False), "2.2.7", "low", host=NOWHERE)
            except conf.ConfError:
                pass
            spent.append(time.process_time() - started)
        return min(spent)

    small, large = seconds(1000), seconds(4000)
    # 4 times the text; squared that is 16 times.  Below some milliseconds the clock decides.
    assert large < 11 * max(small, 0.004)


# Few bytes that stand for many lines: refused, or done soon.
BOMBS = {
    "definitions that double": "$A0=x y z\n"
    + "".join(f"$A{i}=${{A{i - 1}}} ${{A{i - 1}}}\n" for i in range(1, 60))
    + "b $A59\n",
    "lines that double": "$A0=x\n"
    + "".join(f"$A{i}=$A{i - 1} \\\n$A{i - 1} \\\n\n" for i in range(1, 60))
    + "$A59\n",
    "a definition of itself": "$A=x $A\n$A\n",
    "a huge sequence": "~SEQ(N, 1, 4000000000) vrrp_instance $N {\n",
    "a sequence that never arrives": "~SEQ(N, 1, 0, 10) x $N\n",
    "sequences in a sequence": "".join(f"~SEQ(N{i}, 1, 250) " for i in range(8)) + "x\n",
    "sequences through definitions": "$X=~SEQ(C, 1, 250) x $C\n$Y=~SEQ(B, 1, 250) $X\n"
    "~SEQ(A, 1, 250) $Y\n",
    "a list of lists": "~LST({a}, " + ", ".join("{1,2}" for _ in range(2000)) + ") x $a\n",
    "an endless line": "x " * 500_000,
    # Lines of as many bytes as keepalived reads, each slow for a careless pattern.
    "blanks in lists": ("~LST(" + " " * 990 + "x)\n") * 300,
    "blanks in sequences": ("~SEQ(a" + " " * 490 + "," + " " * 490 + "x\n") * 300,
    "names that nobody defined": ("x " + "${a " * 250 + "\n") * 300,
    "escapes in commands": ("notify " + "\\x41" * 240 + "\n") * 300,
    "a deep hole": "vrrp_instance A { " * 100_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_short_text_that_stands_for_much_is_done_with_soon(text):
    started = time.process_time()
    try:
        lint(conf.parse(text, strict=False), "2.2.7", "low", host=NOWHERE)
    except conf.ConfError as error:
        assert error.reason
    # Seconds, not minutes; what is refused is refused in far less.
    assert time.process_time() - started < 12
