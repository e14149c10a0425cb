"""LIFReset: between two resets it is IF_curr_exp, started anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.quantise import quantise
from evsim.network import Network

STEPS = 90


def network(nets, model: str, trains, rows, dt=1.0, **cell) -> Network:
    populations = (nets.array_source(trains), nets.cells(2, model=model, v=-65.0, **cell))
    return Network(
        dt, populations, (nets.connect(0, 1, rows),), (), nets.record_all(populations, "spikes", "v", "isyn_exc")
    )


def samples(recordings, first: int, last: int) -> np.ndarray:
    """(variables, labels, cells) of the labels from ``first`` to ``last``."""
    return np.stack([signal.values[first : last + 1] for signal in recordings.signals])


def events(recordings, dt: float, first: int, last: int) -> list[tuple[int, int]]:
    """Label and cell of the spikes after the label ``first``, up to ``last``."""
    spikes = recordings.spikes[1]
    labels = np.rint(spikes.times / dt).astype(int)
    return [pair for pair in zip(labels.tolist(), spikes.neurons.tolist(), strict=True) if first < pair[0] <= last]


@given(
    seed=st.integers(0, 99),
    interval=st.integers(1, 50),
    offset=st.integers(0, 80),
    dt=st.sampled_from([0.1, 1.0]),
    chip=st.sampled_from(["ideal", "loihi2"]),
)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_after_a_reset_it_is_a_new_neuron(nets, seed, interval, offset, dt, chip):
    rng = np.random.default_rng(seed)
    cell = {"i_offset": rng.uniform(0, 1.5, 2), "v_reset": -68.0, "v_rest": -66.0, "tau_refrac": 0.0}
    sent = np.sort(rng.choice(np.arange(STEPS), 20, replace=False))
    sent = sent[(sent + 1 - offset) % interval != 0]  # a new neuron cannot be sent what arrives as it begins
    rows = [(k, k % 2, rng.uniform(0, 4), 1) for k in range(len(sent))]
    anew = {"reset_interval": interval * dt, "reset_offset": offset * dt}
    whole = nets.run(network(nets, "LIFReset", [[t * dt] for t in sent], rows, dt, **cell, **anew), STEPS, chip)
    for first in range(offset % interval, STEPS - 1, interval):
        last = min(first + interval, STEPS)
        later = [[(t - first) * dt] if t >= first else [] for t in sent]
        fresh = network(nets, "IF_curr_exp", later, rows, dt, **cell)
        fresh.populations[1].initial["v"][:] = -68.0
        one = nets.run(fresh, last - first, chip)
        # the sample at the next reset is before it on a chip and after it in the ideal rule
        np.testing.assert_allclose(
            samples(whole, first + 1, last - 1), samples(one, 1, last - first - 1), rtol=0, atol=1e-9
        )
        assert events(whole, dt, first, last) == [(label + first, cell) for label, cell in events(one, dt, 0, last)]


@pytest.mark.parametrize(("chip", "at_reset"), [("ideal", -65.0), ("loihi2", None)])
def test_what_arrives_at_the_reset_is_felt(nets, chip, at_reset):
    net = network(nets, "LIFReset", [[9.0]], [(0, 0, 2.0, 1), (0, 1, 2.0, 2)], reset_interval=10.0, v_thresh=0.0)
    v, current = (signal.values for signal in nets.run(net, 13, chip).signals)
    assert v[12, 0] > v[12, 1] > -65.0 and current[11, 0] > 1.5
    assert at_reset is None or v[10, 0] == at_reset


def test_the_interval_is_held_in_whole_steps(nets):
    net = network(nets, "LIFReset", [[]], [], reset_interval=10.4, reset_offset=2.6)
    assert not check(net, load_chip("loihi2"))
    losses = {loss.parameter: loss for loss in quantise(net, load_chip("loihi2")).parameter_losses}
    assert (losses["reset_interval"].held, losses["reset_offset"].held) == (10.0, 3.0)


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1", "loihi2_microcode"])
def test_other_chips_refuse_it_by_name(nets, chip):
    (problem,) = check(network(nets, "LIFReset", [[]], []), load_chip(chip))
    assert "the cell LIFReset" in str(problem) and "ideal, loihi2, loihi2_learning can hold it" in str(problem)
