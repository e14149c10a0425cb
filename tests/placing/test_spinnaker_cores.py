"""Cores and memory of SpiNNaker: numbers that sPyNNaker 7.4.1 gave, and what does not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.connected import Connected
from evsim.errors import CheckError
from evsim.network import Network, Plasticity
from evsim.placing import spinnaker
from evsim.placing import spinnaker_memory as memory
from evsim.placing.spinnaker_cores import DELAY, NEURONS, SOURCE, SYNAPSES, cores_of, slices
from evsim.placing.spinnaker_memory import Input, Memory
from evsim.placing.spinnaker_rows import Rows, rows_of
from evsim.placing.traffic import spikes_of

SPINNAKER = load_chip("spinnaker1")
CELL = memory.CELLS["IF_curr_exp"]
PAIR = Plasticity("SpikePairRule", "AdditiveWeightDependence", {"tau_plus": 20.0, "tau_minus": 20.0})


def test_regions_have_the_sizes_that_spynnaker_plans():
    """256 and 150 IF_curr_exp of a network mapped in virtual mode; its regions as it lists them."""
    assert memory.common(22, 6) == 412 + 124 + 112 + 4
    assert memory.neurons(CELL, 256, []) == 1052 + 2 * 15364 + 4 + 2100 + 100676
    assert memory.neurons(CELL, 150, []) == 628 + 2 * 9004 + 4 + 1252 + 59124
    assert memory.synapse_parameters(2) == 36
    noise = Input(0, 300, 300, 0, memory.row_bytes(55, None), 0)
    assert memory.tables([noise], 2) == 8 + 20 + 4 + 76 + 16 + 4 + 4 * (2 + 8 + 10)
    assert memory.matrices([noise]) == 16 + 300 * 4 * (55 + 3)
    assert memory.poisson_source(300, 20.0, 1.0, True) == Memory(23188, 88)
    assert memory.delay_extension() == Memory(520)
    assert memory.array_source(np.repeat([5, 20, 35], 50), False) == Memory(718, 206)


def test_matrices_begin_at_multiples_of_16_bytes():
    one, other = Input(0, 3, 3, 0, 20, 0), Input(1, 5, 2, 2, 0, 28)
    address = 16 + 3 * 20
    for _ in range(3):
        address = -(-address // 16) * 16 + 2 * 28 * 2
    assert memory.matrices([one, other]) == address


@pytest.mark.parametrize(("synapses", "plasticity", "words"), [(0, PAIR, 0), (7, None, 7), (7, PAIR, 4 + 2 + 4)])
def test_rows_have_a_word_for_a_synapse_or_its_parts(synapses, plasticity, words):
    assert memory.row_words(synapses, plasticity) == words


def test_recording_takes_what_the_fullest_core_needs(nets):
    every = nets.record_all([nets.cells(600)], "spikes", "v")
    assert memory.recorded(every, 256) == Memory(16, 4 + 32 + 4 + 1024)
    some = replace(every[1], cells=np.arange(250, 300), interval=10)  # 44 of them on the second core
    assert memory.recorded([some], 256) == Memory(8 + 162, 18)


def test_the_longest_row_is_that_of_one_cell_onto_one_core(nets):
    rows = [(0, k, 1.0, 1 + k) for k in range(300)] + [(1, 5, 1.0, 1)]
    network = Network(1.0, (nets.cells(2, "a"), nets.cells(300, "b")), (nets.connect(0, 1, rows),))
    (projection,) = network.projections
    assert rows_of(network, projection, 256, 512, 0, drawn=False) == Rows(256, 0)
    assert rows_of(network, projection, 256, 32, 3, drawn=False) == Rows(32, 224)
    law = replace(projection, connected=Connected("AllToAllConnector"))
    assert rows_of(network, law, 256, 512, 0, drawn=True) == Rows(256, 0)


def test_bounds_of_drawn_synapses_hold_nearly_always(nets):
    """sPyNNaker's bound is above the longest of 200 rows, and not far above."""
    rng = np.random.default_rng(3)
    pre, post = nets.cells(200, "a"), nets.cells(1000, "b")
    table = [(a, b, 1.0, 1) for a in range(200) for b in np.flatnonzero(rng.random(1000) < 0.1)]
    made = replace(nets.connect(0, 1, table), connected=Connected("FixedProbabilityConnector", 0.1))
    network = Network(1.0, (pre, post), (made,))
    longest, bound = (rows_of(network, made, 256, 16, 0, drawn=drawn).near for drawn in (False, True))
    assert longest <= bound <= 1.5 * longest


def test_slices_are_full_but_for_the_last():
    assert slices(600, 256) == [(0, 255), (256, 511), (512, 599)]
    assert slices(0, 256) == []


def test_a_short_time_step_gives_synapses_cores_of_their_own(nets):
    rng = np.random.default_rng(0)
    cells = nets.cells(300)
    connection = nets.connect(0, 0, nets.random_rows(rng, 300, 300, 5000, (0.1, 1.0), 5))
    kinds = [
        [core.kind for core in cores_of(Network(dt, (cells,), (connection,)), SPINNAKER).cores] for dt in (1.0, 0.1)
    ]
    assert kinds == [[NEURONS] * 2, [NEURONS, SYNAPSES] * 2]
    assert [core.kind for core in cores_of(Network(0.1, (cells,)), SPINNAKER).cores] == [NEURONS] * 2


def test_delay_extensions_lie_beside_every_core_of_a_source(nets):
    network = Network(1.0, (nets.poisson(700, 5.0), nets.cells(300)), (nets.connect(0, 1, [(0, 0, 1.0, 200)]),))
    plan = cores_of(network, SPINNAKER)
    assert [core.kind for core in plan.cores] == [SOURCE] * 2 + [NEURONS] * 2 + [DELAY] * 2
    assert not plan.problems


def problems(network: Network, steps: int = 10) -> str:
    with pytest.raises(CheckError) as raised:
        spinnaker.place(network, SPINNAKER, spikes_of(network, None), steps)
    return str(raised.value)


def test_what_does_not_fit_is_named(nets):
    source, cells = nets.array_source([[1.0]]), nets.cells(300, "cells")
    late = Network(1.0, (source, cells), (nets.connect(0, 1, [(0, 0, 1.0, 500)]),))
    assert "'input' to 'cells': a delay of 500 steps; ring buffers and a delay extension reach 288" in problems(late)
    thick = nets.connect(0, 1, [(0, k % 20, 1.0, 1) for k in range(300)], label="thick")
    assert "projection 'thick': a row of 300 synapses, which take 300 words; a row has 256" in problems(
        Network(1.0, (source, cells), (thick,))
    )
    other = nets.cells(5, "other", model="LIFReset")
    assert "population 'other': the cell LIFReset; sPyNNaker has IF_curr_exp" in problems(Network(1.0, (other,)))


def test_rings_of_different_lengths_share_no_extension(nets):
    populations = (nets.array_source([[1.0]]), nets.cells(65, "a"), nets.cells(300, "b"))
    projections = nets.connect(0, 1, [(0, 0, 1.0, 100)]), nets.connect(0, 2, [(0, 0, 1.0, 50)])
    assert "'input': targets with ring buffers of 32 and 64 steps" in problems(Network(1.0, populations, projections))


def test_recordings_that_no_chip_holds_are_refused(nets):
    cells = nets.cells(256, "cells")
    network = Network(1.0, (cells,), probes=nets.record_all([cells], "v"))
    assert "bytes of SDRAM that 1 of its cores need on one chip for 200,000 time steps" in problems(network, 200_000)


def test_cores_with_much_memory_spread_over_chips(nets):
    cells = nets.cells(16 * 256, "cells")
    network = Network(1.0, (cells,), probes=nets.record_all([cells], "v"))
    found = spinnaker.place(network, SPINNAKER, spikes_of(network, None), 50_000)
    assert {found.places.count(place) for place in found.places} == {2}
