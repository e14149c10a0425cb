"""What a network did while it ran, in counts that depend on no chip, no thread and no way to skip work.

The definitions are those of NeuroBench 2.3.0 (``neurobench.metrics``), as coded there:

* a *synaptic operation* is a nonzero input times a nonzero weight; an accumulation (AC) where inputs are spikes, a
  multiply-accumulate (MAC) where they are other numbers (``SynapticOperations``);
* *dense* operations are those of all weights in all time steps (``Dense``);
* *sparsity of activations* is the part of neurons and time steps without a spike (``ActivationSparsity``), where
  sources, which NeuroBench's input layer stands for, do not count;
* *sparsity of connections* is the part of weights that are zero (``ConnectionSparsity``);
* a *membrane update* is a neuron and time step that changed the membrane potential, and each neuron's first time step
  whatever it did (``MembraneUpdates``).

A *synaptic event* is a spike that arrives over a synapse, whatever its weight: what a chip has to work on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PopulationActivity:
    """What one population did.

    Attributes:
        label: of the population.
        size: number of cells.
        is_source: whether it only emits spikes; a source has no updates.
        steps: time steps that ran, summed over runs.
        spikes: of all cells; None where they are not known.
        active: updates that changed the membrane potential; None where it was not recorded.
        membrane_updates: as NeuroBench counts them; None likewise.
        sends: whether there are synapses from it, so that its spikes travel.
        cell_spikes: (size,) spikes of each cell; None where only their sum is known.
    """

    label: str
    size: int
    is_source: bool = False
    steps: int = 0
    spikes: int | None = 0
    active: int | None = None
    membrane_updates: int | None = None
    sends: bool = True
    cell_spikes: NDArray[np.int64] | None = field(default=None, repr=False)

    @property
    def updates(self) -> int:
        """Updates of neurons: one for each neuron and time step."""
        return 0 if self.is_source else self.size * self.steps

    @property
    def inactive(self) -> int | None:
        """Updates that left the membrane potential as it was; None where it was not recorded."""
        return None if self.active is None else self.updates - self.active


@dataclass(frozen=True, eq=False)
class ProjectionActivity:
    """What the synapses of one projection did.

    Attributes:
        label, pre, post: of the projection and of its populations.
        synapses: their number.
        zero_weights: those whose weight is 0.
        events: spikes that arrived over a synapse within the run; None where the spikes are not known.
        operations: those of them over a weight that is not 0.
        dense: synapses times time steps.
        multiplies: whether inputs are numbers that multiply weights (MAC) and not spikes (AC).
        weight_updates: events over synapses that learn; 0 where none does.
    """

    label: str
    pre: str
    post: str
    synapses: int = 0
    zero_weights: int = 0
    events: int | None = 0
    operations: int | None = 0
    dense: int = 0
    multiplies: bool = False
    weight_updates: int | None = 0


@dataclass(frozen=True, eq=False)
class Activity:
    """What a network did.

    Attributes:
        duration: time of the network (ms), summed over runs; 0 for a network without time, such as an ANN.
        timestep: ms; 0 likewise.
        samples: inputs that were classified or the like; per sample is per ``samples``.
    """

    populations: tuple[PopulationActivity, ...] = ()
    projections: tuple[ProjectionActivity, ...] = ()
    duration: float = 0.0
    timestep: float = 0.0
    samples: int = 1

    @classmethod
    def of_counts(
        cls,
        *,
        operations: int = 0,
        multiplies: bool = False,
        dense: int | None = None,
        events: int | None = None,
        updates: int = 0,
        active: int | None = None,
        spikes: int = 0,
        neurons: int = 0,
        synapses: int = 0,
        duration: float = 0.0,
        timestep: float = 0.0,
        samples: int = 1,
    ) -> Activity:
        """An activity of plain counts, summed over all samples; what an ANN or a converted network is.

        Args:
            operations: synaptic operations, of inputs and weights that are not zero.
            multiplies: whether they are MACs; else ACs.
            dense: operations of all weights; as many as ``operations`` if not given.
            events: spikes over synapses; as many as ``operations`` if not given.
            updates: of neurons, or evaluations of an activation function.
            active: those of them that changed the neuron; None where that is not known.
            spikes: of all neurons.
            duration, timestep: ms.
        """
        steps = updates // neurons if neurons else updates
        if steps * (neurons or 1) != updates:
            neurons, steps = 0, updates
        layer = PopulationActivity("all", neurons or 1, False, steps, spikes, active)
        wiring = ProjectionActivity(
            "all", "all", "all", synapses, 0, operations if events is None else events, operations,
            operations if dense is None else dense, multiplies,
        )  # fmt: skip
        return cls((layer,), (wiring,), duration, timestep, samples)

    @property
    def neurons(self) -> int:
        """Cells that are no sources."""
        return sum(part.size for part in self.populations if not part.is_source)

    @property
    def spikes(self) -> int | None:
        """Spikes of all neurons, without sources."""
        return total(part.spikes for part in self.populations if not part.is_source)

    @property
    def source_spikes(self) -> int | None:
        """Spikes of all sources."""
        return total(part.spikes for part in self.populations if part.is_source)

    @property
    def packets(self) -> int | None:
        """Spikes of all cells, sources among them, that have synapses to travel to."""
        return total(part.spikes for part in self.populations if part.sends)

    @property
    def updates(self) -> int:
        """Updates of neurons."""
        return sum(part.updates for part in self.populations)

    @property
    def active(self) -> int | None:
        """Updates that changed a membrane potential; None where one is not known."""
        return total(part.active for part in self.populations if part.updates)

    @property
    def membrane_updates(self) -> int | None:
        """As NeuroBench counts them; None where one is not known."""
        return total(part.membrane_updates for part in self.populations if part.updates)

    @property
    def synapses(self) -> int:
        """Synapses of all projections."""
        return sum(part.synapses for part in self.projections)

    @property
    def events(self) -> int | None:
        """Spikes that arrived over a synapse."""
        return total(part.events for part in self.projections)

    @property
    def weight_updates(self) -> int | None:
        """Events over synapses that learn."""
        return total(part.weight_updates for part in self.projections)

    @property
    def accumulates(self) -> int | None:
        """Synaptic operations that add a weight (NeuroBench's Effective_ACs, summed over samples)."""
        return total(part.operations for part in self.projections if not part.multiplies)

    @property
    def multiply_accumulates(self) -> int | None:
        """Synaptic operations that multiply a weight (Effective_MACs, likewise)."""
        return total(part.operations for part in self.projections if part.multiplies)

    @property
    def dense(self) -> int:
        """Operations of all weights in all time steps (Dense, likewise)."""
        return sum(part.dense for part in self.projections)

    @property
    def activation_sparsity(self) -> float | None:
        """Part of neurons and time steps without a spike; None without neurons or spikes that are known."""
        layers = [part for part in self.populations if part.updates]
        spiking = total(part.spikes for part in layers)
        updates = sum(part.updates for part in layers)
        return None if spiking is None or not updates else (updates - spiking) / updates

    @property
    def connection_sparsity(self) -> float | None:
        """Part of the weights that are zero; None without synapses."""
        return sum(part.zero_weights for part in self.projections) / self.synapses if self.synapses else None


def total(counts: Any) -> int | None:
    """The sum of counts; None if one of them is not known."""
    found = list(counts)
    return None if any(count is None for count in found) else sum(found)
