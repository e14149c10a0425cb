"""What both kinds of network do for an image, against counts written out here."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.ann.costs import (
    account_of,
    ann_activity,
    break_even,
    mean_spikes,
    measured,
    priced,
    rounded,
    spiking_activity,
)
from evsim.ann.evaluate import Converted, evaluate
from evsim.ann.latency import LatencyCode
from evsim.ann.layers import Ann, AvgPool, Conv2d, Dense, ReLU
from evsim.ann.rate import RateCode
from evsim.ann.stages import balanced, stages
from evsim.backend import Target
from evsim.chip import load_hardware
from evsim.energy.cost import BY_EVENTS, Range


def net(seed: int = 0) -> tuple[Ann, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.5, (9, 6))
    weights[2, :4] = 0
    layers = (Dense(weights, rng.normal(0, 0.1, 9)), ReLU(), Dense(rng.normal(0, 0.5, (4, 9)), rng.normal(0, 0.1, 4)))
    images = rng.random((11, 6))
    images[:, 0] = 0
    return Ann("net", (6,), layers, np.arange(4)), images


def test_multiply_accumulates_are_those_of_every_weight_and_those_that_matter():
    ann, images = net()
    activity = ann_activity(ann, images)
    assert activity.dense == 11 * (9 * 6 + 4 * 9)
    first, last = ann.layers[0], ann.layers[2]
    assert isinstance(first, Dense) and isinstance(last, Dense)
    hidden = np.maximum(images @ first.weights.T + first.bias, 0)
    effective = sum(
        np.count_nonzero(weights[:, image != 0])
        for weights, values in ((first.weights, images), (last.weights, hidden))
        for image in values
    )
    assert activity.multiply_accumulates == effective
    assert activity.activation_sparsity == pytest.approx(np.mean(hidden == 0))
    assert activity.connection_sparsity == pytest.approx(4 / 90)


def test_a_convolution_counts_what_lies_inside_the_image():
    conv = Conv2d(np.ones((2, 1, 3, 3)), np.zeros(2), padding=(1, 1))
    ann = Ann("conv", (1, 4, 4), (conv, ReLU(), AvgPool((4, 4), (4, 4))), np.arange(2))
    activity = ann_activity(ann, np.ones((1, 16)))
    inside = sum(min(3, 2 + (0 < r < 3)) * (2 + (0 < c < 3)) for r in range(4) for c in range(4))
    assert activity.dense == 2 * inside + 2 * 16


@pytest.mark.parametrize("code", [RateCode(30, threshold=1.0), LatencyCode(8)])
def test_operations_are_spikes_times_synapses(code):
    ann, images = net()
    done = evaluate(Converted(ann, *balanced(stages(ann), images, 100)), code, images, Target("reference", "loihi2"))
    activity = spiking_activity(done)
    by_hand = sum(int(done.arrived[wire.pre][cell]) for wire in done.network.projections for cell in wire.source)
    assert activity.accumulates == activity.events == by_hand > 0
    assert activity.updates == sum(p.size for p in done.network.populations if p.trains is None) * done.steps * 11
    assert activity.samples == 11 and activity.duration == done.steps * 11
    assert spiking_activity(done, quiet=True).events == 0


def test_break_even_is_where_the_energies_meet():
    ann, images = net()
    target = Target("reference", "ideal")
    done = evaluate(Converted(ann, *balanced(stages(ann), images, 100)), RateCode(30), images, target)
    hardware = load_hardware("spinnaker2")
    (event,), (update,) = hardware.energy["synaptic_event"], hardware.energy["neuron_update"]
    activity = spiking_activity(done)
    fixed, grows = activity.updates * update.value / 11, (activity.events or 0) * event.value / 11
    ann_joules = fixed + 3 * grows
    found = break_even(done, hardware, Range(ann_joules, ann_joules))
    assert found is not None
    assert found.all == pytest.approx((3 * mean_spikes(done),) * 2)
    assert found.spikes_alone == pytest.approx((ann_joules / grows * mean_spikes(done),) * 2)
    account = account_of(priced(activity, done.network, hardware), BY_EVENTS)
    assert account is not None and account.joules.high == pytest.approx(11 * (fixed + grows))
    never = break_even(done, hardware, Range(0.5 * fixed, 0.5 * fixed))
    assert never is not None and never.all == (0.0, 0.0)
    assert break_even(done, load_hardware("cpu"), Range(1.0, 1.0)) is None


def test_rounded_weights_have_so_many_values():
    ann, _ = net()
    for bits in (2, 3, 8):
        layer = rounded(ann, bits).layers[0]
        assert isinstance(layer, Dense) and isinstance(ann.layers[0], Dense)
        unit = np.abs(ann.layers[0].weights).max() / (2 ** (bits - 1) - 1)
        assert np.abs(layer.weights - ann.layers[0].weights).max() <= unit / 2 + 1e-12
        assert np.abs(layer.weights / unit - np.rint(layer.weights / unit)).max() < 1e-9


def test_times_are_measured():
    ann, images = net()
    found = measured(ann, images)
    assert 0 < found.together <= found.alone * 5
