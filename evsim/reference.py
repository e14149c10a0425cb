"""The reference: evsim's own engine as a backend like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.backend import Session, Target
from evsim.chip import Chip, chip_names, load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.engine.structural_present import Present
from evsim.errors import UnknownNameError
from evsim.model import Model, in_rules
from evsim.network import Network
from evsim.processes import ALONE, Processes
from evsim.recording import Recordings
from evsim.tolerances import TOLERANCES


class ReferenceBackend:
    """The event-queue engine on this machine's CPU, in the arithmetic of any chip."""

    name = "reference"
    summary = "evsim's own event-queue engine on the CPU, in any chip's arithmetic"

    def chips(self) -> Sequence[str]:
        """Every chip that there is."""
        return chip_names()

    def has(self, model: Model) -> bool:
        """Whether a chip's rule set has the model."""
        return any(in_rules(model, load_chip(chip).rules.name) for chip in self.chips())

    def target(self, word: str | None) -> Target:
        """``reference`` or ``reference:CHIP``."""
        chip = word or "ideal"
        if chip not in chip_names():
            raise UnknownNameError("chip", chip, chip_names())
        return Target(self.name, chip)

    def versions(self) -> Mapping[str, str]:
        """The packages whose numbers take part."""
        return {package: version(package) for package in ("evsim", "numba", "numpy")}

    def start(self, network: Network, target: Target) -> Session:
        """Quantise for the target's chip and lay the network out; raises CheckError.

        Where the target says tolerances, cells choose their own time steps (``evsim.variable``).
        """
        if tolerances := target.options.get(TOLERANCES):
            from evsim.variable.session import VariableSession  # loads scipy's integrators, which few runs need

            return VariableSession(network, tolerances)
        return ReferenceSession(network, load_chip(target.chip or "ideal"), **_engine_options(target))


def _engine_options(target: Target) -> dict[str, Any]:
    """What the words of a target say to the engine: ``threads``, ``profile`` and ``processes``."""
    return {name: target.options[name] for name in ("threads", "profile", "processes") if name in target.options}


class ReferenceSession:
    """A network in the engine; see ``evsim.backend.Session``."""

    def __init__(
        self, network: Network, chip: Chip, threads: int = 1, profile: bool = False, processes: Processes = ALONE
    ) -> None:
        self._chip = chip
        self._simulation = Simulation(quantise(network, chip), threads, profile, processes)

    def run(self, steps: int) -> None:
        """Advance by a number of time steps."""
        self._simulation.run(steps)

    def update(self, network: Network) -> None:
        """Take over the changes from the network before."""
        self._simulation.update(quantise(network, self._chip))

    def reset(self) -> None:
        """Back to t = 0."""
        self._simulation.reset()

    def weights(self, projection: int) -> NDArray[np.float64]:
        """The present weights (n,) of a plastic projection."""
        return self._simulation.weights(projection)

    def synapse_states(self, projection: int) -> Mapping[str, NDArray[np.float64]]:
        """The state variables (n,) of a releasing projection."""
        return self._simulation.synapse_states(projection)

    def synapses(self, projection: int) -> Present:
        """The present synapses of a projection whose synapses come and go."""
        return self._simulation.synapses(projection)

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear."""
        return self._simulation.recordings()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._simulation.clear()

    def close(self) -> None:
        """Nothing to let go of."""
