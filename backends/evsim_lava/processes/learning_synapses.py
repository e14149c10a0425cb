"""Synapses that learn, by Lava's own learning engine, with delays.

Lava's ``LearningDense`` has no delays: its spikes are felt in the next time step, before PyNN's shortest delay is over.
"""

# Lava's builder replaces each LavaPyType by a value of the annotated type; ports and parameters are never None.
# pyright: reportAssignmentType=false, reportOptionalSubscript=false, reportArgumentType=false

from __future__ import annotations

import numpy as np

from evsim_lava.learning_engine import LearningEngine
from evsim_lava.plan import LearningPlan
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


class LearningSynapses(AbstractProcess):
    """A plastic projection.

    A spike of a source reaches its synapses after the axonal part of their delay, and is felt after the dendritic part;
    a spike of a target reaches them after the dendritic part (``evsim.engine.traced``).
    """

    def __init__(self, plan: LearningPlan) -> None:
        super().__init__(plan=plan)
        targets, sources = plan.shape
        self.s_in = InPort(shape=(sources,))
        self.s_in_bap = InPort(shape=(targets,))
        self.a_out = OutPort(shape=(targets,))


@implements(proc=LearningSynapses, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyLearningSynapses(PyLoihiProcessModel):
    """In time step t it delivers, and learns from, what reaches the synapses at label t - 1.

    All of that is known by then, but for the spikes of sources, which send one step late and wait for nobody.
    """

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_in_bap: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        plan: LearningPlan = proc_params["plan"]
        self._plan = plan
        targets, sources = plan.shape
        self._engine = LearningEngine(
            plan.rule, (len(plan.target), len(plan.source)), plan.row, plan.column, plan.weight
        )
        # spikes by label, charges by the time step in which they are sent
        self._sent = np.zeros((int(plan.axonal.max()) + 2, sources), np.int32)
        self._fired = np.zeros((int(plan.dendritic.max()) + 2, targets), bool)
        self._charges = np.zeros((int(plan.dendritic.max()) + 1, targets), np.int64)
        self._weights = np.memmap(plan.path, np.int32, "w+", shape=(len(plan.weight),))  # read whenever Lava pauses
        self._weights[:] = plan.weight

    def run_spk(self) -> None:
        """Send what is due, and take in the spikes of this step."""
        if self._plan.from_source:
            self._sent[(self.time_step - 1) % len(self._sent)] = self.s_in.recv()
        self._deliver(self.time_step - 1)
        present = self._charges[self.time_step % len(self._charges)]
        self.a_out.send(present.astype(np.int32))
        present[:] = 0
        if not self._plan.from_source:
            self._sent[self.time_step % len(self._sent)] = self.s_in.recv()
        self._fired[self.time_step % len(self._fired)] = self.s_in_bap.recv() != 0

    def _deliver(self, label: int) -> None:
        """Let what reaches the synapses at a label do its work; what comes twice finds the weight that it left."""
        plan = self._plan
        spikes = self._sent[(label - plan.axonal) % len(self._sent), plan.source]
        fired = self._fired[(label - plan.dendritic) % len(self._fired), plan.target]
        self._charge(np.minimum(spikes, 1))
        self._engine.learn(label, spikes > 0, fired)
        self._charge(np.maximum(spikes - 1, 0))
        if spikes.any() or fired.any():
            self._weights[:] = self._engine.weights[plan.row, plan.column]

    def _charge(self, spikes: np.ndarray) -> None:
        plan, columns = self._plan, np.flatnonzero(spikes)
        if len(columns):
            sums = self._engine.weights[:, columns].astype(np.int64) @ spikes[columns].astype(np.int64)
            due = (self.time_step + plan.dendritic) % len(self._charges)
            self._charges[due, plan.target] += sums << plan.rule.exponent
