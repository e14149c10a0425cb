"""Running programs: slices of time on each core, interrupts, sleep; compiled, and without Python in between.

unicorn executes a core's program until something stops it: the block hook at the end of the slice or when an interrupt
can be taken, a device that ends the slice, the instruction that waits for an interrupt, or a fault.
"""

from __future__ import annotations

import ctypes
from typing import Any

import unicorn.arm_const as arm
from numba import types
from unicorn.unicorn_py3 import unicorn as binding

from evsim.compile import kernel, lean, native
from evsim_emulator.addresses import (
    FIQ_VECTOR,
    IMASK_FIQ,
    IMASK_IRQ,
    IRQ_VECTOR,
    MODE_BITS,
    MODE_FIQ,
    MODE_IRQ,
    THUMB_BIT,
)
from evsim_emulator.devices import PURPOSE
from evsim_emulator.horizon import horizon
from evsim_emulator.interrupts import has_fiq, is_pending, takes_interrupt
from evsim_emulator.native import call, call3, call5, load8, store64
from evsim_emulator.packets import inbox_packet
from evsim_emulator.router import carry_packets
from evsim_emulator.sark import CpuState
from evsim_emulator.state import FAULT_MEMORY, NEVER, core_at
from evsim_emulator.timers import expire

PC, LR, CPSR, SPSR = arm.UC_ARM_REG_PC, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_CPSR, arm.UC_ARM_REG_SPSR
_WORD = 0xFFFF_FFFF
# Where unicorn shall stop: never reached, for no memory is there, and unicorn goes by a list of exits, which is empty.
_NOWHERE = 0x0070_0000
_DATA_ACCESS, _CODE_ACCESS = 3, 5  # reading and writing; reading and executing
_FETCH = 18  # UC_MEM_FETCH
_DEAD = (int(CpuState.RTE), int(CpuState.WDOG), int(CpuState.EXIT))
_UNICORN_FUNCTIONS = {
    "start": "uc_emu_start",
    "stop": "uc_emu_stop",
    "read_register": "uc_reg_read",
    "write_register": "uc_reg_write",
}
GOES_ON, ASLEEP, ASKS = 0, 1, 2  # what ``run_slices`` returns


def unicorn_functions() -> dict[str, int]:
    """The addresses of what compiled code calls of unicorn, by the fields of ``state.CORE``."""
    return {
        field: ctypes.cast(getattr(binding.uclib, name), ctypes.c_void_p).value or 0
        for field, name in _UNICORN_FUNCTIONS.items()
    }


# --- while a program runs ---------------------------------------------------------------------------------------------


@lean
def _register(core, number):
    core.value = 0
    call3(core.read_register, core.engine, number, core.value_address)
    return core.value & _WORD


@lean
def _set_register(core, number, value):
    core.value = value
    call3(core.write_register, core.engine, number, core.value_address)


@lean
def _attend(core):
    """Let timers expire, and stop the program at the end of its slice or where it can be interrupted."""
    expire(core)
    if core.cycles >= core.limit or core.mailbox or core.halted:
        core.stopping = 1
    elif is_pending(core):
        core.next_event = 0  # until the processor takes it
        core.stopping = takes_interrupt(core, _register(core, CPSR))
    else:
        core.next_event = horizon(core)
    if core.stopping:
        call(core.stop, core.engine)


def _block(engine, begin, size, address):
    """Count the cycles of a block of instructions that is about to run."""
    core = core_at(address)
    core.cycles += types.int64(size) >> 2
    if core.cycles >= core.next_event:
        _attend(core)


def _page(engine, address, access, entry, data):
    """Tell unicorn that an address means itself (struct uc_tlb_entry)."""
    store64(entry, address)
    store64(entry + 8, _CODE_ACCESS if access == _FETCH else _DATA_ACCESS)
    return True


def page_callback() -> Any:
    """The compiled function that unicorn calls before the first access to a page.

    Without one it allows only the kind of access that it sees and forgets the other, so that loads and stores that
    follow one another are slow. Where it is told that a page may be executed, it looks for code there at each store.
    """
    return native(_page, types.boolean(types.voidptr, types.int64, types.int32, types.int64, types.voidptr), PURPOSE)


def block_callback() -> Any:
    """The compiled function that unicorn calls before each block of instructions."""
    return native(_block, types.void(types.voidptr, types.uint64, types.uint32, types.int64), PURPOSE)


# --- between two stops ------------------------------------------------------------------------------------------------


@lean
def _enter_interrupt(core, status):
    """What the processor does at an interrupt (ARM architecture reference manual, A2.6)."""
    fast = not status & IMASK_FIQ and has_fiq(core)
    mode, vector = (MODE_FIQ, FIQ_VECTOR) if fast else (MODE_IRQ, IRQ_VECTOR)
    masked = IMASK_IRQ | (IMASK_FIQ if fast else 0)
    interrupted = _register(core, PC)
    _set_register(core, CPSR, (status & ~(MODE_BITS | THUMB_BIT)) | mode | masked)
    _set_register(core, SPSR, status)
    _set_register(core, LR, interrupted + 4)
    _set_register(core, PC, vector)


@lean
def _sleep(core):
    """Let a sleeping core's time go on to what happens next in its slice, and wake it where that is an interrupt."""
    expire(core)
    if not is_pending(core):
        ahead = horizon(core)
        core.idle += ahead - core.cycles
        core.cycles = ahead
        expire(core)
    if is_pending(core):
        core.asleep = 0


@lean
def run_slice(core, limit):
    """Run a core until its time reaches a limit, it stops for good, or the monitor has to look into its mailbox."""
    core.limit = limit
    if core.fault:  # from outside, since it ran last
        core.halted = 1
    while core.cycles < core.limit and not core.halted and not core.mailbox:
        if core.asleep:
            _sleep(core)
            continue
        status = _register(core, CPSR)
        if takes_interrupt(core, status):
            _enter_interrupt(core, status)
            status = 0
        at = _register(core, PC) | (1 if status & THUMB_BIT else 0)
        core.stopping = core.next_event = core.polls = 0
        error = call5(core.start, core.engine, at, _NOWHERE, 0, 0)
        if error:
            core.fault, core.fault_detail, core.halted = FAULT_MEMORY, error, 1
        elif not core.stopping:  # it waits for an interrupt
            core.asleep = 1
            state = load8(core.state)
            for dead in _DEAD:
                if state == dead:
                    core.halted = 1


@lean
def run_and_carry(core, limit, cores, network):
    """Run a core as ``run_slice`` does, and carry each packet as it is sent, which may lead back to this core."""
    while True:
        run_slice(core, limit)
        carry_packets(core, cores, network)
        if core.cycles >= limit or core.halted or core.mailbox:
            return


# --- the whole machine ------------------------------------------------------------------------------------------------


@lean
def _first_event(core, now):
    """When a core needs to run next, from now on."""
    if core.halted:
        return NEVER
    if not core.asleep or is_pending(core):
        return now
    first = min(core.due[0], core.due[1])
    return min(first, inbox_packet(core, 0).time) if core.inbox_count else first


@kernel
def run_slices(cores, now, slices, length, network):
    """Run all cores, slice by slice, and carry their packets: to the sender and to cores that run later in the same
    slice within it, to others in the next one.

    Args:
        cores: (n,) int64, addresses of the cores' states.
        now: cycles that have passed.
        slices: how many at most.
        length: of a slice, in cycles.
        network: the arrays of ``router.Router``.

    Returns:
        Cycles that have passed, and whether to go on: 0 yes, 1 everything sleeps for ever, 2 a core stopped for good or
        asks the monitor.
    """
    for _ in range(slices):
        first = NEVER
        for address in cores:
            first = min(first, _first_event(core_at(address), now))
        if first == NEVER:
            return now, ASLEEP
        now = max(now, first) + length
        asks = False
        for address in cores:
            core = core_at(address)
            if not core.halted:
                run_and_carry(core, now, cores, network)
                asks |= core.halted != 0 or core.mailbox != 0
        if asks:
            return now, ASKS
    return now, GOES_ON
