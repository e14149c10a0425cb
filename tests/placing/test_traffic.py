"""What travels between cores, counted cell by cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.connected import Connected
from evsim.network import Network
from evsim.placing import loihi, spinnaker
from evsim.placing.spinnaker_cores import DELAY, NEURONS, SOURCE, SYNAPSES, cores_of
from evsim.placing.traffic import spikes_of, spinnaker_flows

LOIHI, SPINNAKER = load_chip("loihi1"), load_chip("spinnaker1")


def random_network(nets, seed: int, timestep: float = 1.0) -> Network:
    rng = np.random.default_rng(seed)
    populations = (nets.poisson(700, 10.0), nets.cells(600, "a"), nets.cells(300, "b"))
    ends = ((0, 1), (1, 2), (2, 1), (1, 1))
    projections = [
        nets.connect(
            pre, post, nets.random_rows(rng, populations[pre].size, populations[post].size, 12, (0.1, 1.0), 90)
        )
        for pre, post in ends
    ]
    return Network(timestep, populations, tuple(projections), seed=seed)


@pytest.mark.parametrize("seed", range(4))
def test_packets_go_where_there_are_synapses(nets, seed):
    network = random_network(nets, seed)
    rng = np.random.default_rng(seed)
    spikes = [rng.integers(0, 9, part.size) for part in network.populations]
    cores = cores_of(network, SPINNAKER)
    assert not cores.problems
    found = {(flow.source, int(target)) for flow in spinnaker_flows(network, cores, spikes) for target in flow.targets}

    def number(population: int, kinds: tuple[str, ...], cell: int) -> int:
        (mine,) = [
            k
            for k, core in enumerate(cores.cores)
            if core.population == population and core.kind in kinds and core.first <= cell <= core.last
        ]
        return mine

    wanted = set()
    late = {k: set() for k in range(3)}
    for part in network.projections:
        for source, target, delay in zip(part.source, part.target, part.delay, strict=True):
            own = number(part.pre, (NEURONS, SOURCE), source)
            to = number(part.post, (NEURONS,), target)
            ring = cores.rings[part.post]
            wanted.add((own, to))
            if part.delay.max() > ring:
                wanted |= {(own, number(part.pre, (DELAY,), source)), (number(part.pre, (DELAY,), source), to)}
            if delay > ring:
                late[part.pre].add((int(source), (int(delay) - 1) // ring))
    assert found == wanted
    for flow in spinnaker_flows(network, cores, spikes):
        core = cores.cores[flow.source]
        mine = range(core.first, core.last + 1)
        if core.kind == DELAY:
            assert flow.sent == sum(spikes[core.population][cell] for cell, _ in late[core.population] if cell in mine)
        else:
            assert flow.sent == spikes[core.population][core.first : core.last + 1].sum()


def test_drawn_synapses_are_routed_from_every_core_to_every_core(nets):
    made = nets.connect(0, 0, [(0, 300, 1.0, 1)])
    drawn = replace(made, connected=Connected("FixedProbabilityConnector", 1e-5))
    for projection, targets in ((made, [[1]]), (drawn, [[0, 1, 2]] * 3)):
        network = Network(1.0, (nets.cells(600),), (projection,))
        flows = spinnaker_flows(network, cores_of(network, SPINNAKER), spikes_of(network, None))
        assert [flow.targets.tolist() for flow in flows] == targets


def test_sources_beside_their_targets_send_over_memory(nets):
    rows = [(k, k, 0.5, 1) for k in range(40)]
    one_to_one = replace(nets.connect(0, 1, rows), connected=Connected("OneToOneConnector"))
    back = nets.connect(1, 1, [(0, 1, 1.0, 5)])
    network = Network(0.1, (nets.poisson(40, 100.0), nets.cells(40)), (one_to_one, back))
    cores = cores_of(network, SPINNAKER)
    assert [core.kind for core in cores.cores] == [NEURONS, SYNAPSES, SOURCE]
    (flow,) = spinnaker_flows(network, cores, spikes_of(network, None))
    assert (flow.source, flow.targets.tolist()) == (0, [1])


def test_messages_of_loihi_are_those_that_energy_counts(nets):
    """The account of energy counts the same in another way."""
    from evsim.energy.activity import Activity, PopulationActivity
    from evsim.energy.placement import place

    rng = np.random.default_rng(2)
    populations = (nets.array_source([[1.0]] * 30), nets.cells(32 * 1024, "many"), nets.cells(900, "few"))
    projections = [
        nets.connect(pre, post, nets.random_rows(rng, populations[pre].size, populations[post].size, 700, (1, 2), 3))
        for pre, post in ((0, 1), (1, 1), (1, 2), (2, 1))
    ]
    network = Network(1.0, populations, tuple(projections))
    spikes = [rng.integers(0, 4, part.size) for part in populations]
    parts = [PopulationActivity(p.label, p.size, cell_spikes=each) for p, each in zip(populations, spikes, strict=True)]
    account = place(network, Activity(tuple(parts), (), 10.0, 1.0), LOIHI)
    assert account.hops_east_west and account.hops_north_south
    found = loihi.place(network, LOIHI, spikes)
    assert found.simple == (account.hops_east_west.low + account.hops_north_south.low, 0)
    assert sum(core.needs["core_compartments"] for core in found.cores) == 32 * 1024 + 900
    assert sum(core.synapses for core in found.cores) == network.n_synapses


def test_what_fills_a_core_of_loihi_is_that_of_the_plan(nets):
    rng = np.random.default_rng(4)
    populations = (nets.cells(1500, "a"), nets.cells(2500, "b"))
    projections = [
        nets.connect(pre, post, nets.random_rows(rng, populations[pre].size, populations[post].size, 9000, (1, 2), 5))
        for pre, post in ((0, 1), (1, 0))
    ]
    network = Network(1.0, populations, tuple(projections))
    found = loihi.place(network, LOIHI, spikes_of(network, None))
    for use in found.plan.populations:
        mine = [core for core in found.cores if network.populations[core.population].label == use.population]
        assert len(mine) == use.cores
        assert {name: max(core.needs[name] for core in mine) for name in use.fullest} == use.fullest


def test_synapses_are_all_on_some_core(nets):
    for timestep in (1.0, 0.5):
        network = random_network(nets, 9, timestep)
        found = spinnaker.place(network, SPINNAKER, spikes_of(network, None), 10)
        assert found.synapses().sum() == network.n_synapses
