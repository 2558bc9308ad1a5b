"""What a guide says that a command prints, it prints."""

from __future__ import annotations

import pytest

from tests.functional import guides

pytest.importorskip("salt")

PAGES = ("migration.md",)


@pytest.mark.parametrize("name", PAGES)
def test_the_screens_of_a_guide_are_what_its_commands_print(name, tmp_path):
    node = guides.Node(tmp_path)
    found = []
    steps = guides.steps(guides.REPO / "docs" / name)
    assert [step for step in steps if not step.path], "a guide without a command"
    for step in steps:
        if step.path:
            node.write(step)
            continue
        for command, screen in step.commands():
            said = guides.differs(screen, node.run(command))
            found += [f"docs/{name}:{step.line}: {command}: {said}"] if said else []
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize(
    "screen, printed, same",
    [
        (["a", "b"], ["a", "b"], True),
        (["a"], ["a", "b"], False),
        (["a", "…"], ["a", "b"], True),
        (["…", "b"], ["a", "b"], True),
        (["…", "b", "…", "d"], ["a", "b", "c", "d"], True),
        (["…", "b", "…"], ["a", "c"], False),
        (["…", "b", "c", "…"], ["b", "x", "c"], False),
        (["b", "…"], ["a", "b"], False),
    ],
)
def test_a_screen_is_compared_line_by_line(screen, printed, same):
    assert (guides.differs(screen, printed) == "") == same
