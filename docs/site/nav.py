"""Which pages the site has, under which caption, in the order in which a newcomer reads them."""

from __future__ import annotations

from pathlib import Path

HOME = "README.md"

#: (caption, pages of the repository); what ends with "/" is made by the build.
SECTIONS = (
    (
        "Begin",
        (
            "docs/getting-started.md",
            "docs/pillar.md",
            "examples/",
            "docs/formula.md",
            "docs/firewall.md",
            "docs/keys.md",
            "docs/migration.md",
        ),
    ),
    (
        "Operate",
        (
            "docs/operators-guide.md",
            "docs/status.md",
            "docs/topology.md",
            "docs/events.md",
            "docs/incidents.md",
            "docs/reactions.md",
            "docs/remediation.md",
        ),
    ),
    (
        "Change",
        (
            "docs/apply.md",
            "docs/rollout.md",
            "docs/drain.md",
            "docs/changes.md",
            "docs/audit.md",
            "docs/reach.md",
        ),
    ),
    (
        "Look up",
        (
            "docs/keywords.md",
            "docs/reference.md",
            "docs/schemas.md",
            "docs/lint.md",
            "docs/config-test.md",
        ),
    ),
    (
        "Behind it",
        (
            "docs/design.md",
            "docs/proof.md",
            "docs/keepalived-findings.md",
            "decisions/",
            "lab/README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
        ),
    ),
)
#: Where a page goes that no section names.
REST = "More"

# Pages whose place on the site is not that of their file without docs/.
_PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "lab/README.md": "lab.md",
    "docs/keywords.md": "keywords/index.rst",
    "docs/reference.md": "reference/index.rst",
    "examples/": "examples/index.md",
    "decisions/": "decisions/index.md",
}


def place(path: str) -> str:
    """Where a page of the repository stands on the site: ``docs/pillar.md`` at ``pillar.md``."""
    if path in _PLACES:
        return _PLACES[path]
    if path.endswith(".sls"):
        return f"examples/{Path(path).stem}.md"
    return path.removeprefix("docs/")


def listed() -> set[str]:
    """All pages that a section names."""
    return {HOME} | {page for _caption, pages in SECTIONS for page in pages}
