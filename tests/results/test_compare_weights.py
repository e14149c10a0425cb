"""What plastic synapses learned, compared at the end of each run."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from evsim.results.compare import compare
from evsim.results.record import Occasion, comparison
from evsim.results.report import write_report


@pytest.fixture
def net(hand, nets):
    rows = [(0, 0, 0.1, 1), (1, 2, 0.1, 1)]
    projections = tuple(nets.connect(1, 0, rows, label=label) for label in ("learns", "stays", "learns"))
    return replace(hand.network(), projections=projections)


def difference(hand, net, one, other):
    runs = (hand.stretch(net, [(5, 0)], weights=weights) for weights in (one, other))
    return of([hand.outcome("spinnaker1", run, name=name) for name, run in zip("ab", runs, strict=True)])


def of(outcomes) -> Any:
    """How the weights of two outcomes differ."""
    (pair,) = compare(outcomes)
    return pair.weights


def test_weights_are_compared_synapse_by_synapse(hand, net):
    one = {0: np.array([0.5, 0.25]), 2: np.array([1.0, 1.0])}
    other = {0: np.array([0.5, 0.25]), 2: np.array([0.875, 1.0])}
    assert asdict(difference(hand, net, one, one)) == {
        "synapses": 4,
        "different": 0,
        "largest": 0.0,
        "projection": "learns",
    }
    found = difference(hand, net, one, other)
    assert (found.synapses, found.different, found.largest) == (4, 1, 0.125)
    assert difference(hand, net, one, {}) is None
    assert difference(hand, net, {}, {}) is None


def test_the_end_of_each_run_counts(hand, net):
    def outcome(name, *ends):
        runs = [
            hand.stretch(net, [(5, 0)], segment=segment, start=start, weights=weights)
            for segment, start, weights in ((0, 0, None), (0, 100, ends[0]), (1, 0, ends[1]))
        ]
        return hand.outcome("spinnaker1", *runs, name=name)

    first, second = {0: np.array([0.5, 0.25])}, {0: np.array([0.75, 0.25])}
    found = of([outcome("a", first, second), outcome("b", first, first)])
    assert (found.synapses, found.different, found.largest) == (4, 1, 0.25)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (0.0, "every spike is equal (1), and all 2 learned weights are equal."),
        (0.5, "every spike is equal (1), and 1 of 2 learned weights differ, by at most 0.5 in &lt;learns&gt;."),
    ],
)
def test_the_report_says_it(hand, net, tmp_path, change, said):
    named = replace(net, projections=tuple(replace(part, label="<learns>") for part in net.projections))
    runs = [hand.stretch(named, [(5, 0)], weights={0: np.array([0.5, 1.0 + extra])}) for extra in (0.0, change)]
    outcomes = [hand.outcome("spinnaker1", run, name=name) for name, run in zip("ab", runs, strict=True)]
    data = comparison(Occasion("s.py", (), "2026-11-20T10:00:00+00:00", "0"), outcomes, compare(outcomes), [])
    assert said in write_report(tmp_path, data, outcomes).read_text()
    assert data["pairs"][0]["weights"]["different"] == (change > 0)
