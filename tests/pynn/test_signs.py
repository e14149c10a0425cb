"""Projections whose weights have signs: which receptors they reach, what is read and set, and on which targets."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest

from evsim.errors import EvsimError
from evsim.pynn import graph
from evsim.redirect import redirected

KERNEL = [[1.0, -2.0, 0.0], [0.5, 0.0, -0.25], [0.0, 3.0, -1.0]]


def pair(sim, celltype=None, size=3, **words):
    """Grids of cells and a kernel of either sign between them."""
    pre = sim.Population((size, size), sim.SpikeSourceArray(spike_times=[2.0]), label="pre")
    connector = sim.ConvolutionConnector(KERNEL, **words)
    post = sim.Population(connector.get_post_shape((size, size)), celltype or sim.IF_curr_exp(), label="post")
    return pre, post, connector


def parts(sim, projection) -> dict[str, list[float]]:
    """Receptor -> weights, as they are in the network."""
    graph.build(sim.simulator.state)
    assert projection.parts is not None
    return {part.receptor: sorted(part.synapses.weight.tolist()) for part in projection.parts}


@pytest.mark.parametrize(("celltype", "sign"), [("IF_curr_exp", -1.0), ("IF_cond_exp", 1.0)])
def test_a_weight_reaches_the_receptor_of_its_sign(sim, celltype, sign):
    """With the sign that currents have there; conductances have none. Elements of 0 connect nothing."""
    pre, post, connector = pair(sim, getattr(sim, celltype)())
    projection = sim.Projection(pre, post, connector, sim.Convolution())
    inhibitory = sorted(sign * w for w in (0.25, 1.0, 2.0))
    assert parts(sim, projection) == {"excitatory": [0.5, 1.0, 3.0], "inhibitory": inhibitory}
    assert sorted(projection.get("weight", "list", with_address=False)) == [-2.0, -1.0, -0.25, 0.5, 1.0, 3.0]


def test_receptors_are_those_that_the_connector_names(sim):
    two = sim.IF_curr_dual_exp() if hasattr(sim, "IF_curr_dual_exp") else sim.extra_models.IF_curr_dual_exp()
    pre, post, connector = pair(sim, two, positive_receptor_type="excitatory2")
    found = parts(sim, sim.Projection(pre, post, connector, sim.Convolution()))
    assert found == {"excitatory2": [0.5, 1.0, 3.0], "inhibitory": [-2.0, -1.0, -0.25]}
    same = sim.ConvolutionConnector(KERNEL, negative_receptor_type="excitatory")
    found = parts(sim, sim.Projection(pre, post, same, sim.Convolution()))
    assert found == {"excitatory": [0.25, 0.5, 1.0, 1.0, 2.0, 3.0]}


def test_kernels_of_one_sign_and_of_none(sim):
    pre, post, _ = pair(sim)
    for kernel, receptors in ((1.0, ["excitatory"]), (-1.0, ["inhibitory"]), (0.0, [])):
        projection = sim.Projection(pre, post, sim.ConvolutionConnector(kernel, 3), sim.Convolution())
        assert list(parts(sim, projection)) == receptors
    sim.run(2.0)


def test_what_a_script_for_spynnaker_reads_has_signs(sim):
    """Although there weights are magnitudes elsewhere."""
    with redirected(lambda sentence: None):
        theirs = importlib.import_module("pyNN.spiNNaker")
        theirs.setup(1.0)
        pre, post, connector = pair(theirs)
        projection = theirs.Projection(pre, post, connector, theirs.Convolution(delay=2))
        dense = theirs.Projection(pre, post, theirs.PoolDenseConnector([-1.0, 1.0] * 4 + [0.0]), theirs.PoolDense())
    assert parts(sim, projection)["inhibitory"] == [-2.0, -1.0, -0.25]
    assert sorted(dense.get("weight", "list", with_address=False)) == [-1.0] * 4 + [1.0] * 4
    assert set(projection.get("delay", "list", with_address=False)) == {2.0}


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi2"])
def test_spikes_bring_what_two_projections_would(sim, chip):
    """One of the positive and one of the negative weights, pair by pair, by the usual connector."""
    spikes, listed = [], []
    for by_hand in (False, True):
        sim.setup(timestep=1.0, chip=chip)
        times = [[float(t)] for t in np.random.default_rng(1).integers(1, 40, 25)]
        pre = sim.Population((5, 5), sim.SpikeSourceArray(spike_times=times))
        post = sim.Population((3, 3), sim.IF_curr_exp(tau_m=10.0, v_thresh=-63.0, i_offset=0.1))
        post.record("spikes")
        if by_hand:
            for sign, receptor in ((1, "excitatory"), (-1, "inhibitory")):
                rows = [(*ends, w, 3.0) for *ends, w in listed if w * sign > 0]
                connector = sim.FromListConnector(rows, column_names=["weight", "delay"])
                sim.Projection(pre, post, connector, receptor_type=receptor)
        else:
            connector = sim.ConvolutionConnector(np.array(KERNEL) * 4)
            listed = sim.Projection(pre, post, connector, sim.Convolution(delay=3.0)).get("weight", "list")
        sim.run(60.0)
        spikes.append([train.magnitude.tolist() for train in post.get_data().segments[0].spiketrains])
    assert spikes[0] == spikes[1]
    assert any(spikes[0])


def test_weights_that_are_set_keep_their_signs(sim):
    pre, post, connector = pair(sim)
    projection = sim.Projection(pre, post, connector, sim.Convolution())
    weights = np.array(projection.get("weight", "list", with_address=False))
    projection.set(weight=list(2 * weights))
    assert parts(sim, projection) == {"excitatory": [1.0, 2.0, 6.0], "inhibitory": [-4.0, -2.0, -0.5]}
    wrong = r"3 of 6 weights change their sign \(such as 0.5 where it was below 0 and must be at most 0\)"
    with pytest.raises(sim.errors.ConnectionError, match=wrong):
        projection.set(weight=0.5)
    negative = next(connection for connection in projection if connection.weight < 0)
    negative.weight = 0.0
    with pytest.raises(sim.errors.ConnectionError, match="1 of 6 weights change their sign"):
        negative.weight = 1.0


def test_what_does_not_fit_into_memory_is_refused_before_it_is_made(sim, monkeypatch):
    monkeypatch.setenv("EVSIM_MEMORY_LIMIT", "0.01")
    sheet = sim.Population((200, 200), sim.IF_curr_exp())
    with pytest.raises(EvsimError, match=r"about 1e\+06 synapses need .* GB"):
        sim.Projection(sheet, sheet, sim.ConvolutionConnector(1.0, 5, padding=2), sim.Convolution())
    with pytest.raises(EvsimError, match=r"about 1.6e\+09 synapses need .* GB"):
        sim.Projection(sheet, sheet, sim.PoolDenseConnector(1.0), sim.PoolDense())


def test_what_does_not_go_together(sim):
    pre, post, connector = pair(sim)
    wrong = sim.errors.ConnectionError
    with pytest.raises(wrong, match=r"a ConvolutionConnector with synapses of StaticSynapse; .* sim.Convolution\(\)"):
        sim.Projection(pre, post, connector, sim.StaticSynapse(weight=1.0))
    with pytest.raises(wrong, match="a ConvolutionConnector with synapses of PoolDense"):
        sim.Projection(pre, post, connector, sim.PoolDense())
    with pytest.raises(wrong, match=r"an? AllToAllConnector with .* Convolution; .* from a ConvolutionConnector"):
        sim.Projection(pre, post, sim.AllToAllConnector(), sim.Convolution())
    with pytest.raises(wrong, match="negative_receptor_type of its ConvolutionConnector is 'gaba'; 'post' has excit"):
        sim.Projection(pre, post, sim.ConvolutionConnector(KERNEL, negative_receptor_type="gaba"), sim.Convolution())
    for delay in ([1.0, 2.0], "d", True):
        with pytest.raises(sim.errors.InvalidParameterValueError, match=r"Convolution: delay is .* must be one number"):
            sim.Convolution(delay=delay)
    assert sim.PoolDense().parameter_space["delay"].base_value == sim.get_min_delay()


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1"])
def test_what_the_firmware_does_otherwise_is_said(sim, chip):
    """Where a network runs as on SpiNNaker, and only of what docs/firmware.md lists."""
    sim.setup(timestep=1.0, chip=chip)
    pre, cells = (sim.Population((6, 4), sim.IF_curr_exp()) for _ in range(2))
    known = {
        sim.ConvolutionConnector(1.0, 3): (4, 2),
        sim.ConvolutionConnector(1.0, 3, strides=2): (2, 1),
        sim.ConvolutionConnector(1.0, (2, 3)): (5, 2),
        sim.ConvolutionConnector(1.0, 3, padding=1, pool_shape=2): (3, 2),
    }
    said = []
    for connector, shape in known.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sim.Projection(pre, sim.Population(shape, sim.IF_curr_exp()), connector, sim.Convolution())
        said.append(any("something else (docs/firmware.md)" in str(warning.message) for warning in caught))
    for pool in (2, (3, 2), 4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sim.Projection(pre, cells, sim.PoolDenseConnector(1.0, pool), sim.PoolDense())
        said.append(any("something else (docs/firmware.md)" in str(warning.message) for warning in caught))
    assert said == ([False, True, True, False, False, True, True] if chip == "spinnaker1" else [False] * 7)
