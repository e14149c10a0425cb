"""The rule sets: a number format, and when a spike is named and felt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evsim.errors import UnknownNameError


@dataclass(frozen=True)
class RuleSet:
    """The arithmetic of one family of chips.

    Step k of a run leads from time label k to label k + 1. The two offsets state what a spike's label means; the
    comparison aligns backends by them and never by fitting.

    Attributes:
        family: the chips whose way of checking and quantising it shares.
        number: the type of state, input, weight and of a model's constants.
        spike_label: a spike found in step k is labelled k + spike_label.
        input_label: step k takes the input that is due at label k + input_label; a spike labelled s over a delay of d
            steps is due at s + d.
        truth: what results in it can be said to match, and what that leaves out; for the foot of a report.
        records_received: whether the sample of label k already holds the input that step k takes.
        signed_weights: whether a synapse stores the sign of its weight; else its receptor alone decides it.
        neurons_of: the rule set whose neurons it has; its own if none is named.
    """

    name: str
    family: str
    title: str
    number: type
    spike_label: int
    input_label: int
    truth: str
    records_received: bool = False
    signed_weights: bool = True
    neurons_of: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether numbers are integers, so that two implementations can be equal bit for bit."""
        return self.number is not np.float64


RULE_SETS = {
    rules.name: rules
    for rules in (
        RuleSet(
            "ideal",
            "ideal",
            "float64, exact where the model is linear",
            np.float64,
            # NEST: input due at label s + d is added at the end of the step that leads there; a crossing is found there
            spike_label=1,
            input_label=1,
            truth="the equations of the models, as NEST 3.10 integrates them",
        ),
        RuleSet(
            "spinnaker1",
            "spinnaker",
            "s16.15 fixed point, 16-bit weights",
            np.int32,
            # sPyNNaker's c_main.c: time++, ring slot(time) -> synapse state, record, update, spike sent at `time`
            spike_label=0,
            input_label=0,
            truth="the firmware of sPyNNaker 7.4.1 executed in an emulator, not silicon; the time that instructions "
            "and memory take, contention and the loss of packets are not modelled",
            records_received=True,
            signed_weights=False,
        ),
        # Lava: a spike of time step s over DelayDense d reaches u and v in time step s + d + 1, i.e. in step k = s + d.
        RuleSet(
            "loihi1",
            "loihi",
            "24-bit integers, each synapse shifted and truncated",
            np.int32,
            spike_label=1,
            input_label=0,
            truth="brian2-loihi, not silicon; the time that a chip takes is not modelled",
        ),
        RuleSet(
            "loihi2",
            "loihi",
            "24-bit integers, shifted after the sum",
            np.int32,
            spike_label=1,
            input_label=0,
            truth="Lava's fixed-point models on a CPU, not silicon; the time that a chip takes is not modelled",
        ),
        RuleSet(
            "loihi2_microcode",
            "loihi",
            "that of loihi2, with a current for each receptor",
            np.int32,
            spike_label=1,
            input_label=0,
            truth="Lava's fixed-point dynamics of each current on a CPU; a chip needs microcode for a neuron of two, "
            "which nobody has written",
        ),
        RuleSet(
            "loihi2_learning",
            "loihi",
            "that of loihi2, with weights that learn",
            np.int32,
            spike_label=1,
            input_label=0,
            truth="Lava's fixed-point neurons and its bit-approximate learning on a CPU, given evsim's random numbers; "
            "by Lava's own account a chip learns much the same, not bit for bit",
            neurons_of="loihi2",
        ),
    )
}


def rule_set(name: str) -> RuleSet:
    """The rule set of that name; raises UnknownNameError."""
    try:
        return RULE_SETS[name]
    except KeyError:
        raise UnknownNameError("rule set", name, RULE_SETS) from None
