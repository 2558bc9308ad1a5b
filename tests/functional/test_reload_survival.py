"""What we write never kills the daemon that reads it: the real keepalived, in a namespace."""

import os
import signal
import subprocess
import time

import pytest

from keepalived_core import conf, plan
from keepalived_core.check import gate

pytestmark = pytest.mark.root

GUARDED = """# the first column
global_defs {
    reload_check_config
}
"""
INSTANCE = """# the first column
! and again
vrrp_instance VI_1 {
    interface eth1
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.1/32 dev eth1
    }
}
"""


@pytest.fixture
def namespace():
    """A network namespace with eth1, up and with an address."""
    name = f"reload-{os.getpid()}"
    inside = ["ip", "-n", name]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        pair = ["link", "add", "eth1", "type", "veth", "peer", "name", "peer1"]
        for words in (
            pair,
            ["link", "set", "eth1", "up"],
            ["link", "set", "peer1", "up"],
            ["addr", "add", "192.0.2.11/24", "dev", "eth1"],
        ):
            subprocess.run([*inside, *words], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture
def daemon(tmp_path, namespace):
    """A keepalived in a network namespace of its own; gives (write file, reload, log)."""
    path, log = tmp_path / "keepalived.conf", tmp_path / "log"

    def write(text):
        path.write_text(text)
        path.chmod(0o640)

    started = []

    def start():
        command = ["ip", "netns", "exec", namespace, "keepalived", "-n", "-l", "-f", str(path)]
        command += ["-p", str(tmp_path / "pid"), "-r", str(tmp_path / "vrrp.pid")]
        with log.open("wb") as out:
            started.append(subprocess.Popen(command, stdout=out, stderr=out))
        wait_for(lambda: (tmp_path / "vrrp.pid").exists(), "the VRRP child")
        # the parent's file is there before its number is
        wait_for((tmp_path / "pid").read_text, "the parent's number")
        return int((tmp_path / "pid").read_text())

    yield write, start, log
    for process in started:
        process.terminate()
        process.wait(10)


def wait_for(question, what, timeout=5):
    deadline = time.monotonic() + timeout
    while not question():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def reloads_of(daemon, texts):
    """Start with the first text, reload with each other; True when it lived through all."""
    write, start, log = daemon
    write(texts[0])
    pid = start()
    for number, text in enumerate(texts[1:], 1):
        write(text)
        try:
            os.kill(pid, signal.SIGHUP)
            wait_for(lambda n=number: log.read_text().count("Reload complete") >= n, "reload", 3)
        except (ProcessLookupError, AssertionError):
            return False
        if "SIGSEGV" in log.read_text():
            return False
    return True


#: guarded, then not, then any file: the order in which 2.2.0 to 2.4.3 lose their way.
SEQUENCE = [GUARDED + INSTANCE, GUARDED + INSTANCE, INSTANCE, INSTANCE, GUARDED + INSTANCE]


def test_comments_as_we_write_them_survive_switching_reload_check_config_off(daemon):
    assert reloads_of(daemon, [plan.without_killer_comments(text) for text in SEQUENCE])


def test_the_defect_is_still_there_so_the_blank_before_comments_is_needed(daemon):
    """When this fails on a newer keepalived, say so in the docstring of without_killer_comments."""
    assert not reloads_of(daemon, SEQUENCE)


UNUSED = """vrrp_script nobody_tracks_me {
    script "/usr/bin/true"
}
"""
SECURE = """global_defs {
    enable_script_security
    script_user root
}
"""


def test_an_unused_script_beside_reload_check_config_ends_the_daemon_though_its_test_exits_0(
    daemon, namespace, tmp_path
):
    """The defect; when this fails on a newer keepalived, say so in gate.guard_hazards."""
    text = SECURE + GUARDED + UNUSED + INSTANCE
    path = tmp_path / "keepalived.conf"
    path.write_text(text)
    command = ["ip", "netns", "exec", namespace, "keepalived", "-t", "-f", str(path)]
    assert subprocess.run(command, check=False).returncode == 0
    assert not reloads_of(daemon, [SECURE + INSTANCE, text, text])


def test_the_gate_refuses_that_and_the_plan_does_without_the_guard(tmp_path):
    path = tmp_path / "keepalived.conf"
    path.write_text(SECURE + GUARDED + UNUSED)
    refused = gate.run(str(path), version=(2, 2, 7))
    assert not refused.ok
    assert "nobody_tracks_me" in refused.report()

    def judge(text):
        path.write_text(text)
        return gate.run(str(path), version=(2, 2, 7))

    text, result = plan.choose_text(conf.parse(SECURE + UNUSED), (2, 2, 7), judge)
    assert result.ok
    assert "reload_check_config" not in text
