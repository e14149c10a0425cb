"""Rows hold every synapse once, grouped by source and delay."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.memory import lay_out
from evsim.engine.rows import build_rows, stable_order


@given(st.lists(st.integers(0, 9), max_size=60))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_stable_order_is_a_stable_sort(keys):
    keys = np.array(keys, np.int32)
    order = stable_order(keys, 10, np.arange(len(keys), dtype=np.int32))
    assert np.array_equal(order, np.argsort(keys, kind="stable"))


@given(st.integers(0, 2**32 - 1))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_every_synapse_is_in_the_row_of_its_source_and_delay(nets, seed):
    rng = np.random.default_rng(seed)
    populations = (nets.cells(7, "a"), nets.poisson(4, 10.0), nets.cells(3, "b"))
    projections = tuple(
        nets.connect(
            pre, post, nets.random_rows(rng, populations[pre].size, populations[post].size, 30, (-1, 1), 9), kind
        )
        for pre, post, kind in [(0, 0, "inhibitory"), (1, 0, "excitatory"), (0, 2, "excitatory"), (2, 0, "excitatory")]
    )
    network = nets.Network(1.0, populations, projections)
    chip_network = quantise(network, load_chip("ideal"))
    layout, _ = lay_out(chip_network)
    rows = build_rows(chip_network, layout.first_neuron, layout.first_input)

    found = []
    for neuron in range(14):
        for row in range(rows.first[neuron], rows.first[neuron + 1]):
            for k in range(rows.begin[row], rows.end[row]):
                found.append((neuron, rows.delay[row], rows.input[row] + rows.target[k], rows.weight[k]))
    expected = []
    for projection, on_chip in zip(projections, chip_network.projections, strict=True):
        size = populations[projection.post].size
        into = layout.first_input[projection.post] + on_chip.row * size + projection.target
        source = layout.first_neuron[projection.pre] + projection.source
        expected += list(zip(source, projection.delay, into, projection.weight, strict=True))
    assert sorted(found) == sorted(expected)
