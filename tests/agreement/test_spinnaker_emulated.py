"""The reference against the firmware of sPyNNaker 7.4.1 as the emulated machine executes it: zero LSB, random networks.

Many small networks make one network of populations that do not meet, so that sPyNNaker is started once for all of them;
the reference runs each by itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evsim import registry
from evsim.network import Network, Population, Projection
from evsim.recording import Recordings
from evsim_spinnaker.cells import CELLS

MODELS = tuple(sorted(CELLS))
PER_BATCH = 50
# seed, time step (ms), time steps
BATCHES = ((1, 1.0, 60), (2, 0.1, 80), (3, 1.0, 60), (4, 0.5, 60))
WEIGHTS = {"tiny": (0.001, 0.02), "usual": (0.1, 3.0), "strong": (2.0, 40.0), "equal": (1.25, 1.25)}
CONDUCTANCE = 0.02  # of a current's weight (nA), in uS


@pytest.fixture(params=BATCHES, ids=lambda batch: f"{batch[1]:g}ms-{batch[0]}")
def batch(request, nets):
    """Networks, how long they run, and what the emulated machine recorded of all of them."""
    seed, timestep, steps = request.param
    networks = [random_network(nets, np.random.default_rng([seed, k]), timestep, steps) for k in range(PER_BATCH)]
    return networks, steps, emulated(side_by_side(networks), steps)


def random_network(nets, rng: np.random.Generator, timestep: float, steps: int) -> Network:
    """A source and a population, connected by up to four projections, with everything recorded."""
    model = str(rng.choice(MODELS))
    n_sources, size = int(rng.integers(1, 12)), int(rng.integers(1, 14))
    source = nets.array_source([random_train(rng, timestep, steps) for _ in range(n_sources)])
    populations = (source, random_cells(nets, rng, model, size))
    projections = tuple(random_projection(nets, rng, model, n_sources, size, k) for k in range(int(rng.integers(1, 5))))
    probes = nets.record_all(populations, "spikes", *CELLS[model].recorded)
    return Network(timestep, populations, projections, (), probes)


def random_train(rng: np.random.Generator, timestep: float, steps: int) -> np.ndarray:
    return np.flatnonzero(rng.random(steps) < rng.uniform(0.02, 0.3)) * timestep


def random_cells(nets, rng: np.random.Generator, model: str, size: int) -> Population:
    def spread(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, size if rng.random() < 0.7 else 1)

    parameters = {
        "v_rest": spread(-70, -60),
        "cm": spread(0.2, 1.5),
        "tau_m": spread(5, 30),
        "tau_refrac": spread(0.1, 4),
        "tau_syn_E": spread(1.5, 10),
        "tau_syn_I": spread(1.5, 10),
        "i_offset": spread(-0.5, 1.5),
        "v_reset": spread(-75, -65),
        "v_thresh": spread(-55, -45),
        "e_rev_E": spread(-10, 10),
        "e_rev_I": spread(-90, -70),
        "a": spread(0.01, 0.1),
        "b": spread(0.15, 0.26),
        "c": spread(-70, -50),
        "d": spread(0.5, 8),
    }
    return nets.cells(size, "cells", model, v=float(rng.uniform(-70, -55)), **parameters)


def random_projection(nets, rng: np.random.Generator, model: str, n_sources: int, size: int, k: int) -> Projection:
    receptor = str(rng.choice(["excitatory", "inhibitory"]))
    conductances = model == "IF_cond_exp"
    sign = -1.0 if receptor == "inhibitory" and not conductances else 1.0
    low, high = (sign * (CONDUCTANCE if conductances else 1.0) * w for w in WEIGHTS[str(rng.choice(list(WEIGHTS)))])
    longest = int(rng.choice([1, 8, 16, 50]))
    rows = nets.random_rows(rng, n_sources, size, int(rng.integers(1, 40)), sorted((low, high)), longest)
    return nets.connect(0, 1, rows, receptor, f"projection {k}")


def side_by_side(networks: list[Network]) -> Network:
    """One network of several that have the same time step."""
    populations, projections, probes = [], [], []
    for network in networks:
        offset = len(populations)
        populations += network.populations
        projections += [replace(p, pre=p.pre + offset, post=p.post + offset) for p in network.projections]
        probes += [replace(probe, population=probe.population + offset) for probe in network.probes]
    return Network(networks[0].timestep, tuple(populations), tuple(projections), (), tuple(probes))


def emulated(network: Network, *pieces: int) -> Recordings:
    backend = registry.backend("spinnaker")
    session = backend.start(network, backend.target("emulated"))
    try:
        for steps in pieces:
            session.run(steps)
        return session.recordings()
    finally:
        session.close()


def assert_equal(found: Recordings, wanted: Recordings, offset: int, steps: int, timestep: float) -> int:
    """Every sample and every spike of the populations from an offset on; returns the number of spikes of neurons."""
    signals = {(s.population, s.variable): s.raw for s in found.signals}
    for signal in wanted.signals:
        firmware = signals[signal.population + offset, signal.variable]
        assert firmware is not None and signal.raw is not None and len(firmware) == steps
        np.testing.assert_array_equal(signal.raw[:steps], firmware, err_msg=f"{signal.variable}, network at {offset}")
    spikes = {s.population: spike_rows(s, timestep) for s in found.spikes}
    for wanted_spikes in wanted.spikes:
        rows = spike_rows(wanted_spikes, timestep)
        np.testing.assert_array_equal(rows, spikes[wanted_spikes.population + offset], err_msg=f"network at {offset}")
    return sum(len(s.times) for s in wanted.spikes if s.population == 1)


def spike_rows(spikes, timestep: float) -> np.ndarray:
    rows = np.column_stack([np.rint(spikes.times / timestep).astype(int), spikes.neurons])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


@pytest.mark.slow
def test_random_networks_agree_in_every_spike_and_sample(batch, nets):
    networks, steps, found = batch
    spikes = 0
    for k, network in enumerate(networks):
        wanted = nets.run(network, steps, "spinnaker1")
        spikes += assert_equal(found, wanted, 2 * k, steps, network.timestep)
    assert spikes > PER_BATCH  # or there was little to compare


@pytest.mark.slow
def test_long_delays_to_full_cores_agree(nets):
    """Up to the longest delays of the chip, from one source to cores with more and with fewer slots, in two runs."""
    rng = np.random.default_rng(5)
    source = nets.array_source([random_train(rng, 1.0, 60) for _ in range(10)])
    populations = (source, nets.cells(200, "short"), nets.cells(200, "long", tau_syn_E=3.0))
    projections = tuple(
        nets.connect(0, post, nets.random_rows(rng, 10, 200, 1500, (0.5, 4.0), longest))
        for post, longest in ((1, 40), (2, 144))
    )
    network = Network(1.0, populations, projections, (), nets.record_all(populations, "spikes", "v", "isyn_exc"))
    wanted = nets.run(network, 220, "spinnaker1")
    assert assert_equal(emulated(network, 70, 150), wanted, 0, 220, 1.0) > 200
