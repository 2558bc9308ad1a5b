"""Whatever happens to receiver and sender, in whatever order: told once, or given up and noted."""

from __future__ import annotations

import pathlib
import tempfile

from alert_world import DEAD, REFUSED, World, alert
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core.cluster.outbox import GIVE_UP, LEASE, PAUSE_MAX

#: A name, or how many seconds go by.
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["post", "post", "dead", "refuses", "well", "restart", "killed"]),
        st.sampled_from([1.0, 7.0, 40.0, 400.0, 2000.0]),
    ),
    min_size=3,
    max_size=30,
)


@settings(max_examples=15, deadline=None)
@given(STEPS, st.booleans(), st.sampled_from([0, 20]))
def test_each_alert_is_taken_once_or_given_up(
    steps: list[str | float], clock_runs: bool, group: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = World(pathlib.Path(folder), a={"group": group}, b={"group": group})
        posted = []
        for step in steps:
            if isinstance(step, float):
                site.wait(step, step=10.0)
            elif step == "post":
                posted.append(f"<{len(posted)}>")
                site.post(alert(posted[-1]), clock_runs)
            elif step == "restart":
                site.restart()
            elif step == "killed":
                site.outbox.take("a", site.now)  # and never heard of again
                site.restart()
            else:
                site.answers["a"] = {"dead": DEAD, "refuses": REFUSED, "well": None}[step]
        site.answers.clear()
        site.wait(max(PAUSE_MAX, LEASE) + GIVE_UP, step=60.0)

        for route in ("a", "b"):
            everything = "\n".join(site.texts(route))
            taken = [text for text in posted if everything.count(text) == 1]
            twice = [text for text in posted if everything.count(text) > 1]
            gone = [name for what, at, name, _ in site.notes if (what, at) == ("failed", route)]
            assert twice == []
            assert sorted(taken + gone) == sorted(posted)
            if route == "b":
                assert gone == []
        assert {each.waiting for each in site.outbox.health().values()} <= {0}
