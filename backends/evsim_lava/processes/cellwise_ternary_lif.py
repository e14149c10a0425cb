"""Lava's TernaryLIF with what Loihi has and its process lacks, as ``CellwiseLIF`` is its LIF."""

# Lava's builder replaces each LavaPyType by a value of the annotated type.
# pyright: reportAssignmentType=false

from __future__ import annotations

import numpy as np

from evsim_lava.processes.cellwise_lif import AbstractPyCellwiseLIF, CellwiseLIF
from evsim_lava.sdk import CPU, LavaPyType, LoihiProtocol, Var, implements, requires, tag


class CellwiseTernaryLIF(CellwiseLIF):
    """A TernaryLIF population whose cells may differ.

    Args:
        vth_lo: (n,) the lower thresholds; ``vth`` are the upper ones.
        The other ones are those of ``CellwiseLIF``.
    """

    def __init__(self, *, shape: tuple[int], vth_lo: np.ndarray, **others) -> None:
        super().__init__(shape=shape, **others)
        self.vth_lo = Var(shape=shape, init=vth_lo)


@implements(proc=CellwiseTernaryLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyCellwiseTernaryLIF(AbstractPyCellwiseLIF):
    """Lava's dynamics with two thresholds."""

    vth_lo: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def scale_threshold(self) -> None:
        """Align both thresholds with v."""
        super().scale_threshold()
        self.effective_vth_lo = np.left_shift(self.vth_lo, self.vth_shift)

    def spiking_activation(self) -> np.ndarray:
        """1 above the upper threshold, -1 below the lower one."""
        return super().spiking_activation().astype(np.int32) - (self.v < self.effective_vth_lo)

    def reset_voltage(self, spike_vector: np.ndarray) -> None:
        """Reset v where there is a spike of either sign."""
        super().reset_voltage(spike_vector != 0)
