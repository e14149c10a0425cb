"""The rule set ``loihi2_microcode`` against Lava: every spike, u_e, u_i and v of random networks is that of Lava's own
dynamics, of which evsim's process runs one for each current."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from evsim.network import Current, Network
from lava_against_reference import STEPS, agree

pytest.importorskip("lava.proc")

CHIP = "loihi2_microcode"

networks = given(
    seed=st.integers(0, 2**31),
    dt=st.sampled_from([1.0, 0.1]),
    differing=st.booleans(),
    refractory=st.sampled_from([0, 3]),
    strength=st.sampled_from([0.3, 1.0, 20.0]),
    delays=st.sampled_from([1, 8, 63]),
)


def random_network(nets, seed, dt, differing, refractory, strength, delays) -> Network:
    """Two recurrent populations, one of them of delta synapses, with projections of either sign onto each receptor."""
    rng = np.random.default_rng(seed)
    n, m = (int(size) for size in rng.integers(1, 15, 2))

    def spread(low, high):
        return rng.uniform(low, high, n if differing else 1)

    cell = {
        "tau_m": spread(5, 40),
        "tau_syn_E": spread(1, 5),
        "tau_syn_I": spread(3, 20),
        "cm": spread(0.3, 2),
        "v_thresh": spread(-55, -45),
        "v_reset": spread(-72, -60),
        "i_offset": rng.uniform(-0.5, 1.5, n),
        "tau_refrac": refractory * dt,
    }
    populations = (
        nets.array_source([rng.choice(np.arange(STEPS) * dt, 20) for _ in range(8)]),  # some twice in a step, some at 0
        nets.poisson(5, 100.0 / dt),
        nets.cells(n, "exp", **cell),
        nets.cells(m, "delta", "IF_curr_delta", i_offset=0.5),
    )
    populations[2].initial.update(isyn_exc=rng.uniform(0, 1, n), isyn_inh=rng.uniform(-1, 0, n))
    weak = strength / 1000

    def some(pre, post, bounds, receptor="excitatory", label=""):
        sizes = populations[pre].size, populations[post].size
        rows = nets.random_rows(rng, *sizes, int(rng.integers(1, 60)), bounds, delays)
        return nets.connect(pre, post, rows, receptor, f"{pre} to {post} {receptor} {label}")

    projections = (
        some(0, 2, (strength / 10, strength)),
        some(1, 2, (-strength, strength), label="both signs"),
        some(2, 2, (-strength, -strength / 5), "inhibitory"),
        some(1, 2, (-weak, weak), "inhibitory", label="weak"),
        some(0, 2, (weak / 10, weak), label="weak"),
        some(2, 3, (strength, 5 * strength)),
        some(3, 2, (-strength, strength / 2), "inhibitory"),
        some(1, 3, (strength, 5 * strength), "inhibitory"),
    )
    pulse = Current("pulse", 2, np.arange(0, n, 2, dtype=np.int32), np.array([10.0, 40.0]) * dt, np.array([1.0, -0.5]))
    currents = [probe for probe in nets.record_all(populations, "isyn_exc", "isyn_inh") if probe.population == 2]
    probes = (*nets.record_all(populations, "spikes", "v"), *currents)
    return Network(dt, populations, projections, (pulse,), probes, seed)


@settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate])
@networks
def test_every_bit_is_that_of_lava(nets, **drawn):
    recordings = agree(
        CHIP, random_network(nets, **drawn), stock=drawn["seed"] % 2 == 0, pieces=(STEPS // 3, 2 * STEPS // 3)
    )
    assert sum(len(spikes.times) for spikes in recordings.spikes[2:]) > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate])
@networks
def test_every_bit_is_that_of_lava_in_many_networks(nets, **drawn):
    agree(CHIP, random_network(nets, **drawn), stock=drawn["seed"] % 2 == 0)


def test_wraps_of_either_current_and_clips_are_those_of_lava(nets):
    """Many spikes at once overflow u_e in some cells and u_i in others, and drive v to the ends of its register."""
    trains = [np.arange(0.0, STEPS, 7.0)] * 30
    populations = (nets.array_source(trains), nets.cells(4, tau_syn_E=2.0, tau_syn_I=9.0, tau_refrac=0.0))
    excitation = [(i, j, 30.0, 1 + i % 3) for i in range(30) for j in (0, 1)]
    inhibition = [(i, j, -20.0, 4) for i in range(30) for j in (1, 2)]
    projections = (nets.connect(0, 1, excitation), nets.connect(0, 1, inhibition, "inhibitory"))
    probes = nets.record_all(populations, "spikes", "v", "isyn_exc", "isyn_inh")
    recordings = agree(CHIP, Network(1.0, populations, projections, (), probes), stock=True)
    tallies = recordings.tallies["cells"]
    assert tallies["wrapped"] > 0 and tallies["clipped"] > 0
    _, u_e, u_i = (np.asarray(signal.raw) for signal in recordings.signals)
    assert (u_e < 0).any() and (u_i > 0).any()  # input of one sign has turned into the other
