"""Times as events carry them, and spans as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepalived_core.cluster import clock


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_time_written_and_read_is_the_same_microsecond(micros: int) -> None:
    assert round((clock.parse(clock.render(micros / 1e6)) or 0) * 1e6) == pytest.approx(
        micros, abs=1
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("1970-01-02T00:00:00.000001+00:00", 86400.000001),
    ],
)
def test_times_of_the_watch_and_of_the_status_are_read(text: str, seconds: float) -> None:
    assert clock.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [None, 0, "", "now", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00+02:00",
     "1970-02-30T00:00:00Z", "1970-01-01T25:00:00Z", "1970-01-01T00:00:00Z\n"],
)  # fmt: skip
def test_what_is_no_time_in_utc_is_none(text: object) -> None:
    assert clock.parse(text) is None


@pytest.mark.parametrize(
    ("text", "ago"),
    [("90", 90), (90, 90), ("90s", 90), ("15m", 900), ("2h", 7200), (" 3 d ", 259200)],
)
def test_a_period_may_be_given_as_a_span(text: object, ago: int) -> None:
    assert clock.since(text, 1_000_000.0) == 1_000_000.0 - ago


def test_a_period_may_be_given_as_a_time() -> None:
    assert clock.since("1970-01-01T00:01:00Z", 1_000_000.0) == 60


@pytest.mark.parametrize("text", ["yesterday", "", "-5m", "5w", True, None, "1e9", "5m5s"])
def test_another_period_is_refused_with_what_would_be_right(text: object) -> None:
    with pytest.raises(ValueError, match="give a span back from now"):
        clock.since(text, 1_000_000.0)


@pytest.mark.parametrize("text", ["800000d", "999999999d", "1900-01-01T00:00:00Z"])
def test_a_period_that_begins_before_all_records_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is before 1970"):
        clock.since(text, 1_800_000_000.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (0.9, "0 s"), (59, "59 s"), (61, "1 m 1 s"), (7200, "2 h"), (180061, "2 d 2 h")],
)
def test_a_span_is_said_in_at_most_two_units(seconds: float, text: str) -> None:
    assert clock.span(seconds) == text


OFFSETS = {
    "within the time it took": (12.0, 0.0),
    "before it was asked": (9.5, -0.5),
    "after it had answered": (13.25, 0.25),
}


@pytest.mark.parametrize(("told", "seconds"), OFFSETS.values(), ids=OFFSETS)
def test_a_clock_is_off_by_at_least_what_the_question_does_not_explain(told, seconds):
    assert clock.offset(told, asked=10.0, answered=13.0) == seconds
