"""Synapses with delays by events: what Lava's DelayDense does, without building its matrices anew in every step."""

# Lava's builder replaces each LavaPyType by a value of the annotated type; ports and parameters are never None.
# pyright: reportAssignmentType=false, reportOptionalSubscript=false, reportArgumentType=false

from __future__ import annotations

import numpy as np

from evsim_lava.sdk import (
    CPU,
    AbstractProcess,
    InPort,
    LavaPyType,
    LoihiProtocol,
    OutPort,
    PyInPort,
    PyLoihiProcessModel,
    PyOutPort,
    implements,
    requires,
    tag,
)


class DelayedSynapses(AbstractProcess):
    """A projection as a list of synapses; any number of them may join two cells.

    The weights that meet at a cell, of one emission step and one delay, are summed and then shifted by ``weight_exp``
    (toward minus infinity), as DelayDense does.

    Args:
        shape: (targets, sources).
        source, target, delay: (n,) of each synapse; a delay of 0 arrives in the next time step.
        weight: (n,) mantissas.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int],
        source: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        delay: np.ndarray,
        weight_exp: int,
    ) -> None:
        super().__init__(shape=shape, source=source, target=target, weight=weight, delay=delay, weight_exp=weight_exp)
        self.s_in = InPort(shape=(shape[1],))
        self.a_out = OutPort(shape=(shape[0],))


@implements(proc=DelayedSynapses, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyDelayedSynapses(PyLoihiProcessModel):
    """Synapses sorted by source; a ring of charges by time of arrival."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        n_targets, n_sources = proc_params["shape"]
        order = np.argsort(proc_params["source"], kind="stable")
        delay = proc_params["delay"][order].astype(np.int64)
        self._first = np.searchsorted(proc_params["source"][order], np.arange(n_sources + 1))
        self._place = delay * n_targets + proc_params["target"][order]
        self._weight = proc_params["weight"][order].astype(np.float64)  # sums of integers below 2**53 are exact
        self._exponent = proc_params["weight_exp"]
        self._ring = np.zeros((int(delay.max()) + 1, n_targets), np.int64)

    def run_spk(self) -> None:
        """Send what arrives in this step, then take in the spikes of this step."""
        self.a_out.send(self._ring[0].astype(np.int32))
        self._ring = np.roll(self._ring, -1, axis=0)
        self._ring[-1] = 0
        spikes = self.s_in.recv()
        cells = np.flatnonzero(spikes)
        if not len(cells):
            return
        rows = [slice(self._first[cell], self._first[cell + 1]) for cell in cells]
        place = np.concatenate([self._place[row] for row in rows])
        charge = np.concatenate([self._weight[row] * spikes[cell] for row, cell in zip(rows, cells, strict=True)])
        total = np.bincount(place, charge, self._ring.size).astype(np.int64).reshape(self._ring.shape)
        self._ring += total << self._exponent if self._exponent >= 0 else total >> -self._exponent
