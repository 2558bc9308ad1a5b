"""How many events a second the master can take, in order: the hub beside reactor and runner.

A real master on loopback.  A process of its own puts signed events onto the master's bus as fast
as the hub takes them (a mass failover of many instances, three nodes); it has taken them when the
last one is in its file.  Fewer, for it takes long, go to a reactor with one thin SLS that calls a
runner, as Salt's documentation has it.  ``events/s of its core`` counts the hub's own CPU time:
what it would do on a machine where nobody else works.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "salt" / "_utils"))

EVENTS = 12_000
#: The reactor does about 45 a second.
REACTIONS = 500
NODES = ("n1", "n2", "n3")
INSTANCES = 250
STREAM = "bench-0000001"
#: So many events at a time are put onto the bus.
WINDOW = 1_000

_RUNNER = """
import os, time
def handle(seq):
    fd = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, b"%d %f\\n" % (seq, time.time()))
    os.close(fd)
    return True
"""
_SLS = """
react-{{ data['seq'] }}:
  runner.benchprobe.handle:
    - args:
      - seq: {{ data['seq'] | json }}
"""


def main() -> None:
    logging.getLogger("salt").setLevel(logging.CRITICAL)
    root = Path(tempfile.mkdtemp(prefix="kab-"))
    try:
        print("| path | events | seconds | events/s | out of order | lost | events/s of its core |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        print(_row("hub: verified, ordered, stored, settled", *measure_hub(root / "h")))
        print(_row("reactor -> runner", *measure_reactor(root / "r")))
        print(f"\nAll on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _row(name: str, count: int, seconds: float, inversions: int, lost: int, of_core: str) -> str:
    rate = f"{(count - lost) / seconds:.0f}"
    return f"| {name} | {count} | {seconds:.1f} | {rate} | {inversions} | {lost} | {of_core} |"


def measure_hub(root: Path, count: int = EVENTS) -> tuple[int, float, int, int, str]:
    """Returns events, seconds, inversions, lost, events for each second of CPU."""
    with master(root, {"engines": [{"keepalived_hub": {}}]}) as opts:
        _wait(lambda: stored(opts).get("members") == len(NODES), 120)
        pid = stored(opts)["pid"]
        before = _cpu(pid)
        begin = time.time()
        _send(root, opts, count)
        _wait(lambda: stored(opts).get("stored", 0) >= count, 300)
        took = time.time() - begin
        cpu = _cpu(pid) - before
        with _open(opts) as reader:
            inversions = 0
            for node in NODES:
                seqs = [row["seq"] for row in reader.rows(node, last=count)]
                inversions += sum(b <= a for a, b in itertools.pairwise(seqs))
            lost = count - reader.size()["rows"]
        return count, took, inversions, lost, f"{count / cpu:.0f}"


def _open(opts: dict[str, Any]) -> Any:
    from keepalived_core.cluster.store_read import Reader

    return Reader.open(Path(opts["cachedir"]) / "keepalived" / "timeline.db")


def stored(opts: dict[str, Any]) -> dict[str, Any]:
    """What the hub says of itself, and what it has counted."""
    found = _open(opts)
    if found is None:
        return {}
    with found:
        return {**found.hub(), **found.counters()}


def measure_reactor(root: Path, count: int = REACTIONS) -> tuple[int, float, int, int, str]:
    """Returns events, seconds, inversions, lost, nothing."""
    out = root / "reactions"
    extra = root / "extra"
    (extra / "_runners").mkdir(parents=True)
    (extra / "_runners" / "benchprobe.py").write_text(_RUNNER.format(path=str(out)))
    sls = root / "react.sls"
    sls.write_text(_SLS)
    settings = {
        "reactor": [{"salt/beacon/*/keepalived/*/*": [str(sls)]}],
        "module_dirs": [str(extra)],
    }
    with master(root, settings) as opts:
        time.sleep(5)
        begin = time.time()
        _send(root, opts, count)
        last, still = -1, time.time()
        done = []
        while time.time() - still < 15:
            done = out.read_text().splitlines() if out.exists() else []
            if len(done) != last:
                last, still = len(done), time.time()
            if len(done) >= count:
                break
            time.sleep(0.1)
        took = (float(done[-1].split()[1]) if done else time.time()) - begin
        seqs = [int(line.split()[0]) for line in done]
        inversions = sum(b < a for a, b in itertools.pairwise(seqs))
        return count, took, inversions, count - len(seqs), "-"


@contextmanager
def master(root: Path, settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A master of its own with the three nodes' keys accepted; yields its configuration."""
    import salt.config
    import salt.crypt

    from keepalived_core.cluster import secret

    (root / "conf").mkdir(parents=True, exist_ok=True)
    (root / "pillar").mkdir()
    nodes = json.dumps({name: {} for name in NODES})
    (root / "pillar" / "top.sls").write_text("base: {'*': [node]}\n")
    (root / "pillar" / "node.sls").write_text(
        "keepalived: {cluster: bench, config: {vrrp_instance: {VI_0: {interface: eth0}}}, "
        f"nodes: {nodes}}}\n"
    )
    config = {
        "root_dir": str(root),
        "interface": "127.0.0.1",
        "publish_port": 14505,
        "ret_port": 14506,
        "user": "root" if os.geteuid() == 0 else os.environ["USER"],
        "module_dirs": [str(REPO / "salt")],
        "pillar_roots": {"base": [str(root / "pillar")]},
        "file_roots": {"base": [str(REPO / "salt")]},
        "worker_threads": 2,
        "log_level_logfile": "warning",
        "keepalived": {"secret_file": str(root / "events.secret")},
        **settings,
    }
    (root / "conf" / "master").write_text(json.dumps(config))
    opts = salt.config.master_config(str(root / "conf" / "master"))
    keys = Path(opts["pki_dir"]) / "minions"
    keys.mkdir(parents=True)
    subprocess.run(
        ["openssl", "genrsa", "-out", str(root / "key"), "2048"], check=True, capture_output=True
    )
    public = subprocess.run(
        ["openssl", "rsa", "-in", str(root / "key"), "-pubout"], check=True, capture_output=True
    ).stdout
    for name in NODES:
        (keys / name).write_bytes(public)
    secret.create(root / "events.secret")
    process = subprocess.Popen(
        [sys.executable, "-c", "from salt.scripts import salt_master; salt_master()",
         "-c", str(root / "conf"), "-l", "quiet"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        _wait(lambda: (Path(opts["sock_dir"]) / "master_event_pull.ipc").exists(), 60)
        yield opts
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def events(secret_file: Path, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Failovers of all instances, one node after the other, in the order of their times."""
    from keepalived_core import signing
    from keepalived_core.cluster import clock, secret

    known = secret.read(secret_file)
    keys = {name: secret.node_keys(known, name)[0] for name in NODES}
    begin = time.time()
    for number in range(count):
        node, turn = NODES[number % len(NODES)], number // len(NODES)
        instance, state = f"VI_{turn % INSTANCES}", ("BACKUP", "MASTER")[turn // INSTANCES % 2]
        row = {
            "schema": 1,
            "type": "instance",
            "id": node,
            "cluster": "bench",
            "stream_id": f"{STREAM}-{node}",
            "seq": turn + 1,
            "instance": instance,
            "sync_group": None,
            "vrid": turn % 255,
            "family": "ipv4",
            "interface": "eth0",
            "from": ("MASTER", "BACKUP")[turn // INSTANCES % 2] if turn >= INSTANCES else None,
            "to": state,
            "reason": "a peer with a higher priority sends adverts",
            "base_priority": 100,
            "effective_priority": 100,
            "vips": ["192.0.2.10/24"],
            "vip_present": state == "MASTER",
            "source": "fifo",
            "time": clock.render(begin + number / 1000),
            "monotonic_us": number * 1000 + 1,
            "planned": False,
            "dropped": 0,
            "keepalived_version": "2.2.7",
        }
        row["signature"] = signing.sign(row, keys[node])
        yield f"salt/beacon/{node}/keepalived/{instance}/{state}", row


def _send(root: Path, opts: dict[str, Any], count: int) -> None:
    """From a process of its own, which has all events ready before it begins."""
    command = [sys.executable, "-m", "bench.hub", str(root), str(count)]
    environment = {**os.environ, "PYTHONPATH": f"{REPO}:{REPO / 'salt/_utils'}"}
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)


def _sender(root: Path, count: int) -> None:
    import salt.config
    import salt.utils.event

    opts = salt.config.master_config(str(root / "conf" / "master"))
    throttled = bool(opts.get("engines"))
    ready = list(events(root / "events.secret", count))
    with salt.utils.event.get_master_event(opts, opts["sock_dir"], listen=False) as bus:
        for number, (tag, row) in enumerate(ready):
            if throttled and number % WINDOW == 0:
                # Salt's bus drops what a listener has not taken after 10000 events
                _wait(lambda: number - stored(opts).get("stored", 0) <= 3 * WINDOW, 300)  # noqa: B023
            bus.fire_event(row, tag)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(what: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.1)


if __name__ == "__main__":
    _sender(Path(sys.argv[1]), int(sys.argv[2]))
