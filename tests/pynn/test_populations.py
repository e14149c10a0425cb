"""Cells, their parameters and their initial values."""

from __future__ import annotations

import numpy as np
import pyNN.mock as mock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.random import NumpyRNG, RandomDistribution

import evsim.pynn


def parameters(sim, seed: int, size: int, function: bool) -> list[list[float]]:
    """Of two populations with one generator, which PyNN does not let go on from the one to the other."""
    sim.setup()
    rng = NumpyRNG(seed)
    tau = (lambda i: 10.0 + i) if function else RandomDistribution("uniform", low=5.0, high=20.0, rng=rng)
    found = []
    for _ in range(2):
        cells = sim.Population(size, sim.IF_curr_exp(tau_m=tau))
        cells.set(cm=RandomDistribution("normal", mu=1.0, sigma=0.1, rng=rng))
        found += [cells.get(name).tolist() for name in ("tau_m", "cm")]
    return found


@given(seed=st.integers(0, 1000), size=st.integers(2, 8), function=st.booleans())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_parameters_are_those_that_pynn_draws(seed, size, function):
    found = parameters(evsim.pynn, seed, size, function)
    evsim.pynn.simulator.state.clear()
    assert found == parameters(mock, seed, size, function)


@pytest.mark.parametrize("size", [1, 5])
def test_random_initial_values_are_drawn_once(sim, size):
    def uniform():
        return RandomDistribution("uniform", low=-65.0, high=-55.0, rng=NumpyRNG(3))

    cells = sim.Population(size, sim.IF_curr_exp(), initial_values={"v": uniform()})
    expected = uniform().next(size)
    assert cells.initial["v"].tolist() == expected.tolist()
    for _ in range(2):
        assert np.atleast_1d(cells.initial_values["v"].evaluate()).tolist() == expected.tolist()
    assert cells[0].get_initial_value("v") == expected[0]


def test_one_cell_can_be_set(sim):
    cells = sim.Population(3, sim.IF_curr_exp(tau_m=[10.0, 11.0, 12.0]))
    cells[1].tau_m = 20.0
    cells[2].set_initial_value("v", -61.0)
    assert cells.get("tau_m").tolist() == [10.0, 20.0, 12.0]
    assert (cells[1].tau_m, cells[2].cm) == (20.0, 1.0)
    assert cells.initial["v"].tolist() == [-65.0, -65.0, -61.0]
    assert cells[1:].get(["tau_m", "cm"])[0].tolist() == [20.0, 12.0]


def test_views_change_their_population(sim):
    cells = sim.Population(6, sim.IF_curr_exp())
    view = cells[::2][1:]  # cells 2 and 4
    view.set(i_offset=np.array([0.2, 0.4]))
    (cells[:1] + view).set(cm=0.5)
    assert cells.get("i_offset").tolist() == [0, 0, 0.2, 0, 0.4, 0]
    assert cells.get("cm").tolist() == [0.5, 1, 0.5, 1, 0.5, 1]
    assert (cells[:1] + view).local_size == 3


def test_spike_times_must_be_in_order(sim):
    with pytest.raises(sim.errors.InvalidParameterValueError, match="cell 1 are not in increasing order"):
        sim.Population(2, sim.SpikeSourceArray(spike_times=[[1.0, 2.0], [3.0, 2.5]]), label="input")
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.0]))
    with pytest.raises(sim.errors.InvalidParameterValueError, match="not in increasing order"):
        source[1:].set(spike_times=[2.0, 1.0])


def test_names_that_do_not_exist_are_refused(sim):
    cells = sim.Population(2, sim.IF_curr_exp())
    with pytest.raises(sim.errors.NonExistentParameterError, match="tau_n"):
        cells.get("tau_n")
    with pytest.raises(sim.errors.NonExistentParameterError, match="tau_n"):
        cells.set(tau_n=1.0)
    with pytest.raises(sim.errors.NonExistentParameterError, match="w"):
        cells.initialize(w=1.0)
    with pytest.raises(sim.errors.InvalidParameterValueError):
        cells.set(tau_m="fast")


def test_every_cell_knows_its_population(sim):
    one, other = sim.Population(3, sim.IF_curr_exp()), sim.Population(2, sim.IF_curr_exp())
    for population in (one, other):
        assert all(isinstance(cell, sim.simulator.ID) and cell.parent is population for cell in population)
        assert all(cell.local for cell in population)
    assert [int(cell) for cell in other] == [4, 5]
    assert one[1:][0].parent is one
    one[2].tau_m = 7.0
    assert one.get("tau_m").tolist() == [20.0, 20.0, 7.0]
