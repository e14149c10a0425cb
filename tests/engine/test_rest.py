"""Neurons at rest are skipped, and that changes no bit."""

import numpy as np
import pytest

from evsim.backend import Target
from evsim.network import Current
from evsim.reference import ReferenceBackend

STEPS, SIZE = 900, 20


def run(network, chip):
    session = ReferenceBackend().start(network, Target("reference", chip, {"profile": True}))
    session.run(STEPS)
    return session.recordings()


def quiet(nets, restless: bool, currents=()):
    """Cells with a few spikes of input; one more cell that never rests keeps their block from being skipped."""
    size = SIZE + restless
    drive = np.zeros(size)
    drive[SIZE:] = 3.0
    populations = (
        nets.cells(size, tau_m=8.0, i_offset=drive),
        nets.array_source([[5.0, 400.0], [420.0, 900.0]], "input"),
    )
    rows = [(cell % 2, cell, 0.6 + 0.7 * cell, 1 + cell % 5) for cell in range(SIZE)]
    probes = (nets.Probe(0, "spikes", np.arange(SIZE, dtype=np.int32)), nets.Probe(0, "v", np.arange(SIZE)))
    return nets.Network(1.0, populations, (nets.connect(1, 0, rows),), currents, probes)


def updates(recordings) -> int:
    return next(stage.events for stage in recordings.profile if stage.name.startswith("update"))


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi1", "loihi2"])
def test_a_skipped_neuron_does_what_one_does_that_is_not(nets, chip):
    alone, accompanied = run(quiet(nets, False), chip), run(quiet(nets, True), chip)
    assert updates(accompanied) == STEPS * (SIZE + 1)
    assert updates(alone) < STEPS * SIZE  # before the first spike comes, at least
    if chip in ("loihi1", "loihi2"):
        return  # the restless cell's current changes the scale of them all
    assert np.array_equal(alone.signals[0].values, accompanied.signals[0].values)
    assert np.array_equal(alone.spikes[0].times, accompanied.spikes[0].times) and len(alone.spikes[0].times)


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1", "loihi2"])
def test_integers_come_to_rest_again(nets, chip):
    """What fades in floating point for ever ends in integers, so most of the time between the spikes is skipped."""
    assert updates(run(quiet(nets, False), chip)) < 0.7 * STEPS * SIZE


def test_a_current_wakes_neurons_at_rest(nets):
    current = Current("step", 0, np.arange(3, dtype=np.int32), np.array([700.0, 720.0]), np.array([2.0, 0.0]))
    recordings = run(quiet(nets, False, (current,)), "spinnaker1")
    v = recordings.signals[0].values
    assert v[715, 0] > v[700, 0] + 3.0
    assert v[715, 5] == v[700, 5]
