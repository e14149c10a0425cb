"""The differential equations of a neuron model, for methods that choose their own time steps.

Between the events of a cell (a spike that arrives or is sent, the end of a refractory time, a step of an injected
current) its states follow smooth equations. The conductances or currents of its receptors do not depend on these
states, so they are no part of the equations: they are known in closed form at any time (``Response``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Constants = Mapping[str, float]  # of one cell: parameter -> value
Slopes = Callable[[Sequence[float], Sequence[float], float], list[float]]


@dataclass(frozen=True)
class Response:
    """What a spike of weight w does at a receptor.

    Attributes:
        variable: the state variable that it moves, such as ``"gsyn_exc"``.
        tau: the parameter with its time constant (ms).
        rises: False: w is added to the variable, which decays as exp(-t / tau). True: w (t / tau) exp(1 - t / tau) is
            added, whose peak is w.
    """

    variable: str
    tau: str
    rises: bool = False


@dataclass(frozen=True, eq=False)
class Equations:
    """A neuron model between events, and what happens at them.

    Attributes:
        states: state variable -> its size beside that of a voltage in mV, by which an absolute tolerance is multiplied;
            the first one is v, which is held while the cell is refractory.
        slopes: ``slopes(constants) -> slopes of one cell``, a function of the states, the variables of ``responses`` in
            their order, and the current (nA), which gives the slopes of the states per ms.
        level: ``level(constants)``: v (mV) at which the cell spikes.
        responses: receptor -> what its spikes do; at a receptor that is not named a weight moves v itself.
        reset: ``reset(constants, states) -> states`` after a spike; None where a spike changes nothing.
        refractory: the parameter with the time (ms) for which v is held after a spike; None where there is none.
        quiet: where a spike is not v's way up through ``level`` but its peak above that: the shortest time (ms) between
            two of them. None elsewhere.
    """

    states: Mapping[str, float]
    slopes: Callable[[Constants], Slopes]
    level: Callable[[Constants], float]
    responses: Mapping[str, Response] = field(default_factory=dict)
    reset: Callable[[Constants, list[float]], list[float]] | None = None
    refractory: str | None = None
    quiet: float | None = None
