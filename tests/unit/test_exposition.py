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


def test_of_samples_with_equal_labels_the_smallest_is_written() -> None:
    """Two lines with the same labels would cost the collector the whole file."""
    family = Family("x", "gauge", "x")
    for value, node in ((1, "n1"), (0, "n1"), (1, "n1"), (1, "n2")):
        family.add(value, node=node)
    assert family.render().splitlines()[2:] == ['x{node="n1"} 0', 'x{node="n2"} 1']


def test_names_of_bytes_that_are_no_utf_8_can_be_written_and_stay_different() -> None:
    family = Family("x", "gauge", "x")
    for name in (b"VI_B\xfcro", b"VI_B\xe4ro"):
        family.add(1, name=name.decode(errors="surrogateescape"))
    assert family.render().encode().splitlines()[2:] == [
        rb'x{name="VI_B\\udcfcro"} 1',
        rb'x{name="VI_B\\udce4ro"} 1',
    ]


def test_a_name_that_prometheus_would_not_take_is_refused() -> None:
    family = Family("x", "gauge", "x")
    family.add(1, **{"not-a-label": 1})
    with pytest.raises(ValueError, match="not-a-label"):
        family.render()
