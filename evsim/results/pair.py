"""What the comparison of two targets says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """The earliest time at which a neuron (or a source) fired in one target and not, or not as often, in the other.

    Attributes:
        segment: the run in which it happened.
        time: ms, by the time labels of ``a``.
        a, b: how many spikes of that neuron each target has there.
    """

    segment: int
    time: float
    population: str
    neuron: int
    a: int
    b: int


@dataclass(frozen=True)
class VoltageDifference:
    """How far the recorded membrane potentials of two targets are apart (mV).

    Attributes:
        largest: the largest |dv| of all samples, at ``time`` (ms) in ``neuron`` of ``population``.
        before_difference: the largest |dv| before the first spike that differs; equals ``largest`` if none does.
        rms: root mean square over all samples.
        samples: how many were compared.
    """

    largest: float
    segment: int
    time: float
    population: str
    neuron: int
    before_difference: float
    rms: float
    samples: int


@dataclass(frozen=True)
class RawDifference:
    """The integers of two targets of one rule set, over every recorded variable."""

    samples: int
    different: int


@dataclass(frozen=True)
class WeightDifference:
    """What the plastic synapses of two targets had learned by the end of each run.

    Attributes:
        synapses: how many weights were compared.
        different: how many of them are not exactly equal, in PyNN's units.
        largest: the largest |dw|, in the unit of the weights of ``projection``, where it is.
    """

    synapses: int
    different: int
    largest: float
    projection: str


@dataclass(frozen=True)
class PopulationPair:
    """One population of neurons in two targets.

    Attributes:
        n_spikes, rates: of ``a`` and of ``b``; rates in Hz.
        correlation: Pearson's, of the spike counts of its cells in bins of ``PairResult.bin`` ms.
    """

    population: str
    n_spikes: tuple[int, int]
    rates: tuple[float, float] | None
    correlation: float | None


@dataclass(frozen=True)
class PairResult:
    """Two targets compared. Whatever could not be compared is None, and ``notes`` says why.

    Attributes:
        n_spikes: of the neurons of each target, or of its sources where only sources were recorded.
        spikes_equal: whether every spike of neurons and sources is the same.
        label_shift: time steps added to the labels of b's neurons to bring them onto a's.
        rate_difference: mean rate of a's neurons less that of b's (Hz).
        bin: ms.
    """

    a: str
    b: str
    spikes_equal: bool | None = None
    n_spikes: tuple[int | None, int | None] = (None, None)
    first_difference: Difference | None = None
    label_shift: int = 0
    voltage: VoltageDifference | None = None
    raw: RawDifference | None = None
    weights: WeightDifference | None = None
    rate_difference: float | None = None
    correlation: float | None = None
    bin: float | None = None
    populations: tuple[PopulationPair, ...] = ()
    notes: tuple[str, ...] = ()
