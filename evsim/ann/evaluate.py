"""Run a converted network on images and see what it chose, when, and what it did for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evsim import registry
from evsim.ann.layers import Ann, Floats
from evsim.ann.spiking import TIMESTEP
from evsim.ann.stages import Stage
from evsim.backend import Target
from evsim.chip import load_chip
from evsim.network import Network
from evsim.recording import Recordings
from evsim.rulesets import RuleSet

BATCH_SYNAPSES = 4_000_000  # of images that lie side by side in one network, which bounds the memory


class Code(Protocol):
    """A way to say activations by spikes."""

    @property
    def name(self) -> str:
        """For users."""
        ...

    def steps(self, found: list[Stage], rules: RuleSet) -> int:
        """The time steps until the outputs are read."""
        ...

    def network(
        self, found: list[Stage], inputs: Floats, first: float, rules: RuleSet, first_image: int = 0
    ) -> Network:
        """The spiking network with every image side by side; the last population are the outputs.

        Args:
            inputs: (images, numbers).
            first: what an input of 1 stands for.
            rules: a chip's.
            first_image: the number of the first image, for what is drawn at random.
        """
        ...


@dataclass(frozen=True, eq=False)
class Converted:
    """A network ready for spikes.

    Attributes:
        first: what an input of 1 stands for.
        stages: with balanced weights.
    """

    ann: Ann
    first: float
    stages: list[Stage]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a converted network did with images on one target.

    Attributes:
        target: where it ran.
        code: how it says activations.
        steps: time steps that each image took.
        chosen: (steps + 1, images) the label that it would have said after each time step.
        network: for one image.
        spikes: for each population (cells,) the spikes of all images; the outputs, whose voltages are read, have none
            unless a sum went beyond what was foreseen.
        arrived: likewise, those that were felt before the end.
        tallies: what the arithmetic lost, by event, over all images.
    """

    target: Target
    code: str
    steps: int
    chosen: NDArray
    network: Network
    spikes: tuple[NDArray[np.int64], ...]
    arrived: tuple[NDArray[np.int64], ...]
    tallies: Mapping[str, int]

    @property
    def images(self) -> int:
        """How many."""
        return self.chosen.shape[1]

    def accuracies(self, labels: NDArray) -> NDArray[np.float64]:
        """(steps + 1,) the share of right answers after each time step."""
        return np.mean(self.chosen == np.asarray(labels), axis=1)

    def latency(self, labels: NDArray, within: float = 0.01) -> int:
        """The first step from which on the accuracy is no more than ``within`` below the last one."""
        reached = self.accuracies(labels)
        below = np.flatnonzero(reached < reached[-1] - within - 1e-12)
        return int(below[-1]) + 1 if len(below) else 0


def evaluate(converted: Converted, code: Code, inputs: Floats, target: Target) -> Evaluation:
    """Run images (images, numbers) on a target, as many side by side as memory allows.

    Raises:
        CheckError: the network does not fit the chip.
        BackendError: the backend failed or took too long.
    """
    per_image = sum(stage.matrix.nnz for stage in converted.stages)
    batch = max(1, BATCH_SYNAPSES // max(per_image, 1))
    parts = [_run(converted, code, inputs[at : at + batch], target, at) for at in range(0, len(inputs), batch)]
    return replace(
        parts[0],
        chosen=np.concatenate([part.chosen for part in parts], axis=1),
        spikes=tuple(sum(same) for same in zip(*(part.spikes for part in parts), strict=True)),
        arrived=tuple(sum(same) for same in zip(*(part.arrived for part in parts), strict=True)),
        tallies=sum((Counter(part.tallies) for part in parts), Counter()),
    )


def _run(converted: Converted, code: Code, inputs: Floats, target: Target, first_image: int) -> Evaluation:
    ann, rules = converted.ann, load_chip(target.chip or "ideal").rules
    network = code.network(converted.stages, inputs, converted.first, rules, first_image)
    alone = code.network(converted.stages, inputs[:1], converted.first, rules, first_image)
    steps = code.steps(converted.stages, rules)
    recorded = ran(network, target, steps)
    (outputs,) = (signal for signal in recorded.signals if signal.population == len(network.populations) - 1)
    scores = outputs.values.reshape(len(outputs.values), len(inputs), -1)
    chosen = np.stack([ann.choose(ann.last(row)) for row in scores[: steps + 1]])
    tallies = sum((Counter(events) for events in recorded.tallies.values()), Counter())
    tallies.update(_resets(recorded, len(network.populations) - 1))
    spikes, arrived = [], []
    trains = {train.population: train for train in recorded.spikes}
    for index, population in enumerate(alone.populations):
        cells, times = np.zeros(0, np.int64), np.zeros(0)
        if index in trains:
            cells, times = trains[index].neurons % population.size, trains[index].times
        felt = np.rint(times / TIMESTEP) + 1 < steps + rules.input_label
        spikes.append(np.bincount(cells, minlength=population.size))
        arrived.append(np.bincount(cells[felt], minlength=population.size))
    return Evaluation(target, code.name, steps, chosen, alone, tuple(spikes), tuple(arrived), tallies)


def _resets(recorded: Recordings, outputs: int) -> dict[str, int]:
    """How often an output reached its threshold, and so lost what it had summed up; not in the tallies of a chip."""
    count = sum(len(train.times) for train in recorded.spikes if train.population == outputs)
    return {"outputs that began anew": count} if count else {}


def ran(network: Network, target: Target, steps: int) -> Recordings:
    """What a network leaves behind; raises CheckError and BackendError."""
    session = registry.backend(target.backend).start(network, target)
    try:
        session.run(steps)
        return session.recordings()
    finally:
        session.close()
