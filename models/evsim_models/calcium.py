"""The calcium current of sPyNNaker's adaptive neurons, in ``spinnaker1``: it decays, and each spike makes it larger.

    tau_ca2 di_ca2/dt = -i_ca2,  a spike of the neuron's own adds i_alpha to i_ca2

(Liu and Wang 2001, doi:10.1023/A:1008916026143, as a current). It is one more state row of a cell, and two parameters.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.s1615 import ONE, add, fixed
from evsim.model import Cells, Values, table
from evsim_models import spinnaker_parts

STATE, PARAMETERS = "i_ca2", ("kept_ca2", "i_alpha")
UNITS = {"tau_ca2": "ms", "i_alpha": "nA"}  # of what a user gives
DEFAULTS = {"tau_ca2": 50.0, "i_alpha": 0.1, STATE: 0.0}  # sPyNNaker's


def with_calcium(cells: Cells, values: Values, initial: Values, dt: float) -> Cells:
    """Cells with the current in their last state row, and its parameters in the last two parameter rows."""
    kept, alpha = spinnaker_parts.decay_row(values["tau_ca2"], dt), fixed(values["i_alpha"])
    with np.errstate(divide="ignore"):
        held = {"tau_ca2": -dt / np.log(kept / ONE), "i_alpha": alpha / ONE}
    return Cells(
        np.vstack([cells.state, fixed(initial[STATE]).astype(np.int32)]),
        table(*cells.parameters, kept, alpha, dtype=np.int64),
        cells.drive,
        cells.drive_per_nA,
        {**cells.readouts, STATE: spinnaker_parts.readout(len(cells.state))},
        {**cells.effective, **held},
    )


@register_jitable
def after_spike(i_ca2, i_alpha, fired):
    """The current at the end of a step, and whether a spike wrapped it."""
    more, wrapped = add(i_ca2, i_alpha)
    return more if fired else i_ca2, wrapped & fired
