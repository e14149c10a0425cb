"""What the emulators are given, and what they give back.

Row t of a result is the state after time step t, counted from 0. A spike of an input at t over a delay of d is felt in
row t + d; one that a neuron emits in row t is felt in row t + 1 + d. These are evsim's words; each emulator's function
says them in its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Result(NamedTuple):
    """u, v and whether there was a spike: (steps, neurons) each. v is that after a reset."""

    u: np.ndarray
    v: np.ndarray
    spikes: np.ndarray


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses of one connection object, at most one between two cells.

    Attributes:
        source, target, delay: (n,) of each synapse.
        weight: (n,) mantissas.
        exponent: of two, by which mantissas are scaled.
        recurrent: whether the sources are the neurons, and not the inputs.
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    exponent: int = 0
    recurrent: bool = False

    @property
    def mixed(self) -> bool:
        """Whether both signs occur."""
        return bool(self.weight.min() < 0 < self.weight.max())

    @property
    def sign_mode(self) -> int:
        """1 mixed, 2 excitatory, 3 inhibitory: the numbers that Lava and brian2-loihi have for it."""
        return 1 if self.mixed else 3 if self.weight.max() <= 0 else 2

    def matrix(self, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Values of the synapses as (targets, sources)."""
        table = np.zeros(shape, int)
        table[self.target, self.source] = values
        return table


@dataclass(frozen=True, eq=False)
class Registers:
    """A population of Loihi's neurons and what it gets.

    Attributes:
        size: number of neurons.
        du, dv: u loses du + 1 parts of 4096 in a step, and v loses dv.
        vth: threshold, in units of 64.
        refractory: steps for which v is held at 0 after a spike.
        bias_mantissa, bias_exponent: (size,); the exponents are 0 or more.
        u, v: (size,) state before the first step.
        inputs: (steps, inputs) whether an input spikes.
        synapses: objects onto the population.
    """

    size: int
    du: int
    dv: int
    vth: int
    inputs: np.ndarray
    synapses: tuple[Synapses, ...]
    refractory: int = 0
    bias_mantissa: int | np.ndarray = 0
    bias_exponent: int | np.ndarray = 0
    u: int | np.ndarray = 0
    v: int | np.ndarray = 0

    @property
    def steps(self) -> int:
        """How many time steps the inputs last."""
        return len(self.inputs)

    @property
    def bias(self) -> np.ndarray:
        """(size,) int32, what is added to v in a step."""
        return self.each(np.left_shift(self.bias_mantissa, self.bias_exponent))

    def each(self, values: int | np.ndarray) -> np.ndarray:
        """A number for each neuron, (size,) int32."""
        return np.broadcast_to(np.asarray(values, np.int32), self.size).copy()

    def sources(self, synapses: Synapses) -> int:
        """How many cells the synapses may come from."""
        return self.size if synapses.recurrent else self.inputs.shape[1]


def differing(ours: Result, theirs: Result) -> dict[str, int]:
    """How many numbers differ, of what."""
    pairs = zip(Result._fields, ours, theirs, strict=True)
    return {name: int(np.count_nonzero(a != b)) for name, a, b in pairs if not np.array_equal(a, b)}
