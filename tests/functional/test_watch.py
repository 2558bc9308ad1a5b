"""The watch beside a real keepalived, compared with what the kernel itself said of the address."""

import json
import os
import shutil
import subprocess
import threading
import time

import pytest

if os.geteuid() != 0:
    pytest.skip("namespaces need root", allow_module_level=True)
if shutil.which("keepalived") is None:
    pytest.skip("keepalived is not installed", allow_module_level=True)

from vrrp_nodes import PYTHON, VIP, Node, Switch, until

pytestmark = pytest.mark.root

OUR_FIFO = "vrrp_notify_fifo /run/salt-keepalived/notify.fifo"
# Both keywords taken by somebody else, who also leaves them unread.
THEIR_FIFOS = "notify_fifo /run/theirs\n vrrp_notify_fifo /run/theirs2"

# VRRPv3 at 0.1 s: a failover takes 0.3 s instead of 3.  Niced: a busy machine makes its own.
CONFIG = """
global_defs {{
 router_id test
 vrrp_priority -20
 enable_script_security
 script_user root
 {fifo}
}}
vrrp_script chk {{
 script "/usr/bin/test ! -e /run/ill"
 interval 1
 timeout 5
 fall 1
 rise 1
}}
vrrp_sync_group G {{
 group {{
  VI
  VJ
 }}
}}
vrrp_instance VI {{
 interface eth0
 virtual_router_id 51
 version 3
 priority {priority}
 advert_int 0.1
 virtual_ipaddress {{
  10.99.0.100/24
  10.99.0.101/24
 }}
 track_script {{
  chk
 }}
}}
vrrp_instance VJ {{
 interface eth0
 virtual_router_id 52
 version 3
 priority {priority}
 advert_int 0.1
 virtual_ipaddress {{
  10.99.0.110/24
 }}
}}
"""


def config(priority, fifo=OUR_FIFO):
    return CONFIG.format(priority=priority, fifo=fifo)


@pytest.fixture(scope="module")
def switch():
    switch = Switch()
    yield switch
    switch.close()


@pytest.fixture
def node(switch, tmp_path):
    """One node, nothing started."""
    node = Node(switch, tmp_path, 9)
    yield node
    node.close()


@pytest.fixture(scope="module")
def machines(switch, tmp_path_factory):
    """Two nodes with a watch and a keepalived each, used by one test after the other."""
    root = tmp_path_factory.mktemp("nodes")
    nodes = [Node(switch, root, number) for number in (1, 2)]
    for node, priority in zip(nodes, (150, 100), strict=True):
        node.configure(config(priority))
        node.start_watch()
        node.start_keepalived()
    yield nodes
    for node in nodes:
        node.close()


@pytest.fixture
def pair(machines):
    """The two nodes, settled: the first one is MASTER.  What follows is compared by ``compare``."""
    one, two = machines
    assert until(lambda: one.state("G") == "MASTER"), one.log("watch")
    assert until(lambda: two.state("G") == "BACKUP"), two.log("watch")
    for node in machines:
        until(lambda node=node: node.status().get("sources") == ["netlink", "fifo", "json"], 3)
        node.begin_chapter()
    return machines


def compare(*nodes, late=()):
    """Every coming and going of the VIP is one event, in order, at that time, and nothing else is.

    :param late: which transitions were told after the watch had been away, so without their time.
    """
    for node in nodes:
        # what happens this very moment is on its way
        until(lambda node=node: kinds(told(node)) == kinds(truth(node)), 2)
        assert kinds(told(node)) == kinds(truth(node)), node.name
        pairs = enumerate(zip(told(node), truth(node), strict=True))
        apart = [(mine[1] - its[1]) / 1e6 for n, (mine, its) in pairs if n not in late]
        # both read the clock when the kernel's message reached them; the machine may be busy
        assert all(abs(seconds) < 0.5 for seconds in apart), apart
        assert_no_repetition(node)


def truth(node):
    return [(kind, when) for kind, address, when in node.observed() if address == VIP]


def told(node):
    """What the events of this chapter say of the VIP, in the kernel's words."""
    found, holds = [], node.states_before.get("VI") == "MASTER"
    for event in node.events():
        if event["to"].isupper() and (event["to"] == "MASTER") != holds:
            holds = not holds
            found.append(("NEWADDR" if holds else "DELADDR", event["monotonic_us"]))
    return found


def kinds(changes):
    return [kind for kind, _ in changes]


def assert_no_repetition(node):
    rows = node.events(None)
    first = rows[0]["seq"] if rows else 1
    assert [row["seq"] for row in rows] == list(range(first, first + len(rows)))
    last = dict(node.states_before)
    for row in rows:
        if row["to"].isupper():
            assert row["from"] == last.get(row["instance"])
            assert row["from"] != row["to"]
            last[row["instance"]] = row["to"]


def test_a_stop_and_a_start(pair):
    one, two = pair
    one.stop_keepalived()
    two.wait_for("MASTER", instance="G")
    one.wait_for("STOP", instance="G")
    one.start_keepalived()
    one.wait_for("STOP", "BACKUP", "MASTER")
    one.wait_for("STOP", "BACKUP", "MASTER", instance="VJ")
    two.wait_for("MASTER", "BACKUP")
    assert reasons(one)[:2] == ["keepalived stopped", "keepalived started"]
    states = [event for event in one.events() if event["to"].isupper()]
    assert (states[0]["vip_present"], states[-1]["vip_present"]) == (False, True)
    compare(one, two)


def test_killed_outright_keepalived_leaves_a_ghost(pair):
    one, two = pair
    one.kill_keepalived()
    one.wait_for("ghost", timeout=1.5)
    (ghost,) = one.events()
    assert (ghost["from"], ghost["vip_present"]) == ("MASTER", True)
    assert ghost["reason"] == "keepalived died, 10.99.0.100, 10.99.0.101 stayed"
    two.wait_for("MASTER")
    assert until(lambda: one.status()["keepalived"] is None)
    assert one.status()["instances"]["VI"]["ghost"]
    # somebody takes the one instance's addresses away; the other's wait for the new keepalived
    one.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
    one.run("ip", "addr", "del", "10.99.0.101/24", "dev", "eth0")
    one.wait_for("ghost", "STOP", timeout=2)
    one.start_keepalived()
    one.wait_for("ghost", "STOP", "BACKUP", "MASTER")
    one.wait_for("ghost", "BACKUP", "MASTER", instance="VJ")
    two.wait_for("MASTER", "BACKUP")
    compare(one, two)


def test_a_backup_that_is_killed_has_stopped(pair):
    _, two = pair
    two.kill_keepalived()
    two.wait_for("STOP")
    assert two.events()[0]["reason"] == "keepalived died"
    two.wait_for("STOP", instance="G")
    two.start_keepalived()
    two.wait_for("STOP", "BACKUP")
    compare(two)


def test_a_vrrp_process_that_is_killed_and_comes_back(pair):
    one, two = pair
    one.signal("KILL", one.keepalived_pids()[1])
    one.wait_for("BACKUP", "MASTER")
    assert reasons(one)[0] == "keepalived's VRRP process died and was started anew"
    compare(one, two)


def test_a_parent_process_that_is_killed(pair):
    one, two = pair
    one.signal("KILL", one.keepalived_pids()[0])
    one.wait_for("STOP")
    assert reasons(one) == [
        "keepalived's parent process was killed, the VRRP process gave up in order"
    ]
    two.wait_for("MASTER")
    assert until(lambda: not (one.root / "run/vrrp.pid").exists())
    (one.root / "run/keepalived.pid").unlink(missing_ok=True)
    one.start_keepalived()
    one.wait_for("STOP", "BACKUP", "MASTER")
    assert reasons(one)[1] == "keepalived started"
    two.wait_for("MASTER", "BACKUP")
    compare(one, two)


def reasons(node, instance="VI"):
    """Of the transitions of this chapter."""
    return [event["reason"] for event in node.events(instance) if event["to"].isupper()]


def test_a_cable_pulled_and_put_back(pair):
    one, two = pair
    one.cable("down")
    one.wait_for("FAULT")
    two.wait_for("MASTER")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    two.wait_for("MASTER", "BACKUP")
    for name in ("VI", "VJ", "G"):
        assert reasons(one, name)[:2] == [
            "eth0 has no carrier",
            "no longer faulty (was: eth0 has no carrier)",
        ]
    assert reasons(two)[1] == "a peer with priority 150 took over"
    compare(one, two)


def test_a_check_that_fails_and_recovers(pair):
    one, two = pair
    (one.root / "run/ill").touch()
    one.wait_for("FAULT")
    two.wait_for("MASTER")
    (one.root / "run/ill").unlink()
    one.wait_for("FAULT", "BACKUP", "MASTER")
    two.wait_for("MASTER", "BACKUP")
    assert reasons(one)[:2] == [
        "check chk failed",
        "no longer faulty (was: check chk failed)",
    ]
    assert reasons(one, "VJ")[0] == "check chk failed (VI in sync group G)"
    assert reasons(one, "G")[0] == "check chk failed (VI in sync group G)"
    assert until(lambda: not (one.root / "run/tmp/keepalived.data").exists(), 3)
    compare(one, two)


def test_an_address_taken_away_by_hand(pair):
    one, two = pair
    one.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
    one.wait_for("BACKUP", "MASTER")
    compare(one, two)


def test_a_frozen_master_that_loses_its_address_is_hollow(pair):
    one, two = pair
    pids = one.keepalived_pids()
    one.signal("STOP", *pids)
    try:
        two.wait_for("MASTER")
        one.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
        one.wait_kinds("hollow")
        hollow = one.events()[-1]
        assert (hollow["from"], hollow["vip_present"]) == ("MASTER", False)
        assert hollow["reason"] == f"{VIP} is missing in state MASTER"
        assert until(lambda: one.status()["instances"]["VI"]["hollow"])
        one.run("ip", "addr", "add", f"{VIP}/24", "dev", "eth0")
        one.wait_kinds("hollow", "restored")
        assert until(lambda: not one.status()["instances"]["VI"]["hollow"])
    finally:
        one.signal("CONT", *pids[::-1])
    assert until(lambda: one.state() == "MASTER" and two.state() == "BACKUP")


def test_an_address_added_by_hand_to_a_backup_is_a_ghost(pair):
    _, two = pair
    two.run("ip", "addr", "add", f"{VIP}/24", "dev", "eth0")
    two.wait_kinds("ghost")
    ghost = two.events()[-1]
    assert (ghost["from"], ghost["reason"]) == ("BACKUP", f"{VIP} is there in state BACKUP")
    two.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
    two.wait_kinds("ghost", "restored")


def test_a_fifo_that_was_full_is_said_and_made_up_for(pair):
    one, two = pair
    one.signal("STOP", one.watch_pid())
    one.python(
        "import os\n"
        "fd = os.open('/run/salt-keepalived/notify.fifo', os.O_WRONLY | os.O_NONBLOCK)\n"
        "try:\n"
        "    while True: os.write(fd, b'VS filler UP\\n')\n"
        "except BlockingIOError: pass\n"
    )
    one.cable("down")
    two.wait_for("MASTER")
    one.signal("CONT", one.watch_pid())
    one.wait_for("FAULT")
    assert "overflow" in [event["to"] for event in one.events("node")]
    assert one.status()["fifo_overflows"] > 0
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    two.wait_for("MASTER", "BACKUP")
    compare(one, late=(0,))


def test_reloads(pair):
    one, two = pair
    parent = one.keepalived_pids()[0]
    one.configure(config(150) + "\n# only a comment\n")
    one.signal("HUP", parent)
    time.sleep(0.5)
    assert one.told() == []
    one.configure(config(50))
    time.sleep(1.2)
    one.signal("HUP", parent)
    one.wait_for("BACKUP")
    two.wait_for("MASTER")
    (reason,) = reasons(one)
    # which of its two instances was heard out first is a race
    assert reason.startswith("its configuration was changed: ")
    assert reason.endswith("a peer with priority 100 took over")
    one.configure(config(50).replace("VJ", "VK"))
    one.signal("HUP", parent)
    one.wait_for("DELETED", instance="VJ")
    one.wait_for("BACKUP", instance="VK")
    one.configure(config(150))
    one.signal("HUP", parent)
    one.wait_for("BACKUP", "MASTER")
    one.wait_for("MASTER", instance="VJ")
    one.wait_for("DELETED", instance="VK")
    assert one.events()[-1]["base_priority"] in (50, 150)
    compare(one, two)


def test_a_reload_that_leaves_no_instance(pair):
    one, two = pair
    parent = one.keepalived_pids()[0]
    one.configure("global_defs {\n router_id none\n}\n")
    one.signal("HUP", parent)
    one.wait_for("DELETED")
    two.wait_for("MASTER")
    one.configure(config(150))
    one.signal("HUP", parent)
    one.wait_for("DELETED", "BACKUP", "MASTER")
    compare(one, two)


def test_a_fifo_that_somebody_removes_and_makes_anew(pair):
    one, two = pair
    one.paths.fifo.unlink()
    os.mkfifo(one.paths.fifo)
    time.sleep(1.2)
    # keepalived still writes to the one that was removed, and is still heard
    one.cable("down")
    one.wait_for("FAULT")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    # from its next reload on it writes to the one that is there
    one.paths.fifo.unlink()
    assert until(one.paths.fifo.exists, 2)
    one.signal("HUP", one.keepalived_pids()[0])
    time.sleep(0.5)
    one.cable("down")
    one.wait_for("MASTER", "FAULT")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert {event["source"] for event in one.events()} == {"fifo"}
    compare(one, two)


def test_a_watch_that_starts_after_the_fifo_was_removed_hears_keepalived_all_the_same(pair):
    one, two = pair
    one.signal("KILL", one.watch_pid())
    one.paths.fifo.unlink()
    one.start_watch()
    assert "fifo" in one.status()["sources"]
    one.cable("down")
    one.wait_for("FAULT")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert {event["source"] for event in one.events()} == {"fifo"}
    compare(one, two)
    one.signal("HUP", one.keepalived_pids()[0])


def test_keepalived_restarted_while_the_watch_is_away(pair):
    one, _ = pair
    one.signal("KILL", one.watch_pid())
    one.stop_keepalived()
    one.start_keepalived()
    time.sleep(1)
    one.start_watch()
    assert until(lambda: one.state() == "MASTER" and "json" in one.status()["sources"])
    # the lines of the first keepalived ended with it, for then nobody held the FIFO open
    assert one.states() in (["BACKUP", "MASTER"], ["STOP", "BACKUP", "MASTER"], [])
    assert_no_repetition(one)


def test_what_happens_while_the_watch_is_away_is_told_in_order_when_it_is_back(pair):
    one, two = pair
    one.signal("KILL", one.watch_pid())
    one.cable("down")
    two.wait_for("MASTER")
    one.cable("up")
    two.wait_for("MASTER", "BACKUP")
    one.start_watch()
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert {event["reason"] for event in one.events()} == {"happened while the watch was away"}
    compare(one, late=(0, 1))
    compare(two)


def test_a_faulty_interface_is_noticed_on_a_backup_too_though_no_address_moves(pair):
    _, two = pair
    two.cable("down")
    two.wait_for("FAULT", timeout=3)
    two.cable("up")
    two.wait_for("FAULT", "BACKUP", timeout=3)
    compare(two)


def test_the_kernel_s_messages_may_overrun(pair):
    one, _ = pair
    one.stop_observer()
    one.signal("STOP", one.watch_pid())
    batch = "".join(
        f"addr {verb} 10.{50 + n // 250}.{n % 250}.1/32 dev lo\n"
        for verb in ("add", "del")
        for n in range(6000)
    )
    (one.root / "run/batch").write_text(batch)
    one.run("ip", "-batch", "/run/batch")
    one.cable("down")
    time.sleep(0.2)
    one.cable("up")
    time.sleep(0.6)
    one.signal("CONT", one.watch_pid())
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert "the kernel dropped address messages" in one.log("watch")
    assert until(lambda: one.status()["instances"]["VI"]["vip_present"])
    assert_no_repetition(one)
    one.start_observer()


def test_where_both_fifo_keywords_are_taken_addresses_and_dump_do(pair):
    one, two = pair
    one.configure(config(150, fifo=THEIR_FIFOS))
    one.stop_keepalived()
    one.start_keepalived()
    one.wait_for("MASTER")
    assert until(lambda: one.status()["sources"] == ["netlink", "json"], 6)
    assert one.status()["fifo_configured"] is False
    two.wait_for("MASTER", "BACKUP")
    one.begin_chapter()
    one.stop_keepalived()
    one.wait_for("STOP")
    two.wait_for("MASTER")
    one.start_keepalived()
    one.wait_for("MASTER")
    one.cable("down")
    one.wait_for("FAULT")
    one.cable("up")
    one.wait_for("MASTER")
    two.wait_for("MASTER", "BACKUP")
    assert {event["source"] for event in one.events()} <= {"resync", "json", "netlink"}
    compare(one)
    # a fault without an address to lose
    one.configure(config(50, fifo=THEIR_FIFOS))
    one.signal("HUP", one.keepalived_pids()[0])
    one.wait_for("BACKUP")
    one.cable("down")
    one.wait_for("FAULT", timeout=3)
    one.cable("up")
    one.wait_for("BACKUP", timeout=3)
    compare(one)


def test_a_watch_without_keepalived_is_idle(node):
    node.configure(config(150))
    node.start_watch()
    time.sleep(1)
    node.paths.fifo.unlink()
    node.configure(config(151))
    node.run("ip", "link", "set", "eth0", "down")
    time.sleep(1.2)

    def used():
        fields = node.run("cat", f"/proc/{node.watch_pid()}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(3)
    assert used() - before < 0.3


def test_a_disk_that_is_full_costs_no_event(node):
    node.paths.state_dir.mkdir()
    options = ["-t", "tmpfs", "-o", "size=400k,mode=0700"]
    node.run("mount", *options, "tmpfs", "/var/lib/salt-keepalived")
    node.configure(config(150).replace("10.99.0.1", "10.97.0.1"))
    node.start_watch()
    node.run("sh", "-c", "cat /dev/zero > /var/lib/salt-keepalived/filler || true")
    node.start_keepalived()
    assert until(lambda: node.status()["problems"])
    assert "full" in node.status()["problems"][0]
    assert node.status()["spool"]["pending"] > 0
    until(lambda: node.status()["instances"].get("VI", {}).get("state") == "MASTER")
    node.run("rm", "/var/lib/salt-keepalived/filler")
    assert until(lambda: node.status()["spool"]["pending"] == 0)
    assert node.status()["problems"] == []
    rows = json.loads(
        node.python(
            "import json; from keepalived_core.node.journal import journal;"
            "print(json.dumps([[r['seq'], r['instance'], r['to']] for r in journal(last=99)]))"
        )
    )
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert [to for _, name, to in rows if name == "VI"] == ["BACKUP", "MASTER"]


# -- asking for the dump --

ASK = """
import json, time
from keepalived_core.node import dump
try:
    found = dump.read_json(timeout={timeout})
    print(json.dumps({{"states": {{i.name: i.state for i in found.instances}}}}))
except dump.DumpUnavailable as err:
    print(json.dumps({{"reason": err.reason}}))
"""


def ask(node, timeout=2.0):
    return json.loads(node.python(ASK.format(timeout=timeout)))


def test_a_keepalived_that_is_starting_is_never_killed_by_a_question(node):
    node.configure(config(150))
    code = """
import time
from keepalived_core.node import dump
end = time.monotonic() + 4
answers = set()
while time.monotonic() < end:
    try:
        dump.read_json(timeout=0.3)
        answers.add("answered")
    except dump.DumpUnavailable as err:
        answers.add(err.reason.split("(")[0])
print(answers)
"""
    asker = subprocess.Popen(
        node.enter("env", "PYTHONPATH=/var/lib/library", PYTHON, "-c", code),
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(3):
        node.start_keepalived()
        time.sleep(0.2)
        node.keepalived_pids()
        assert "died" not in node.log("keepalived")
        node.stop_keepalived()
    assert "answered" in asker.communicate()[0]


def test_a_frozen_keepalived_is_not_asked_and_not_flooded(node):
    node.configure(config(150))
    node.start_keepalived()
    assert until(lambda: "states" in ask(node))
    parent, child = node.keepalived_pids()
    for pid in (child, parent):
        node.signal("STOP", pid)
        before = time.monotonic()
        assert "is stopped" in ask(node)["reason"]
        assert time.monotonic() - before < 1
        node.signal("CONT", pid)
    asked = node.log("keepalived").count("Printing VRRP as json")
    time.sleep(0.3)
    assert node.log("keepalived").count("Printing VRRP as json") == asked


@pytest.mark.parametrize(
    ("spoil", "restore", "reason"),
    [
        ("mount -t tmpfs -o ro tmpfs /run/tmp", "umount /run/tmp", "/run/tmp is read-only"),
        ("mount -t tmpfs -o size=4k tmpfs /run/tmp; echo x > /run/tmp/x", "umount /run/tmp",
         "/run/tmp is full"),
        ("mv /run/tmp /run/tmp2", "mv /run/tmp2 /run/tmp", "/run/tmp does not exist"),
    ],
)  # fmt: skip
def test_a_dump_that_cannot_be_written_is_explained(node, spoil, restore, reason):
    node.configure(config(150))
    node.start_keepalived()
    assert until(lambda: "states" in ask(node))
    node.run("sh", "-c", spoil)
    assert reason in ask(node, timeout=0.3)["reason"]
    node.run("sh", "-c", restore)
    assert "states" in ask(node)


def test_a_keepalived_without_instances_is_told_from_one_that_does_not_run(node):
    assert ask(node)["reason"] == "keepalived is not running"
    node.configure("global_defs {\n router_id none\n}\nvrrp_script x {\n script /bin/true\n}\n")
    node.start("keepalived", "-n", "-l", log="keepalived.log")
    assert until(lambda: "writes none when it has no vrrp_instance" in ask(node, 0.2)["reason"])


def test_the_dump_of_a_keepalived_with_a_private_tmp_is_found(node):
    node.configure(config(150))
    node.start(
        "unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /tmp; exec keepalived -n -l",
        log="keepalived.log",
    )  # fmt: skip
    assert until(lambda: "states" in ask(node))


def test_many_who_ask_at_once_all_get_a_whole_and_fresh_answer(node):
    instances = "".join(
        f"vrrp_instance V{n} {{\n interface eth0\n virtual_router_id {n}\n priority 100\n"
        f" virtual_ipaddress {{\n 10.98.0.{n}/32\n }}\n}}\n"
        for n in range(1, 201)
    )
    node.configure("global_defs {\n router_id many\n}\n" + instances)
    node.start_keepalived()
    assert until(lambda: "states" in ask(node))
    code = """
import time
from keepalived_core.node import dump
for _ in range(15):
    asked = time.time()
    found = dump.read_json(timeout=10)
    # the file system's clock is that of the last tick, up to 10 ms behind
    assert found.taken > asked - 0.02, "stale"
    assert len(found.instances) == 200, "torn"
print("well")
"""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(node.python(code))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["well\n"] * 3


def test_no_dump_with_passwords_is_left_behind_but_somebody_else_s_is(node):
    node.configure(config(150))
    node.start_keepalived()
    dumped = node.root / "run/tmp/keepalived.json"
    assert until(lambda: "states" in ask(node))
    assert not dumped.exists()
    number = node.run("keepalived", "--signum=JSON").strip()
    node.signal(number, node.keepalived_pids()[0])
    assert until(dumped.exists)
    assert "states" in ask(node)
    assert dumped.exists()
