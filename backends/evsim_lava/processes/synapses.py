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
    """Synapses sorted by source; charges by time of arrival, in a buffer of twice the longest delay.

    The present step moves through the first half; at its end the second half becomes the first. So nothing is moved in
    a step, and what a spike sends lies at one distance from the present, whatever the delay.
    """

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._n_targets, n_sources = proc_params["shape"]
        order = np.argsort(proc_params["source"], kind="stable")
        delay = proc_params["delay"][order].astype(np.int64)
        self._first = np.searchsorted(proc_params["source"][order], np.arange(n_sources + 1))
        self._place = delay * self._n_targets + proc_params["target"][order]
        self._weight = proc_params["weight"][order].astype(np.float64)  # sums of integers below 2**53 are exact
        self._exponent = proc_params["weight_exp"]
        self._charges = np.zeros((2, (int(delay.max()) + 1) * self._n_targets), np.int64)
        self._at = 0  # place of the present step

    def run_spk(self) -> None:
        """Send what arrives in this step, then take in the spikes of this step, which arrive from the next one on."""
        charges = self._charges.reshape(-1)
        present = charges[self._at : self._at + self._n_targets]
        self.a_out.send(present.astype(np.int32))
        present[:] = 0
        self._at += self._n_targets
        if self._at == self._charges.shape[1]:
            self._charges[0], self._charges[1], self._at = self._charges[1], 0, 0
        spikes = self.s_in.recv()
        cells = np.flatnonzero(spikes)
        if len(cells):
            total = self._sent_by(cells, spikes[cells])
            charges[self._at : self._at + len(total)] += total

    def _sent_by(self, cells: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Charges by place, from the next step on, of cells of which each spikes so many times."""
        begin = self._first[cells]
        count = self._first[cells + 1] - begin
        before = np.cumsum(count) - count
        synapses = np.arange(count.sum()) + np.repeat(begin - before, count)
        charge = self._weight[synapses]
        if times.max() > 1:
            charge *= np.repeat(times, count)
        total = np.bincount(self._place[synapses], charge).astype(np.int64)
        return total << self._exponent if self._exponent >= 0 else total >> -self._exponent
