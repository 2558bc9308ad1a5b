"""Our way of applying a change never ends a daemon and never loses an address it need not lose.

Two real keepalived in namespaces; what runs in them is what the execution module does, without
Salt (apply_in_node.py).
"""

import json
import random
import subprocess
import threading
import time
from pathlib import Path

import pytest
from vrrp_nodes import PYTHON, VIP, Node, Switch, until

pytestmark = pytest.mark.root

HERE = Path(__file__).parent
LIBRARY = f"/var/lib/library:{HERE}"
#: A run takes 3 s; a machine that is busy with other tests may need longer.
PATIENCE = 90
SECOND = "10.99.0.101"
#: Seconds: until a busy machine has started a Python and looked at keepalived.
SOON = 8


def text(priority, inside="", before="", vips=(f"{VIP}/24",), defs=""):
    lines = "\n        ".join(vips)
    return f"""global_defs {{
    enable_script_security
    script_user root
    reload_time_file /run/salt-keepalived/reload.time
    {defs}
}}
{before}
vrrp_instance VI {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        {lines}
    }}
    {inside}
}}
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    switch = Switch()
    pair = [Node(switch, tmp_path_factory.mktemp("apply"), number) for number in (1, 2)]
    try:
        for node, priority in zip(pair, (150, 100), strict=True):
            (node.root / "run/salt-keepalived").mkdir(mode=0o700)
            done = ask(node, text=text(priority))
            assert done["did"] == "keepalived is not running"
            node.start_keepalived()
        assert until(lambda: holds(pair[0]), 20)
        yield pair
    finally:
        for node in pair:
            node.close()
        switch.close()


@pytest.fixture
def master(nodes):
    """The node with the address, whatever the test before it did."""
    node = nodes[0]
    if state(node) != "MASTER" or node.paths.config.read_text().strip() == "":
        ask(node, text=text(150), allowed=True)
        assert until(lambda: state(node) == "MASTER" and holds(node), 20)
    node.observed()
    node.truth.clear()
    return node


@pytest.fixture
def backup(nodes, master):
    return nodes[1]


def ask(node, **given):
    command = [
        "env",
        f"PYTHONPATH={LIBRARY}",
        "TMPDIR=/run",
        PYTHON,
        str(HERE / "apply_in_node.py"),
    ]
    done = subprocess.run(
        node.enter(*command, json.dumps(given)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def state(node):
    out = node.python(
        "from keepalived_core.node import dump\n"
        "try: print(dump.read_json().instances[0].state)\n"
        "except (dump.DumpUnavailable, IndexError) as err: print(err)"
    )
    return out.strip()


def holds(node, address=VIP):
    return f" {address}/" in node.run("ip", "-4", "addr", "show", "dev", "eth0")


def lost(node, address=VIP):
    return [one for one in node.observed() if one[:2] == ("DELADDR", address)]


def undisturbed(node, pids):
    assert node.keepalived_pids() == pids
    assert holds(node)
    assert lost(node) == []


# --- what would harm is refused -------------------------------------------------------------

#: (what, the text that is asked for, a part of the reason)
KILLERS = [
    ("a keyword without its value", text(150, "garp_master_delay"), "value is missing"),
    ("an interface that is not there", text(150).replace("eth0", "eth9"), "no interface eth9"),
    ("an unknown block", text(150, "no_such_block {\n a b\n}"), "no_such_block"),
    ("nothing at all", "", "removes: vrrp_instance VI"),
    ("a namespace that is not there", "net_namespace nowhere\n" + text(150), "namespace nowhere"),
    ("a FIFO nobody can make", text(150, defs="notify_fifo /none/f"), "no directory /none"),
    ("an include that is not there", text(150) + "include /none.conf\n", "/none.conf"),
    (
        "a VRRP script that fails",
        text(150, "track_script {\n c\n}", 'vrrp_script c {\n script "/usr/bin/false"\n}'),
        "VI would go to FAULT: c (/usr/bin/false): exit status 1",
    ),
    ("a switch that ends 2.2.7", text(150, defs="enable_snmp_vrrp"), "restart"),
]


@pytest.mark.parametrize(("what", "asked", "reason"), KILLERS, ids=[row[0] for row in KILLERS])
def test_a_killer_is_refused_with_its_reason_and_nothing_is_touched(master, what, asked, reason):
    pids, before = master.keepalived_pids(), master.paths.config.read_bytes()
    done = ask(master, text=asked)
    assert reason in done.get("error", ""), done
    assert master.paths.config.read_bytes() == before
    undisturbed(master, pids)
    assert [path.name for path in master.paths.config.parent.iterdir()] == ["keepalived.conf"]


#: (what a person does to the file, a part of the reason)
BY_HAND = [
    ("an x bit", lambda path: path.chmod(0o755), "executable"),
    ("nothing left in it", lambda path: path.write_text(""), "is empty"),
    ("the file removed", lambda path: path.unlink(), "cannot be read"),
    ("a keyword without value", lambda path: path.write_text(text(150, "advert_int")), "missing"),
]


@pytest.mark.parametrize(("what", "spoil", "reason"), BY_HAND, ids=[row[0] for row in BY_HAND])
def test_a_file_spoiled_by_hand_is_not_reloaded_and_the_next_run_mends_it(
    master, what, spoil, reason
):
    pids, sound = master.keepalived_pids(), master.paths.config.read_text()
    spoil(master.paths.config)
    assert reason in ask(master, verb="reload").get("error", "")
    undisturbed(master, pids)
    done = ask(master, text=sound, allowed=True)
    assert "error" not in done, done
    assert master.paths.config.stat().st_mode & 0o777 in (0o640, 0o755)
    undisturbed(master, pids)


def test_words_that_keepalived_ignores_are_told_when_a_person_wrote_them(master):
    sound = master.paths.config.read_text()
    master.configure(sound.replace("priority 150", "priority 150 200"))
    done = ask(master, verb="reload")
    assert any("ignores '200'" in note for note in done["notes"]), done
    master.configure(sound)
    assert "error" not in ask(master, verb="reload")


# --- what is safe costs nothing --------------------------------------------------------------


def test_a_safe_change_moves_nothing_on_either_node(nodes, master):
    for node, priority in zip(nodes, (150, 100), strict=True):
        pids = node.keepalived_pids()
        done = ask(node, text=text(priority, "garp_master_repeat 3"))
        assert done.get("reload"), done
        assert node.keepalived_pids() == pids
        again = ask(node, text=text(priority, "garp_master_repeat 3"))
        assert (again["action"], again["reload"]) == ("nothing", False)
    assert lost(master) == []
    assert not holds(nodes[1])


def test_an_address_is_added_on_both_nodes_in_one_second_without_a_transition(nodes, master):
    vips = (f"{VIP}/24", f"{SECOND}/24")
    nodes[1].observed()
    nodes[1].truth.clear()
    for node, priority in zip(nodes, (150, 100), strict=True):
        assert "error" in ask(node, text=text(priority, vips=vips)), "not without being allowed"
        done = ask(node, text=text(priority, vips=vips), allowed=True, reload="no")
        assert done["reload"] is False
        assert ask(node, verb="pending")["phase"] == "prepared"
    at = int(time.time()) + SOON
    found = {}

    def commit(node):
        found[node.name] = ask(node, verb="commit", at=at)

    runs = [threading.Thread(target=commit, args=(node,)) for node in nodes]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert {"reload_time_file" in done.get("did", "") for done in found.values()} == {True}, found
    assert holds(master) and holds(master, SECOND)
    assert lost(master) == []
    assert nodes[1].observed() == []
    assert ask(master, verb="pending") is None
    for node in nodes:
        ask(node, verb="put_back", reload="no")
    at = int(time.time()) + SOON
    runs = [threading.Thread(target=commit, args=(node,)) for node in nodes]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert holds(master) and not holds(master, SECOND), found
    assert lost(master) == []


def test_a_second_that_is_over_is_refused_and_what_was_prepared_stays(master):
    done = ask(master, text=text(150, "garp_master_repeat 4"), reload="no")
    assert "error" not in done, done
    assert "over" in ask(master, verb="commit", at=int(time.time()) - 5)["error"]
    assert ask(master, verb="pending")["phase"] == "prepared"
    assert ask(master, verb="commit")["reload"] is True


def test_a_run_that_was_ended_before_the_reload_is_finished_by_the_next(master):
    asked = text(150, "garp_master_repeat 5")
    assert "error" not in ask(master, text=asked, reload="no")
    done = ask(master, text=asked)
    assert (done["action"], done["reload"]) == ("finish", True), done
    assert ask(master, verb="pending") is None
    assert lost(master) == []


# --- what fails is put back ------------------------------------------------------------------


def test_a_change_that_sends_the_instance_to_fault_is_put_back_and_the_outage_told(master):
    """The script is content while it is tried, and fails as soon as keepalived relies on it."""
    before = master.paths.config.read_text()
    flag = master.root / "run/flag"
    flag.touch()
    script = master.root / "var/lib/check.sh"
    script.write_text("#!/bin/sh\ntest -e /run/flag\n")
    script.chmod(0o755)
    track = 'vrrp_script c {\n script "/var/lib/check.sh"\n interval 1\n}'

    def spoil():
        until(lambda: '"reloading"' in master.paths.journal.read_text(), 30, 0.02)
        flag.unlink()

    spoiler = threading.Thread(target=spoil)
    spoiler.start()
    begin = time.monotonic()
    done = ask(master, text=text(150, "track_script {\n c\n}", track))
    spoiler.join()
    assert "VI went from MASTER to FAULT" in done.get("error", ""), done
    assert "is back in force" in done["error"]
    assert f"{VIP} was away from this node for" in done["error"]
    assert time.monotonic() - begin < 40
    assert master.paths.config.read_text() == before
    assert until(lambda: state(master) == "MASTER" and holds(master), 15)
    assert ask(master, verb="pending") is None


def test_what_a_person_writes_while_a_change_is_verified_is_not_put_back(master):
    before = master.paths.config.read_text()
    (master.root / "run/flag").touch()
    track = 'vrrp_script c {\n script "/usr/bin/test -e /run/flag"\n interval 1\n}'

    def spoil():
        until(lambda: '"reloading"' in master.paths.journal.read_text(), 30, 0.02)
        master.configure(before.replace("priority 150", "priority 151"))
        (master.root / "run/flag").unlink()

    spoiler = threading.Thread(target=spoil)
    spoiler.start()
    done = ask(master, text=text(150, "track_script {\n c\n}", track))
    spoiler.join()
    assert "was changed by somebody else meanwhile and stays" in done.get("error", ""), done
    assert "priority 151" in master.paths.config.read_text()
    assert "error" not in ask(master, text=before, allowed=True)
    assert until(lambda: holds(master), 20)


def test_what_needs_a_restart_gets_one_when_it_is_allowed_and_is_undone_by_one(master):
    old = master.keepalived_pids()
    done = ask(master, text=text(150, defs="enable_snmp_vrrp"), allowed=True)
    assert done.get("restart") is True, done
    assert master.keepalived_pids() != old
    assert until(lambda: holds(master), 15)
    assert ask(master, verb="put_back")["restart"] is True
    assert until(lambda: holds(master), 15)


# --- the world is in the way -----------------------------------------------------------------


def test_a_frozen_daemon_is_told_before_anything_is_touched(master):
    pids, before = master.keepalived_pids(), master.paths.config.read_bytes()
    master.signal("STOP", pids[1])
    try:
        done = ask(master, text=text(150, "garp_master_repeat 6"))
        assert "is stopped" in done["error"]
        assert "kill -CONT" in done["error"]
    finally:
        master.signal("CONT", pids[1])
    assert master.paths.config.read_bytes() == before


def test_two_runs_at_once_are_one_after_the_other(master):
    found = []
    asked = text(150, "garp_master_repeat 7")
    runs = [
        threading.Thread(target=lambda: found.append(ask(master, text=asked))) for _ in range(2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(one["action"] for one in found) == ["change", "nothing"], found
    assert lost(master) == []


#: (what, how it comes, how it goes, a part of the reason)
DISKS = [
    (
        "a read-only /etc",
        "mount -o remount,ro,bind /etc/keepalived",
        "mount -o remount,rw,bind /etc/keepalived",
        "read-only",
    ),
    (
        "a full disk",
        "cp /etc/keepalived/keepalived.conf /run/kept && mount -t tmpfs -o size=16k t"
        " /etc/keepalived && cp /run/kept /etc/keepalived/keepalived.conf;"
        " dd if=/dev/zero of=/etc/keepalived/ballast bs=1k 2>/dev/null; true",
        "umount /etc/keepalived",
        "the disk is full",
    ),
    (
        "no room for the journal",
        "mount -t tmpfs -o size=4k t /var/lib/salt-keepalived;"
        " dd if=/dev/zero of=/var/lib/salt-keepalived/ballast bs=1k 2>/dev/null; true",
        "umount /var/lib/salt-keepalived",
        "the disk is full",
    ),
]


@pytest.mark.parametrize(("what", "come", "go", "reason"), DISKS, ids=[row[0] for row in DISKS])
def test_a_disk_that_takes_nothing_is_told_and_nothing_is_lost(master, what, come, go, reason):
    pids, before = master.keepalived_pids(), master.paths.config.read_bytes()
    master.run("sh", "-c", come)
    try:
        done = ask(master, text=text(150, "garp_master_repeat 8"))
        assert reason in done.get("error", ""), done
    finally:
        master.run("sh", "-c", go)
    assert master.paths.config.read_bytes() == before
    undisturbed(master, pids)


def test_where_keepalived_can_write_no_dump_a_change_goes_through_and_says_so(master):
    master.run("mount", "-t", "tmpfs", "-o", "ro", "t", "/run/tmp")
    try:
        done = ask(master, text=text(150, "garp_master_repeat 9"))
    finally:
        master.run("umount", "/run/tmp")
    assert done.get("reload") is True, done
    assert "is unknown" in done["did"] and "read-only" in done["did"]
    assert lost(master) == []


# --- kill -9 ---------------------------------------------------------------------------------

KILLS = 100
SEED = 20260704


def test_a_run_that_is_killed_at_any_moment_leaves_a_whole_file_and_a_living_daemon(master):
    """The next run finishes the job, every time."""
    pids = master.keepalived_pids()
    moments = random.Random(SEED)
    found = subprocess.run(
        master.enter(
            "env", f"PYTHONPATH={LIBRARY}", "TMPDIR=/run", PYTHON, str(HERE / "kill_in_node.py"),
            json.dumps({
                "texts": [text(150, f"garp_master_repeat {n}") for n in (2, 3)],
                "moments": [moments.random() for _ in range(KILLS)],
            }),
        ),
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-2000:]
    told = json.loads(found.stdout)
    print(told)
    assert told["torn"] == []
    assert told["unfinished"] == []
    assert told["kills"] == KILLS
    # otherwise the moments missed what they were to hit
    assert len(told["phases"]) >= 3, told
    undisturbed(master, pids)
