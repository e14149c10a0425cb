"""Networks that are divided among processes, which are threads here and need no MPI: bit for bit as one has them."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from builders import cells, connect, plasticity, poisson, random_rows, record_all
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.division import is_divisible
from evsim.engine.simulation import Simulation
from evsim.network import Network, Probe, Projection
from evsim.processes import Processes
from evsim.pynn.graph import build

TIMEOUT = 300.0  # seconds; the first run of all compiles


class Board:
    """Where so many threads leave what they say to each other."""

    def __init__(self, count: int) -> None:
        self.said: list[Any] = [None] * count
        self.barrier = threading.Barrier(count, timeout=TIMEOUT)


class Together(Processes):
    """One of several threads that are processes to the engine."""

    talks = True

    def __init__(self, rank: int, board: Board) -> None:
        super().__init__(rank, len(board.said))
        self._board = board

    def all(self, own: Any) -> list[Any]:
        self._board.said[self.rank] = own
        self._board.barrier.wait()
        found = list(self._board.said)
        self._board.barrier.wait()
        return found

    def all_rows(self, own: np.ndarray) -> np.ndarray:
        return np.concatenate(self.all(own.copy()))

    def sum(self, numbers: np.ndarray) -> None:
        numbers[:] = np.sum(self.all(numbers.copy()), axis=0, dtype=numbers.dtype)

    def fail(self, error: BaseException) -> None:
        self._board.barrier.abort()


def together(count: int, work: Callable[[Processes], Any]) -> list[Any]:
    """What each of several processes gives back."""
    board = Board(count)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, [Together(rank, board) for rank in range(count)]))


def network(seed: int = 3, plastic: bool = False, label: str = "cells") -> Network:
    """Two populations of several blocks and a source; all delays of 2 to 9 steps."""
    rng = np.random.default_rng(seed)
    sizes = 1100, 520
    populations = (
        cells(sizes[0], label, v=-55.0, i_offset=rng.uniform(0.5, 0.9, sizes[0])),
        cells(sizes[1], "others", v=-60.0, i_offset=0.4),
        poisson(60, 100.0),
    )
    rows = [random_rows(rng, *shape, 4000, (0.0, 0.4), 8) for shape in ((1100, 1100), (1100, 520), (520, 1100))]
    rows = [[(s, t, w, d + 1) for s, t, w, d in part] for part in rows]
    inner = connect(0, 0, rows[0])
    if plastic:
        inner = Projection("learns", 0, 0, "excitatory", "STDPMechanism", inner.synapses, plasticity())
    projections = (
        inner,
        connect(0, 1, rows[1]),
        connect(1, 0, [(s, t, -2.0 * w, d) for s, t, w, d in rows[2]], "inhibitory"),
        connect(2, 0, random_rows(rng, 60, 1100, 3000, (0.8, 0.8), 1)),
    )
    return Network(0.5, populations, projections, probes=record_all(populations, "spikes", "v"))


def result(simulation: Simulation) -> tuple:
    """All that was recorded."""
    found = simulation.recordings()
    spikes = [(s.times.tobytes(), s.neurons.tobytes()) for s in found.spikes]
    return spikes, [s.values.tobytes() for s in found.signals], found.tallies


@pytest.mark.parametrize("chip", ["ideal", "loihi2", "spinnaker1"])
@pytest.mark.parametrize(("count", "threads"), [(2, 1), (3, 2)])
def test_a_divided_network_is_as_a_whole_one(chip: str, count: int, threads: int):
    net = replace(network(), timestep=1.0) if chip != "ideal" else network()
    quantised = quantise(net, load_chip(chip))

    def work(processes: Processes | None) -> tuple:
        simulation = Simulation(quantised, threads, processes=processes) if processes else Simulation(quantised)
        simulation.run(37)
        simulation.run(1)
        first = result(simulation)
        simulation.clear()
        simulation.run(22)
        second = result(simulation)
        simulation.reset()
        simulation.run(15)
        return first, second, result(simulation)

    alone = work(None)
    assert len(alone[0][0][0][0]) > 8 * 500  # spikes
    assert together(count, work) == [alone] * count


def test_a_divided_network_that_is_changed():
    net = network()
    cells_then = replace(net.populations[0], parameters={**net.populations[0].parameters, "tau_m": np.full(1100, 14.0)})
    weaker = replace(net.projections[1], synapses=net.projections[1].synapses.replaced(weight=np.full(4000, 0.1)))
    later = replace(
        net,
        populations=(cells_then, *net.populations[1:]),
        projections=(net.projections[0], weaker, *net.projections[2:]),
    )
    first, then = (quantise(each, load_chip("ideal")) for each in (net, later))

    def work(processes: Processes | None) -> tuple:
        simulation = Simulation(first, processes=processes) if processes else Simulation(first, 2)
        simulation.run(33)
        simulation.update(then)
        simulation.run(40)
        return result(simulation)

    assert together(2, work) == [work(None)] * 2


@pytest.mark.parametrize("chip", ["ideal", "loihi2"])
def test_graded_spikes_of_a_divided_network(chip: str):
    rng = np.random.default_rng(5)
    unit = {"vth": 0.5, "spike_exp": 4, "state_exp": 4}
    populations = (
        cells(700, "first", "SigmaDelta", bias=rng.uniform(0.5, 2.0, 700), **unit),
        cells(600, "second", "SigmaDelta", bias=0.0, **unit),
    )
    rows = [(s, t, round(w * 4) / 4, d) for s, t, w, d in random_rows(rng, 700, 600, 5000, (-1.0, 2.0), 3)]
    probes = tuple(Probe(k, "sigma", np.arange(p.size, dtype=np.int32)) for k, p in enumerate(populations))
    quantised = quantise(Network(1.0, populations, (connect(0, 1, rows),), probes=probes), load_chip(chip))

    def work(processes: Processes | None) -> tuple:
        simulation = Simulation(quantised, processes=processes) if processes else Simulation(quantised)
        simulation.run(12)
        return result(simulation)

    alone = work(None)
    assert len(np.unique(np.frombuffer(alone[1][1]))) > 100
    assert together(2, work) == [alone] * 2


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1"])
def test_learning_in_a_divided_network(chip: str):
    net = network(plastic=True)
    quantised = quantise(net if chip == "ideal" else replace(net, timestep=1.0), load_chip(chip))

    def work(processes: Processes | None) -> tuple:
        simulation = Simulation(quantised, processes=processes) if processes else Simulation(quantised)
        simulation.run(60)
        if not processes or processes.rank:  # the other comes to do its part as it goes on
            weights = simulation.weights(0)
            assert np.unique(weights).size > 100
        if processes:
            processes.meet("go on")
        simulation.run(20)
        return result(simulation), simulation.weights(0).tobytes()

    assert together(2, work) == [work(None)] * 2


def test_each_process_has_the_synapses_onto_its_own_cells_alone():
    quantised = quantise(network(), load_chip("ideal"))

    def held(processes: Processes | None) -> int:
        rows = (Simulation(quantised, processes=processes) if processes else Simulation(quantised))._traffic.rows
        return len(rows.targets) + len(rows.words)

    alone, parts = held(None), together(2, held)
    spare = 64 * 2  # behind the arrays, so that whole vectors may be read
    assert sum(parts) - 2 * spare == alone - spare and max(parts) < 0.75 * alone


def test_an_error_in_one_process_is_no_hang():
    quantised = quantise(network(), load_chip("ideal"))

    def work(processes: Processes) -> str:
        simulation = Simulation(quantised, processes=processes)
        if processes.rank:
            simulation._recorder.take_spikes = _fail  # type: ignore[method-assign]
        try:
            simulation.run(500)
        except (RuntimeError, threading.BrokenBarrierError) as error:
            return type(error).__name__
        return "nothing"

    assert sorted(together(2, work)) == ["BrokenBarrierError", "RuntimeError"]


def _fail(*_: Any) -> None:
    raise RuntimeError("no room")


def test_what_is_not_divided():
    small = Network(0.1, (cells(100), cells(100, "others")))
    quantised = quantise(small, load_chip("ideal"))
    assert is_divisible(quantised, 2) and not is_divisible(quantised, 3) and not is_divisible(quantised, 1)


@pytest.mark.parametrize("rule", ["SpikePairRule", "RecurrentRule"])
def test_synapses_that_learn_by_other_lanes_than_pairs_are_not_divided(rule: str):
    sim: Any = importlib.import_module("pyNN.evsim")
    sim.setup(timestep=1.0)
    cells = sim.Population(1000, sim.IF_curr_exp())
    timing = sim.SpikePairRule() if rule == "SpikePairRule" else sim.extra_models.RecurrentRule()
    plastic = sim.STDPMechanism(timing, sim.MultiplicativeWeightDependence(0.0, 1.0), weight=0.5, delay=1.0)
    sim.Projection(cells, cells, sim.OneToOneConnector(), plastic)
    quantised = quantise(build(sim.simulator.state), load_chip("ideal"))
    assert is_divisible(quantised, 2) == (rule == "SpikePairRule")
