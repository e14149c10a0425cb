"""The rule set ``loihi2`` against Lava's fixed-point models, in every spike, u and v of random networks.

First networks as evsim brings them to Lava, then registers in Lava's own processes. Where Lava and the other emulators
differ by rule is in ``docs/loihi.md``, whose examples ``test_loihi_differences.py`` executes.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import loihi_emulators as emulators
from evsim.network import Current, Network, Probe
from lava_against_reference import STEPS, agree

emulators.need("lava.proc")

networks = given(
    seed=st.integers(0, 2**31),
    dt=st.sampled_from([1.0, 0.1]),
    differing=st.booleans(),
    refractory=st.sampled_from([0, 0, 1, 4]),
    strength=st.sampled_from([0.3, 1.0, 20.0]),
    delays=st.sampled_from([1, 8, 63]),
    injected=st.booleans(),
)


def random_network(nets, seed, dt, differing, refractory, strength, delays, injected) -> Network:
    """Two recurrent populations and two sources, with projections of one sign, of both, and very weak ones."""
    rng = np.random.default_rng(seed)

    def spread(low, high, size):
        return rng.uniform(low, high, size) if differing else rng.uniform(low, high)

    n, m = (int(size) for size in rng.integers(1, 15, 2))
    cell = {
        "tau_m": spread(5, 40, n),
        "cm": spread(0.3, 2, n),
        "v_thresh": spread(-55, -45, n),
        "v_reset": spread(-72, -60, n),
        "i_offset": rng.uniform(-0.5, 1.5, n),
        "tau_refrac": rng.integers(0, refractory + 1, n) * dt if differing else refractory * dt,
        "v": rng.uniform(-70, -50),
    }
    times = np.arange(STEPS) * dt
    populations = (
        nets.array_source([rng.choice(times, 20) for _ in range(8)]),  # some twice in a step, some at 0
        nets.poisson(5, 100.0 / dt),
        nets.cells(n, "exp", **cell),
        nets.cells(m, "delta", "IF_curr_delta", i_offset=0.5, tau_refrac=refractory * dt),
    )
    weak = strength / 1000

    def some(pre, post, bounds, label):
        sizes = [population.size for population in populations]
        rows = nets.random_rows(rng, sizes[pre], sizes[post], int(rng.integers(1, 60)), bounds, delays)
        return nets.connect(pre, post, rows, label=label)

    projections = (
        some(0, 2, (strength / 10, strength), "input"),
        some(1, 2, (-strength, strength), "noise"),
        some(2, 2, (-strength, -strength / 5), "inhibition"),
        some(0, 2, (-weak, weak), "weak"),
        some(2, 2, (weak / 10, weak), "weaker"),
        some(2, 3, (strength, 5 * strength), "forward"),
        some(3, 2, (-strength, strength / 2), "back"),
        some(1, 3, (strength, 5 * strength), "noise to delta"),
    )
    half = np.arange(0, n, 2, dtype=np.int32)
    pulse = Current("pulse", 2, half, np.array([10.0, 40.0, 60.0]) * dt, np.array([1.0, -0.5, 0.0]))
    probes = (
        *nets.record_all(populations, "spikes", "v"),
        Probe(2, "isyn_exc", np.arange(n, dtype=np.int32)),
        Probe(2, "v", half, 3),
    )
    return Network(dt, populations, projections, (pulse,) if injected else (), probes, seed)


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@networks
def test_every_bit_is_that_of_lava(nets, **drawn):
    recordings = agree("loihi2", random_network(nets, **drawn), stock=True)
    assert sum(len(spikes.times) for spikes in recordings.spikes[2:]) > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate])
@networks
def test_every_bit_is_that_of_lava_in_many_networks(nets, **drawn):
    agree("loihi2", random_network(nets, **drawn), stock=drawn["seed"] % 2 == 0)


def test_synapses_as_events_are_those_of_lava(nets):
    """evsim's own synapse process, on a network with every kind of projection, in several runs."""
    net = random_network(nets, 7, 1.0, False, 0, 1.0, 20, True)
    agree("loihi2", net, stock=False, pieces=(1, 0, 30, STEPS - 31))


def test_wraps_and_clips_are_those_of_lava(nets):
    """Many spikes at once overflow u, and inhibition drives v to the end of its register."""
    trains = [np.arange(0.0, STEPS, 7.0)] * 30
    populations = (nets.array_source(trains), nets.cells(4, tau_refrac=0.0))
    excitation = [(i, j, 30.0, 1 + i % 3) for i in range(30) for j in (0, 1)]
    inhibition = [(i, j, -20.0, 4) for i in range(30) for j in (1, 2)]
    projections = (nets.connect(0, 1, excitation), nets.connect(0, 1, inhibition, "inhibitory"))
    net = Network(1.0, populations, projections, (), nets.record_all(populations, "spikes", "v"))
    tallies = agree("loihi2", net, stock=True).tallies["cells"]
    assert tallies["wrapped"] > 0 and tallies["clipped"] > 0


def agree_with_stock(jobs: list[tuple[emulators.Registers, str]]) -> None:
    """Assert that Lava's own processes and ``loihi2`` do the same on registers."""
    for (registers, connection), theirs in zip(jobs, emulators.lava(jobs), strict=True):
        assert emulators.differing(emulators.evsim(registers, "loihi2"), theirs) == {}, connection


def drawn_jobs(rng: np.random.Generator, count: int) -> list[tuple[emulators.Registers, str]]:
    """Random registers of every range that Lava takes, for each kind of connection in turn."""
    jobs = []
    for k in range(count):
        connection = emulators.CONNECTIONS[k % len(emulators.CONNECTIONS)]
        delays = int(rng.choice([2, 8, 63])) if connection.startswith("Delay") else 0
        size, seed = int(rng.integers(2, 40)), int(rng.integers(2**31))
        jobs.append((emulators.drawn(seed, size, 12, 100, delays=delays, together=1 << 18), connection))
    return jobs


def test_every_bit_of_random_registers_is_that_of_lavas_own_processes():
    agree_with_stock(drawn_jobs(np.random.default_rng(1), 8))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("connection", "size", "steps", "delays"),
    [
        ("Dense", 2000, 2000, 0),
        ("Sparse", 2000, 2000, 0),
        ("DelayDense", 1000, 1000, 1),
        ("DelaySparse", 1000, 1000, 3),
    ],
)
def test_every_bit_of_a_large_network_is_that_of_lavas_own_processes(connection, size, steps, delays):
    agree_with_stock([(emulators.drawn(5, size, 200, steps, delays=delays, exponents=(-3, 3)), connection)])
