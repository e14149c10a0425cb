from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.results.align import segments
from evsim.results.compare import compare


def test_equal_runs_are_equal_in_every_respect(hand):
    net = hand.network()
    run = hand.stretch(net, [(5, 0), (9, 2)], [(1, 0)], v=np.ones((10, 2)), raw=np.ones((10, 2)))
    (pair,) = compare([hand.outcome("loihi2", run), hand.outcome("loihi2", run, name="lava")])
    assert pair.spikes_equal and pair.first_difference is None
    assert pair.n_spikes == (2, 2)
    assert pair.voltage is not None and (pair.voltage.largest, pair.voltage.samples) == (0.0, 20)
    assert pair.raw is not None and (pair.raw.samples, pair.raw.different) == (20, 0)
    assert pair.correlation == pytest.approx(1.0)
    assert pair.rate_difference == 0.0


def test_labels_are_aligned_by_what_the_rule_sets_state(hand):
    """spinnaker1 labels a spike by the step that finds it, ideal by that step's end; sources are labelled alike."""
    net = hand.network()
    ideal = hand.outcome("ideal", hand.stretch(net, [(5, 0), (9, 2)], [(1, 0), (7, 1)]))
    chip = hand.outcome("spinnaker1", hand.stretch(net, [(4, 0), (8, 2)], [(1, 0), (7, 1)]))
    (pair,) = compare([ideal, chip])
    assert pair.spikes_equal
    assert pair.label_shift == 1
    (pair,) = compare([chip, ideal])
    assert pair.spikes_equal
    assert pair.label_shift == -1


def test_alignment_is_never_fitted(hand):
    """Equal labels of rule sets that label differently are different spikes."""
    net = hand.network()
    run = hand.stretch(net, [(5, 0)])
    (pair,) = compare([hand.outcome("ideal", run), hand.outcome("spinnaker1", run)])
    assert pair.spikes_equal is False


def test_the_first_difference_is_in_the_labels_of_a(hand):
    net = hand.network(timestep=0.5)
    ideal = hand.outcome("ideal", hand.stretch(net, [(2.0, 0), (4.5, 2)]))
    chip = hand.outcome("spinnaker1", hand.stretch(net, [(1.5, 0), (5.0, 2)]))
    (pair,) = compare([ideal, chip])
    first = pair.first_difference
    assert first is not None
    assert (first.time, first.population, first.neuron, first.a, first.b) == (4.5, "cells", 2, 1, 0)
    (pair,) = compare([chip, ideal])
    assert pair.first_difference is not None
    assert (pair.first_difference.time, pair.first_difference.a) == (4.0, 0)


def test_a_source_that_differs_is_a_difference(hand):
    net = hand.network()
    one, other = hand.stretch(net, source=[(3, 1), (3, 1)]), hand.stretch(net, source=[(3, 1)])
    (pair,) = compare([hand.outcome("ideal", one), hand.outcome("loihi2", other)])
    first = pair.first_difference
    assert first is not None
    assert (first.population, first.time, first.a, first.b) == ("input", 3.0, 2, 1)
    assert pair.n_spikes == (0, 0)  # of neurons


events = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 2)), max_size=30, unique=True)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(events, events)
def test_the_first_difference_is_the_least_of_the_symmetric_difference(hand, one, other):
    net = hand.network()
    runs = [hand.outcome("ideal", hand.stretch(net, spikes)) for spikes in (one, other)]
    (pair,) = compare(runs)
    apart = set(one) ^ set(other)
    assert pair.spikes_equal == (not apart)
    if apart:
        first = pair.first_difference
        assert first is not None
        time, neuron = min(apart)
        assert (first.time, first.neuron) == (time, neuron)
        assert (first.a, first.b) == (int((time, neuron) in one), int((time, neuron) in other))


def test_voltages_are_compared_before_and_after_the_first_difference(hand):
    net = hand.network()
    v = np.zeros((10, 2))
    early, late = v.copy(), v.copy()
    early[2, 0], late[7, 1], late[2, 0] = 0.25, -3.0, 0.25
    one = hand.stretch(net, [(5, 0)], v=v)
    (pair,) = compare([hand.outcome("ideal", one), hand.outcome("loihi2", hand.stretch(net, v=late))])
    voltage = pair.voltage
    assert voltage is not None
    assert (voltage.largest, voltage.time, voltage.population, voltage.neuron) == (3.0, 7.0, "cells", 2)
    assert voltage.before_difference == 0.25
    assert pair.raw is None


def test_integers_of_different_rule_sets_are_not_compared(hand):
    run = hand.stretch(hand.network(), v=np.zeros((3, 2)), raw=np.zeros((3, 2)))
    (pair,) = compare([hand.outcome("loihi1", run), hand.outcome("loihi2", run)])
    assert pair.raw is None


def test_a_target_without_data_is_not_compared_and_says_why(hand):
    from dataclasses import replace

    from evsim.recording import Recordings

    net = hand.network()
    silent = hand.stretch(net)
    silent.recordings = Recordings(notes=("A virtual machine returns no data.",))
    empty = replace(hand.outcome("spinnaker1", silent, name="spinnaker:virtual"), notes=silent.recordings.notes)
    (pair,) = compare([hand.outcome("ideal", hand.stretch(net, [(1, 1)])), empty])
    assert pair.spikes_equal is None and pair.n_spikes == (1, None) and pair.correlation is None
    assert "spinnaker:virtual" in pair.notes[0] and "virtual machine" in pair.notes[0]


def test_runs_are_compared_segment_by_segment(hand):
    net = hand.network()
    same = hand.stretch(net, [(5, 0)], segment=0)
    one = hand.outcome("ideal", same, hand.stretch(net, [(2, 1)], segment=1))
    other = hand.outcome("ideal", same, hand.stretch(net, [(2, 1), (3, 0)], segment=1))
    (pair,) = compare([one, other])
    assert pair.first_difference is not None
    assert (pair.first_difference.segment, pair.first_difference.time) == (1, 3.0)
    assert pair.n_spikes == (2, 3)


def test_stretches_of_one_run_are_joined(hand):
    net = hand.network()
    v = np.arange(8.0).reshape(4, 2)
    parts = (
        hand.stretch(net, [(1, 0)], v=v, steps=3),
        hand.stretch(net, [(5, 2)], v=v + 6, steps=3, start=3),
    )
    (joined,) = segments(hand.outcome("ideal", *parts))
    assert (joined.steps, joined.first) == (6, 0)
    assert joined.spikes["cells"].steps.tolist() == [0, 4]
    samples = joined.samples["cells", "v"]
    assert samples.labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert samples.values[:, 0].tolist() == [0, 2, 4, 6, 8, 10, 12]
