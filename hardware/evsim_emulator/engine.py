"""unicorn, the executor of ARM programs, set up as one SpiNNaker processor; the only module that makes one."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
import unicorn
import unicorn.arm_const as arm
from unicorn.unicorn_py3 import unicorn as binding

from evsim_emulator.addresses import (
    DTCM_BASE,
    DTCM_SIZE,
    IMASK_FIQ,
    IMASK_IRQ,
    ITCM_BASE,
    ITCM_SIZE,
    MODE_SVC,
    SDRAM_BASE,
    SDRAM_BASE_UNBUF,
    SYSRAM_BASE,
    SYSRAM_BASE_UNBUF,
)
from evsim_emulator.aplx import Program
from evsim_emulator.chip import Chip
from evsim_emulator.devices import callbacks
from evsim_emulator.execution import block_callback, page_callback
from evsim_emulator.memory import PAGE, EmulatorError, Memory
from evsim_emulator.state import CORE, address_of

UnicornError: Any = getattr(unicorn, "UcError")  # noqa: B009 - the package does not declare what it exports
_REGISTERS = {f"r{number}": getattr(arm, f"UC_ARM_REG_R{number}") for number in range(16)}
_REGISTERS["cpsr"] = arm.UC_ARM_REG_CPSR

_OWN_MEMORIES = ((ITCM_BASE, ITCM_SIZE), (DTCM_BASE, DTCM_SIZE))
CODE_BUFFER = 16 << 20  # bytes for unicorn's translation of a program of at most 32 kB
# Bytes that a processor takes in all, as measured; most are a table of unicorn's with two for each byte of a page.
ENGINE_SIZE = 15 << 20

_uc: Any = binding.uclib
_uc.uc_hook_add.restype = ctypes.c_int


class Engine:
    """A processor with memories and devices, for one program after the other: to make one takes long.

    Args:
        chip: whose memories it sees.

    Attributes:
        tcm: its own memories, both in one, at their addresses.
        state: the record of its devices (``state.CORE``), which compiled code works on.
    """

    def __init__(self, chip: Chip) -> None:
        self.tcm = Memory(DTCM_BASE + PAGE)
        self.state: Any = np.zeros(1, CORE)
        self._engine: Any = getattr(unicorn, "Uc")(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_ARM)  # noqa: B009
        self._engine.ctl_set_cpu_model(arm.UC_CPU_ARM_926)  # the nearest that unicorn has to an ARM968
        self._engine.ctl_set_page_size(PAGE)
        self._engine.ctl_set_tcg_buffer_size(CODE_BUFFER)
        self._engine.ctl_exits_enabled(True)  # and there are none, which saves a search for their code at each start
        # An ARM968 has no memory management unit. Without unicorn's, stores are a dozen times as fast: its tables never
        # forget that a page was written before, and look for translated code in it at every store.
        self._engine.ctl_set_tlb_mode(unicorn.UC_TLB_VIRTUAL)
        for base, memory in (
            (ITCM_BASE, self.tcm),
            (SDRAM_BASE, chip.sdram),
            (SDRAM_BASE_UNBUF, chip.sdram),
            (SYSRAM_BASE, chip.sysram),
            (SYSRAM_BASE_UNBUF, chip.sysram),
        ):
            self._engine.mem_map_ptr(base, memory.size, unicorn.UC_PROT_ALL, memory.address)
        self._attach()
        self._unused = self._engine.context_save()

    @property
    def handle(self) -> int:
        """What unicorn's functions know it by."""
        return self._engine._uch.value

    def _attach(self) -> None:
        """Let devices and the count of cycles work on the record of the state."""
        devices, page, block = _compiled()
        engine, mine = self._engine._uch, ctypes.c_void_p(address_of(self.state))
        for areas, read, write in devices:
            for base in areas:
                area = ctypes.c_uint64(base & ~(PAGE - 1)), ctypes.c_size_t(PAGE)
                reading, writing = ctypes.c_void_p(read.address), ctypes.c_void_p(write.address)
                _check(_uc.uc_mmio_map(engine, *area, reading, mine, writing, mine), f"a device at 0x{base:08x}")
        everywhere = ctypes.c_uint64(1), ctypes.c_uint64(0)
        for kind, callback in ((unicorn.UC_HOOK_TLB_FILL, page), (unicorn.UC_HOOK_BLOCK, block)):
            hook, function = ctypes.c_size_t(), ctypes.c_void_p(callback.address)
            added = _uc.uc_hook_add(engine, ctypes.byref(hook), kind, function, mine, *everywhere)
            _check(added, f"a hook of kind {kind}")

    def begin(self, program: Program, argument: int) -> None:
        """Begin a program with an argument in r0, interrupts masked; nothing of the one before is left.

        Raises:
            EmulatorError: a piece of the program lies where a core has no memory.
        """
        self._engine.context_restore(self._unused)
        self._engine.ctl_flush_tb()
        self._put(program)
        self._engine.reg_write(arm.UC_ARM_REG_CPSR, MODE_SVC | IMASK_IRQ | IMASK_FIQ)
        self._engine.reg_write(arm.UC_ARM_REG_R0, argument)
        self._engine.reg_write(arm.UC_ARM_REG_PC, program.entry)

    def _put(self, program: Program) -> None:
        for base, size in _OWN_MEMORIES:
            self.tcm.bytes[base : base + size] = bytes(size)
        for address, data in program.pieces:
            if not any(base <= address and address + len(data) <= base + size for base, size in _OWN_MEMORIES):
                raise EmulatorError(
                    f"{program.path}: it puts {len(data)} bytes at 0x{address:08x}, where a core has no memory"
                )
            self.tcm.bytes[address : address + len(data)] = data

    def registers(self) -> dict[str, int]:
        """r0 to r15 and the status."""
        return {name: int(self._engine.reg_read(number)) & 0xFFFF_FFFF for name, number in _REGISTERS.items()}


@cache
def _compiled() -> tuple[Any, Any, Any]:
    """The functions that unicorn calls: of devices, pages and blocks."""
    return callbacks(), page_callback(), block_callback()


def _check(code: int, what: str) -> None:
    if code:
        raise EmulatorError(f"unicorn refuses {what}: {UnicornError(code)}")
