"""The functions that unicorn calls when a program reads or writes a device; native code, without Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types

from evsim.compile import lean, native
from evsim_emulator.addresses import (
    CC_BASES,
    DEVICE_SIZE,
    DMA_BASES,
    IDLE_BASES,
    IDLE_SIZE,
    SYSCTL_BASES,
    TC_COUNT,
    TIMER_BASES,
    TIMER_OFFSET,
    VIC_BASES,
    VIC_VECTOR_BASE,
)
from evsim_emulator.dma import dma_read, dma_write
from evsim_emulator.horizon import horizon
from evsim_emulator.interrupts import is_pending, vic_read, vic_write
from evsim_emulator.memory import PAGE
from evsim_emulator.packets import cc_read, cc_write
from evsim_emulator.state import FAULT_DEVICE, core_at
from evsim_emulator.system import sc_read, sc_write
from evsim_emulator.timers import tc_read, tc_write
from evsim_emulator.waiting import forget_polls, note_poll

READ = types.uint64(types.voidptr, types.uint64, types.uint32, types.int64)
WRITE = types.void(types.voidptr, types.uint64, types.uint32, types.uint64, types.int64)
PURPOSE = "the SpiNNaker machine"


@lean
def _outside(core, address):
    """Stop a core that looks for a device where there is none."""
    core.fault, core.fault_detail, core.halted, core.next_event = FAULT_DEVICE, address, 1, 0


def _reader(register: Callable, base: int, size: int, counter: int) -> Callable:
    """A callback around one device's ``register(core, offset)``, for the page in which the device lies."""
    start = base % PAGE

    def read(engine, offset, width, address):
        core = core_at(address)
        place = types.int64(offset) - start
        if place < 0 or place >= size:
            _outside(core, base + place)
            return types.uint64(0)
        core.effect = 0
        value = register(core, place)
        if core.effect:
            forget_polls(core)
        else:
            note_poll(core, base + place, value, place % TIMER_OFFSET == counter)
        return types.uint64(value)

    return read


def _writer(register: Callable, base: int, size: int) -> Callable:
    """A callback around one device's ``register(core, offset, value)``."""
    start = base % PAGE

    def write(engine, offset, width, value, address):
        core = core_at(address)
        place = types.int64(offset) - start
        if place < 0 or place >= size:
            _outside(core, base + place)
            return
        forget_polls(core)
        register(core, place, types.int64(value))
        look = core.mailbox or core.halted or core.cycles >= core.limit or is_pending(core)
        core.next_event = 0 if look else horizon(core)

    return write


@lean
def _read_nothing(core, offset):
    return 0


@lean
def _write_nothing(core, offset, value):
    pass


_NO_COUNTER = -1
_DEVICES = (  # bases, which lie at the same place of their page; size in bytes; functions; which register counts cycles
    (CC_BASES, DEVICE_SIZE, cc_read, cc_write, _NO_COUNTER),
    (TIMER_BASES, DEVICE_SIZE, tc_read, tc_write, TC_COUNT),
    (VIC_BASES, DEVICE_SIZE, vic_read, vic_write, _NO_COUNTER),
    ((VIC_VECTOR_BASE,), DEVICE_SIZE, vic_read, vic_write, _NO_COUNTER),
    (DMA_BASES, DEVICE_SIZE, dma_read, dma_write, _NO_COUNTER),
    (SYSCTL_BASES, DEVICE_SIZE, sc_read, sc_write, _NO_COUNTER),
    (IDLE_BASES, IDLE_SIZE, _read_nothing, _write_nothing, _NO_COUNTER),
)


def callbacks() -> list[tuple[tuple[int, ...], Any, Any]]:
    """For each device its bases and its compiled functions for reading and for writing, in the page where it lies."""
    return [
        (
            bases,
            native(_reader(read, bases[0], size, counter), READ, PURPOSE),
            native(_writer(write, bases[0], size), WRITE, PURPOSE),
        )
        for bases, size, read, write, counter in _DEVICES
    ]
