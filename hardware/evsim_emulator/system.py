"""The system controller of a chip (datasheet, section 14): interrupts between cores, flags, and locks."""

from __future__ import annotations

from evsim.compile import lean
from evsim_emulator.addresses import (
    CPU_INT,
    SC_CLR_IRQ,
    SC_CLRFLAG,
    SC_CODE,
    SC_LOCKS,
    SC_SET_IRQ,
    SC_SETFLAG,
    SC_TAC0,
    SC_TAS0,
)
from evsim_emulator.state import chip_at

_HELD = 0xFFFF_FFFF


@lean
def sc_read(core, offset):
    """A register of the system controller; reading a lock takes it, or gives it back."""
    chip = chip_at(core.chip)
    if offset in (SC_SETFLAG, SC_CLRFLAG):
        return chip.flag
    if SC_TAS0 <= offset < SC_TAS0 + 4 * SC_LOCKS:
        before = chip.locks[(offset - SC_TAS0) >> 2]
        chip.locks[(offset - SC_TAS0) >> 2] = _HELD
        core.effect = before == 0
        return before
    if SC_TAC0 <= offset < SC_TAC0 + 4 * SC_LOCKS:
        before = chip.locks[(offset - SC_TAC0) >> 2]
        chip.locks[(offset - SC_TAC0) >> 2] = 0
        core.effect = 1
        return before
    return 0  # the monitor is core 0


@lean
def sc_write(core, offset, value):
    """Set a register of the system controller; an interrupt of the monitor stops the core until it was served."""
    chip = chip_at(core.chip)
    if offset == SC_SETFLAG:
        chip.flag |= value
    elif offset == SC_CLRFLAG:
        chip.flag &= ~value
    elif SC_TAC0 <= offset < SC_TAC0 + 4 * SC_LOCKS:
        chip.locks[(offset - SC_TAC0) >> 2] = 0
    elif value >> 20 == SC_CODE:
        if offset == SC_CLR_IRQ and value >> core.number & 1:
            core.raw &= ~(1 << CPU_INT)
        elif offset == SC_SET_IRQ and value & 1:
            core.mailbox = 1
