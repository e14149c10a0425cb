"""What a chip's numbers do to the weights of a projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from evsim.synapses import Synapses, of_each


@dataclass(frozen=True)
class WeightLoss:
    """What quantisation did to the weights of one projection; weights in the projection's own unit.

    Attributes:
        lsb: the least step of a weight; 0 in ``ideal``.
        zeroed: weights other than 0 that became 0.
        saturated: weights beyond the largest that the chip holds.
        max_error, rms_error: of |held - asked|.
    """

    projection: str
    unit: str
    count: int
    lsb: float
    zeroed: int
    saturated: int
    max_error: float
    rms_error: float
    max_weight: float

    @property
    def lost(self) -> int:
        """Weights that are not merely rounded."""
        return self.zeroed + self.saturated


class Hold(Protocol):
    """How a chip holds the weights of one projection. Two that are equal hold the same weights alike."""

    def stored(self, weight: NDArray[np.float64]) -> np.ndarray:
        """Weights (n,) in the projection's unit as the (n,) numbers that are stored."""
        ...

    def physical(self, stored: np.ndarray) -> NDArray[np.float64]:
        """What one spike by itself adds over a synapse that stores these numbers (n,), in the projection's unit."""
        ...

    def saturated(self, weight: NDArray[np.float64]) -> int:
        """How many of the weights (n,) are beyond the largest that the chip holds."""
        ...


def weight_loss(
    label: str, unit: str, synapses: Synapses, hold: Hold, lsb: float, share: NDArray[np.float64] | None = None
) -> WeightLoss:
    """Compare the weights asked for with those that the chip holds, both in the projection's unit.

    Args:
        lsb: the least step of a weight.
        share: (cells of the target,) the part of the weights asked for that the synapses onto each have; None for 1.
    """
    n = len(synapses)
    if synapses.constant_weight is not None and share is None:
        one = _errors(np.array([synapses.constant_weight]), hold, 1.0)
        errors = _Errors(n * one.zeroed, n * one.saturated, n * one.squares, one.most, one.asked)
    else:
        errors = _together(list(of_each(partial(_of_chunk, synapses, hold, share), range(synapses.n_chunks))))
    rms = (errors.squares / n) ** 0.5 if n else 0.0
    return WeightLoss(label, unit, n, lsb, errors.zeroed, errors.saturated, errors.most, rms, errors.asked)


class _Errors(NamedTuple):
    """Of some weights: counts as in ``WeightLoss``, the sum of the squared errors, the largest error and weight."""

    zeroed: int
    saturated: int
    squares: float
    most: float
    asked: float


def _of_chunk(synapses: Synapses, hold: Hold, share: NDArray[np.float64] | None, index: int) -> _Errors:
    if share is None:
        return _errors(synapses.weight_chunk(index), hold, 1.0)
    chunk = synapses.chunk(index)
    return _errors(chunk.weight, hold, share[chunk.target])


def _errors(asked: NDArray[np.float64], hold: Hold, share: float | NDArray[np.float64]) -> _Errors:
    held = hold.physical(hold.stored(asked))
    error = np.abs(held - asked) / share
    zeroed = int(np.count_nonzero((held == 0) & (asked != 0)))
    squares, asked_most = float(np.sum(error**2)), float((np.abs(asked) / share).max())
    return _Errors(zeroed, hold.saturated(asked), squares, float(error.max()), asked_most)


def _together(parts: Sequence[_Errors]) -> _Errors:
    """Of all parts, added in their order."""
    zeroed, saturated, squares = (sum(part[place] for part in parts) for place in range(3))
    return _Errors(
        int(zeroed),
        int(saturated),
        float(squares),
        max((part.most for part in parts), default=0.0),
        max((part.asked for part in parts), default=0.0),
    )
