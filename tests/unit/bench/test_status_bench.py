"""What the measurement of the screen measures, and bounds that catch an order of magnitude."""

from __future__ import annotations

import time

from bench import status

# Processor seconds; a tenth of each is usual.
SCREEN_SECONDS = 1.0
FEW, MANY = 60, 300


def seconds(count: int) -> float:
    world = status.world(count)
    found = []
    for _ in range(3):
        begin = time.process_time()
        status.screen(*world)
        found.append(time.process_time() - begin)
    return min(found)


def test_the_simulated_clusters_are_as_wrong_as_they_shall_be() -> None:
    data, text = status.screen(*status.world(50))

    wrong = [each["verdict"] for each in data["clusters"] if each["verdict"] != "ok"]
    assert wrong == ["split brain", "split brain", "no master", "degraded"]
    assert text.count("nodes answered") == 50


def test_many_clusters_take_no_time_to_speak_of_and_not_more_each_than_few() -> None:
    few, many = seconds(FEW), seconds(MANY)

    assert many < SCREEN_SECONDS
    # five times as many; twenty-five would be quadratic
    assert many / few < 15
