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
    IDLE_DEVICES,
    SYSCTL_BASES,
    TC_COUNT,
    TIMER_BASES,
    TIMER_OFFSET,
    VIC_BASES,
)
from evsim_emulator.dma import dma_read, dma_write
from evsim_emulator.interrupts import vic_read, vic_write
from evsim_emulator.packets import cc_read, cc_write
from evsim_emulator.state import core_at
from evsim_emulator.system import sc_read, sc_write
from evsim_emulator.timers import tc_read, tc_write
from evsim_emulator.waiting import forget_polls, note_poll

READ = types.uint64(types.voidptr, types.uint64, types.uint32, types.int64)
WRITE = types.void(types.voidptr, types.uint64, types.uint32, types.uint64, types.int64)
PURPOSE = "the SpiNNaker machine"


def _areas(bases: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((base, DEVICE_SIZE) for base in bases)


def _reader(register: Callable, base: int, counter: int) -> Callable:
    """A callback around one device's ``register(core, offset)``."""

    def read(engine, offset, size, address):
        core = core_at(address)
        place = types.int64(offset)
        core.effect = 0
        value = register(core, place)
        if core.effect:
            forget_polls(core)
        else:
            note_poll(core, base + place, value, place % TIMER_OFFSET == counter)
        return types.uint64(value)

    return read


def _writer(register: Callable) -> Callable:
    """A callback around one device's ``register(core, offset, value)``."""

    def write(engine, offset, size, value, address):
        core = core_at(address)
        forget_polls(core)
        register(core, types.int64(offset), types.int64(value))
        core.next_event = 0  # an interrupt may be pending now, or the slice over

    return write


def _read_nothing(core, offset):
    return 0


def _write_nothing(core, offset, value):
    pass


_NO_COUNTER = -1
_DEVICES = (  # areas, functions, which register counts cycles
    (_areas(CC_BASES), cc_read, cc_write, _NO_COUNTER),
    (_areas(TIMER_BASES), tc_read, tc_write, TC_COUNT),
    (_areas(VIC_BASES), vic_read, vic_write, _NO_COUNTER),
    (_areas(DMA_BASES), dma_read, dma_write, _NO_COUNTER),
    (_areas(SYSCTL_BASES), sc_read, sc_write, _NO_COUNTER),
    (IDLE_DEVICES, lean(_read_nothing), lean(_write_nothing), _NO_COUNTER),
)


def callbacks() -> list[tuple[tuple[tuple[int, int], ...], Any, Any]]:
    """For each device its areas (base and size in bytes) and its compiled functions for reading and for writing."""
    return [
        (areas, native(_reader(read, areas[0][0], counter), READ, PURPOSE), native(_writer(write), WRITE, PURPOSE))
        for areas, read, write, counter in _DEVICES
    ]
