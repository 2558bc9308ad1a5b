"""A short schedule of random faults: nothing lost, invented or out of order (I1 to I3, I5, I7, I8).

``./run bench chaos --faults N --seed S`` plays longer ones.
"""

import pytest

from bench import chaos
from bench.chaos import report

pytestmark = [pytest.mark.lab, pytest.mark.root]

#: About three minutes.
FAULTS, SEED = 24, 5


@pytest.mark.timeout(900)
def test_what_random_faults_cause_is_told_as_it_was(healthy):
    outcome, rounds, again = chaos.run(healthy, FAULTS, SEED, again=False)
    print(report.table(outcome, SEED))
    assert outcome.bad == [], report.failure(outcome, SEED, FAULTS, rounds, again)
    assert outcome.result.compared >= FAULTS / 2
    assert outcome.adverts[0] > 50
