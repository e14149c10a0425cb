"""Rows hold every synapse once, by lane, source and delay, with its target and its weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.build import build_rows, stored
from evsim.engine.lay_out import lay_out
from evsim.engine.memory import BLOCK
from evsim.engine.rows import EVEN


def weight_of(word, dtype, unit) -> float:
    """The weight in the upper bits of a synaptic word, decoded by numpy alone."""
    if dtype == np.uint64:
        return int(np.array([word], np.uint64).view(np.int64)[0] >> 16) * float(unit)
    return int(np.array([word], dtype)[0] >> 16)


def synapses_in(rows, layout) -> list[tuple]:
    """(source, delay, slice, place in the inputs, weight) of every synapse in the rows."""
    found = []
    for lane in range(len(rows.kind)):
        for neuron in range(rows.first.shape[1] - 1):
            delays = []
            for row in range(rows.first[lane, neuron], rows.first[lane, neuron + 1]):
                delays.append(int(rows.delay[row]))
                for k in range(rows.base[lane] + rows.begin[row], rows.base[lane] + rows.begin[row + 1]):
                    if rows.kind[lane] == EVEN:
                        target, weight = int(rows.targets[k]), rows.weight[lane]
                    else:
                        target, weight = (
                            int(rows.words[k]) & 0xFFFF,
                            weight_of(rows.words[k], rows.words.dtype, rows.weight[lane]),
                        )
                    assert target < rows.width[lane]
                    found.append((neuron, delays[-1], int(rows.slice[lane]), int(rows.input[lane]) + target, weight))
            assert delays == sorted(set(delays))
    return found


def expected(chip_network, layout) -> list[tuple]:
    """The same, from the network."""
    result = []
    for projection, held in zip(chip_network.network.projections, chip_network.projections, strict=True):
        at = layout.neurons.index(projection.post)
        places = layout.input_places(at, held.row)
        slices, _ = layout.local_places(projection.post)
        weight = stored(held, np.ascontiguousarray(projection.weight))
        source = layout.first_neuron[projection.pre] + projection.source
        for s, d, t, w in zip(source, projection.delay, projection.target, weight, strict=True):
            result.append((int(s), int(d), int(slices[t]), int(places[t]), w))
    return result


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi1", "loihi2"])
@given(seed=st.integers(0, 2**32 - 1), threads=st.integers(1, 3), constant=st.booleans())
@settings(derandomize=True, deadline=None, max_examples=6)
def test_every_synapse_is_in_one_row(nets, chip, seed, threads, constant):
    rng = np.random.default_rng(seed)
    populations = (nets.cells(BLOCK + 7, "a"), nets.poisson(4, 10.0), nets.cells(3, "b"))
    projections = []
    for pre, post, kind in [(0, 0, "inhibitory"), (1, 0, "excitatory"), (0, 2, "excitatory"), (2, 0, "excitatory")]:
        bounds = (-1.0, -0.1) if kind == "inhibitory" else (0.1, 1.0)
        rows = nets.random_rows(rng, populations[pre].size, populations[post].size, 200, bounds, 9)
        if constant:
            rows = [(s, t, bounds[0], 3) for s, t, _, _ in rows]
        projections.append(nets.connect(pre, post, rows, kind))
    chip_network = quantise(nets.Network(1.0, populations, tuple(projections)), load_chip(chip))
    layout, _ = lay_out(chip_network, threads)

    found = sorted(synapses_in(build_rows(chip_network, layout), layout))
    wanted = sorted(expected(chip_network, layout))
    assert [synapse[:4] for synapse in found] == [synapse[:4] for synapse in wanted]
    weights, asked = (np.array([synapse[4] for synapse in many], float) for many in (found, wanted))
    assert np.allclose(weights, asked, rtol=0.0, atol=2.0**-48 if chip == "ideal" else 0.0)


def test_projections_that_are_delivered_otherwise_are_left_out(nets):
    populations = (nets.cells(5), nets.poisson(5, 10.0))
    projections = tuple(nets.connect(pre, 0, [(0, 1, 0.5, 2), (1, 3, 0.7, 1)]) for pre in (0, 1))
    chip_network = quantise(nets.Network(1.0, populations, projections), load_chip("ideal"))
    layout, _ = lay_out(chip_network, 1)
    found = synapses_in(build_rows(chip_network, layout, without=[1]), layout)
    assert {synapse[0] for synapse in found} == {0, 1}
