"""What must hold of the repository as a whole."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = sorted(
    path
    for kind in ("_modules", "_states", "_runners", "_beacons", "_engines", "_pillar")
    for path in (ROOT / "salt" / kind).glob("*.py")
)
LIBRARY = sorted((ROOT / "salt" / "_utils" / "keepalived_core").rglob("*.py"))


# What only the master runs, under Salt's Python; apprise in a process of its own (decision 7).
OF_THE_MASTER = {"alert_template.py": {"jinja2"}, "apprise_child.py": {"apprise"}}


def imports(path):
    """The top-level names of every module that the file at *path* imports absolutely."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_salt_is_no_package_here_or_import_salt_would_find_it_instead_of_the_real_one():
    assert not (ROOT / "salt" / "__init__.py").exists()


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT / "salt")))
def test_the_library_needs_nothing_but_python(path):
    """The watch runs it under a Python that may have nothing else."""
    foreign = imports(path) - set(sys.stdlib_module_names)
    assert foreign <= {"keepalived_core", *OF_THE_MASTER.get(path.name, ())}


USERS = [path for path in ADAPTERS if "keepalived_core" in imports(path)]


@pytest.mark.parametrize("path", USERS, ids=lambda path: str(path.relative_to(ROOT / "salt")))
def test_an_adapter_that_uses_the_library_drops_a_stale_one_first(path):
    text = path.read_text(encoding="utf-8")
    first_import = re.search(r"^(from|import) keepalived_core", text, re.MULTILINE)
    assert first_import, "the library is imported at the top of the module, never lazily"
    assert "sys.modules.pop" in text[: first_import.start()]


def test_the_wheel_has_every_package_of_the_library():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    listed = parser["options"]["packages"].split()
    utils = ROOT / "salt" / "_utils"
    there = {".".join(path.parent.relative_to(utils).parts) for path in LIBRARY}
    assert sorted(listed) == sorted(there)


def test_cluster_works_on_plain_data_alone():
    for path in LIBRARY:
        if path.parent.name != "cluster":
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"from \.\.(conf|node|check|pillar|plan|deploy)", text), path


def test_the_configuration_language_knows_nothing_of_what_is_above_it():
    for path in LIBRARY:
        if path.parent.name == "conf":
            assert not re.search(r"^from \.\.", path.read_text("utf-8"), re.MULTILINE), path


def test_the_reference_is_fresh_and_every_link_leads_somewhere():
    done = subprocess.run(
        [sys.executable, "-m", "docs.build", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_test_file_has_a_name_of_its_own():
    """pytest imports them by that name alone, and refuses the second."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
