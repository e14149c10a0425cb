"""The parts of the loop are compiled once for a number format, and each only where there is need of it."""

from __future__ import annotations

from dataclasses import replace

from builders import array_source, cells, connect, plasticity, run
from evsim.engine import parts
from evsim.engine.advance import advance
from evsim.network import Network, Projection


def static() -> Network:
    rows = [(0, 0, 1.5, 1), (1, 0, 1.0, 3), (1, 1, 0.5, 2)]
    return Network(0.5, (array_source([[1.0, 9.0], [4.0]]), cells(2)), (connect(0, 1, rows),))


def plastic() -> Network:
    network = static()
    (projection,) = network.projections
    learning = Projection("learns", 0, 1, "excitatory", "STDPMechanism", projection.synapses, plasticity())
    return replace(network, projections=(projection, learning))


def compiled() -> tuple[int, int]:
    """How often the loop itself was compiled, and how many parts there are."""
    return len(advance.signatures), parts._compiled.cache_info().currsize


def test_another_kind_of_synapses_compiles_its_own_part_alone():
    run(static(), 30)
    loops, before = compiled()
    run(plastic(), 30)
    assert compiled()[0] == loops
    assert compiled()[1] <= before + 1
    _, before = compiled()
    run(static(), 30)
    run(plastic(), 30)
    assert compiled() == (loops, before)


def test_more_neurons_threads_and_recordings_compile_nothing():
    run(static(), 30)
    before = compiled()
    many = Network(0.5, (array_source([[1.0]]), cells(1500), cells(3, "more", model="IF_curr_alpha")), ())
    run(many, 30, pieces=[7, 23])
    assert compiled() == before
