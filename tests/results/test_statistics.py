from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.results import statistics
from evsim.results.align import SpikeTable


def table(events, size: int = 4) -> SpikeTable:
    """Spikes from (step, neuron)."""
    array = np.array(sorted(events), np.int64).reshape(-1, 2)
    return SpikeTable("cells", size, np.arange(size), False, array[:, 0], array[:, 1])


spike_sets = st.sets(st.tuples(st.integers(0, 60), st.integers(0, 3)), max_size=60)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(spike_sets)
def test_cv_is_that_of_numpy(events):
    expected = []
    for neuron in range(4):
        intervals = np.diff(sorted(step for step, who in events if who == neuron))
        if len(intervals) >= 2:
            expected.append(np.std(intervals) / np.mean(intervals))
    assert statistics.isi_cvs(table(events)) == pytest.approx(expected, abs=1e-9)


def test_a_clock_has_cv_0():
    assert statistics.isi_cvs(table([(step, 2) for step in range(0, 60, 5)])) == pytest.approx([0.0])


def test_rates_are_spikes_a_second():
    assert statistics.rates(table([(1, 0), (2, 0), (5, 3)]), duration=100.0).tolist() == [20.0, 0.0, 0.0, 10.0]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(spike_sets, spike_sets, st.integers(1, 7))
def test_correlation_is_that_of_numpy(one, other, width):
    a, b = (statistics.counts(table(events), 0, 61, width) for events in (one, other))
    assert a.sum() == len(one)
    found = statistics.correlation(a, b)
    if a.std() == 0 or b.std() == 0:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_bins_grow_before_the_table_gets_too_large():
    assert statistics.bin_steps(0.1, 1000, 10) == 50
    assert statistics.bin_steps(1.0, 10**6, 10**3) * statistics.MOST_BINS >= 10**9
