"""Injected currents as the moments at which a cell's drive changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.memory import BLOCK, Layout
from evsim.model import Cells
from evsim.network import Current


class DriveChanges(NamedTuple):
    """From the start of ``step`` on, ``Memory.drive[place]`` is ``value``; in order of step.

    Attributes:
        step, place: (n,) int64.
        block: (n,) int64, the block that the place belongs to.
        value: (n,) of the rule set's number type.
    """

    step: np.ndarray
    place: np.ndarray
    block: np.ndarray
    value: np.ndarray


def drive_changes(chip_network: ChipNetwork, layout: Layout) -> DriveChanges:
    """Every change of drive of a network, whatever number of current sources a cell has."""
    number = chip_network.chip.rules.number
    nothing = np.empty(0, np.int64)
    steps, places, blocks, values = [nothing], [nothing], [nothing], [np.empty(0, number)]
    for at, index in enumerate(layout.neurons):
        population = chip_network.neurons(index)
        for row, mine in _by_row(chip_network, index).items():
            cells = replace(population.cells, drive=np.atleast_2d(population.cells.drive)[row])
            for step, cell, value in cell_changes(mine, cells, number, chip_network.network.timestep):
                steps.append(step)
                block = layout.first_block[at] + cell // BLOCK
                places.append(layout.blocks.drive[block] + row * layout.blocks.size[block] + cell % BLOCK)
                blocks.append(block)
                values.append(value)
    step = np.concatenate(steps)
    order = np.argsort(step, kind="stable")
    return DriveChanges(step[order], *(np.concatenate(parts)[order] for parts in (places, blocks, values)))


def _by_row(chip_network: ChipNetwork, index: int) -> dict[int, list[Current]]:
    """The currents into a population, by the row of its drive."""
    found: dict[int, list[Current]] = {}
    for current in chip_network.network.currents:
        if current.population == index:
            found.setdefault(chip_network.neurons(index).model.places[current.place], []).append(current)
    return found


def cell_changes(
    currents: list[Current], cells: Cells, number: type, timestep: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The changes of drive of one population as (step, cell, value), one part for each group of cells that share
    their current sources."""
    for group, chosen in cell_groups(currents, len(cells.drive)):
        step, amplitude = summed(group, timestep)
        per_nA = np.broadcast_to(cells.drive_per_nA, cells.drive.shape)[chosen]
        added = amplitude[:, None] * per_nA[None, :]
        if number is not np.float64:
            added = np.rint(added)
        value = cells.drive[chosen][None, :] + added.astype(number)
        yield np.repeat(step, len(chosen)), np.tile(chosen, len(step)), value.ravel().astype(number)


def cell_groups(currents: list[Current], size: int) -> list[tuple[list[Current], np.ndarray]]:
    """Cells that share the same set of current sources."""
    if not currents:
        return []
    member = np.zeros((len(currents), size), bool)
    for k, current in enumerate(currents):
        member[k, current.cells] = True
    patterns, of_cell = np.unique(member, axis=1, return_inverse=True)
    groups = []
    for g, pattern in enumerate(patterns.T):
        if pattern.any():
            cells = np.flatnonzero(of_cell.ravel() == g)
            groups.append(([currents[k] for k in np.flatnonzero(pattern)], cells))
    return groups


def summed(currents: list[Current], timestep: float) -> tuple[np.ndarray, np.ndarray]:
    """The steps at which the sum of several currents changes, and the sum (nA) from then on."""
    onsets = [np.floor(current.times / timestep + 0.5).astype(np.int64) for current in currents]
    step = np.unique(np.concatenate(onsets))
    total = np.zeros(len(step))
    for current, onset in zip(currents, onsets, strict=True):
        latest = np.searchsorted(onset, step, side="right") - 1
        total += np.where(latest >= 0, np.append(current.amplitudes, 0.0)[latest], 0.0)
    return step, total
