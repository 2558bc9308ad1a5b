"""Build the documentation site: ``python -m docs.site [--out DIR]``; `./run docs` does.

It needs Sphinx, MyST and Furo (the extra ``docs`` of setup.cfg).  Every warning of Sphinx, every
link that leads nowhere and every request that would leave the site is an error.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "salt" / "_utils"))

from sphinx.cmd.build import build_main  # noqa: E402

from docs.site import check_html, prepare  # noqa: E402


def main() -> int:
    """Build, check, and say where it is."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: build/site")
    parser.add_argument("--check", action="store_true", help="keep it only where --out says")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="salt-keepalived-docs.") as folder:
        source, built = Path(folder, "source"), Path(folder, "site")
        problems = prepare.prepare(source)
        # -W with --keep-going: all warnings are told, and any of them is a failure.
        options = ["-q", "-W", "--keep-going", "-j", "auto", "-b", "html", "-n"]
        doctrees = str(Path(folder, "doctrees"))
        conf = str(ROOT / "docs" / "site")
        failed = build_main([*options, "-c", conf, "-d", doctrees, str(source), str(built)])
        problems += check_html.problems(built)
        for problem in problems:
            print(problem, file=sys.stderr)
        if failed or problems:
            return 1
        for name in (".buildinfo", "objects.inv"):
            (built / name).unlink(missing_ok=True)
        shutil.rmtree(built / "_sources", ignore_errors=True)
        # Some hosts leave out folders that begin with an underscore unless this is there.
        (built / ".nojekyll").touch()
        pages = len(list(built.rglob("*.html")))
        out = given.out or (None if given.check else ROOT / "build" / "site")
        if out:
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(built, out)
            print(f"built {out}: {pages} pages; begin with index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
