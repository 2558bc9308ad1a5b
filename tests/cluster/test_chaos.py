"""A short schedule of random faults: nothing lost, invented or out of order (I1 to I3, I5, I7, I8).

``./run bench chaos --faults N --seed S`` plays longer ones.
"""

import pytest

from bench import chaos
from bench.chaos import report

pytestmark = [pytest.mark.lab, pytest.mark.root]

#: About two minutes.
FAULTS, SEED = 16, 5


@pytest.mark.timeout(900)
def test_what_random_faults_cause_is_told_as_it_was(healthy):
    outcome = chaos.run(healthy, FAULTS, SEED)
    print(report.table(outcome, SEED))
    around, _ = chaos.shrunk(healthy, outcome, again=False)
    assert outcome.bad == [], report.failure(outcome, SEED, FAULTS, around, again=False)
    assert outcome.result.compared >= FAULTS / 2
    # one a second while somebody is MASTER and watched: 55 to 57 were seen
    assert outcome.adverts[0] > 2 * FAULTS
