"""Cores and hops: against a count by hand, and against sPyNNaker's own mapping."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import cable_cells
from evsim.chip import load_chip, load_hardware
from evsim.energy.activity import Activity, PopulationActivity
from evsim.energy.parts import Placement, Range, exactly
from evsim.energy.placement import place, spinnaker_cores
from evsim.errors import CheckError
from evsim.network import Network, Population

LOIHI, SPINNAKER = load_chip("loihi1"), load_chip("spinnaker1")


def spiking(network: Network, spikes: dict[int, np.ndarray]) -> Activity:
    """An activity of given spikes of each cell; other populations are silent."""
    parts = []
    for index, population in enumerate(network.populations):
        counts = np.asarray(spikes.get(index, np.zeros(population.size)), np.int64)
        sends = any(part.pre == index and len(part) for part in network.projections)
        parts.append(
            PopulationActivity(
                population.label, population.size, spikes=int(counts.sum()), sends=sends, cell_spikes=counts
            )
        )
    return Activity(tuple(parts), (), 100.0, 1.0)


def test_messages_and_hops_are_those_of_every_spike(nets):
    """Random wiring over 33 cores, more than a row of tiles, counted cell by cell."""
    rng = np.random.default_rng(3)
    source, many, few = nets.array_source([[1.0]] * 20), nets.cells(32 * 1024, "many"), nets.cells(700, "few")
    rows = [
        nets.connect(1, 1, [(int(rng.integers(many.size)), int(rng.integers(many.size)), 1.0, 1) for _ in range(900)]),
        nets.connect(1, 2, [(int(rng.integers(many.size)), int(rng.integers(700)), 1.0, 1) for _ in range(300)]),
        nets.connect(2, 1, [(int(rng.integers(700)), int(rng.integers(many.size)), 1.0, 1) for _ in range(300)]),
        nets.connect(0, 1, [(k % 20, int(rng.integers(many.size)), 1.0, 1) for k in range(60)]),
    ]
    network = Network(1.0, (source, many, few), tuple(rows))
    spikes = {k: rng.integers(0, 4, part.size) for k, part in enumerate(network.populations)}
    found = place(network, spiking(network, spikes), LOIHI)
    assert (found.cores, found.chips) == (33, 1)

    reached: dict[tuple[int, int], set[int]] = {}
    for part in network.projections:
        for cell, target in zip(part.source, part.target, strict=True):
            core = target // 1024 if part.post == 1 else 32
            reached.setdefault((part.pre, int(cell)), set()).add(int(core))
    counted = Counter()
    for (pre, cell), cores in reached.items():
        own = {0: None, 1: cell // 1024, 2: 32}[pre]
        for core in cores:
            counted["messages"] += spikes[pre][cell]
            if own is not None:  # what comes from outside the mesh has no hops
                counted["x"] += spikes[pre][cell] * abs(core // 4 % 8 - own // 4 % 8)
                counted["y"] += spikes[pre][cell] * abs(core // 32 - own // 32)
    assert found.packets == exactly(counted["messages"])
    assert found.hops_east_west == exactly(counted["x"]) and counted["x"] > 0
    assert found.hops_north_south == exactly(counted["y"]) and counted["y"] > 0


def test_messages_from_chip_to_chip_are_told(nets):
    cells = nets.cells(129 * 1024)
    rows = [(0, 128 * 1024, 1.0, 1), (0, 5, 1.0, 1)]
    network = Network(1.0, (cells,), (nets.connect(0, 0, rows),))
    found = place(network, spiking(network, {0: np.arange(cells.size) == 0}), LOIHI)
    assert (found.cores, found.chips, found.packets) == (129, 2, exactly(2))
    assert found.hops_east_west == found.hops_north_south == exactly(0)
    assert "the way of 1 messages from chip to chip, which no source prices" in found.left_out


def test_what_has_no_place_on_loihi_is_refused(nets):
    sources, cells = nets.array_source([[1.0]] * 5000), nets.cells(1)
    network = Network(1.0, (sources, cells), (nets.connect(0, 1, [(k, 0, 1.0, 1) for k in range(5000)]),))
    with pytest.raises(CheckError, match="no place on the cores of loihi1"):
        place(network, spiking(network, {}), LOIHI)


def test_packets_pass_one_router_at_least_and_each_once_at_most(nets):
    cells, quiet = nets.cells(40 * 256), nets.cells(300, "quiet")
    network = Network(1.0, (cells, quiet), (nets.connect(0, 1, [(0, 0, 1.0, 1)]),))
    found = place(network, spiking(network, {0: np.full(cells.size, 2), 1: np.full(300, 7)}), SPINNAKER)
    assert (found.cores, found.chips) == (42, 3)  # quiet neurons have no synapses and so send nothing
    assert found.packets == Range(2 * cells.size, 3 * 2 * cells.size)


def test_nothing_is_placed_where_evsim_runs_nothing(nets):
    network = Network(1.0, (nets.cells(3),))
    assert place(network, spiking(network, {}), load_hardware("spinnaker2"), boards=2) == Placement()


def test_what_no_source_prices_is_said_to_be_left_out(nets):
    cable = cable_cells.registered(cable_cells.cable([cable_cells.cylinder("soma", 20.0, 20.0)]))
    neurons = Population("neurons", cable, 2, {"pas.e_rev": np.full(2, -65.0)}, {"v": np.full(2, -65.0)})
    gap = replace(nets.connect(0, 0, [(0, 1, 0.001, 1)], "gap", "coupling"), synapse="ElectricalSynapse")
    coupled = Network(1.0, (nets.cells(2),), (gap,))
    found = [
        place(network, spiking(network, {}), load_hardware("gpu")).left_out
        for network in (Network(1.0, (neurons,)), coupled)
    ]
    assert [[text.split(":")[0].split(",")[0] for text in texts] for texts in found] == [
        ["the compartments of 'neurons'"],
        ["the currents through the gap junctions 'coupling'"],
    ]


@pytest.mark.slow
def test_cores_are_those_that_spynnaker_maps(nets, tmp_path, monkeypatch):
    """Sizes that fill cores and that just do not; without Poisson sources, which the adapter hands over as arrays."""
    pytest.importorskip("spynnaker")
    from evsim.registry import backend

    monkeypatch.chdir(tmp_path)
    names = ("a", "b", "c")
    cells = [nets.cells(size, name) for size, name in zip((256, 257, 600), names, strict=True)]
    given = nets.array_source([[1.0]] * 900)
    rows = [[(0, 0, 1.0, 1)], [(0, 1, 1.0, 9)], [(3, 2, 1.0, 20)]]
    ends = [(3, 0), (3, 1), (0, 2)]
    projections = tuple(nets.connect(*end, row) for end, row in zip(ends, rows, strict=True))
    network = Network(1.0, (*cells, given), projections, probes=nets.record_all(cells, "spikes"))
    spinnaker = backend("spinnaker")
    session = spinnaker.start(network, spinnaker.target("virtual"))
    try:
        session.run(20)
        notes = session.recordings().notes
    finally:
        session.close()
    found = dict(re.findall(r"population '(.+?)': (\d+) core", "\n".join(notes)))
    mapped = [int(found[population.label]) for population in network.populations]
    assert spinnaker_cores(network, SPINNAKER) == mapped == [1, 2, 3, 1]
