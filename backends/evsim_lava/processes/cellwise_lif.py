"""Lava's LIF with what Loihi has and its process lacks: parameters for each cell, refractoriness, a changing bias."""

# Lava's builder replaces each LavaPyType by a value of the annotated type.
# pyright: reportAssignmentType=false, reportIndexIssue=false, reportArgumentType=false

from __future__ import annotations

import numpy as np

from evsim_lava.sdk import (
    CPU,
    AbstractLIF,
    AbstractPyLifModelFixed,
    LavaPyType,
    LoihiProtocol,
    PyOutPort,
    Var,
    implements,
    requires,
    tag,
)


class CellwiseLIF(AbstractLIF):
    """A LIF population whose cells may differ.

    Args:
        refractory: (n,) time steps for which v is held at 0 after a spike.
        changes: (time step, cell, value) arrays in order of time: from that step on, the bias of the cell is the value.
        The other ones are those of Lava's LIF, du, dv and vth being (n,).
    """

    def __init__(self, *, shape: tuple[int], du, dv, vth, refractory: np.ndarray, changes: tuple, **state) -> None:
        super().__init__(
            shape=shape,
            du=du,
            dv=dv,
            refractory=refractory,
            changes=changes,
            name="",
            log_config=None,
            **state,
        )
        self.du = Var(shape=shape, init=du)
        self.dv = Var(shape=shape, init=dv)
        self.vth = Var(shape=shape, init=vth)


class AbstractPyCellwiseLIF(AbstractPyLifModelFixed):
    """Lava's own fixed-point dynamics, on one parameter for each cell."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    vth: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=17)
    du: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=12)
    dv: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=12)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._refractory = proc_params["refractory"]
        self._held_until = np.zeros(len(self._refractory), np.int64)
        self._step, self._cell, self._value = proc_params["changes"]
        self._next = 0

    def scale_bias(self) -> None:
        """Lava calls this in every step: the bias registers first, then the changes that are due."""
        if self.time_step == 1:
            super().scale_bias()
        if self._next < len(self._step) and self._step[self._next] <= self.time_step:
            due = slice(self._next, int(np.searchsorted(self._step, self.time_step, side="right")))
            self.effective_bias[self._cell[due]] = self._value[due]
            self._next = due.stop

    def scale_threshold(self) -> None:
        """Align the threshold with v."""
        self.effective_vth = np.left_shift(self.vth, self.vth_shift)
        self.isthrscaled = True

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Lava's dynamics; then v is held at 0 in refractory cells."""
        super().subthr_dynamics(activation_in)
        self.v[self._held_until >= self.time_step] = 0

    def spiking_activation(self) -> np.ndarray:
        """Spike above the threshold."""
        return self.v > self.effective_vth

    def reset_voltage(self, spike_vector: np.ndarray) -> None:
        """Reset v and begin the refractory period."""
        super().reset_voltage(spike_vector)
        self._held_until[spike_vector] = self.time_step + self._refractory[spike_vector]


@implements(proc=CellwiseLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyCellwiseLIF(AbstractPyCellwiseLIF):
    """The model of the process itself: Lava takes none that was derived from another process's."""
