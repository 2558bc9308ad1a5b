"""A file into pillar: what comes back means the same, and what cannot come is named."""

import pytest
import yaml

from keepalived_core import conf, pillar

HAND_WRITTEN = """\
# by hand
global_defs {
    router_id lb1
    enable_script_security
    notification_email { a@example.com b@example.com }
}
vrrp_script chk { script "/usr/bin/pgrep nginx"
interval 2
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    smtp_alert
    advert_int 0.5
    authentication {
        auth_type PASS
        auth_pass "a#1"
    }
    virtual_ipaddress {
        10.0.0.1/24 dev eth0 label "eth0:1"
    }
    virtual_ipaddress { 10.0.0.2 }
    notify /x.sh joe
    nopreempt
    track_script { chk weight 2 }
}
virtual_server 10.0.0.1 80 {
    protocol TCP
    real_server 10.0.0.3 80 {
        TCP_CHECK { connect_port 80
        }
        TCP_CHECK { connect_port 81
        }
    }
}
"""


def again(config):
    """Through YAML, as a person would paste it."""
    return pillar.to_tree(yaml.safe_load(yaml.safe_dump({"config": config}, sort_keys=False)))


def test_a_hand_written_file_survives():
    tree = conf.parse(HAND_WRITTEN)
    config, notes = pillar.from_tree(tree)
    assert notes == []
    assert conf.equal(again(config), tree)


def test_values_have_the_types_a_person_would_write():
    config, _ = pillar.from_tree(conf.parse(HAND_WRITTEN))
    instance = config["vrrp_instance"]["VI_1"]
    assert instance["virtual_router_id"] == 51
    assert instance["nopreempt"] is True
    assert instance["smtp_alert"] is True
    assert instance["authentication"]["auth_pass"] == "a#1"
    assert instance["virtual_ipaddress"] == ["10.0.0.1/24 dev eth0 label eth0:1", "10.0.0.2"]
    assert config["vrrp_script"]["chk"]["script"] == "/usr/bin/pgrep nginx"


LOST = {
    "a definition": ("$IF=eth0\nglobal_defs {\n}\n", 1, "definition"),
    "a use of one": ("global_defs {\nrouter_id $A\n}\n", 2, "router_id"),
    "an include": ("\ninclude conf.d/*\n", 2, "include"),
    "a loop": ("~SEQ(A, 1, 2) x $A\n", 1, "repeat"),
    "a condition": ("global_defs {\n@low router_id a\n}\n", 2, "condition"),
    "an unknown word": ("global_defs {\nrooter_id a\n}\n", 2, "rooter_id"),
    "a second instance of a name": ("vrrp_script a {\n}\nvrrp_script a {\n}\n", 3, "vrrp_script a"),
}


@pytest.mark.parametrize("text, line, word", LOST.values(), ids=LOST.keys())
def test_what_cannot_be_carried_is_named(text, line, word):
    _, notes = pillar.from_tree(conf.parse(text))
    assert len(notes) == 1
    assert notes[0].startswith(f"line {line}: ")
    assert word in notes[0]


def test_real_files_come_back_or_are_noted(corpus):
    """Every file that keepalived takes without a word, as far as it uses no macros."""
    carried, refused = 0, []
    for name, (text, row) in corpus.items():
        if row["rc_2_2_7"] != "0" or row["messages"] != "0" or row["lang_features"]:
            continue
        tree = conf.parse(text)
        config, notes = pillar.from_tree(tree)
        try:
            back = again(config)
        except pillar.PillarError as error:
            refused.append((name, str(error)))
            continue
        carried += 1
        assert notes or conf.equal(back, tree), name
    print(f"{carried} carried;", "refused by our stricter pillar:", *refused, sep="\n  ")
    assert carried > 20 * len(refused)
