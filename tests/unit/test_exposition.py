"""Prometheus' text format."""

from __future__ import annotations

import pytest

from keepalived_core.exposition import Family, render


def test_a_family_is_its_help_its_type_and_a_line_for_each_sample() -> None:
    family = Family("x_seconds", "gauge", "What\nit is.")
    family.add(1.5, node="n1", reason='a "quoted" \\ and\na line')
    family.add(True, node="n2")

    assert render([family]) == (
        "# HELP x_seconds What\\nit is.\n"
        "# TYPE x_seconds gauge\n"
        'x_seconds{node="n1",reason="a \\"quoted\\" \\\\ and\\na line"} 1.5\n'
        'x_seconds{node="n2"} 1\n'
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (False, "0"), (1795661604.842062, "1795661604.842062"), (1e18, "1e+18")],
)
def test_numbers_are_written_whole(value, shown) -> None:
    family = Family("x", "gauge", "x")
    family.add(value)
    assert family.render().splitlines()[-1] == f"x {shown}"


def test_what_is_not_known_has_no_sample_and_no_family() -> None:
    family = Family("x", "gauge", "x")
    family.add(None, node="n1")
    assert render([family]) == ""


def test_a_name_that_prometheus_would_not_take_is_refused() -> None:
    family = Family("x", "gauge", "x")
    family.add(1, **{"not-a-label": 1})
    with pytest.raises(ValueError, match="not-a-label"):
        family.render()
