"""A source, synapses and cells that send zeros: what is left of a network is Lava's channels."""

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


class Synapses(AbstractProcess):
    """Takes in ``sources`` spikes and sends ``targets`` zeros in each time step."""

    def __init__(self, targets: int, sources: int) -> None:
        super().__init__(size=targets)
        self.s_in = InPort(shape=(sources,))
        self.a_out = OutPort(shape=(targets,))


@implements(proc=Synapses, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySynapses(PyLoihiProcessModel):
    """Sends first, as synapses must where cells are connected with themselves."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._zeros = np.zeros(proc_params["size"], np.int32)

    def run_spk(self) -> None:
        """Send, then receive."""
        self.a_out.send(self._zeros)
        self.s_in.recv()


class Cells(AbstractProcess):
    """Takes in ``size`` inputs and sends as many zeros in each time step."""

    def __init__(self, size: int) -> None:
        super().__init__(size=size)
        self.a_in = InPort(shape=(size,))
        self.s_out = OutPort(shape=(size,))


@implements(proc=Cells, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyCells(PyLoihiProcessModel):
    """Receives, then sends."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._zeros = np.zeros(proc_params["size"], np.int32)

    def run_spk(self) -> None:
        """Receive, then send."""
        self.a_in.recv()
        self.s_out.send(self._zeros)
