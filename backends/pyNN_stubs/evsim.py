"""``import pyNN.evsim as sim``: the same module object, and the same submodules, as ``evsim.pynn``."""

import sys
from typing import TYPE_CHECKING

import evsim.pynn  # noqa: F401 - it and its submodules are what the loop below finds

if TYPE_CHECKING:
    from evsim.pynn import *  # noqa: F403

# Aliases, not copies: `pyNN.evsim.simulator` must be the module that holds the one simulator state.
for _name in [name for name in sys.modules if name == "evsim.pynn" or name.startswith("evsim.pynn.")]:
    sys.modules[__name__ + _name[len("evsim.pynn") :]] = sys.modules[_name]
