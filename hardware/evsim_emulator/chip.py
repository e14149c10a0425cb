"""A chip: its memories, filled as the monitor program SC&MP leaves them for applications."""

from __future__ import annotations

from typing import Any

import numpy as np

from evsim_emulator import sark
from evsim_emulator.addresses import NUM_CPUS, SDRAM_BASE, SYSRAM_BASE
from evsim_emulator.memory import ChipMemory, Heap
from evsim_emulator.state import CHIP, address_of

CPU_MHZ, MEMORY_MHZ = 200, 130
IOBUF_SIZE = 16384  # bytes of each block of a core's text
MAX_TAGS = 256


class Chip(ChipMemory):
    """A SpiNNaker chip without its cores; see ``ChipMemory`` for reading and writing.

    Args:
        x, y: its place.
        index: its number in the router.
    """

    def __init__(self, x: int, y: int, index: int) -> None:
        super().__init__(f"chip {x}, {y}")
        self.x, self.y, self.index = x, y, index
        self.state: Any = np.zeros(1, CHIP)
        self.state["sdram"], self.state["sysram"] = self.sdram.address, self.sysram.address
        self.heap = Heap(self, f"SDRAM of chip {x}, {y}", *sark.SDRAM_HEAP)
        self._fill()

    @property
    def state_address(self) -> int:
        """Where compiled code finds the chip's state."""
        return address_of(self.state)

    def _fill(self) -> None:
        sv = sark.SV_BASE
        self.set_half(sv + sark.SV_P2P_ADDR, self.x << 8 | self.y)
        self.set_half(sv + sark.SV_CPU_CLK, CPU_MHZ)
        self.set_half(sv + sark.SV_MEM_CLK, MEMORY_MHZ)
        words = {
            sark.SV_SYSRAM_HEAP: Heap(self, "System RAM", *sark.SYSRAM_HEAP).base,
            sark.SV_SDRAM_HEAP: self.heap.base,
            sark.SV_SYS_HEAP: Heap(self, "the system's SDRAM", *sark.SYSTEM_HEAP).base,
            sark.SV_IOBUF_SIZE: IOBUF_SIZE,
            sark.SV_SDRAM_BUFS: sark.SYSTEM_BUFFERS,
            sark.SV_SYSBUF_SIZE: 1024,
            sark.SV_SHM_ROOT: sark.MESSAGES,
            sark.SV_SHM_BUF: sark.MESSAGES,
            sark.SV_SDRAM_BASE: SDRAM_BASE,
            sark.SV_SYSRAM_BASE: SYSRAM_BASE,
            sark.SV_VCPU_BASE: sark.VCPU_BASE,
            sark.SV_RTR_COPY: sark.ROUTER_COPY,
            sark.SV_ALLOC_TAG: sark.ALLOC_TAGS,
            sark.SV_APP_DATA: sark.APP_DATA,
            sark.SV_SW_VER: sark.SOFTWARE_VERSION,
        }
        for offset, value in words.items():
            self.set_word(sv + offset, value)
        for number in range(sark.MESSAGE_COUNT - 1):  # the chain of free messages
            message = sark.MESSAGES + number * sark.MESSAGE_SIZE
            self.set_word(message, message + sark.MESSAGE_SIZE)
        for number in range(NUM_CPUS):
            self.set_byte(sv + sark.SV_P2V_MAP + number, number)
            self.set_byte(sv + sark.SV_V2P_MAP + number, number)
        self.set_byte(sv + sark.SV_NUM_CPUS, NUM_CPUS)

    def allocate(self, size: int, app_id: int, tag: int = 0) -> int:
        """The address of so many bytes of SDRAM for an application, entered under its tag if that is not 0.

        Raises:
            EmulatorError: there is no room.
        """
        address = self.heap.allocate(size, app_id)
        if tag:
            self.set_word(sark.ALLOC_TAGS + 4 * (app_id * MAX_TAGS + tag), address)
        return address

    def free_all(self, app_id: int) -> None:
        """Give back the SDRAM that an application holds, and its tags."""
        self.heap.free_all(app_id)
        self.write(sark.ALLOC_TAGS + 4 * app_id * MAX_TAGS, bytes(4 * MAX_TAGS))

    # --- messages ----------------------------------------------------------------------------------------------------

    def take_message(self) -> int:
        """The address of a free message; 0 if all are in use."""
        message = self.word(sark.SV_BASE + sark.SV_SHM_ROOT)
        if message:
            self.set_word(sark.SV_BASE + sark.SV_SHM_ROOT, self.word(message))
        return message

    def give_message(self, message: int) -> None:
        """Put a message back to the free ones."""
        self.set_word(message, self.word(sark.SV_BASE + sark.SV_SHM_ROOT))
        self.set_word(sark.SV_BASE + sark.SV_SHM_ROOT, message)
