"""Loihi 2 itself, through the part of Lava that Intel gives to members of its research community alone.

lava-nc 0.10.0 has ``Loihi2HwCfg`` without that part, too, and dies of a NameError when it is used. What is here was
never run on a chip: it is the graph that runs on a CPU, with another run configuration, as far as it consists of
Lava's own processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from evsim.errors import BackendError, Problem
from evsim.network import Network
from evsim_lava.plan import LavaPlan, NeuronPlan, SourcePlan

if TYPE_CHECKING:
    from evsim_lava.sdk import RunConfig

EXTENSION = "lava.utils.loihi2_profiler"  # by which ``lava.utils.loihi.is_installed`` knows that the part is there


def require_extension() -> None:
    """Raise BackendError where Lava cannot reach a chip."""
    if find_spec(EXTENSION) is None:
        raise BackendError(
            f"Lava cannot reach a Loihi 2 chip: its extension for Loihi ({EXTENSION}) is not installed. Intel gives it "
            "to members of the Intel Neuromorphic Research Community; see hardware/loihi.md. Without it, --on lava "
            "runs Lava's bit-accurate models of the chip on the CPU."
        )


def problems(plan: LavaPlan, network: Network) -> Iterator[Problem]:
    """What Lava's own processes, for which there is code on the chip, do not hold."""
    for index, population in plan.populations.items():
        if isinstance(population, SourcePlan):
            continue
        where = f"population {network.populations[index].label!r}"
        if not (isinstance(population, NeuronPlan) and population.is_lif):
            yield Problem(
                where,
                f"the cell {network.populations[index].model}",
                "evsim brings Lava's LIF to a chip, and no other neuron",
                "Use IF_curr_exp or IF_curr_delta, or run on lava without hardware.",
            )
            continue
        if len(population.currents) > 1:
            yield Problem(
                where,
                "a neuron with two synaptic currents",
                "a chip needs microcode for it, which nobody has written",
                "Make tau_syn_E and tau_syn_I equal and take the chip loihi2, or run on lava:loihi2_microcode.",
            )
        if not population.is_plain:
            yield Problem(
                where,
                "cells with different time constants or thresholds, a refractory period or injected currents",
                "Lava's LIF has one du, dv and vth for all cells, no refractoriness and a constant bias",
                "Give all cells the same parameters and tau_refrac = 0, or run on lava without hardware.",
            )
        for sample in population.samples:
            yield Problem(
                where,
                f"recording the state variable {sample.variable}",
                "evsim reads spikes alone from a chip",
                "Record spikes, or run on lava without hardware.",
            )
    for synapses in plan.synapses:
        if synapses.layers is None:
            pre, post = (network.populations[index].label for index in (synapses.pre, synapses.post))
            yield Problem(
                f"synapses from {pre!r} to {post!r}",
                "several synapses between two cells, with weights so small that their sum is divided",
                "Lava's DelayDense has one synapse between two cells",
                "Give larger weights, or one synapse between two cells.",
            )


def run_config() -> RunConfig:
    """Lava's configuration for the chip."""
    from evsim_lava.sdk import Loihi2HwCfg

    return Loihi2HwCfg()
