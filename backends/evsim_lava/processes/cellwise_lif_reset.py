"""Lava's LIFReset with what Loihi has and its process lacks, as ``CellwiseLIF`` is its LIF."""

from __future__ import annotations

import numpy as np

from evsim_lava.processes.cellwise_lif import AbstractPyCellwiseLIF, CellwiseLIF
from evsim_lava.sdk import CPU, LoihiProtocol, implements, requires, tag


class CellwiseLIFReset(CellwiseLIF):
    """A LIFReset population whose cells may differ.

    Args:
        resets: (n,) the time step before which u and v first become 0, and (n,) after how many they do again.
        The other ones are those of ``CellwiseLIF``.
    """

    def __init__(self, *, shape: tuple[int], resets: tuple[np.ndarray, np.ndarray], **others) -> None:
        super().__init__(shape=shape, resets=resets, **others)


@implements(proc=CellwiseLIFReset, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyCellwiseLIFReset(AbstractPyCellwiseLIF):
    """Lava's dynamics, after u and v of the cells that are due were set to 0."""

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        first, interval = proc_params["resets"]
        self._next_reset, self._interval = first.astype(np.int64), interval

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Reset, then advance."""
        due = self._next_reset == self.time_step
        self.u[due] = 0
        self.v[due] = 0
        self._next_reset += due * self._interval
        super().subthr_dynamics(activation_in)
