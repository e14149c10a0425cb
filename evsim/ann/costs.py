"""What a network of either kind does for an image, as the activities that are priced (``evsim.energy``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import numpy as np

from evsim.ann.evaluate import Evaluation
from evsim.ann.layers import Ann, Conv2d, Dense, Floats, Identity, Linear, ReLU
from evsim.ann.spiking import TIMESTEP
from evsim.chip import Hardware
from evsim.energy.activity import Activity, PopulationActivity, ProjectionActivity
from evsim.energy.cost import BY_EVENTS, Account, Energy, Range, energy
from evsim.energy.placement import place
from evsim.network import Network

REPEATS = 30  # of a measurement of time


def ann_activity(ann: Ann, inputs: Floats) -> Activity:
    """What an ANN does with images (images, numbers): NeuroBench's dense and effective multiply-accumulates.

    What a convolution multiplies with its padding is not counted; the sums of an AvgPool are, each as one operation.
    """
    values, shape = inputs, ann.shape
    cells, wires = [], []
    for index, layer in enumerate(ann.layers):
        label = f"{index} {type(layer).__name__}"
        if isinstance(layer, Identity):
            continue
        if isinstance(layer, ReLU):
            values = np.maximum(values, 0)
            cells.append(_evaluated(label, values))
            continue
        matrix, bias, shape = layer.matrix(shape)
        entries = _entries(layer, matrix)
        heavy = np.bincount(matrix.nonzero()[1], minlength=values.shape[1])
        operations = int((values != 0).sum(axis=0) @ heavy)
        zeros = entries - int(heavy.sum())
        wires.append(
            ProjectionActivity(
                label, "", "", entries, zeros, operations, operations, entries * len(values), multiplies=True
            )
        )
        values = np.asarray((matrix @ values.T).T) + bias
    return Activity(tuple(cells), tuple(wires), samples=len(inputs))


def _entries(layer: Linear, matrix) -> int:
    return layer.weights.size if isinstance(layer, Dense) else matrix.nnz


def _evaluated(label: str, values: Floats) -> PopulationActivity:
    """A layer of rectified numbers; one that is not 0 counts as a spike of the only time step."""
    return PopulationActivity(label, values.shape[1], False, len(values), int(np.count_nonzero(values)))


def spiking_activity(done: Evaluation, quiet: bool = False) -> Activity:
    """What a converted network did, as if its images had followed each other.

    Args:
        quiet: as it would be without any spikes.
    """
    steps, populations, projections = done.steps * done.images, [], []
    for part, spikes in zip(done.network.populations, done.spikes, strict=True):
        sends = any(done.network.populations[p.pre] is part for p in done.network.projections)
        mine = np.zeros_like(spikes) if quiet else spikes
        is_source = part.trains is not None
        populations.append(
            PopulationActivity(part.label, part.size, is_source, steps, int(mine.sum()), sends=sends, cell_spikes=mine)
        )
    for wire in done.network.projections:
        pre, post = (done.network.populations[end].label for end in (wire.pre, wire.post))
        fan_out = np.bincount(wire.source, minlength=len(done.arrived[wire.pre]))
        events = 0 if quiet else int(fan_out @ done.arrived[wire.pre])
        projections.append(ProjectionActivity(wire.label, pre, post, len(wire), 0, events, events, len(wire) * steps))
    duration = steps * TIMESTEP
    return Activity(tuple(populations), tuple(projections), duration, TIMESTEP, done.images)


def priced(activity: Activity, network: Network, hardware: Hardware) -> Energy:
    """What a spiking activity takes on hardware, with the network where it would lie there; raises CheckError."""
    return energy(activity, hardware, place(network, activity, hardware))


def account_of(found: Energy, name: str) -> Account | None:
    """The account of that name, if the hardware has one."""
    return next((account for account in found.accounts if account.name == name), None)


@dataclass(frozen=True)
class BreakEven:
    """Spikes of a cell and image below which spikes take less energy than an ANN does.

    Attributes:
        all: with all that the account of events knows; 0 where even no spike is too many.
        spikes_alone: of what grows with the spikes alone, as on a chip that waits for them at no cost.
    """

    all: Range
    spikes_alone: Range


def break_even(done: Evaluation, hardware: Hardware, ann_joules: Range) -> BreakEven | None:
    """Where a chip's energy for an image, which grows with the spikes as measured, meets that of an ANN.

    Args:
        ann_joules: of the ANN for an image.

    Returns:
        None where the chip has no prices of events, or nothing is known that grows with spikes.
    """
    accounts = []
    for quiet in (True, False):
        whole = account_of(priced(spiking_activity(done, quiet), done.network, hardware), BY_EVENTS)
        if whole is None:
            return None
        accounts.append(Range(*(joules / done.images for joules in whole.joules)))
    fixed, most = accounts
    grows = Range(most.low - fixed.low, most.high - fixed.high)
    if grows.low <= 0:
        return None
    spikes = mean_spikes(done)
    left = Range(max(ann_joules.low - fixed.high, 0.0), max(ann_joules.high - fixed.low, 0.0))
    return BreakEven(
        Range(left.low / grows.high * spikes, left.high / grows.low * spikes),
        Range(ann_joules.low / grows.high * spikes, ann_joules.high / grows.low * spikes),
    )


def mean_spikes(done: Evaluation) -> float:
    """Spikes of a cell and image, over sources and neurons; the outputs have none."""
    return float(np.concatenate(done.spikes[:-1]).mean() / done.images)


@dataclass(frozen=True)
class Measured:
    """How long an ANN takes on this machine, in numpy (seconds for an image): one at a time, and all at once."""

    alone: float
    together: float


def measured(ann: Ann, inputs: Floats) -> Measured:
    """The median of some measurements, matrices ready; wall time."""
    steps, shape = [], ann.shape
    for layer in ann.layers:
        if isinstance(layer, Identity):
            continue
        if isinstance(layer, ReLU):
            steps.append(None)
            continue
        matrix, bias, shape = layer.matrix(shape)
        steps.append((matrix.toarray() if isinstance(layer, Dense) else matrix, bias))

    def once(values: Floats) -> None:
        turned = values.T
        for step in steps:
            turned = np.maximum(turned, 0) if step is None else step[0] @ turned + step[1][:, None]

    def seconds(values: Floats) -> float:
        spans = []
        for _ in range(REPEATS):
            start = perf_counter()
            once(values)
            spans.append(perf_counter() - start)
        return median(spans) / len(values)

    return Measured(seconds(inputs[:1]), seconds(inputs))


def rounded(ann: Ann, bits: int) -> Ann:
    """The network with weights of a sign and ``bits - 1`` bits, one scale for each layer; biases stay as they are."""
    most = 2 ** (bits - 1) - 1

    def held(weights: Floats) -> Floats:
        unit = float(np.abs(weights).max()) / most
        return np.rint(weights / unit) * unit if unit else weights

    layers = []
    for layer in ann.layers:
        if isinstance(layer, Dense):
            layer = Dense(held(layer.weights), layer.bias)
        elif isinstance(layer, Conv2d):
            layer = replace(layer, kernel=held(layer.kernel))
        layers.append(layer)
    return replace(ann, layers=tuple(layers))
