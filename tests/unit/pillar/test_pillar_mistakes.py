"""Wrong pillars: each mistake has its place, says what was given and what would be right."""

import time
from pathlib import Path

import pytest
import yaml

from keepalived_core import conf, pillar

CASES = yaml.safe_load((Path(__file__).parent / "wrong.yaml").read_text(encoding="utf-8"))
WRONG = [case for case in CASES if case["says"]]
RIGHT = [case for case in CASES if not case["says"]]
SECRET = "s3cr3t-and-long"


def keys(path):
    found = path.split(":")
    return found[1:] if found[0] == "keepalived" else ["config", *found]


def changed(data, case):
    *way, last = keys(case["set"])
    for key in way:
        data = data.setdefault(key, {})
    if "to" in case:
        data[last] = case["to"]
    else:
        del data[last]


def label(case):
    return f"{case['set']}={case.get('to', 'removed')}"[:80]


def test_there_are_enough_cases():
    assert len(WRONG) >= 80


@pytest.mark.parametrize("case", WRONG, ids=label)
def test_one_mistake_is_named_where_it_stands(classic, case):
    changed(classic, case)
    if "priorities" not in case["set"]:
        del classic["priorities"]
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1", "2.2.7")
    path = ":".join(["keepalived", *keys(case.get("at", case["set"]))])
    assert [where for where, _ in error.value.mistakes] == [path]
    assert case["says"] in error.value.mistakes[0][1]
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize("case", RIGHT, ids=label)
def test_this_is_no_mistake(classic, case):
    changed(classic, case)
    assert pillar.to_tree(classic, "controller1", "2.2.7")


def test_all_mistakes_come_at_once(classic, instance):
    instance.update(prioritty=5, nopreempt="false", advert_int=0, track_file=["x"], state="SLAVE")
    instance["virtual_ipaddress"] = ["10.0.0.999", "10.0.0.1/40"]
    classic["config"]["vrrp_script"]["chk_haproxy"]["rise"] = "often"
    classic["config"]["nonsense"] = True
    classic["priorites"] = {}
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller9x")
    assert len(error.value.mistakes) == 10  # with the node nobody knows
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1")
    assert len(error.value.mistakes) == 9
    assert len(str(error.value).splitlines()) == 9


@pytest.mark.parametrize(
    "change, where",
    [
        ({"notify": "/x \ud800"}, "notify"),
        ({"track_script": ["\udfff" * 300]}, "track_script:0"),
        ({"authentication": {"auth_type": "PASS", "auth_pass": "\ud800"}}, "authentication"),
    ],
)
def test_half_a_character_is_refused(classic, instance, change, where):
    instance.update(change)
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1")
    assert f"VI_PUBLIC:{where}" in str(error.value)


@pytest.mark.parametrize(
    "change, where",
    [
        ({"notify": "/x " + "a" * 1000}, "notify"),
        ({"track_script": ["s" * 1000]}, "track_script:0"),
        ({"authentication": {"auth_type": "PASS", "auth_pass": SECRET * 100}}, "authentication"),
    ],
)
def test_a_line_too_long_to_be_read_is_refused(classic, instance, change, where):
    instance.update(change)
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1")
    assert f"VI_PUBLIC:{where}" in str(error.value)
    assert SECRET not in str(error.value)


def test_the_longest_line_a_pillar_can_have_can_be_written(classic, instance):
    def lines(length):
        body = {"path": "a" * length, "status_code": "200"}
        real = {"10.0.0.2 80": {"SSL_GET": {"url": body}}}
        classic["config"]["virtual_server"] = {"10.0.0.1 80": {"real_server": real}}
        return conf.render(pillar.to_tree(classic, "controller1")).encode().split(b"\n")

    assert max(map(len, lines(980))) < 1024
    with pytest.raises(pillar.PillarError, match="too long"):
        lines(1000)


def test_mistakes_of_form_hide_none_of_meaning(classic, instance):
    instance.update(nopreempt=True, state="MASTER", track_process=["x"], advert_int=0)
    instance["authentication"] = {"auth_type": "PASS", "auth_pass": "ninechars"}
    instance["unicast_peer"] = ["2001:db8::1", "10.0.0.999"]
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1")
    paths = {path.partition("VI_PUBLIC:")[2] for path, _ in error.value.mistakes}
    assert paths == {
        *("advert_int", "authentication:auth_pass", "nopreempt", "track_process:0"),
        *("unicast_peer:0", "unicast_peer:1"),
    }


@pytest.mark.parametrize(
    "change, where",
    [
        ({"interface": 5}, "interface"),
        ({"virtual_router_id": "many"}, "virtual_router_id"),
        ({"virtual_ipaddress": ["10.0.0.999"]}, "virtual_ipaddress:0"),
        ({"authentication": {"auth_type": "PASS", "auth_pass": 83}}, "authentication:auth_pass"),
    ],
)
def test_what_follows_from_a_mistake_is_not_told_as_another(classic, instance, change, where):
    instance.update(change)
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1")
    (found,) = error.value.mistakes
    assert found[0].endswith(f":VI_PUBLIC:{where}")


@pytest.mark.parametrize("vips", [5, True, 1.5, None, [None], {}, {"10.0.0.1": None}])
def test_unicast_auto_leaves_what_is_wrong_with_the_addresses_to_be_told(classic, instance, vips):
    instance.update(unicast_peer="auto", virtual_ipaddress=vips)
    with pytest.raises(pillar.PillarError, match=r"virtual_ipaddress|controller2"):
        pillar.to_tree(classic, "controller1", addresses={"controller1": {"eth1": ["10.0.0.9"]}})


def test_a_misspelt_block_is_told_once_not_at_each_name_from_it(classic):
    classic["config"]["vrrp_scripts"] = classic["config"].pop("vrrp_script")
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1")
    (found,) = error.value.mistakes
    assert found[0] == "keepalived:config:vrrp_scripts"


def test_a_pillar_of_very_many_mistakes_is_read_in_linear_time():
    started = time.process_time()
    data = {"config": {"vrrp_instance": {f"A{n}": {"priorit": n} for n in range(10_000)}}}
    data["priorities"] = {"A1": ["n"] * 10_000}
    with pytest.raises(pillar.PillarError):
        pillar.to_tree(data)
    assert time.process_time() - started < 8


@pytest.mark.parametrize("data", [None, {}, [], "text", {"config": {}}, {"config": None}])
def test_no_pillar_says_what_to_write(data):
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(data, "controller1")
    assert "vrrp_instance:" in str(error.value)
    assert "virtual_ipaddress:" in str(error.value)


def test_the_example_in_the_message_is_right():
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(None)
    example = yaml.safe_load(str(error.value).partition("\n")[2])
    assert pillar.to_tree(example["keepalived"])


@pytest.mark.parametrize(
    "secret", [SECRET, f'{SECRET}"', f"{SECRET}\\", 12345678912, f"{SECRET}\n", [SECRET]]
)
def test_a_wrong_secret_is_not_told(classic, instance, secret):
    instance["authentication"] = {"auth_type": "PASS", "auth_pass": secret}
    # where the two changed places
    classic["config"]["vrrp_instance"]["VI_2"] = {
        **instance,
        "authentication": {"auth_type": secret, "auth_pass": "PASS"},
    }
    instance["auth_hmac"] = {"key": [secret] if isinstance(secret, str) else secret}
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1")
    assert "s3cr3t" not in str(error.value)
    assert "12345678912" not in str(error.value)
