"""Lint as a pipeline has it: ``python3 -m keepalived_core lint`` and ``salt-call``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).resolve().parents[2]
# dynamic_interfaces: whatever machine this runs on, no interface is missed.
SOUND = """\
global_defs { dynamic_interfaces
}
vrrp_instance A {
    interface eth7
    virtual_router_id 5
    virtual_ipaddress {
        192.0.2.10
    }
}
"""
WARNED = SOUND.replace("router_id 5", "router_id 5 6")
WRONG = SOUND.replace("virtual_router_id 5", "virtual_router_id 500")
SECRET = SOUND.replace(
    "virtual_ipaddress",
    "authentication {\nauth_type PASS\nauth_pass\nhushhush\n}\nvirtual_ipaddress",
)


def lint(*words: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "keepalived_core", "lint", *words],
        cwd=REPO / "salt" / "_utils",
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "keepalived.conf") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("text, status", [(SOUND, 0), (WARNED, 1), (WRONG, 2)])
def test_the_exit_status_is_the_worst_severity(write, text, status):
    assert lint(write(text)).returncode == status


@pytest.mark.parametrize(
    "words", [["/nowhere/x.conf"], ["/dev/null"], ["/etc"], ["--version", "x"], []]
)
def test_what_cannot_be_read_is_told_apart(words):
    done = lint(*words)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr


def test_a_line_for_each_finding_as_editors_know_it(write):
    path = write(WARNED)
    done = lint(path)
    assert done.stdout.startswith(f"{path}:5: warning KA108 virtual_router_id: ")
    assert "\033" not in done.stdout


def test_the_worst_comes_first(write):
    done = lint(write(WARNED + WRONG[WRONG.index("vrrp_instance") :].replace("A {", "B {")))
    severities = [line.split(": ")[1].split()[0] for line in done.stdout.splitlines()]
    assert severities == sorted(severities)  # error, info, warning
    assert {"error", "warning"} <= set(severities)


def test_json_has_the_same_and_the_file(write):
    path = write(WARNED)
    (finding,) = json.loads(lint(path, "--json").stdout)
    assert (finding["file"], finding["line"], finding["code"]) == (path, 5, "KA108")


def test_included_files_are_judged_and_named(write):
    write("    priority 999\n", "inner.conf")
    path = write(SOUND.replace("    interface", "    include inner.conf\n    interface"))
    done = lint(path)
    assert done.returncode == 2
    assert done.stdout.startswith(f"{Path(path).parent}/inner.conf:1: error KA103 ")


def test_lines_of_another_host_do_not_count(write):
    path = write(SOUND.replace("    interface", "    @low priority 999\n    interface"))
    assert lint(path, "--config-id", "high").returncode == 0
    assert lint(path, "--config-id", "low").returncode == 2


def test_the_version_decides_what_is_known(write):
    path = write(SOUND.replace("    interface", "    timer_expired_backup 5\n    interface"))
    assert "KA104" in lint(path, "--version", "2.2.7").stdout
    assert "KA104" not in lint(path).stdout


def test_an_executable_file_is_an_error(write):
    path = write(SOUND)
    os.chmod(path, 0o755)
    done = lint(path)
    assert done.returncode == 2
    assert f"chmod a-x {path}" in done.stdout


def test_no_secret_and_nothing_a_terminal_obeys(write):
    assert "hush" not in lint(write(SECRET)).stdout
    assert "\033" not in lint(write("\033[2J\n")).stdout


def test_colours_on_a_terminal_only(write):
    path = write(WRONG)
    leader, follower = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "keepalived_core", "lint", path],
        cwd=REPO / "salt" / "_utils",
        stdout=follower,
        env={key: value for key, value in os.environ.items() if key != "NO_COLOR"},
        timeout=60,
    )
    os.close(follower)
    assert b"\033[31merror" in os.read(leader, 65536)
    os.close(leader)


@pytest.fixture(scope="module")
def salt_call(tmp_path_factory):
    """A masterless minion that has the bundle from this repository."""
    root = tmp_path_factory.mktemp("minion")
    options = {
        "file_client": "local",
        "root_dir": str(root),
        "log_file": str(root / "log"),
        "module_dirs": [str(REPO / "salt")],
        "id": "n1",
    }
    (root / "minion").write_text(yaml.safe_dump(options))

    program = str(Path(sys.executable).parent / "salt-call")

    def call(*words: str) -> tuple[int, dict | list | str]:
        done = subprocess.run(
            [program, "-c", str(root), "--local", "--retcode-passthrough", "--out=json", *words],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)["local"]

    return call


# Salt judges a file for the machine it runs on.
REAL = [name for name in os.listdir("/sys/class/net") if name != "lo"]
needs_salt = pytest.mark.skipif(
    not (Path(sys.executable).parent / "salt-call").exists(),
    reason="salt-call is not installed beside this Python",
)


@needs_salt
@pytest.mark.skipif(not REAL, reason="this machine has no network interface")
@pytest.mark.parametrize("text, status", [(SOUND, 0), (WARNED, 1), (WRONG, 2)])
def test_salt_call_passes_the_severity_on(salt_call, write, text, status):
    code, findings = salt_call("keepalived.lint", write(text.replace("eth7", REAL[0])))
    assert code == status
    assert [one["severity"] for one in findings][:1] == [[], ["warning"], ["error"]][status]


@needs_salt
def test_salt_imports_a_file_as_pillar(salt_call, write):
    write("    priority 7\n", "inner.conf")
    text = SECRET.replace("auth_pass\n", "auth_pass ").replace(
        "    interface", "    include inner.conf\n    interface"
    )
    path = write(text)
    _code, made = salt_call("keepalived.import_config", path)
    assert made["complete"] is True
    assert yaml.safe_load(made["yaml"]) == made["pillar"]
    instance = made["pillar"]["keepalived"]["config"]["vrrp_instance"]["A"]
    assert instance["priority"] == 7
    assert f"{path}:9" in instance["authentication"]["auth_pass"]
    assert "hush" not in json.dumps(made)
