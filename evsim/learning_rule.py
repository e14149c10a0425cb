"""Rules of plasticity in functions: what a synapse does at a spike of its source, and at one of its target.

Scripts bring them (``evsim.pynn.own_learning``), and models do.

Times are those at the synapse. Of its delay the dendritic part D lies behind it: a spike of the source that is due at
label s arrives at s - D, and one of the target, of label p, at p + D. Spikes are taken in the order in which they
arrive; of those that arrive together first the source's, then the target's, as Brian2 has it, unless a rule says
otherwise. A trace of either side decays exponentially, and rises by 1 at each spike of that side, once what is to be
done at the spike is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evsim.release import CHANCES, INTERVAL, STEP, WEIGHT, Floats, ReleaseRule, Span

SOURCE, TARGET = "source", "target"

# What functions may ask for besides parameters, state variables and traces: the weight, the time since the spike of the
# source and of the target before, and since the latest of both (ms; inf where there was none), the time step (ms), and
# numbers drawn from 0 to 1.
SINCE_PRE, SINCE_POST = "since_pre", "since_post"
GIVEN = (WEIGHT, SINCE_PRE, SINCE_POST, INTERVAL, STEP, *CHANCES)

FRACTION = "dendritic_delay_fraction"  # a parameter of every such rule, the same in all synapses of a projection


@dataclass(frozen=True)
class Trace:
    """A trace of the spikes of one side.

    Attributes:
        side: ``SOURCE`` or ``TARGET``.
        tau: the parameter with its time constant (ms).
    """

    side: str
    tau: str


@dataclass(frozen=True, eq=False)
class LearningRule(ReleaseRule):
    """What a rule asks for; functions ask for what they need by the names of their arguments, and numba compiles them.

    Attributes:
        on_pre: at a spike of the source: ``on_pre(...) -> (weight, *states)``, or ``(released, weight, *states)`` where
            ``releases``; a bare number where that is one. What is not said to be released is the new weight. None where
            nothing is done but to release the weight.
        on_post: likewise at a spike of the target: ``on_post(...) -> (weight, *states)``; None where nothing is done.
        traces: name -> what it follows.
        releases: whether ``on_pre`` says what is released.
        shared: whether random numbers are of a spike alone, the same in all synapses over which it comes, and not of
            each of these.
        target_first: whether of spikes that arrive together the target's comes first; not where the dendritic part of
            the delay is 0, for such a spike is not known yet.
    """

    on_pre: Callable[..., Any] | None = None
    on_post: Callable[..., Any] | None = None
    traces: Mapping[str, Trace] = field(default_factory=dict)
    releases: bool = False
    shared: bool = False
    target_first: bool = False

    @property
    def learns(self) -> bool:
        """Whether weights change for good."""
        return True

    def traces_at(self, side: str) -> list[str]:
        """The names of the traces of one side."""
        return [name for name, trace in self.traces.items() if trace.side == side]

    def state_faults(self, states: Mapping[str, Floats]) -> Iterator[tuple[str, str]]:
        """What is wrong with values of state variables; those that are not given have their defaults."""
        for name, values in states.items():
            if fault := Span().fault(name, values):
                yield fault


def dendritic_steps(fraction: float, delay: int) -> int:
    """The dendritic part of a delay, both in time steps."""
    return round(fraction * delay)
