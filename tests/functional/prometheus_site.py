"""A real node_exporter for each machine and a real Prometheus that scrapes them, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "salt" / "keepalived" / "files" / "monitoring"
RULES = MONITORING / "keepalived.rules.yml"
DASHBOARD = MONITORING / "grafana-dashboard.json"

#: Seconds between two scrapes.
SCRAPE = 0.2


def program(name: str) -> str:
    """Where it is: unpacked by ``./run test``, or installed.  Skips without it, fails in CI."""
    cache = os.environ.get("SALT_KEEPALIVED_CACHE", "/var/cache/salt-keepalived")
    path = f"{cache}/unpacked/usr/bin{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which(name, path=path)
    if found is None:
        reason = f"no {name} here; './run test' unpacks it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def promtool(*words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), *words],
        input=text, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def dashboard_queries(interval: str = "5s") -> dict[str, str]:
    """``{"panel A": query}`` as Grafana sends them with every variable at "All"."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    values = {"$__rate_interval": interval, "$cluster": ".*", "$instance": ".*"}
    found = {}
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for name, value in values.items():
                query = query.replace(name, value)
            found[f"{panel['title']} {target['refId']}"] = query
    return found


class Site:
    """Machines, each with a directory of metrics files, and who scrapes them."""

    def __init__(
        self, base: Path, machines: Iterable[str], directories: Mapping[str, Path] | None = None
    ) -> None:
        """directories: where the files of a machine lie, if not in one below *base*."""
        self.base = base
        self.began = time.time()
        self.machines = {name: (directories or {}).get(name, base / name) for name in machines}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log = (base / "log").open("wb")
        self._server = ""

    def __enter__(self) -> Site:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._log.close()

    def write(self, machine: str, text: str | None) -> None:
        """Its metrics file from now on; None: none."""
        path = self.machines[machine] / "keepalived.prom"
        if text is None:
            path.unlink(missing_ok=True)
            return
        new = path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(path)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What it returns now: ``[{"metric": labels, "value": [time, text]}]``."""
        return self._get("query", query=expression)

    def query_range(self, expression: str, step: float = 0.1) -> list[dict[str, Any]]:
        """What it returned at any time since the beginning."""
        return self._get(
            "query_range", query=expression, start=self.began, end=time.time(), step=step
        )

    def wait(self, expression: str, wanted: bool = True, timeout: float = 20.0) -> None:
        """Until it returns something, or nothing."""
        deadline = time.monotonic() + timeout
        while bool(self.query(expression)) is not wanted:
            assert time.monotonic() < deadline, f"{expression}: not {wanted}"
            time.sleep(SCRAPE / 2)

    def _start(self) -> None:
        ports = {}
        for name, directory in self.machines.items():
            directory.mkdir(parents=True, exist_ok=True)
            ports[name] = _free_port()
            self._run(
                program("prometheus-node-exporter"),
                "--collector.disable-defaults",
                "--collector.textfile",
                f"--collector.textfile.directory={directory}",
                f"--web.listen-address=127.0.0.1:{ports[name]}",
            )
        targets = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}}
            for name, port in ports.items()
        ]
        every = f"{round(SCRAPE * 1000)}ms"
        job = {"job_name": "node", "static_configs": targets}
        # JSON is YAML
        settings = {
            "global": {"scrape_interval": every, "evaluation_interval": every},
            "scrape_configs": [{**job, "scrape_timeout": every}],
            "rule_files": [str(RULES)],
        }
        config = self.base / "prometheus.yml"
        config.write_text(json.dumps(settings))
        port = _free_port()
        self._server = f"http://127.0.0.1:{port}"
        self._run(
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={self.base / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        )
        self._wait_ready()
        self.wait(f"count(up == 1) == {len(ports)}")

    def _wait_ready(self, timeout: float = 60.0) -> None:
        """It hears before it answers: 503 meanwhile."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                with urllib.request.urlopen(f"{self._server}/-/ready", timeout=5):
                    return
            except OSError as error:
                assert time.monotonic() < deadline, f"Prometheus does not answer: {error}"
                time.sleep(0.1)

    def _run(self, *command: str) -> None:
        self._processes.append(subprocess.Popen(command, stdout=self._log, stderr=self._log))

    def _get(self, what: str, **parameters: object) -> list[dict[str, Any]]:
        url = f"{self._server}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters['query']}: {error.read().decode()}") from error
        return told["data"]["result"]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
