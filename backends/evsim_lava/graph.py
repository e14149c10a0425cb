"""In the child process: Lava's processes for a plan, and running them."""

# Lava's processes carry their ports as attributes that no annotation names.
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evsim.errors import BackendError
from evsim_lava import hardware
from evsim_lava.plan import SENT, LavaPlan, LearningPlan, NeuronPlan, SigmaDeltaPlan, SourcePlan, SynapsePlan
from evsim_lava.processes.cellwise_lif import CellwiseLIF
from evsim_lava.processes.cellwise_lif_reset import CellwiseLIFReset
from evsim_lava.processes.cellwise_ternary_lif import CellwiseTernaryLIF
from evsim_lava.processes.event_source import EventSource
from evsim_lava.processes.learning_synapses import LearningSynapses
from evsim_lava.processes.recorders import OutputRecorder, SpikeRecorder, StateRecorder
from evsim_lava.processes.synapses import DelayedSynapses
from evsim_lava.processes.two_current_lif import TwoCurrentLIF
from evsim_lava.sdk import (
    LIF,
    AbstractProcess,
    ActivationMode,
    DelayDense,
    LIFReset,
    Loihi2SimCfg,
    RunSteps,
    SigmaDelta,
    SignMode,
    TernaryLIF,
)


class LavaGraph:
    """A network in Lava, one run-time for each connected part of it.

    Args:
        plan: what to build.
        on_chip: whether a Loihi 2 chip runs it, and not this machine.
    """

    def __init__(self, plan: LavaPlan, on_chip: bool = False) -> None:
        processes = {index: _population(population) for index, population in plan.populations.items()}
        self._recorders = []  # Lava finds processes by their connections, but does not keep them alive
        for index, population in plan.populations.items():
            if not isinstance(population, SourcePlan):
                self._recorders += _recorders(population, processes[index])
        for synapses in _together(plan.synapses):
            _connect(synapses, processes[synapses[0].pre], processes[synapses[0].post])
        for learning in plan.learning:
            _connect_learning(learning, processes[learning.pre], processes[learning.post])
        self._parts = [processes[part] for part in _parts(plan)]
        self._config = hardware.run_config() if on_chip else Loihi2SimCfg(select_tag="fixed_pt")

    def run(self, steps: int) -> None:
        """Advance by a number of time steps; raises BackendError with the traceback of a Lava process that failed."""
        for part in self._parts:
            try:
                part.run(condition=RunSteps(num_steps=steps), run_cfg=self._config)
            except RuntimeError as error:
                raise BackendError(self.failure() or f"Lava: {error}") from error

    def failure(self) -> str | None:
        """The traceback of a Lava process that failed: Lava waits for such a process for ever."""
        for part in self._parts:
            runtime = part.runtime
            if runtime is None or runtime._messaging_infrastructure is None:
                continue
            for actor in runtime._messaging_infrastructure.actors:
                if error := actor.exception:
                    return f"a Lava process failed\n{error[1]}"
        return None

    def close(self) -> None:
        """Stop Lava's processes."""
        for part in self._parts:
            part.stop()


def _population(plan: NeuronPlan | SigmaDeltaPlan | SourcePlan) -> AbstractProcess:
    if isinstance(plan, SourcePlan):
        return EventSource(size=plan.size, folder=plan.folder)
    if isinstance(plan, SigmaDeltaPlan):
        return _sigma_delta(plan)
    state = {"shape": plan.v.shape, "v": plan.v, "bias_mant": plan.bias_mant, "bias_exp": plan.bias_exp}
    current, *second = plan.currents
    if plan.is_plain and not second:
        return _stock(plan, state)
    registers = {"u": current.u, "du": current.du, "dv": plan.dv, "vth": plan.vth}
    cellwise = {**state, **registers, "refractory": plan.refractory, "changes": plan.changes}
    if second:
        return TwoCurrentLIF(du_i=second[0].du, u_i=second[0].u, **cellwise)
    if plan.resets:
        return CellwiseLIFReset(resets=(plan.resets.first, plan.resets.interval), **cellwise)
    if plan.vth_lo is not None:
        return CellwiseTernaryLIF(vth_lo=plan.vth_lo, **cellwise)
    return CellwiseLIF(**cellwise)


def _stock(plan: NeuronPlan, state: dict) -> AbstractProcess:
    """One of Lava's own processes, of cells that are alike."""
    (current,) = plan.currents
    state = {**state, "u": current.u, "du": int(current.du[0]), "dv": int(plan.dv[0])}
    vth = int(plan.vth[0])
    if plan.resets:
        first, interval = int(plan.resets.first[0]), int(plan.resets.interval[0])
        return LIFReset(vth=vth, reset_offset=first, reset_interval=interval, **state)
    if plan.vth_lo is not None:
        return TernaryLIF(vth_hi=vth, vth_lo=int(plan.vth_lo[0]), **state)
    return LIF(vth=vth, **state)


def _sigma_delta(plan: SigmaDeltaPlan) -> AbstractProcess:
    unit = 1 << plan.state_exp  # by which Lava multiplies threshold and bias
    return SigmaDelta(
        shape=plan.bias.shape,
        vth=plan.vth / unit,
        bias=plan.bias / unit,
        act_mode=ActivationMode.RELU if plan.rectifies else ActivationMode.UNIT,
        cum_error=plan.sums_errors,
        state_exp=plan.state_exp,
    )


def _recorders(plan: NeuronPlan | SigmaDeltaPlan, neurons: AbstractProcess) -> list[AbstractProcess]:
    recorders: list[AbstractProcess] = []
    if plan.spikes is not None:
        recorder = SpikeRecorder(size=plan.size, path=plan.spikes)
        neurons.s_out.connect(recorder.s_in)
        recorders.append(recorder)
    for sample in plan.samples:
        kind = OutputRecorder if sample.variable == SENT else StateRecorder
        recorder = kind(size=plan.size, cells=sample.cells, interval=sample.interval, path=sample.path)
        if kind is OutputRecorder:
            neurons.s_out.connect(recorder.s_in)
        else:
            recorder.state.connect_var(getattr(neurons, sample.variable))
        recorders.append(recorder)
    return recorders


def _together(plans: Sequence[SynapsePlan]) -> list[list[SynapsePlan]]:
    """Those that share a process or, in stock processes, each one by itself; in the order of the first of each."""
    bundles: dict[tuple, list[SynapsePlan]] = {}
    for number, plan in enumerate(plans):
        alone = None if plan.layers is None else number
        bundles.setdefault((plan.pre, plan.post, plan.current, alone), []).append(plan)
    return list(bundles.values())


def _connect(plans: list[SynapsePlan], pre: AbstractProcess, post: AbstractProcess) -> None:
    plan = plans[0]
    for connection in [DelayedSynapses(plans)] if plan.layers is None else _stock_connections(plan, plan.layers):
        pre.s_out.connect(connection.s_in)
        connection.a_out.connect(post.a_in if plan.current == 0 else post.i_in)


def _connect_learning(plan: LearningPlan, pre: AbstractProcess, post: AbstractProcess) -> None:
    synapses = LearningSynapses(plan)
    pre.s_out.connect(synapses.s_in)
    synapses.a_out.connect(post.a_in if plan.current == 0 else post.i_in)
    post.s_out.connect(synapses.s_in_bap)


def _stock_connections(plan: SynapsePlan, layers: np.ndarray) -> list[AbstractProcess]:
    connections: list[AbstractProcess] = []
    for layer in range(int(layers.max()) + 1):
        chosen = layers == layer
        weights, delays = np.zeros(plan.shape, int), np.zeros(plan.shape, int)
        weights[plan.target[chosen], plan.source[chosen]] = plan.weight[chosen]
        delays[plan.target[chosen], plan.source[chosen]] = plan.delay[chosen]
        connections.append(
            DelayDense(
                weights=weights,
                delays=delays,
                weight_exp=plan.exponent,
                num_weight_bits=8,
                sign_mode=SignMode.MIXED if plan.mixed else None,
                num_message_bits=8 if plan.counts else 0,
            )
        )
    return connections


def _parts(plan: LavaPlan) -> list[int]:
    """One population of each connected part of the network."""
    part = {index: index for index in plan.populations}

    def find(index: int) -> int:
        while part[index] != index:
            index = part[index]
        return index

    for synapses in (*plan.synapses, *plan.learning):
        part[find(synapses.pre)] = find(synapses.post)
    return sorted({find(index) for index in part})
