"""The memories that the cores of a chip share, and the heaps in them, which SARK's functions go on with."""

from __future__ import annotations

import ctypes
import mmap
import struct

from evsim.errors import BackendError
from evsim_emulator.addresses import (
    SDRAM_BASE,
    SDRAM_BASE_UNBUF,
    SDRAM_SIZE,
    SYSRAM_BASE,
    SYSRAM_BASE_UNBUF,
    SYSRAM_SIZE,
)

# Bytes. unicorn finds a page in a table of 256 places, by the low bits of its number. With pages of 4 MB the devices
# that programs use and DTCM have places of their own; where they share one, each access to a device is preceded by a
# search ten times as long. DTCM is not on the page of the code, in which stores are slow, and code is on one page.
PAGE = 4 << 20

_ROOT, _BLOCK = 16, 8  # bytes of struct heap and of struct block
_IN_USE = 0xFFFF_0000  # in a block's link, with the application in the bits below


class EmulatorError(BackendError):
    """The emulated machine cannot go on."""


class Memory:
    """Bytes that a program and this process share; pages take room when they are first written."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.bytes = mmap.mmap(-1, size)
        self._held = ctypes.c_char.from_buffer(self.bytes)
        self.address = ctypes.addressof(self._held)


class ChipMemory:
    """SDRAM and System RAM of a chip at their addresses there, of buffered and of unbuffered writes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.sdram = Memory(SDRAM_SIZE)
        self.sysram = Memory(PAGE)  # of which programs use SYSRAM_SIZE
        self._areas = (
            (SDRAM_BASE, SDRAM_SIZE, self.sdram.bytes),
            (SDRAM_BASE_UNBUF, SDRAM_SIZE, self.sdram.bytes),
            (SYSRAM_BASE, SYSRAM_SIZE, self.sysram.bytes),
            (SYSRAM_BASE_UNBUF, SYSRAM_SIZE, self.sysram.bytes),
        )

    def _find(self, address: int, size: int) -> tuple[mmap.mmap, int]:
        for base, length, area in self._areas:
            if base <= address and address + size <= base + length:
                return area, address - base
        raise EmulatorError(
            f"{self._name}: there is no memory for {size} bytes at 0x{address:08x}; it has SDRAM at 0x{SDRAM_BASE:08x} "
            f"and System RAM at 0x{SYSRAM_BASE:08x}"
        )

    def read(self, address: int, size: int) -> bytes:
        """Bytes at an address; raises EmulatorError where there are none."""
        area, start = self._find(address, size)
        return area[start : start + size]

    def write(self, address: int, data: bytes) -> None:
        """Put bytes at an address; raises EmulatorError where there is no memory."""
        area, start = self._find(address, len(data))
        area[start : start + len(data)] = data

    def word(self, address: int) -> int:
        """The word of 32 bits at an address."""
        return struct.unpack("<I", self.read(address, 4))[0]

    def set_word(self, address: int, value: int) -> None:
        """Put a word of 32 bits at an address."""
        self.write(address, struct.pack("<I", value & 0xFFFF_FFFF))

    def byte(self, address: int) -> int:
        """The byte at an address."""
        return self.read(address, 1)[0]

    def set_byte(self, address: int, value: int) -> None:
        """Put a byte at an address."""
        self.write(address, bytes((value,)))

    def set_half(self, address: int, value: int) -> None:
        """Put a word of 16 bits at an address."""
        self.write(address, struct.pack("<H", value))


class Heap:
    """A heap as SARK's (struct heap, struct block): blocks chained by address, and a chain of the free ones.

    Programs on the cores allocate from the same one.

    Args:
        base, top: its addresses; with ``make`` an empty one is written there.
    """

    def __init__(self, memory: ChipMemory, name: str, base: int, top: int) -> None:
        self._memory, self._name, self.base = memory, name, base
        first, last = base + _ROOT, top - _BLOCK
        for address, word in ((base, first), (base + 4, first), (base + 8, last), (base + 12, last - first - _BLOCK)):
            memory.set_word(address, word)
        for address, word in ((first, last), (first + 4, 0), (last, 0), (last + 4, 0)):
            memory.set_word(address, word)

    @property
    def free_bytes(self) -> int:
        """What is left, in bytes."""
        return self._memory.word(self.base + 12)

    def allocate(self, size: int, app_id: int) -> int:
        """The address of so many bytes for an application, in the first free block that is large enough.

        Raises:
            EmulatorError: there is none.
        """
        memory, needed = self._memory, (size + 3 & ~3) + _BLOCK
        link, block = self.base, memory.word(self.base)  # where the chain's pointer to the block is
        while block:
            after, next_free = memory.word(block), memory.word(block + 4)
            rest = block + needed
            if rest <= after:
                if rest + _BLOCK < after:
                    memory.set_word(rest, after)
                    memory.set_word(rest + 4, next_free)
                    memory.set_word(block, rest)
                    next_free = rest
                memory.set_word(link, next_free)
                memory.set_word(self.base + 12, self.free_bytes - (memory.word(block) - block))
                memory.set_word(block + 4, _IN_USE | app_id << 8)
                return block + _BLOCK
            link, block = block + 4, next_free
        raise EmulatorError(
            f"{self._name} is full: {size} bytes were asked for and {self.free_bytes} are free, not in one piece; "
            "spread the network over more chips, record less, or run for a shorter time"
        )

    def free_all(self, app_id: int) -> None:
        """Give back what an application holds, and join neighbours that are free."""
        memory, mine = self._memory, _IN_USE | app_id << 8
        block, last = memory.word(self.base + 4), memory.word(self.base + 8)
        free: list[tuple[int, int]] = []  # begin and end
        while block != last:
            after, link = memory.word(block), memory.word(block + 4)
            if link & 0xFFFF_FF00 == mine or link & _IN_USE != _IN_USE:
                if free and free[-1][1] == block:
                    free[-1] = (free[-1][0], after)
                else:
                    free.append((block, after))
            block = after
        link = self.base
        for begin, end in free:
            memory.set_word(begin, end)
            memory.set_word(link, begin)
            link = begin + 4
        memory.set_word(link, 0)
        memory.set_word(self.base + 12, sum(end - begin - _BLOCK for begin, end in free))
