"""What the child process builds in Lava: registers, synapses and files, all decided beforehand. Plain data, no Lava."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evsim.deploy.loihi_learning import LoihiPlasticity

SENT = "s_out"  # Lava's name of a neuron's output


@dataclass(frozen=True, eq=False)
class SamplePlan:
    """Every ``interval`` time steps, a state variable of some cells goes to a file, or what they send (``SENT``).

    ``variable`` is Lava's name of it.
    """

    variable: str
    cells: np.ndarray
    interval: int
    path: Path


@dataclass(frozen=True, eq=False)
class CurrentPlan:
    """A synaptic current of a population: its decay register and its state; (n,) int32."""

    du: np.ndarray
    u: np.ndarray


@dataclass(frozen=True, eq=False)
class ResetPlan:
    """When u and v of each cell become 0: in time steps ``first + n interval`` of Lava's, n >= 0; (n,) int32."""

    first: np.ndarray
    interval: np.ndarray


@dataclass(frozen=True, eq=False)
class NeuronPlan:
    """The registers of a population; arrays are (n,) int32.

    Attributes:
        currents: one for both receptors, or one for each.
        changes: (time step, cell, bias) of injected currents, in order of time.
        spikes: file that takes the spikes; None if they are not recorded.
        resets: None where there are none.
        vth_lo: of cells with a threshold on either side, whose spikes carry 1 or -1; None of others.
    """

    currents: tuple[CurrentPlan, ...]
    dv: np.ndarray
    vth: np.ndarray
    bias_mant: np.ndarray
    bias_exp: np.ndarray
    v: np.ndarray
    refractory: np.ndarray
    changes: tuple[np.ndarray, np.ndarray, np.ndarray]
    spikes: Path | None
    samples: tuple[SamplePlan, ...]
    resets: ResetPlan | None = None
    vth_lo: np.ndarray | None = None

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.v)

    @property
    def is_lif(self) -> bool:
        """Whether the neuron is Lava's LIF, be it with two currents."""
        return self.resets is None and self.vth_lo is None

    @property
    def is_plain(self) -> bool:
        """Whether one of Lava's own processes can hold the population, as far as it has one current."""
        decays = (current.du for current in self.currents)
        resets = (self.resets.first, self.resets.interval) if self.resets else ()
        second = () if self.vth_lo is None else (self.vth_lo,)
        alike = all((values == values[0]).all() for values in (*decays, self.dv, self.vth, *resets, *second))
        return alike and not self.refractory.any() and not len(self.changes[0])


@dataclass(frozen=True, eq=False)
class SigmaDeltaPlan:
    """The registers of sigma-delta neurons, of which only the bias (n,) int32 differs; in units of the state.

    Attributes:
        spikes, samples: as those of ``NeuronPlan``.
    """

    bias: np.ndarray
    vth: int
    rectifies: bool
    sums_errors: bool
    state_exp: int
    spikes: Path | None
    samples: tuple[SamplePlan, ...]

    @property
    def size(self) -> int:
        """The number of cells."""
        return len(self.bias)


@dataclass(frozen=True, eq=False)
class SourcePlan:
    """A population whose spikes come from the files of a folder, see ``EventSource``."""

    size: int
    folder: Path


@dataclass(frozen=True, eq=False)
class SynapsePlan:
    """The synapses of a projection; arrays are (n,).

    Attributes:
        pre, post: indices of populations.
        current: the number of the current that it adds to.
        shape: (targets, sources).
        delay: in Lava's count, in which 0 arrives in the step after.
        mixed: whether both signs occur, which Lava's sign mode wants to know.
        counts: whether a spike may count for something else than 1: graded ones, and several of one cell of a source.
        layers: (n,) the connection object that holds the synapse, such that none holds two synapses between the same
            cells; None if one process of evsim's own holds them all.
    """

    pre: int
    post: int
    current: int
    shape: tuple[int, int]
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    exponent: int
    mixed: bool
    counts: bool
    layers: np.ndarray | None


@dataclass(frozen=True, eq=False)
class LearningPlan:
    """A plastic projection; arrays are (n,), except that there are (columns,) inputs and (rows,) outputs.

    Lava learns in a matrix that has one delay and one synapse between two cells. So a source has a column for each
    axonal part of a delay, and for each further synapse onto the same cell; a target has a row for each dendritic part.

    Attributes:
        pre, post, current, shape: as those of ``SynapsePlan``.
        weight: mantissas, to begin with.
        rule: how they learn.
        column, row: of each synapse.
        source, axonal: the cell of each column, and the time steps after which its spike reaches the synapses.
        target, dendritic: the cell of each row, and the time steps between it and the synapses.
        from_source: whether the spikes are those of a source, which sends one step late.
        path: file that holds the present mantissas.
    """

    pre: int
    post: int
    current: int
    shape: tuple[int, int]
    weight: np.ndarray
    rule: LoihiPlasticity
    column: np.ndarray
    row: np.ndarray
    source: np.ndarray
    axonal: np.ndarray
    target: np.ndarray
    dendritic: np.ndarray
    from_source: bool
    path: Path

    @property
    def elements(self) -> int:
        """The size of the matrix."""
        return len(self.source) * len(self.target)


@dataclass(frozen=True, eq=False)
class LavaPlan:
    """A whole network for Lava; populations by their index in the network."""

    populations: dict[int, NeuronPlan | SigmaDeltaPlan | SourcePlan]
    synapses: tuple[SynapsePlan, ...]
    learning: tuple[LearningPlan, ...] = ()
