"""A SpiNNaker 1 machine in software: the ARM programs of its cores are executed, with models of the devices around."""

from evsim_emulator.chip import Chip
from evsim_emulator.core import Core
from evsim_emulator.machine import Machine
from evsim_emulator.memory import EmulatorError
from evsim_emulator.sark import CpuState

__all__ = ["Chip", "Core", "CpuState", "EmulatorError", "Machine"]
