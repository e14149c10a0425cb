"""The cores on which sPyNNaker 7.4.1 puts a network, as a script hands it over, with the SDRAM of each.

Neurons and the synapses onto them share a core of 256 neurons at most. Below a time step of 1 ms each such core is
split into one of neurons and as many of synapses as the expected traffic asks for, all on one chip
(``PopulationVertex.use_combined_core``). A source whose synapses wait for longer than their targets' ring buffers reach
has a core of a delay extension beside each of its own.

What evsim hands to sPyNNaker itself differs (``evsim.deploy.spinnaker_cores``): lists of synapses, the spikes of all
sources as arrays, and smaller cores where sPyNNaker's would stop or lose synapses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evsim.chip import Chip
from evsim.deploy.spinnaker_cores import longest_delay, most_slots
from evsim.deploy.spinnaker_dtcm import FULL_CORE, bits_for
from evsim.deploy.spinnaker_scale import EXPECTED_RATE
from evsim.deploy.spinnaker_split import LEAST_COMBINED_TIMESTEP
from evsim.errors import Problem
from evsim.network import Network, Population, Projection
from evsim.placing import spinnaker_memory as memory
from evsim.placing.spinnaker_memory import Cell, Input, Memory
from evsim.placing.spinnaker_rows import rows_of
from evsim.sources import is_source

MOST_STAGES = 8  # DelayExtensionVertex.MAX_SLOTS
STATIC_RATE, PLASTIC_RATE = 13_000_000, 1_400_000  # synapses that a core works on in a second (synapses_per_second)
NEURONS, SYNAPSES, SOURCE, DELAY = "neurons", "synapses", "source", "delay extension"


class Core(NamedTuple):
    """What one core holds.

    Attributes:
        population: index; of a delay extension that of its source.
        kind: ``NEURONS`` (with their synapses, or alone), ``SYNAPSES``, ``SOURCE`` or ``DELAY``.
        first, last: cells, the last one included.
    """

    population: int
    kind: str
    first: int
    last: int
    memory: Memory


Group = tuple[Core, ...]  # cores that must share a chip; of others each is a group


@dataclass(frozen=True)
class SpinnakerCores:
    """The cores of a network.

    Attributes:
        groups: for each population, and behind them all for each delay extension, in the order of placing.
        rings: steps that the ring buffers of each population reach; 0 of sources.
        problems: what does not fit, however it is placed.
    """

    groups: tuple[tuple[Group, ...], ...]
    rings: tuple[int, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def cores(self) -> list[Core]:
        """All cores, in the order of placing."""
        return [core for part in self.groups for group in part for core in group]

    def of_populations(self, count: int) -> list[list[Core]]:
        """The cores of each of so many populations, delay extensions with their sources'."""
        found: list[list[Core]] = [[] for _ in range(count)]
        for core in self.cores:
            found[core.population].append(core)
        return found


def cores_of(network: Network, chip: Chip) -> SpinnakerCores:
    """The cores of all populations, without those of monitors."""
    planner = _Planner(network, chip)
    parts = [planner.groups(index) for index in range(len(network.populations))]
    parts += [planner.delays(index) for index in planner.delayed]
    return SpinnakerCores(tuple(tuple(part) for part in parts), tuple(planner.rings), tuple(planner.problems))


def slices(size: int, most: int) -> list[tuple[int, int]]:
    """First and last cells of the cores of a population; all but the last one are full."""
    return [(first, min(first + most, size) - 1) for first in range(0, size, most)]


class _Planner:
    """Finds the cores, and on the way what does not fit."""

    def __init__(self, network: Network, chip: Chip) -> None:
        self.network = network
        self.problems: list[Problem] = []
        self._of_poisson = int(chip.limits["poisson_sources_per_core"].value)
        self._of_chip = int(chip.limits["cores_of_chip"].value)
        indices = range(len(network.populations))
        self._onto = [[p for p in network.projections if p.post == index and len(p)] for index in indices]
        self._from = [[p for p in network.projections if p.pre == index and len(p)] for index in indices]
        self.rings = [self._ring(index) for index in indices]
        self._stages = [self._stages_of(index) for index in indices]
        self._of_synapses = [self._synapse_cores(index) for index in indices]
        sources = dict.fromkeys(projection.pre for projection in network.projections)
        self.delayed = [index for index in sources if self._stages[index]]

    # --- what a population is ---------------------------------------------------------------------------------------

    def _cell(self, index: int) -> Cell | None:
        population = self.network.populations[index]
        return None if is_source(population) else memory.CELLS.get(population.model)

    def _on_core(self, index: int) -> int:
        """The most cells of a core of a population."""
        population = self.network.populations[index]
        if not is_source(population):
            return max(min(FULL_CORE, population.size), 1)
        if population.trains is not None:
            return max(population.size, 1)  # sPyNNaker puts no limit to the cells of one core
        return max(min(self._of_poisson, population.size), 1)

    def _ring(self, index: int) -> int:
        """Steps that the ring buffers of a population reach (max_delay_steps_incoming)."""
        if is_source(self.network.populations[index]):
            return 0
        most = most_slots(self.network.populations[index], FULL_CORE)
        return min(1 << bits_for(longest_delay(self.network, index)), most)

    def _stages_of(self, index: int) -> int:
        """Stages of the delay extension of a source; 0 where no synapse of it waits beyond a ring buffer."""
        rings, stages = set(), 0
        for (_, post), longest in self._longest(index).items():
            ring = self.rings[post]
            if longest > ring:
                rings.add(ring)
                stages = max(stages, -(-longest // ring) - 1)
                if longest > (MOST_STAGES + 1) * ring:
                    self._too_late(index, post, longest, (MOST_STAGES + 1) * ring)
        if len(rings) > 1:
            self._uneven(index, sorted(rings))
        return stages

    def _longest(self, index: int) -> dict[tuple[int, int], int]:
        """The longest delay (steps) from a source to each of its targets."""
        found: dict[tuple[int, int], int] = {}
        for projection in self._from[index]:
            ends = projection.pre, projection.post
            found[ends] = max(found.get(ends, 0), int(projection.synapses.delays.most))
        return found

    def _synapse_cores(self, index: int) -> int:
        """Cores of synapses for each core of neurons; 0 where they share one (n_synapse_cores_required)."""
        if self.network.timestep >= LEAST_COMBINED_TIMESTEP or is_source(self.network.populations[index]):
            return 0
        neurons, rate = self._on_core(index), STATIC_RATE
        if any(projection.plasticity for projection in self._onto[index]):
            rate = PLASTIC_RATE
        expected, direct, sources = 0, 0, set()
        for projection in self._onto[index]:
            source = self.network.populations[projection.pre]
            endless = max(int(projection.synapses.delays.most), 1)
            events = math.ceil(self._rows(projection, neurons, endless, 0).near * EXPECTED_RATE * source.size)
            if self._could_be_direct(projection):
                direct += events
            else:
                expected += events
            if source.model == "SpikeSourcePoisson":
                sources.add(projection.pre)
        most = self._of_chip - 1
        cores = -(-expected // rate)
        return cores if cores + len(sources) < most else min(-(-(expected + direct) // rate), most)

    def _could_be_direct(self, projection: Projection) -> bool:
        """Whether Poisson sources may lie beside their targets and send over memory (is_direct_poisson_source)."""
        pre, post = (self.network.populations[end] for end in (projection.pre, projection.post))
        delays = projection.synapses.delays
        one_to_one = projection.connected is not None and projection.connected.connector == "OneToOneConnector"
        return bool(
            pre.model == "SpikeSourcePoisson" and one_to_one and pre.size == post.size and not projection.plasticity
            and len(self._from[projection.pre]) == 1 and delays.least == delays.most == 1
        )  # fmt: skip

    def _direct(self, index: int) -> list[int]:
        """The Poisson sources that lie beside the cores of a population."""
        if not self._of_synapses[index]:
            return []
        poisson = {p.pre for p in self._onto[index] if self.network.populations[p.pre].model == "SpikeSourcePoisson"}
        if self._of_synapses[index] + len(poisson) >= self._of_chip:
            return []
        return [p.pre for p in self._onto[index] if self._could_be_direct(p)]

    # --- cores ------------------------------------------------------------------------------------------------------

    def groups(self, index: int) -> Iterator[Group]:
        """The cores of a population; none of a source that lies beside its target."""
        population = self.network.populations[index]
        if is_source(population):
            if not any(index in self._direct(projection.post) for projection in self._from[index]):
                for first, last in slices(population.size, self._on_core(index)):
                    yield (Core(index, SOURCE, first, last, self._source(index, last - first + 1)),)
            return
        cell = self._cell(index)
        if cell is None:
            self._no_cell(population)
            return
        inputs = [self._input(projection) for projection in self._onto[index]]
        beside = self._direct(index)
        for first, last in slices(population.size, self._on_core(index)):
            yield tuple(self._neurons(index, cell, inputs, beside, first, last))

    def _neurons(
        self, index: int, cell: Cell, inputs: Sequence[Input], beside: Sequence[int], first: int, last: int
    ) -> Iterator[Core]:
        """One core of neurons, with its synapses or with those cores that serve it."""
        count, parts = self._on_core(index), self._of_synapses[index]
        probes = [probe for probe in self.network.probes if probe.population == index]
        own = memory.neurons(cell, count, self._currents(index))
        synapses = memory.matrices(inputs) + memory.tables(inputs, cell.receptors, beside)
        synapses += memory.synapse_parameters(cell.receptors) + self._learning(index, cell)
        recordable, items = memory.RECORDED, memory.PROVENANCE_ITEMS
        if not parts:
            shared = memory.common(items["both"], recordable + memory.RECORDED_OF_SYNAPSES) + own + synapses
            yield Core(index, NEURONS, first, last, Memory(shared) + memory.recorded(probes, count))
            return
        handed = memory.transferred(count, cell.receptors) * (parts + len(beside))
        alone = memory.common(items["neurons"], recordable) + own + 6 * memory.WORD + handed
        empty = memory.WORD * (1 if self._learning(index, cell) else 2)  # for regions that are never without a word
        beside_them = memory.common(items["synapses"], memory.RECORDED_OF_SYNAPSES) + 8 * memory.WORD
        yield Core(index, NEURONS, first, last, Memory(alone) + memory.recorded(probes, count))
        for part in range(parts):
            extra = synapses + empty if part == 0 else 0
            yield Core(index, SYNAPSES, first, last, Memory(beside_them + extra))
        for source in beside:
            yield Core(source, SOURCE, first, last, self._source(source, last - first + 1))

    def _source(self, index: int, count: int) -> Memory:
        population = self.network.populations[index]
        is_recorded = any(probe.population == index for probe in self.network.probes)
        if population.trains is not None:
            # a list without any time is refused; labels as _as_numpy_ticks makes them
            labels = np.ceil(np.floor(population.trains.times * 1000.0) / round(self.network.timestep * 1000))
            return memory.array_source(labels.astype(np.int64), is_recorded)
        rates = population.parameters.get("rate", np.zeros(1))
        return memory.poisson_source(count, float(np.max(rates)), self.network.timestep, is_recorded)

    def _learning(self, index: int, cell: Cell) -> int:
        rules = [p.plasticity for p in self._onto[index] if p.plasticity]
        return memory.learning(rules[0], self.network.timestep, cell.receptors) if rules else 0

    def _currents(self, index: int) -> list[int]:
        """Words of each current source; evsim's own label tells which of PyNN's it is."""
        mine = [current for current in self.network.currents if current.population == index]
        known = [memory.CURRENT_WORDS.get(current.label.partition(" ")[0]) for current in mine]
        return [
            memory.step_current_words(len(current.times)) if words is None else words
            for current, words in zip(mine, known, strict=True)
        ]

    def delays(self, index: int) -> Iterator[Group]:
        """The cores of the delay extension of a population."""
        for first, last in slices(self.network.populations[index].size, self._on_core(index)):
            yield (Core(index, DELAY, first, last, memory.delay_extension()),)

    # --- rows -------------------------------------------------------------------------------------------------------

    def _input(self, projection: Projection) -> Input:
        pre, ring = projection.pre, self.rings[projection.post]
        late = self._longest(pre)[pre, projection.post] > ring
        stages = self._stages[pre] if late else 0
        rows = self._rows(projection, self._on_core(projection.post), ring, stages)
        words = max(memory.row_words(length, projection.plasticity) for length in rows)
        if words > memory.MOST_ROW_WORDS:
            self._too_long(projection, max(rows), words)
        near, far = (memory.row_bytes(length, projection.plasticity) for length in rows)
        return Input(pre, self.network.populations[pre].size, self._on_core(pre), stages, near, far)

    def _rows(self, projection: Projection, neurons: int, ring: int, stages: int):
        return rows_of(self.network, projection, neurons, ring, stages, drawn=True)

    # --- problems ---------------------------------------------------------------------------------------------------

    def _no_cell(self, population: Population) -> None:
        limit = f"sPyNNaker has {', '.join(memory.CELLS)}"
        self.problems.append(
            Problem(f"population {population.label!r}", f"the cell {population.model}", limit, "Use one of these.")
        )

    def _too_late(self, pre: int, post: int, longest: int, most: int) -> None:
        ends = " to ".join(repr(self.network.populations[end].label) for end in (pre, post))
        what = f"a delay of {longest} steps"
        limit = f"ring buffers and a delay extension reach {most} steps there"
        self.problems.append(Problem(f"projection {ends}", what, limit, "Give shorter delays or a longer time step."))

    def _uneven(self, index: int, rings: Sequence[int]) -> None:
        where = f"population {self.network.populations[index].label!r}"
        what = f"targets with ring buffers of {' and '.join(map(str, rings))} steps that wait in its delay extension"
        limit = "sPyNNaker 7.4.1 takes one length (DelayExtensionException)"
        self.problems.append(Problem(where, what, limit, "Split it into a source for each of them."))

    def _too_long(self, projection: Projection, synapses: int, words: int) -> None:
        what = f"a row of {synapses} synapses, which take {words} words"
        limit = f"a row has {memory.MOST_ROW_WORDS} words (POP_TABLE_MAX_ROW_LENGTH of sPyNNaker)"
        remedy = "Give it fewer synapses from one cell, or the target fewer neurons on a core (set_max_atoms_per_core)."
        self.problems.append(Problem(f"projection {projection.label!r}", what, limit, remedy))
