"""What a run leaves behind: spikes and sampled variables, in physical units, with a chip's own integers beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Spikes:
    """The recorded spikes of one population, sorted by time and then by neuron.

    Attributes:
        times: (n,) float64, ms since t = 0.
        neurons: (n,) int64, indices within the population.
    """

    population: int
    times: NDArray[np.float64]
    neurons: NDArray[np.int64]

    @staticmethod
    def chosen(population: int, times: np.ndarray, neurons: np.ndarray, wanted: NDArray[np.bool_]) -> Spikes:
        """The wanted ones of spikes that come in any order."""
        if not wanted.all():
            times, neurons = times[wanted], neurons[wanted]
        later, same = times[1:] > times[:-1], times[1:] == times[:-1]
        if not (later | same & (neurons[1:] >= neurons[:-1])).all():
            order = np.lexsort((neurons, times))
            times, neurons = times[order], neurons[order]
        return Spikes(population, times, neurons)


@dataclass(frozen=True, eq=False)
class Signal:
    """A sampled variable of some cells of one population.

    Attributes:
        cells: (c,) ascending indices within the population.
        times: (s,) float64, ms; the first sample is at the start of the recording, t = 0 included.
        values: (s, c) float64, in the variable's unit.
        raw: (s, c) int32, the chip's own numbers; None where the rule set computes in floating point.
    """

    population: int
    variable: str
    unit: str
    cells: NDArray[np.int64]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    raw: NDArray[np.int32] | None = None


@dataclass(frozen=True, eq=False)
class Trace:
    """A variable of one cell at times that differ from cell to cell: those of the steps that were made for it.

    Attributes:
        cell: index within the population.
        times: (s,) float64, ms, ascending; twice the same where the variable, or another one of the cell, jumped.
        values: (s,) float64, in the variable's unit.
    """

    population: int
    variable: str
    unit: str
    cell: int
    times: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rewirings:
    """What came and went of the synapses onto one population, by time, then source, target and whether it was made.

    Attributes:
        times: (n,) float64, ms.
        projections: (n,) int64, indices in the network.
        sources, targets: (n,) int64, cells.
        made: (n,) bool, False where the synapse was removed.
    """

    population: int
    times: NDArray[np.float64]
    projections: NDArray[np.int64]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    made: NDArray[np.bool_]


SYNAPTIC_EVENTS = "synaptic events"
NEURON_UPDATES = "neuron updates"


@dataclass(frozen=True)
class Stage:
    """What one part of the work of a run cost since the start or the last reset.

    Attributes:
        name: such as ``"delivery"`` or ``"update of IF_curr_exp"``; unique in its recordings.
        seconds: summed over the threads.
        events: how many there were; 0 where nothing is counted.
        unit: what was counted: ``SYNAPTIC_EVENTS``, ``NEURON_UPDATES``, or a word of the backend's own.
    """

    name: str
    seconds: float
    events: int = 0
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Recordings:
    """Everything recorded since the last start, reset or clear.

    Attributes:
        tallies: population label -> event -> count, of what the arithmetic lost on the way: ``saturated`` inputs,
            ``wrapped`` currents, ``clipped`` voltages. Only counts above 0 are listed.
        notes: sentences for the user, e.g. that a virtual machine returns no data.
        rewirings: of the populations of which a probe asks for them.
        traces: in the place of ``signals``, of backends that choose their own time steps.
        profile: the stages of the run, if the target's option ``profile`` asked for them and the backend measures them.
    """

    spikes: tuple[Spikes, ...] = ()
    signals: tuple[Signal, ...] = ()
    tallies: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    profile: tuple[Stage, ...] = ()
    rewirings: tuple[Rewirings, ...] = ()
    traces: tuple[Trace, ...] = ()
