"""Lava as evsim's command line and front end see it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from evsim.backend import Session, Target
from evsim.chip import load_chip
from evsim.errors import EvsimError, MissingPartError, UnknownNameError
from evsim.model import Model, NeuronModel, in_rules
from evsim.network import Network
from evsim_lava.hardware import require_extension

CHIPS = ("loihi2", "loihi2_microcode", "loihi2_learning")  # the first is the one that is meant where none is named
HARDWARE = "hardware"
TIMEOUT = "EVSIM_LAVA_TIMEOUT"
NUMPY_LIMIT = (2, 4)  # lava-nc 0.10.0 uses np.reshape(newshape=), which numpy 2.4 took away; its processes then die
PYTHON_LIMIT = (3, 13)  # numpy 1.26, which lava-nc 0.10.0 asks for, has no wheel from here on


class LavaBackend:
    """Loihi 2 on a CPU, by Lava's bit-accurate process models.

    Target options: ``timeout``, s that one request to Lava may take (also by the variable EVSIM_LAVA_TIMEOUT).
    """

    name = "lava"
    summary = "Lava's bit-accurate CPU models of Loihi 2 (lava-nc, fixed_pt)"

    def chips(self) -> Sequence[str]:
        """Loihi 2, with its own neuron, with evsim's of two currents, and with synapses that learn."""
        return CHIPS

    def has(self, model: Model) -> bool:
        """Whether the model's neuron is Lava's or the one of two currents, or the model is no neuron at all."""
        from evsim_lava.lower import has_process  # loads numba, which Lava's own processes can do without

        if isinstance(model, NeuronModel):
            return any(has_process(model.rules[chip]) for chip in CHIPS if chip in model.rules)
        return any(in_rules(model, chip) for chip in CHIPS)

    def target(self, word: str | None) -> Target:
        """``lava`` or ``lava:CHIP`` on this machine, ``lava:hardware`` on a chip, which is a Loihi 2 as it is."""
        if word == HARDWARE:
            return Target(self.name, CHIPS[0], {"machine": HARDWARE})
        if word not in (None, *CHIPS):
            raise UnknownNameError("word of the backend lava", word, [*CHIPS, HARDWARE])
        return Target(self.name, word or CHIPS[0])

    def versions(self) -> Mapping[str, str]:
        """The packages whose numbers take part; raises MissingPartError."""
        return {"lava-nc": _lava_version(), "numpy": version("numpy"), "evsim": version("evsim")}

    def start(self, network: Network, target: Target) -> Session:
        """Quantise for Loihi 2 and prepare a session.

        Raises:
            CheckError: the network does not fit Loihi 2, or Lava does not have what it asks for.
            MissingPartError: Lava is not installed.
            BackendError: a chip is asked for, and Lava cannot reach one.
        """
        _lava_version()
        on_chip = target.options.get("machine") == HARDWARE
        if on_chip:
            require_extension()
        from evsim_lava.session import LavaSession

        return LavaSession(network, load_chip(target.chip or CHIPS[0]), _timeout(target), on_chip=on_chip)


def _lava_version() -> str:
    try:
        found = version("lava-nc")
    except PackageNotFoundError:
        python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        detail = "" if sys.version_info < PYTHON_LIMIT else f"it works on Python 3.10 to 3.12, and this is {python}"
        raise MissingPartError("Lava (lava-nc)", "lava", detail, "--ignore-requires-python") from None
    if tuple(int(part) for part in np.__version__.split(".")[:2]) >= NUMPY_LIMIT:
        raise MissingPartError("numpy below 2.4, which Lava needs,", "lava", f"numpy {np.__version__} is")
    return found


def _timeout(target: Target) -> float | None:
    given = target.options.get("timeout", os.environ.get(TIMEOUT))
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise EvsimError(f"the time-out of Lava is {given!r}; it must be a number of seconds above 0")
    return seconds
