"""The two counters of a core (datasheet, section 6). They count down once a cycle."""

from __future__ import annotations

from evsim.compile import lean
from evsim_emulator.addresses import (
    TC_BG_LOAD,
    TC_CONTROL,
    TC_COUNT,
    TC_ENABLED,
    TC_INT_CLR,
    TC_INTERRUPTS,
    TC_LOAD,
    TC_MASK_INT,
    TC_ONE_SHOT,
    TC_RAW_INT,
    TIMER1_INT,
    TIMER_OFFSET,
)
from evsim_emulator.state import NEVER


@lean
def expire(core):
    """Raise the interrupt of every timer that has reached 0, and start it again where it is periodic."""
    for timer in range(2):
        if core.cycles < core.due[timer]:
            continue
        if core.control[timer] & TC_INTERRUPTS:
            core.raw |= 1 << (TIMER1_INT + timer)
        period = core.background[timer]
        if core.control[timer] & TC_ONE_SHOT or period == 0:
            core.due[timer] = NEVER
        else:
            core.due[timer] += period


@lean
def tc_read(core, offset):
    """A register of a timer."""
    timer, register = offset // TIMER_OFFSET, offset % TIMER_OFFSET
    if timer > 1:
        return 0
    raised = core.raw >> (TIMER1_INT + timer) & 1
    if register == TC_COUNT:
        if not core.control[timer] & TC_ENABLED:
            return core.load[timer]
        return max(core.due[timer] - core.cycles, 0) if core.due[timer] != NEVER else 0
    if register == TC_LOAD:
        return core.load[timer]
    if register == TC_CONTROL:
        return core.control[timer]
    if register in (TC_RAW_INT, TC_MASK_INT):
        return raised
    if register == TC_BG_LOAD:
        return core.background[timer]
    return 0


@lean
def tc_write(core, offset, value):
    """Set a register of a timer."""
    timer, register = offset // TIMER_OFFSET, offset % TIMER_OFFSET
    if timer > 1:
        return
    if register == TC_INT_CLR:
        core.raw &= ~(1 << (TIMER1_INT + timer))
    elif register == TC_BG_LOAD:
        core.background[timer] = value
    elif register == TC_LOAD:
        core.load[timer] = core.background[timer] = value
        if core.control[timer] & TC_ENABLED:
            core.due[timer] = core.cycles + value
    elif register == TC_CONTROL:
        core.control[timer] = value
        core.due[timer] = core.cycles + core.load[timer] if value & TC_ENABLED else NEVER
