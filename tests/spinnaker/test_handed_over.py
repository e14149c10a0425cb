"""Currents, trains and changes as they are handed to sPyNNaker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.errors import BackendError
from evsim.network import Network
from evsim.sources import source_of
from evsim_spinnaker.changes import changes
from evsim_spinnaker.currents import StepCurrent
from evsim_spinnaker.trains import Trains


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, unique_by=lambda e: e[0]),
    st.sampled_from([0.1, 0.3, 0.7, 1.0]),
)
def test_pulses_add_up_to_the_current(entries, timestep):
    steps, amplitudes = (np.array(column) for column in zip(*sorted(entries), strict=True))
    found = np.zeros(1100)
    for pulse in StepCurrent(steps, amplitudes, timestep).pulses():
        # sPyNNaker's conversion to time steps, dc_source.py
        begin, end = (int(pulse[name] * (1000 / round(timestep * 1000))) for name in ("start", "stop"))
        found[begin:end] += pulse["amplitude"]
    latest = np.searchsorted(steps, np.arange(1100), side="right") - 1
    np.testing.assert_array_equal(found, np.where(latest >= 0, amplitudes[latest], 0.0))


def test_what_pulses_cannot_hold_is_a_series():
    def current(amplitudes):
        return StepCurrent(np.arange(len(amplitudes)), np.array(amplitudes), 1.0)

    assert current([0.5, 0.0]).is_simple()
    assert not current([-0.5, 0.0]).is_simple() and not current([0.5] * 17).is_simple()
    assert current([-0.5, 0.25]).series() == {"times": [0.25, 1.25], "amplitudes": [-0.5, 0.25]}


def test_trains_drawn_in_pieces_are_those_of_the_reference(nets):
    network = Network(0.1, (nets.poisson(5, 800.0),), seed=3)
    trains = Trains(network, 0)
    for last in (0, 70, 71, 200):
        trains.draw(last)
    whole = source_of(network, 0).spikes(0, 200)
    for cell, labels in enumerate(trains.labels()):
        np.testing.assert_array_equal(labels, whole.label[whole.cell == cell])
    recorded = trains.spikes(100)
    np.testing.assert_array_equal(recorded.times, whole.time[whole.label >= 100])
    np.testing.assert_array_equal(recorded.neurons, whole.cell[whole.label >= 100])
    assert len(recorded.times) > 20


def test_a_state_set_to_its_old_value_is_a_change(nets):
    before = nets.Network(1.0, (nets.cells(3),))
    set_again = replace(before.populations[0], times_set={"v": np.ones(3, np.int32)})
    (change,) = changes(before, replace(before, populations=(set_again,)))
    assert list(change.states) == ["v"] and not change.parameters
    np.testing.assert_array_equal(change.states["v"], np.full(3, -65.0))


def test_a_state_set_in_some_cells_is_refused(nets):
    before = nets.Network(1.0, (nets.cells(3),))
    some = replace(before.populations[0], times_set={"v": np.array([0, 1, 0], np.int32)})
    with pytest.raises(BackendError, match=r"v was set in 1 of 3 cells.*reset"):
        list(changes(before, replace(before, populations=(some,))))


def test_an_alpha_current_that_is_set_is_several_states(nets):
    """sPyNNaker's current is a line times an exponential, which go on with what made them rise last."""
    before = nets.Network(1.0, (nets.cells(3, model="IF_curr_alpha"),))
    cells = before.populations[0]
    current = np.array([0.0, 0.5, -1.0])
    anew = replace(cells, initial={**cells.initial, "isyn_inh": current}, times_set={"isyn_inh": np.ones(3, np.int32)})
    (change,) = changes(before, replace(before, populations=(anew,)))
    assert {name: values.tolist() for name, values in change.states.items()} == {
        "inh_response": [0.0, 0.5, -1.0],
        "inh_exp_response": [0.0, 1.0, 1.0],
        "q_inh": [0.0, 0.0, 0.0],
    }
