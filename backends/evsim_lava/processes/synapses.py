"""Synapses with delays by events: what Lava's DelayDense does, without building its matrices anew in every step."""

# Lava's builder replaces each LavaPyType by a value of the annotated type; ports and parameters are never None.
# pyright: reportAssignmentType=false, reportOptionalSubscript=false, reportArgumentType=false

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evsim_lava.plan import SynapsePlan
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
    """The projections from one population onto one current of another; any number of synapses may join two cells.

    On a chip, too, they share a core's synaptic memory. The weights of a projection that meet at a cell, of one
    emission step and one delay, are summed and then shifted by its exponent (toward minus infinity), as in DelayDense.

    Args:
        projections: of one shape; a delay of 0 arrives in the next time step.
    """

    def __init__(self, projections: Sequence[SynapsePlan]) -> None:
        super().__init__(projections=projections)
        n_targets, n_sources = projections[0].shape
        self.s_in = InPort(shape=(n_sources,))
        self.a_out = OutPort(shape=(n_targets,))


@implements(proc=DelayedSynapses, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyDelayedSynapses(PyLoihiProcessModel):
    """Charges by time of arrival, in a buffer of twice the longest delay.

    The present step moves through the first half; at its end the second half becomes the first. So nothing is moved in
    a step, and what a spike sends lies at one distance from the present, whatever the delay.
    """

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        projections: Sequence[SynapsePlan] = proc_params["projections"]
        self._n_targets, self._counts = projections[0].shape[0], projections[0].counts
        # what is shifted to the left may be shifted before it is summed, so one list holds it all
        left = [projection for projection in projections if projection.exponent >= 0]
        right = [projection for projection in projections if projection.exponent < 0]
        self._lists = [_SynapseList(together) for together in (left, *([one] for one in right)) if together]
        self._half = self._n_targets * (1 + max(int(projection.delay.max()) for projection in projections))
        self._charges = np.zeros(2 * self._half, np.int64)
        self._at = 0  # place of the present step

    def run_spk(self) -> None:
        """Send what arrives in this step, then take in the spikes of this step, which arrive from the next one on."""
        present = self._charges[self._at : self._at + self._n_targets]
        self.a_out.send(present)  # the channel makes it 32 bits, as any overflow in Lava
        present.fill(0)
        self._at += self._n_targets
        if self._at == self._half:
            self._charges[: self._half], self._charges[self._half :], self._at = self._charges[self._half :], 0, 0
        spikes = self.s_in.recv()
        cells = np.nonzero(spikes)[0]
        if len(cells):
            payload = spikes[cells] if self._counts else None
            for synapses in self._lists:
                synapses.send(cells, payload, self._charges[self._at :])


class _SynapseList:
    """Synapses by source, of one projection or of several that are shifted to the left.

    A source's row is a (2, n) array: the places of its charges, counted from the next time step on, and the charges.
    """

    def __init__(self, projections: Sequence[SynapsePlan]) -> None:
        n_targets, n_sources = projections[0].shape
        source = np.concatenate([projection.source for projection in projections])
        place = np.concatenate([projection.delay * n_targets + projection.target for projection in projections])
        charge = np.concatenate(
            [projection.weight.astype(np.int64) << max(projection.exponent, 0) for projection in projections]
        )
        order = np.argsort(source, kind="stable")
        first = np.searchsorted(source[order], np.arange(1, n_sources))
        self._rows = np.split(np.stack([place, charge])[:, order], first, axis=1)
        self._shift = max(-projections[0].exponent, 0)

    def send(self, cells: np.ndarray, payload: np.ndarray | None, ahead: np.ndarray) -> None:
        """Add the charges of the cells that spike to those of the steps ahead.

        Args:
            payload: what the spike of each cell counts for; None for 1.
        """
        rows = [self._rows[cell] for cell in cells.tolist()]
        place, charge = np.concatenate(rows, axis=1)
        if payload is not None and (payload != 1).any():
            charge = charge * np.repeat(payload, [row.shape[1] for row in rows])
        if not self._shift:
            np.add.at(ahead, place, charge)
        else:
            total = np.bincount(place, charge).astype(np.int64)  # sums of integers below 2**53 are exact
            ahead[: len(total)] += total >> self._shift
