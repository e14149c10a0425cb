"""What Lava cannot hold of its own neurons, and what evsim does not bring to a chip."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.errors import CheckError
from evsim.network import Network
from evsim_lava.session import LavaSession


def session(population, on_chip: bool = False) -> LavaSession:
    return LavaSession(Network(1.0, (population,)), load_chip("loihi2"), on_chip=on_chip)


def test_sigma_delta_neurons_are_alike_but_for_the_bias(nets):
    session(nets.cells(2, model="SigmaDelta", bias=np.array([1.0, 2.0]))).close()
    with pytest.raises(CheckError, match=r"'cells': sigma-delta neurons with different vth.*run on reference:loihi2"):
        session(nets.cells(2, model="SigmaDelta", vth=np.array([1.0, 2.0])))


@pytest.mark.parametrize("model", ["LIFReset", "TernaryLIF", "SigmaDelta"])
def test_a_chip_is_brought_none_of_them(nets, model):
    cells = nets.cells(2, model=model, tau_refrac=0.0)
    session(cells).close()
    with pytest.raises(CheckError, match=f"'cells': the cell {model}; evsim brings Lava's LIF to a chip"):
        session(cells, on_chip=True)
