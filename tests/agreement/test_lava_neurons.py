"""Lava's other neurons under ``loihi2`` against Lava's fixed-point models: every spike, u, v, sum and payload.

LIFReset, TernaryLIF and SigmaDelta, and graded spikes from them onto one another and onto LIF, over Lava's own
connections and over evsim's.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from evsim.network import Current, Network
from evsim.recording import Recordings
from lava_against_reference import STEPS, agree

pytest.importorskip("lava.proc")

networks = given(
    seed=st.integers(0, 2**31),
    dt=st.sampled_from([1.0, 0.1]),
    differing=st.booleans(),
    refractory=st.sampled_from([0, 0, 3]),
    strength=st.sampled_from([0.3, 1.0, 20.0]),
    delays=st.sampled_from([1, 8, 63]),
    exponents=st.sampled_from([(0, 0), (3, 6), (7, 7), (6, 0)]),
    injected=st.booleans(),
)


def random_network(nets, seed, dt, differing, refractory, strength, delays, exponents, injected) -> Network:
    """Two sources, populations of every kind, and some projections from one to another, a very weak one among them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))

    def spread(low, high):
        return rng.uniform(low, high, n) if differing else rng.uniform(low, high)

    def leaky(**own):
        values = {
            "tau_m": spread(5, 40),
            "cm": spread(0.3, 2),
            "v_reset": spread(-72, -62),
            "tau_refrac": refractory * dt,
        }
        return {**values, "i_offset": rng.uniform(-1.5, 1.5, n), "v": rng.uniform(-70, -60), **own}

    interval = {"reset_interval": np.rint(spread(2, 40)) * dt, "reset_offset": np.rint(spread(0, 60)) * dt}
    thresholds = {"v_thresh_hi": spread(-58, -50), "v_thresh_lo": spread(-80, -73)}
    spike_exp, state_exp = exponents
    unit = {"spike_exp": spike_exp, "state_exp": state_exp}
    summing = {"act_mode": int(rng.integers(2)), "cum_error": int(rng.integers(2)), "vth": rng.uniform(0, 2)}
    times = np.arange(STEPS) * dt
    populations = (
        nets.array_source([rng.choice(times, 20) for _ in range(8)]),
        nets.poisson(5, 100.0 / dt),
        nets.cells(n, "reset", "LIFReset", **leaky(v_thresh=spread(-58, -50), **interval)),
        nets.cells(n, "ternary", "TernaryLIF", **leaky(**thresholds)),
        nets.cells(n, "sums", "SigmaDelta", bias=rng.uniform(-2, 2, n), **unit, **summing),
        nets.cells(n, "units", "SigmaDelta", vth=0.5, **unit),
        nets.cells(n, "delta", "IF_curr_delta", i_offset=0.5, tau_refrac=0.0),
    )

    def some(pre, post, most, label=""):
        low, high = sorted((most, most * rng.uniform(-1, 0.9)))
        sizes = populations[pre].size, populations[post].size
        rows = nets.random_rows(rng, *sizes, int(rng.integers(1, 40)), (low, high), delays)
        return nets.connect(pre, post, rows, label=f"{pre} to {post} {label}")

    def size_of(pre):  # sums are large, and weights of them onto leaky neurons small
        return strength * rng.choice([-1, 1]) * (0.1 if pre in (4, 5) else 1)

    graded = [(3, post) for post in range(2, 7)] + [(4, 2), (4, 3), (4, 5), (4, 6), (5, 6)]
    chosen = [(0, 2), (0, 3), (1, 4), *(graded[k] for k in rng.choice(len(graded), 5, replace=False))]
    projections = (*(some(pre, post, size_of(pre)) for pre, post in chosen), some(3, 3, strength / 1000, "weak"))
    half = np.arange(0, n, 2, dtype=np.int32)
    pulses = tuple(
        Current(f"pulse {index}", index, half, np.array([10.0, 40.0]) * dt, np.array([1.0, -0.5])) for index in (2, 3)
    )
    every = np.arange(n, dtype=np.int32)
    variables = {2: ("v", "isyn_exc"), 3: ("v", "isyn_exc", "payload"), 6: ("v",)}
    variables |= dict.fromkeys((4, 5), ("sigma", "act", "payload"))
    probes = (
        *nets.record_all(populations, "spikes"),
        *(nets.Probe(index, name, every) for index, names in variables.items() for name in names),
        nets.Probe(3, "payload", half, 3),
    )
    return Network(dt, populations, projections, pulses if injected else (), probes, seed)


def sent(recordings: Recordings, population: int) -> set[float]:
    """What spikes of a population carried."""
    (signal, *_) = [s for s in recordings.signals if (s.population, s.variable) == (population, "payload")]
    return set(np.unique(signal.values)) - {0.0}


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@networks
def test_every_bit_is_that_of_lava(nets, **drawn):
    recordings = agree("loihi2", random_network(nets, **drawn), stock=True)
    assert sent(recordings, 3) <= {-1.0, 1.0}
    assert sum(len(spikes.times) for spikes in recordings.spikes[2:]) > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate])
@networks
def test_every_bit_is_that_of_lava_in_many_networks(nets, **drawn):
    agree("loihi2", random_network(nets, **drawn), stock=drawn["seed"] % 2 == 0)


@pytest.mark.parametrize("differing", [False, True])
def test_synapses_as_events_are_those_of_lava(nets, differing):
    """evsim's own synapse process under payloads of both signs, in several runs."""
    net = random_network(nets, 2, 1.0, differing, 0, 1.0, 20, (3, 6), True)
    recordings = agree("loihi2", net, stock=False, pieces=(1, 0, 30, STEPS - 31))
    assert sent(recordings, 3) == {-1.0, 1.0} and len(sent(recordings, 4)) > 3
