"""Lava's LIF with a second current. Lava has no such process, and Loihi 2 has no microcode for one."""

# Lava's builder replaces each LavaPyType by a value of the annotated type; ports and parameters are never None.
# pyright: reportAssignmentType=false, reportArgumentType=false

from __future__ import annotations

import numpy as np

from evsim_lava.processes.cellwise_lif import AbstractPyCellwiseLIF, CellwiseLIF
from evsim_lava.sdk import CPU, InPort, LavaPyType, LoihiProtocol, PyInPort, Var, implements, requires, tag


class TwoCurrentLIF(CellwiseLIF):
    """A LIF population with a current for each receptor, both of which move v.

    What Lava's LIF has (``a_in``, ``u``, ``du``) is the excitatory current; ``i_in``, ``u_i`` and ``du_i`` are the
    inhibitory one.

    Args:
        du_i, u_i: (n,) decay and initial state of the inhibitory current.
        The other ones are those of ``CellwiseLIF``.
    """

    def __init__(self, *, shape: tuple[int], du_i: np.ndarray, u_i: np.ndarray, **others) -> None:
        super().__init__(shape=shape, **others)
        self.i_in = InPort(shape=shape)
        self.u_i = Var(shape=shape, init=u_i)
        self.du_i = Var(shape=shape, init=du_i)


@implements(proc=TwoCurrentLIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyTwoCurrentLIF(AbstractPyCellwiseLIF):
    """Lava's own dynamics twice: of the inhibitory current by itself, then of a LIF that has it as part of its bias."""

    i_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    u_i: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    du_i: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=12)

    def subthr_dynamics(self, activation_in: np.ndarray) -> None:
        """Both currents take their input, then v takes both."""
        u, du, v, bias = self.u, self.du, self.v, self.effective_bias
        self.u, self.du, self.v = self.u_i, self.du_i, np.zeros_like(v)  # Lava writes into the arrays
        super().subthr_dynamics(self.i_in.recv())
        self.u, self.du, self.v, self.effective_bias = u, du, v, bias + self.u_i
        super().subthr_dynamics(activation_in)
        self.effective_bias = bias
