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
from evsim_spinnaker.currents import SPARE, StepCurrent
from evsim_spinnaker.trains import Trains


def played(series, timestep: float, begin: int, end: int) -> np.ndarray:
    """What the firmware makes of a StepCurrentSource from one step to another, for two neurons that share it."""
    per_ms, at, last = 1000 / round(timestep * 1000), 0, 0.0
    steps = [int(time * per_ms) for time in series["times"]]  # sPyNNaker's conversion, step_current_source.py
    found = []
    for step in range(begin, end):
        for _ in range(2):
            if step >= steps[at]:
                last, at = series["amplitudes"][at], at + 1
            found.append(last)
    return np.array(found).reshape(-1, 2)


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 60), st.floats(-2, 2)), min_size=1, max_size=20, unique_by=lambda e: e[0]),
    st.sampled_from([0.1, 0.3, 0.7, 1.0]),
    st.integers(0, 70),
)
def test_a_current_goes_on_after_a_pause(entries, timestep, pause):
    steps, amplitudes = (np.array(column) for column in zip(*sorted(entries), strict=True))
    current = StepCurrent(steps, amplitudes, timestep)
    room = len(steps) + SPARE
    pieces = [played(current.series(now, room), timestep, now, until) for now, until in ((0, pause), (pause, 80))]
    latest = np.searchsorted(steps, np.arange(80), side="right") - 1
    wanted = np.where(latest >= 0, amplitudes[latest], 0.0)
    np.testing.assert_array_equal(np.concatenate(pieces), np.column_stack([wanted, wanted]))


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


def test_room_is_made_for_the_busiest_step_that_there_may_be(nets):
    """sPyNNaker makes room for what it is shown when it maps a network, and loses what needs more later."""
    trains = Trains(Network(1.0, (nets.array_source([[30.0], [], [40.0]]),)), 0)
    trains.draw(5)
    assert [labels.tolist() for labels in trains.labels()] == [[], [], []]
    assert [labels.tolist() for labels in trains.labels(room=True)] == [[5, 5], [5, 5], [5, 5]]  # sent up to label 4


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
