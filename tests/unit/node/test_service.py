"""The watch as a service: what systemd hears from it, and that its files agree with the library."""

import configparser
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from keepalived_core.node.event import BOOT_ID_VARIABLE
from keepalived_core.node.paths import DEFAULT, PACKAGE_DIR, Paths

FILES = Path(__file__).parents[3] / "salt" / "keepalived" / "files"
MAIN = """
import sys
from keepalived_core.node import paths, watch
sys.exit(watch.main(paths.Paths.under(sys.argv[1])))
"""


@pytest.fixture
def watch(tmp_path):
    """Starts a watch that believes systemd started it; its messages come to a socket."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        sock.settimeout(20)
        child = subprocess.Popen(
            [sys.executable, "-c", MAIN, str(tmp_path)],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(PACKAGE_DIR.parent),
                "NOTIFY_SOCKET": address,
                "WATCHDOG_USEC": "200000",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        yield child, lambda: sock.recv(100).decode()
        child.kill()
        child.communicate()


def test_systemd_hears_that_it_is_ready_alive_and_stopping(watch, tmp_path):
    child, hears = watch
    assert hears() == "READY=1"
    assert [hears() for _ in range(3)] == ["WATCHDOG=1"] * 3
    status = json.loads(Paths.under(tmp_path).watch_status.read_text())
    assert status["running"] == child.pid
    assert status["sources"][0] == "netlink"
    assert status["spool"]["last_seq"] == 0
    child.send_signal(signal.SIGTERM)
    while (message := hears()) == "WATCHDOG=1":
        continue
    assert message == "STOPPING=1"
    assert child.wait(10) == 0


def test_a_spool_that_cannot_be_opened_ends_it_with_a_reason(tmp_path):
    paths = Paths.under(tmp_path)
    paths.state_dir.parent.mkdir(parents=True)
    paths.state_dir.write_text("not a directory")
    done = subprocess.run(
        [sys.executable, "-c", MAIN, str(tmp_path)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGE_DIR.parent)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot start" in done.stderr
    assert str(paths.spool) in done.stderr


def test_the_unit_runs_the_installed_library_and_keeps_the_fifo():
    text = (FILES / "salt-keepalived-watch.service").read_text()
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read_string(jinja2.Template(text).render(python="/opt/python"))
    service = unit["Service"]
    assert service["Environment"].split() == [
        f"PYTHONPATH={DEFAULT.lib_dir}",
        f"{BOOT_ID_VARIABLE}=%b",
    ]
    assert service["ExecStart"].startswith("/opt/python ")
    assert service["ExecStart"].endswith("-m keepalived_core.node.watch")
    assert Path("/run", service["RuntimeDirectory"]) == DEFAULT.run_dir
    assert service["RuntimeDirectoryPreserve"] == "yes"
    assert Path("/var/lib", service["StateDirectory"]) == DEFAULT.state_dir


def test_the_fifo_is_made_at_boot_and_an_existing_one_kept():
    lines = (FILES / "salt-keepalived.tmpfiles.conf").read_text().splitlines()
    made = {tuple(line.split()[:3]) for line in lines if not line.startswith("#")}
    assert made == {("d", str(DEFAULT.run_dir), "0700"), ("p", str(DEFAULT.fifo), "0600")}
