"""The network graph: populations, projections with all their synapses, currents, probes.

Everything is in PyNN's physical units (ms, mV, nA, nF, uS, Hz); nothing here knows a chip or PyNN. A network is frozen
once built, the same for every backend, and can be saved to one file. A changed network is a new network: parts that
did not change are the same objects, which is how a running session finds out what to update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evsim.connected import Connected
from evsim.errors import CheckError, Problem
from evsim.modulation import Modulation
from evsim.release import Release
from evsim.structure import Structure
from evsim.synapses import Synapses

if TYPE_CHECKING:
    from typing_extensions import Self

REWIRING = "rewiring"

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


def frozen(array: np.ndarray) -> np.ndarray:
    """The array, read-only. A scalar broadcast to many cells or synapses keeps its single value in memory."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, eq=False)
class Sequences:
    """Any number of numbers for each of several cells: those of cell i are ``of(i)``."""

    values: Floats
    offsets: NDArray[np.int64]  # (cells + 1,)

    @classmethod
    def from_lists(cls, lists: list[np.ndarray]) -> Self:
        """One array for each cell."""
        counts = np.array([len(values) for values in lists], dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        values = np.concatenate([np.asarray(values, dtype=np.float64) for values in lists] or [np.empty(0)])
        return cls(frozen(values), frozen(offsets))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(cells,) how many numbers each cell has."""
        return np.diff(self.offsets)

    def of(self, cell: int) -> Floats:
        """The numbers of one cell."""
        return self.values[self.offsets[cell] : self.offsets[cell + 1]]

    def cells(self) -> NDArray[np.int64]:
        """The cell of every entry of ``values``."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def padded(self, filler: float) -> Floats:
        """(cells, the most of a cell) all numbers, filled up with another one."""
        table = np.full((len(self.lengths), int(self.lengths.max(initial=0))), filler)
        table[np.arange(table.shape[1]) < self.lengths[:, None]] = self.values
        return table


class Trains(Sequences):
    """Spike trains of several cells: times in ms, ascending within a cell."""

    @property
    def times(self) -> Floats:
        """Of all spikes."""
        return self.values


@dataclass(frozen=True, eq=False)
class Population:
    """Cells of one model.

    Attributes:
        label: unique in its network.
        model: the model's name in the registry, which is PyNN's name of it (``"IF_curr_exp"``).
        size: number of cells.
        parameters: name -> (size,) float64, in the model's units; may be broadcast from one value.
        initial: state variable -> (size,) float64 at t = 0.
        trains: the given spike times of a SpikeSourceArray; None for every other model.
        sequences: parameters that are several numbers for each cell, in the model's units.
        times_set: state variable -> (size,) int32, how often the script has set each cell's initial value. In a running
            network a higher number than before makes it the state now, even if the value is the same (``set_anew``).
    """

    label: str
    model: str
    size: int
    parameters: Mapping[str, Floats]
    initial: Mapping[str, Floats] = field(default_factory=dict)
    trains: Trains | None = None
    times_set: Mapping[str, Ints] = field(default_factory=dict)
    sequences: Mapping[str, Sequences] = field(default_factory=dict)


def set_anew(before: Population, now: Population, variable: str) -> NDArray[np.bool_]:
    """The cells (size,) of which a state variable was set between two versions of a population that runs."""
    if variable not in now.initial:
        return np.zeros(now.size, bool)
    changed = now.initial[variable] != before.initial.get(variable, np.nan)
    return changed | (now.times_set.get(variable, 0) != before.times_set.get(variable, np.int32(0)))


@dataclass(frozen=True)
class Plasticity:
    """How the weights of a projection change with the spikes at both ends, in PyNN's terms.

    Attributes:
        timing: the rule of dependence on spike times (``"SpikePairRule"``).
        weight: the rule of dependence on the weight (``"AdditiveWeightDependence"``).
        parameters: of both rules, by PyNN's names (tau_plus in ms, w_max in the unit of the weight).
        dendritic_delay_fraction: the part of the delay that lies between synapse and soma, 0 to 1.
    """

    timing: str
    weight: str
    parameters: Mapping[str, float]
    dendritic_delay_fraction: float = 1.0


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses of one kind between two populations.

    Attributes:
        label: may be shared by the parts of one PyNN projection between assemblies.
        pre, post: indices into ``Network.populations``.
        receptor: the receptor type of the target, ``"excitatory"`` or ``"inhibitory"`` for standard cells.
        synapse: the synapse model's name (``"StaticSynapse"``).
        synapses: cells, weights as PyNN gives them (nA, negative if inhibitory; uS, never negative; or mV) and delays
            in time steps; of plastic synapses the weights at t = 0.
        plasticity: how the weights change; None where they do not.
        release: which part of the weight each spike releases, and by some rules of scripts how the weight changes; None
            where that is always the whole.
        modulation: of synapses that give their targets dopamine, what that does to the plastic synapses of these; None
            of all others.
        structure: how synapses come and go; None where they are always the same. ``synapses`` are then those at t = 0.
        connected: how they were made; None where that is not known, or where views and assemblies have a part in it.
            No result of a run depends on it.
    """

    label: str
    pre: int
    post: int
    receptor: str
    synapse: str
    synapses: Synapses
    plasticity: Plasticity | None = None
    release: Release | None = None
    modulation: Modulation | None = None
    structure: Structure | None = None
    connected: Connected | None = None

    def __len__(self) -> int:
        return len(self.synapses)

    @property
    def learns(self) -> bool:
        """Whether its weights change for good with the spikes at both ends."""
        return self.plasticity is not None or (self.release is not None and self.release.learns)

    @property
    def changes(self) -> bool:
        """Whether its synapses do not always do the same: they learn, release, give dopamine, or come and go."""
        return any((self.plasticity, self.release, self.modulation, self.structure))

    @property
    def source(self) -> np.ndarray:
        """(n,) cells within ``pre``."""
        return self.synapses.source

    @property
    def target(self) -> np.ndarray:
        """(n,) cells within ``post``."""
        return self.synapses.target

    @property
    def weight(self) -> Floats:
        """(n,) float64."""
        return self.synapses.weight

    @property
    def delay(self) -> Ints:
        """(n,) int32, time steps."""
        return self.synapses.delay


@dataclass(frozen=True, eq=False)
class Current:
    """A current injected into cells of one population, constant between the given times.

    Attributes:
        times: (k,) ms, ascending; from ``times[j]`` on the amplitude is ``amplitudes[j]``; 0 before the first.
        amplitudes: (k,) nA.
        place: where in the cells, by the name that their model has for it; empty for where a model has it go.
    """

    label: str
    population: int
    cells: Ints
    times: Floats
    amplitudes: Floats
    place: str = ""


@dataclass(frozen=True, eq=False)
class Probe:
    """What is recorded: ``"spikes"`` or a state variable of some cells, every ``interval`` time steps.

    ``REWIRING`` is what came and went of synapses onto a population, whatever the cells.
    """

    population: int
    variable: str
    cells: Ints  # ascending
    interval: int = 1

    @property
    def key(self) -> tuple[int, str, int, bytes]:
        """Equal for probes that record the same."""
        return self.population, self.variable, self.interval, np.asarray(self.cells, np.int32).tobytes()


@dataclass(frozen=True, eq=False)
class Network:
    """A whole network, ready for any backend.

    Attributes:
        timestep: ms.
        seed: of every random draw that is made while the network runs.
        off_grid: whether given spikes arrive when their times say, and not at the nearest time step; ``ideal`` alone
            can do that, and it does over synapses that do not change.
    """

    timestep: float
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...] = ()
    currents: tuple[Current, ...] = ()
    probes: tuple[Probe, ...] = ()
    seed: int = 0
    off_grid: bool = False

    def __post_init__(self) -> None:
        if problems := list(_problems(self)):
            raise CheckError("this network is not well formed", problems)

    @property
    def recorded(self) -> list[tuple]:
        """The keys of the probes; equal for networks that record the same."""
        return [probe.key for probe in self.probes]

    @property
    def n_synapses(self) -> int:
        """The number of synapses of all projections."""
        return sum(len(projection) for projection in self.projections)


@dataclass(frozen=True, eq=False)
class Draft(Network):
    """A network that need not be well formed: it can be checked (``evsim.deploy.check``), and never run."""

    def __post_init__(self) -> None:
        pass


def _problems(network: Network) -> Iterator[Problem]:
    if not (np.isfinite(network.timestep) and network.timestep > 0):
        yield Problem(
            "network", f"a time step of {network.timestep} ms", "it must be above 0", "Give setup() another timestep."
        )
    for population in network.populations:
        yield from malformed_population(population)
    for projection in network.projections:
        yield from malformed_projection(network, projection)
    for current in network.currents:
        yield from malformed_current(current)


def malformed_current(current: Current) -> Iterator[Problem]:
    """What can be on no chip about a current."""
    if not (np.isfinite(current.times).all() and np.isfinite(current.amplitudes).all()):
        yield Problem(
            f"current source {current.label!r}",
            "a time or amplitude that is not a finite number",
            "all must be finite",
            "Correct the parameters of the current source.",
        )


def malformed_population(population: Population) -> Iterator[Problem]:
    """What can be on no chip about a population's numbers."""
    where = f"population {population.label!r}"
    for kind, values in (("parameter", population.parameters), ("initial value", population.initial)):
        for name, array in values.items():
            if bad := int(np.count_nonzero(~np.isfinite(array))):
                yield Problem(
                    where,
                    f"{kind} {name} is not a finite number in {bad} of {population.size} cells",
                    "all must be finite",
                    f"Set {name} to numbers.",
                )
    for name, sequences in population.sequences.items():
        if bad := int(np.count_nonzero(~np.isfinite(sequences.values))):
            amount = f"{bad} of {len(sequences.values)} numbers of parameter {name} are not finite"
            yield Problem(where, amount, "all must be finite", f"Set {name} to numbers.")
    if population.trains is not None:
        times = population.trains.times
        if bad := int(np.count_nonzero(~np.isfinite(times) | (times < 0))):
            yield Problem(
                where,
                f"{bad} of {len(times)} spike times are negative or not finite",
                "they must be at least 0 ms",
                "Correct spike_times.",
            )


def malformed_projection(network: Network, projection: Projection) -> Iterator[Problem]:
    """What can be on no chip about a projection's numbers."""
    where = f"projection {projection.label!r}"
    synapses = projection.synapses
    if bad := synapses.weights.odd:
        yield Problem(
            where, f"{bad} of {len(projection)} weights are not finite numbers", "all must be finite", "Correct weight."
        )
    if len(projection) and (least := int(synapses.delays.least)) < 1:
        bad = int(np.count_nonzero(projection.delay < 1))
        yield Problem(
            where,
            f"{bad} of {len(projection)} delays are below one time step (the least is {least * network.timestep:g} ms)",
            f"at least {network.timestep:g} ms",
            "Give a longer delay or a shorter timestep.",
        )
    ends = network.populations[projection.pre], network.populations[projection.post]
    outside = synapses.outside(ends[0].size, ends[1].size)
    for end, bad, population in zip(("source", "target"), outside, ends, strict=True):
        if bad:
            yield Problem(
                where,
                f"{bad} {end} cells are outside population {population.label!r}",
                f"0 to {population.size - 1}",
                "Correct the connection list.",
            )
