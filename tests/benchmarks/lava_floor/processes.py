"""What sends zeros in the place of sources, synapses and cells: what is left of a network is Lava's channels."""

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


class Source(AbstractProcess):
    """Sends ``size`` zeros in each time step."""

    def __init__(self, size: int) -> None:
        super().__init__(size=size)
        self.s_out = OutPort(shape=(size,))


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySource(PyLoihiProcessModel):
    """Sends."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._zeros = np.zeros(proc_params["size"], np.int32)

    def run_spk(self) -> None:
        """Send."""
        self.s_out.send(self._zeros)


class Relay(AbstractProcess):
    """Takes in spikes or charges and sends zeros in each time step, as synapses and cells do.

    Args:
        inputs, outputs: how many.
        sends_first: synapses do, so that cells can be connected with themselves.
    """

    def __init__(self, inputs: int, outputs: int, sends_first: bool) -> None:
        super().__init__(outputs=outputs, sends_first=sends_first)
        self.into = InPort(shape=(inputs,))
        self.s_out = OutPort(shape=(outputs,))


@implements(proc=Relay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyRelay(PyLoihiProcessModel):
    """Sends and receives."""

    into: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._zeros, self._sends_first = np.zeros(proc_params["outputs"], np.int32), proc_params["sends_first"]

    def run_spk(self) -> None:
        """Send and receive, in the order of the process."""
        if self._sends_first:
            self.s_out.send(self._zeros)
        self.into.recv()
        if not self._sends_first:
            self.s_out.send(self._zeros)
