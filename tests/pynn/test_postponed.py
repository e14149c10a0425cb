"""What is not needed is not loaded, and is there as soon as it is."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest


def python(script: str) -> str:
    """What a script prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_import_of_the_api_loads_neither_compiler_nor_plots():
    heavy = ("numba", "matplotlib", "csa.plot", "scipy.sparse._base", "scipy.special", "evsim_models")
    assert python(f"import sys, pyNN.evsim; print([name for name in {heavy} if name in sys.modules])") == "[]"


def test_models_are_attributes_that_can_be_listed_and_imported():
    assert (
        python(
            "import pyNN.evsim as sim\n"
            "assert 'IF_curr_exp' in dir(sim) and hasattr(sim, 'IF_cond_exp')\n"
            "assert sim.IF_curr_exp is sim.cells.IF_curr_exp\n"
            "from pyNN.evsim import *\n"
            "assert IF_curr_exp is sim.IF_curr_exp and SpikeSourcePoisson and setup is sim.setup\n"
            "print(len(list_standard_models()) == len(sim.list_standard_models()) > 0)"
        )
        == "True"
    )


@pytest.mark.skipif(find_spec("csa") is None, reason="csa, which PyNN can do without, is not installed")
@pytest.mark.parametrize("first", ["import pyNN.evsim", "import matplotlib.pyplot, csa, scipy.sparse", ""])
def test_what_was_put_off_works(first):
    assert (
        python(
            f"{first}\n"
            "import pyNN.evsim as sim\n"
            "import pyNN.connectors, csa, scipy.sparse, matplotlib.pyplot as plt, numpy as np\n"
            "assert pyNN.connectors.haveCSA and pyNN.connectors.csa is csa\n"
            "assert plt.figure() is not None and csa.plot.__name__ == 'csa.plot'\n"
            "assert scipy.sparse.issparse(scipy.sparse.eye(2))\n"
            "sim.setup()\n"
            "cells = sim.Population(3, sim.IF_curr_exp(cm=[1.0, 2.0, 3.0]))\n"
            "projection = sim.Projection(cells, cells, sim.CSAConnector(csa.oneToOne), sim.StaticSynapse(weight=0.5))\n"
            "print([pair[:2] for pair in projection.get('weight', 'list')])"
        )
        == "[(0, 0), (1, 1), (2, 2)]"
    )


def test_a_package_that_is_missing_is_missed_at_once():
    assert (
        python(
            "from evsim.pynn.postponed import postponed\n"
            "with postponed('no_such_package', 'this'):\n"
            "    import this\n"  # would print its poem
            "    try: import no_such_package\n"
            "    except ImportError: print('missing')"
        )
        == "missing"
    )
