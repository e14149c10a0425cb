"""A network that is not well formed is refused with every problem at once; what it holds is read-only and compact."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.errors import CheckError
from evsim.network import Current, Network, Population, Projection, Trains, frozen
from evsim.synapses import Listed


def cells(label="cells", size=4, **parameters) -> Population:
    return Population(label, "IF_curr_exp", size, {name: np.full(size, v) for name, v in parameters.items()})


def projection(source, target, weight=None, delay=None, label="all") -> Projection:
    source, target = np.array(source, np.int32), np.array(target, np.int32)
    weight = np.ones(len(source)) if weight is None else np.array(weight, np.float64)
    delay = np.ones(len(source), np.int32) if delay is None else np.array(delay, np.int32)
    return Projection(label, 0, 0, "excitatory", "StaticSynapse", Listed(source, target, weight, delay))


def problems_of(**parts) -> list[str]:
    with pytest.raises(CheckError) as caught:
        Network(**{"timestep": 0.1, "populations": (cells(),), **parts})
    return [str(problem) for problem in caught.value.problems]


def test_all_problems_come_at_once_and_name_their_object():
    bad_cells = cells("bad", tau_m=np.nan)
    bad_train = Population("input", "SpikeSourceArray", 1, {}, {}, Trains.from_lists([np.array([-1.0, 2.0])]))
    found = problems_of(
        timestep=-1.0,
        populations=(cells(), bad_cells, bad_train),
        projections=(
            projection([0, 1], [1, 2], weight=[np.inf, 1.0], label="infinite"),
            projection([0, 1], [1, 2], delay=[0, 5], label="early"),
            projection([0, 9], [1, 2], label="outside"),
        ),
        currents=(Current("dc", 0, np.array([0], np.int32), np.array([np.nan]), np.array([1.0])),),
    )
    named = ["network", "'bad'", "'input'", "current source 'dc'", "'infinite'", "'early'", "'outside'"]
    assert len(found) == len(named)
    for name in named:
        assert sum(name in problem.split(":")[0] for problem in found) == 1


@pytest.mark.parametrize("timestep", [0.0, -0.1, np.nan, np.inf])
def test_the_time_step_is_a_positive_number(timestep):
    assert "time step" in problems_of(timestep=timestep)[0]


@pytest.mark.parametrize(("source", "target"), [([-1], [0]), ([4], [0]), ([0], [4]), ([0], [-1])])
def test_synapses_end_inside_their_populations(source, target):
    (problem,) = problems_of(projections=(projection(source, target),))
    assert "outside population 'cells'" in problem and "0 to 3" in problem


def test_the_message_counts_and_gives_limit_and_remedy():
    (problem,) = problems_of(projections=(projection([0, 1, 2], [0, 1, 2], delay=[0, 1, -3]),))
    assert "2 of 3 delays" in problem
    assert "at least 0.1 ms" in problem
    assert "longer delay" in problem


def test_an_empty_projection_is_well_formed():
    network = Network(0.1, (cells(),), (projection([], []),))
    assert network.n_synapses == 0


def test_synapses_are_counted():
    assert Network(0.1, (cells(),), (projection([0], [1]), projection([0, 1], [1, 2]))).n_synapses == 3


def test_frozen_arrays_cannot_be_written_and_keep_one_value_in_memory():
    array = frozen(np.broadcast_to(1.5, 10**9))
    assert array.strides == (0,) and len(array) == 10**9
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 2.0


def test_trains_keep_cells_apart():
    lists = [np.array([1.0, 2.0]), np.array([]), np.array([0.5])]
    trains = Trains.from_lists(lists)
    assert [trains.of(cell).tolist() for cell in range(3)] == [times.tolist() for times in lists]
    assert trains.cells().tolist() == [0, 0, 2]


def test_no_cells_have_no_trains():
    assert len(Trains.from_lists([]).times) == 0
