"""Plastic projections of a network in Loihi's integers, as what Lava is told to build, and their weights read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.deploy.loihi_learning import LoihiPlasticity
from evsim.errors import Problem
from evsim.network import Projection
from evsim_lava.plan import LearningPlan

MOST_ELEMENTS = 4_000_000  # of a matrix of Lava's learning, which takes it half a second in a step with spikes


def learning_plans(chip_network: ChipNetwork, folder: Path) -> tuple[LearningPlan, ...]:
    """The plastic projections of a network; the files will be in ``folder``."""
    return tuple(
        _plan(chip_network, index, folder)
        for index, projection in enumerate(chip_network.network.projections)
        if len(projection) and projection.plasticity is not None
    )


def _plan(chip_network: ChipNetwork, index: int, folder: Path) -> LearningPlan:
    network = chip_network.network
    projection, held = network.projections[index], chip_network.projections[index]
    shape = network.populations[projection.post].size, network.populations[projection.pre].size
    rule: LoihiPlasticity = held.plasticity
    delay = projection.delay.astype(np.int64)
    dendritic = np.array([rule.dendritic_steps(steps) for steps in range(int(delay.max()) + 1)])[delay]
    ends = projection.source, delay - dendritic, layers_of(projection, shape[0])
    columns, column = np.unique(np.stack(ends), axis=1, return_inverse=True)
    rows, row = np.unique(np.stack([projection.target, dendritic]), axis=1, return_inverse=True)
    return LearningPlan(
        pre=projection.pre,
        post=projection.post,
        current=held.row,
        shape=shape,
        weight=held.weight,
        rule=rule,
        column=column.ravel(),
        row=row.ravel(),
        source=columns[0],
        axonal=columns[1],
        target=rows[0],
        dendritic=rows[1],
        from_source=not isinstance(chip_network.populations[projection.pre], ChipPopulation),
        path=weight_file(folder, index),
    )


def size_problems(chip_network: ChipNetwork) -> Iterator[Problem]:
    """Plastic projections that Lava's learning engine, which works on dense matrices, would take too long for."""
    network = chip_network.network
    for plan in learning_plans(chip_network, Path()):
        if plan.elements > MOST_ELEMENTS:
            pre, post = (network.populations[index].label for index in (plan.pre, plan.post))
            yield Problem(
                f"plastic synapses from {pre!r} to {post!r}",
                f"a matrix of {len(plan.target)} x {len(plan.source)} elements, with a row for each target and delay "
                "behind the synapse, and a column for each source and delay before it",
                f"evsim gives Lava's learning engine at most {MOST_ELEMENTS} elements, which take half a second a step",
                f"Give fewer different delays or smaller populations, or run on reference:{chip_network.chip.name}.",
            )


def weight_file(folder: Path, index: int) -> Path:
    """Where the present mantissas of projection ``index`` are."""
    return folder / f"weights-{index}"


def present_weights(chip_network: ChipNetwork, index: int, folder: Path | None) -> NDArray[np.float64]:
    """The weights (n,) of a plastic projection, in the network's order and unit.

    Args:
        folder: of the files that Lava's processes write; None as long as there are none.
    """
    held = chip_network.projections[index]
    path = weight_file(folder, index) if folder else None
    return held.hold.physical(np.fromfile(path, np.int32) if path and path.exists() else held.weight)


def layers_of(projection: Projection, n_targets: int) -> NDArray[np.int64]:
    """For each synapse (n,), how many before it join the same two cells."""
    pair = projection.source.astype(np.int64) * n_targets + projection.target
    order = np.argsort(pair, kind="stable")
    ordered = pair[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    rank = np.arange(len(pair)) - np.repeat(starts, np.diff(np.append(starts, len(pair))))
    layers = np.empty(len(pair), np.int64)
    layers[order] = rank
    return layers
