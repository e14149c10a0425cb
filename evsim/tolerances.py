"""How exact the steps are of cells that choose their own."""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCES = "tolerances"  # the option of a target whose cells choose their own time steps


@dataclass(frozen=True)
class Tolerances:
    """The error estimate of a step is at most ``atol + rtol |x|`` for a state x (root mean square over the states).

    Attributes:
        rtol: relative tolerance; where it is 0, the absolute one holds alone.
        atol: absolute tolerance of a voltage (mV); those of other states are in proportion to their size.
    """

    rtol: float = 1e-6
    atol: float = 1e-6
