"""Connectors within groups connect what sPyNNaker's firmware does, and refuse what they cannot divide."""

from __future__ import annotations

import numpy as np
import pytest
from pyNN import errors


def connected(sim, connector, n: int = 6, m: int | None = None) -> list[tuple]:
    pre, post = sim.Population(n, sim.IF_curr_exp(), label="pre"), sim.Population(m or n, sim.IF_curr_exp())
    projection = sim.Projection(pre, post, connector, sim.StaticSynapse(weight=0.5), label="groups")
    return sorted(tuple(row) for row in projection.get(["weight"], "list"))


# What the projections of sPyNNaker 7.4.1 gave after its firmware had been executed; all weights but the first are 0.5.
EXECUTED = {
    (1, False, 3): [(0, 1), (1, 2), (3, 4), (4, 5)],
    (-2, True, None): [(0, 4), (1, 5), (2, 0), (3, 1), (4, 2), (5, 3)],
    (2, True, 3): [(0, 2), (1, 0), (2, 1), (3, 5), (4, 3), (5, 4)],
}
WEIGHED = [
    *[(0, 1, 0.0625), (0, 2, 0.125), (1, 0, 0.1875), (1, 2, 0.25), (2, 0, 0.3125), (2, 1, 0.375)],
    *[(3, 4, 0.0625), (3, 5, 0.125), (4, 3, 0.1875), (4, 5, 0.25), (5, 3, 0.3125), (5, 4, 0.375)],
]


def test_all_but_me_gives_each_group_its_weights_in_the_firmware_s_order(sim):
    assert connected(sim, sim.extra_models.AllButMeConnector(3, weights=np.arange(1, 7) / 16)) == WEIGHED


def test_all_but_me_without_groups_leaves_out_the_diagonal(sim):
    everybody = [(i, j, 0.5) for i in range(5) for j in range(5) if i != j]
    assert connected(sim, sim.extra_models.AllButMeConnector(), 5) == everybody


@pytest.mark.parametrize("arguments", EXECUTED)
def test_an_offset_connects_what_the_firmware_does(sim, arguments):
    found = connected(sim, sim.extra_models.OneToOneOffsetConnector(*arguments))
    assert found == [(*pair, 0.5) for pair in EXECUTED[arguments]]


def test_groups_of_one_cell_have_no_other_to_connect_to(sim):
    assert connected(sim, sim.extra_models.AllButMeConnector(1)) == []


def test_a_network_with_such_connectors_runs(sim):
    source = sim.Population(4, sim.SpikeSourceArray(spike_times=[[1.0], [], [], []]))
    cells = sim.Population(4, sim.IF_curr_delta(v_thresh=-60.0))
    shifted = sim.extra_models.OneToOneOffsetConnector(1, wrap=True)
    sim.Projection(source, cells, shifted, sim.StaticSynapse(weight=10.0, delay=1.0))
    cells.record("spikes")
    sim.run(5.0)
    assert [len(train) for train in cells.get_data().segments[0].spiketrains] == [0, 1, 0, 0]


def test_what_cannot_be_divided_is_refused(sim):
    both = sim.extra_models.AllButMeConnector, sim.extra_models.OneToOneOffsetConnector
    for connector in (both[0](4), both[1](1, True, 4)):
        with pytest.raises(errors.ConnectionError, match=r"'groups': 6 cells are not a multiple of .* 4"):
            connected(sim, connector)
    with pytest.raises(errors.ConnectionError, match=r"one size; 'pre' has 6 cells"):
        connected(sim, both[0](), 6, 5)
    with pytest.raises(errors.InvalidParameterValueError, match=r"'groups': the offset .* is -4; .* from -3 to 3"):
        connected(sim, both[1](-4, False, 3))


def test_arguments_out_of_their_range_are_refused(sim):
    models = sim.extra_models
    with pytest.raises(errors.InvalidDimensionsError, match=r"shape \(5,\); .* must be \(6,\)"):
        models.AllButMeConnector(3, weights=np.ones(5))
    with pytest.raises(errors.InvalidDimensionsError, match=r"must be \(30,\)"):
        connected(sim, models.AllButMeConnector(weights=np.ones(5)))
    with pytest.raises(errors.InvalidParameterValueError, match=r"n_neurons_per_group is 0"):
        models.AllButMeConnector(0)
    with pytest.raises(errors.InvalidParameterValueError, match=r"offset is 1.5"):
        models.OneToOneOffsetConnector(1.5, True)
