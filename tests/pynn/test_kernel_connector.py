"""KernelConnector connects what sPyNNaker's own class does, synapse by synapse, and what its definition says."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evsim.pynn

sheet = st.tuples(st.integers(1, 5), st.integers(1, 5))
options = st.fixed_dictionaries(
    {
        "shape_pre": sheet,
        "shape_post": sheet,
        "shape_kernel": st.tuples(st.integers(1, 4), st.integers(1, 4)),
        "pre_sample_steps_in_post": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "pre_start_coords_in_post": st.tuples(st.integers(0, 2), st.integers(0, 2)),
        "post_sample_steps_in_pre": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "post_start_coords_in_pre": st.tuples(st.integers(0, 2), st.integers(0, 2)),
    }
)


def kernels(shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Kernels of which no two elements are alike."""
    values = np.arange(1.0, 1 + shape[0] * shape[1]).reshape(shape)
    return {"weight_kernel": values / 10, "delay_kernel": values}


def connected(sim, o) -> list[tuple[int, int, float, float]]:
    pre, post = (sim.Population(int(np.prod(o[name])), sim.IF_curr_exp()) for name in ("shape_pre", "shape_post"))
    connector = sim.KernelConnector(**o, **kernels(o["shape_kernel"]))
    return sorted(sim.Projection(pre, post, connector, sim.StaticSynapse()).get(["weight", "delay"], "list"))


@given(o=options)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_synapses_are_those_of_spynnaker(o):
    module = pytest.importorskip("spynnaker.pyNN.models.neural_projections.connectors.kernel_connector")
    from pacman.model.graphs.common import Slice

    theirs = module.KernelConnector(**o, **kernels(o["shape_kernel"]))
    n_pre, n_post = int(np.prod(o["shape_pre"])), int(np.prod(o["shape_post"]))
    synapses = SimpleNamespace(weights=None, delays=None, n_pre_neurons=n_pre)
    block = theirs.create_synaptic_block([], Slice(0, n_post - 1), 0, synapses)
    expected = sorted(zip(*(block[name].tolist() for name in ("source", "target", "weight", "delay")), strict=True))
    evsim.pynn.setup(timestep=1.0)
    found = connected(evsim.pynn, o)
    evsim.pynn.simulator.state.clear()
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert np.array(found)[:, 2:] == pytest.approx(np.array(expected)[:, 2:]) if found else not expected


def test_a_kernel_is_put_on_every_cell(sim):
    """Cell (r, c) is connected to (r - kr + 1, c - kc + 1) by element (kr, kc) of a kernel of 3 x 3."""
    sim.setup(timestep=1.0)
    shape, kernel = (4, 5), np.arange(1.0, 10.0).reshape(3, 3)
    expected = [
        (r * 5 + c, (r - kr + 1) * 5 + c - kc + 1, kernel[kr, kc], kernel[kr, kc])
        for r, c, kr, kc in np.ndindex(4, 5, 3, 3)
        if 0 <= r - kr + 1 < 4 and 0 <= c - kc + 1 < 5
    ]
    cells = sim.Population(20, sim.IF_curr_exp())
    connector = sim.KernelConnector(shape, shape, (3, 3), weight_kernel=kernel, delay_kernel=kernel)
    projection = sim.Projection(cells, cells, connector)
    found = {row[:2]: row[2:] for row in projection.get(["weight", "delay"], "list")}
    mirrored = {(source, target): (weight, delay) for target, source, weight, delay in expected}
    assert found in ({row[:2]: row[2:] for row in expected}, mirrored)


def test_what_no_kernel_says_the_synapse_type_says(sim):
    sim.setup(timestep=1.0)
    cells = sim.Population(6, sim.IF_curr_exp())
    connector = sim.KernelConnector((2, 3), (2, 3), (1, 1), delay_kernel=3.0)
    projection = sim.Projection(cells, cells, connector, sim.StaticSynapse(weight=0.7, delay=9.0))
    assert projection.get(["weight", "delay"], "list") == [(i, i, 0.7, 3.0) for i in range(6)]
    drawn = sim.RandomDistribution("uniform", low=0.1, high=0.9, rng=sim.NumpyRNG(1))
    shared = sim.KernelConnector((2, 3), (2, 3), (1, 1), weight_kernel=drawn)
    weights = sim.Projection(cells, cells, shared).get("weight", "list", with_address=False)
    assert len(set(weights)) == 1 and 0.1 <= weights[0] <= 0.9  # of an element of the kernel, not of a synapse


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((2, 3), (2, 2), (1, 1)), r"shape_post .* is \(2, 2\), which is 4 cells; 'cells' has 6"),
        (((2, 3), (2, 3), (1, 2), np.ones((2, 1))), r"weight_kernel has the shape \(2, 1\); shape_kernel is \(1, 2\)"),
        (((2, 3), (2, 3), (0, 2)), r"shape_kernel is \(0, 2\); it must be two whole numbers from 1 on"),
        (((2, 3), (2, 3), 3), "shape_kernel is 3; it must be two whole numbers"),
    ],
)
def test_shapes_that_cannot_be(sim, arguments, words):
    cells = sim.Population(6, sim.IF_curr_exp(), label="cells")
    wrong = (sim.errors.InvalidDimensionsError, sim.errors.InvalidParameterValueError)
    with pytest.raises(wrong, match=words):
        sim.Projection(cells, cells, sim.KernelConnector(*arguments))
