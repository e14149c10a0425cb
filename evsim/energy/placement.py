"""Where a network lies on a chip, as far as its energy asks: cores, chips, and how far spikes travel.

Nothing is placed here: cores are counted, and on Loihi taken in the order of the populations.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip, Hardware
from evsim.deploy.loihi_cores import plan_cores
from evsim.deploy.spinnaker_cores import cores_of
from evsim.energy.activity import Activity
from evsim.energy.parts import Mesh, Placement, Range, exactly
from evsim.errors import CheckError
from evsim.model import NeuronModel, SourceModel
from evsim.network import Network
from evsim.registry import cell_model, is_electrical
from evsim.sources import is_source

MESH = ("cores_of_tile", "tiles_east_west", "tiles_north_south")  # limits of Loihi that say how its cores lie


def place(network: Network, activity: Activity, hardware: Hardware, boards: int = 0) -> Placement:
    """Cores, chips and packets of a network on hardware; nothing where no network can be run as it.

    Args:
        network: whose populations are the first of the activity's.
        boards: of 48 chips that are on, whether they are needed or not; 0 to count chips alone.

    Raises:
        CheckError: a population has no place on the cores of Loihi, however it is divided.
    """
    if not isinstance(hardware, Chip):
        return Placement(left_out=tuple(_never_counted(network)))
    if hardware.rules.family == "spinnaker":
        return _on_spinnaker(network, activity, hardware, boards)
    if hardware.rules.family == "loihi":
        return _on_loihi(network, activity, hardware)
    return Placement(left_out=tuple(_never_counted(network)))


def _never_counted(network: Network) -> Iterator[str]:
    """What only ``ideal`` has, and no source prices."""
    for population in network.populations:
        model = cell_model(population.model)
        if isinstance(model, NeuronModel) and any(rule.whole for rule in model.rules.values()):
            yield f"the compartments of {population.label!r}: a cell counts as one, however many it has"
    for projection in network.projections:
        if is_electrical(projection):
            yield f"the currents through the gap junctions {projection.label!r}, which no spike brings"


# --- SpiNNaker -------------------------------------------------------------------------------------------------------


def spinnaker_cores(network: Network, chip: Chip) -> list[int]:
    """The cores of each population, sources among them; delay extensions and monitors are not counted."""
    return [_spinnaker_cores(network, index, chip) for index in range(len(network.populations))]


def _spinnaker_cores(network: Network, index: int, chip: Chip) -> int:
    population = network.populations[index]
    if not population.size:
        return 0
    model = cell_model(population.model)
    if not isinstance(model, SourceModel):
        return -(-population.size // cores_of(network, index).neurons)
    if model.draw == "given":
        return 1  # sPyNNaker puts no limit to the cells of one core
    return -(-population.size // int(chip.limits["poisson_sources_per_core"].value))


def _on_spinnaker(network: Network, activity: Activity, chip: Chip, boards: int) -> Placement:
    of_each, of_chip = spinnaker_cores(network, chip), int(chip.limits["cores_of_chip"].value)
    cores = sum(of_each)
    chips = -(-cores // of_chip)
    sent = activity.packets
    # A packet passes the router of its own chip at least; a tree that reaches every chip passes each once.
    packets = None if sent is None else Range(sent, sent * max(chips, 1))
    assumed = (
        f"{cores} cores, as many as sPyNNaker gives each population, on as few chips as hold them ({chips})",
        "every core computes all the time, as sPyNNaker's own tools take it where they do not sample the cores",
        "a packet passes the router of one chip at least, and that of each chip once at most",
    )
    return Placement(
        cores,
        chips,
        boards,
        packets,
        left_out=("delay extensions and monitors",),
        assumed=assumed,
        order=_order(network, of_each),
        mesh=Mesh(of_chip, 1, 1),
    )


def _order(network: Network, cores: list[int]) -> tuple[tuple[str, int], ...]:
    labels = (population.label for population in network.populations)
    return tuple((label, count) for label, count in zip(labels, cores, strict=True) if count)


# --- Loihi -----------------------------------------------------------------------------------------------------------


def _on_loihi(network: Network, activity: Activity, chip: Chip) -> Placement:
    plan = plan_cores(network, chip)
    if plan.problems:
        raise CheckError(f"this network has no place on the cores of {chip.name}", plan.problems)
    if plan.unknown:
        return Placement(chips=plan.chips)
    count = {use.population: use.cores for use in plan.populations}
    cores = [0 if is_source(part) else count.get(part.label, 0) for part in network.populations]
    messages, east_west, north_south, leaving = _journeys(network, activity, cores, chip)
    left_out = []
    if any(is_source(part) for part in network.populations):
        left_out.append("the way of the sources' spikes onto the chip; there they count as messages without hops")
    if leaving:
        left_out.append(f"the way of {leaving:,} messages from chip to chip, which no source prices")
    assumed = (
        f"{plan.cores} cores on {plan.chips} chips, as nengo-loihi packs them, in the order of the populations; a "
        "placer that looks at who talks with whom brings fewer hops",
    )
    return Placement(
        plan.cores,
        plan.chips,
        packets=_known(messages),
        hops_east_west=_known(east_west),
        hops_north_south=_known(north_south),
        left_out=tuple(left_out),
        assumed=assumed,
        order=_order(network, cores),
        mesh=Mesh(*(int(chip.limits[name].value) for name in MESH)),
    )


def _known(count: int | None) -> Range | None:
    return None if count is None else exactly(count)


def _journeys(network: Network, activity: Activity, cores: list[int], chip: Chip) -> tuple:
    """Messages, hops east or west, hops north or south, and messages that leave a chip; None where spikes are unknown.

    A spike is a message to every core with a target of its cell, as on Loihi, whose output axons name cores.
    """
    first = np.concatenate([[0], np.cumsum(cores)])
    total = np.zeros(4, np.int64)
    for pre, population in enumerate(network.populations):
        reached = _reached_cores(network, pre, first, cores)
        if reached is None:
            continue
        spikes = activity.populations[pre].cell_spikes
        if spikes is None:
            return None, None, None, 0
        if is_source(population):
            total[0] += int(spikes @ reached.sum(axis=1))
            continue
        to = np.flatnonzero(reached.any(axis=0))
        part = -(-population.size // cores[pre])
        for start in range(0, population.size, part):
            mine = slice(start, start + part)
            sent = spikes[mine] @ reached[mine][:, to].astype(np.int64)
            total += _steps(int(first[pre]) + start // part, to, sent, chip)
    return tuple(int(number) for number in total)


def _reached_cores(network: Network, pre: int, first: np.ndarray, cores: list[int]) -> NDArray[np.bool_] | None:
    """(cells, cores) whether a cell has a target on a core; None of a population without synapses."""
    reached = np.zeros((network.populations[pre].size, int(first[-1])), bool)
    for projection in network.projections:
        if projection.pre == pre and len(projection):
            width = -(-network.populations[projection.post].size // cores[projection.post])
            for chunk in projection.synapses.chunks():
                reached[chunk.source, first[projection.post] + chunk.target // width] = True
    return reached if reached.any() else None


def _steps(core: int, to: NDArray[np.int64], sent: NDArray[np.int64], chip: Chip) -> NDArray[np.int64]:
    """(4,) messages from one core to others, their hops, and how many of them leave the chip."""
    on_chip, tile, columns = (int(chip.limits[name].value) for name in ("cores", "cores_of_tile", "tiles_east_west"))
    same = to // on_chip == core // on_chip
    (row, column), (rows, those) = (divmod(at % on_chip // tile, columns) for at in (core, to))
    east_west, north_south = np.abs(those - column) * same, np.abs(rows - row) * same
    return np.array([sent.sum(), sent @ east_west, sent @ north_south, sent @ ~same], np.int64)
