"""Loihi's neuron in registers, and what executes it: evsim's rule sets, Lava, brian2-loihi and nengo-loihi."""

from loihi_emulators.brian2 import brian2_loihi
from loihi_emulators.imports import need, quietly
from loihi_emulators.lava import CONNECTIONS, lava, lava_refractory
from loihi_emulators.nengo import nengo_loihi
from loihi_emulators.random import drawn
from loihi_emulators.reference import Reference, evsim
from loihi_emulators.registers import Registers, Result, Synapses, differing

__all__ = [
    "CONNECTIONS",
    "Reference",
    "Registers",
    "Result",
    "Synapses",
    "brian2_loihi",
    "differing",
    "drawn",
    "evsim",
    "lava",
    "lava_refractory",
    "need",
    "nengo_loihi",
    "quietly",
]
