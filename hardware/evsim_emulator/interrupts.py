"""The vectored interrupt controller (datasheet, section 5), and when a core takes an interrupt."""

from __future__ import annotations

from evsim.compile import lean
from evsim_emulator.addresses import (
    CC_MC_INT,
    CC_RDY_INT,
    CC_TMT_INT,
    CC_TNF_INT,
    IMASK_FIQ,
    IMASK_IRQ,
    VIC_ADDR,
    VIC_CNTL,
    VIC_DISABLE,
    VIC_ENABLE,
    VIC_FIQ_STATUS,
    VIC_IRQ_STATUS,
    VIC_RAW,
    VIC_SELECT,
    VIC_SLOT_ENABLED,
    VIC_SLOTS,
    VIC_SOFT_CLR,
    VIC_SOFT_SET,
    VIC_VADDR,
)
from evsim_emulator.packets import has_arrived

_WORD = 0xFFFF_FFFF
_CAN_SEND = 1 << CC_TMT_INT | 1 << CC_TNF_INT
_RECEIVED = 1 << CC_MC_INT | 1 << CC_RDY_INT
NO_SLOT = -1


@lean
def lines(core):
    """The raw interrupt lines, a bit for each."""
    return core.raw | core.soft | _CAN_SEND | (_RECEIVED if has_arrived(core) else 0)


@lean
def best_slot(core):
    """The first slot with a pending IRQ that may interrupt what is in service, or ``NO_SLOT``."""
    active = lines(core) & core.enabled & ~core.select
    if active:
        limit = core.in_service[core.depth - 1] if core.depth else VIC_SLOTS
        for slot in range(limit):
            control = core.vic_control[slot]
            if control & VIC_SLOT_ENABLED and active >> (control & 31) & 1:
                return slot
    return NO_SLOT


@lean
def has_fiq(core):
    """Whether a fast interrupt is pending."""
    return lines(core) & core.enabled & core.select != 0


@lean
def is_pending(core):
    """Whether any interrupt reaches the processor, which may mask it."""
    return has_fiq(core) or best_slot(core) != NO_SLOT


@lean
def takes_interrupt(core, status):
    """Whether a processor with this CPSR would be interrupted now."""
    if not status & IMASK_FIQ and has_fiq(core):
        return True
    return not status & IMASK_IRQ and best_slot(core) != NO_SLOT


@lean
def vic_read(core, offset):
    """A register of the VIC; reading the vector's address begins the service of the interrupt."""
    if offset == VIC_VADDR:
        slot = best_slot(core)
        if slot == NO_SLOT:
            return 0
        core.in_service[core.depth] = slot
        core.depth += 1
        core.effect = 1
        return core.vic_address[slot]
    if offset == VIC_IRQ_STATUS:
        return lines(core) & core.enabled & ~core.select
    if offset == VIC_FIQ_STATUS:
        return lines(core) & core.enabled & core.select
    if offset == VIC_RAW:
        return lines(core)
    if offset == VIC_SELECT:
        return core.select
    if offset == VIC_ENABLE:
        return core.enabled
    if offset == VIC_SOFT_SET:
        return core.soft
    if VIC_ADDR <= offset < VIC_ADDR + 4 * VIC_SLOTS:
        return core.vic_address[(offset - VIC_ADDR) >> 2]
    if VIC_CNTL <= offset < VIC_CNTL + 4 * VIC_SLOTS:
        return core.vic_control[(offset - VIC_CNTL) >> 2]
    return 0


@lean
def vic_write(core, offset, value):
    """Set a register of the VIC; writing the vector's address ends the service of the interrupt."""
    if offset == VIC_VADDR:
        core.depth = max(core.depth - 1, 0)
    elif offset == VIC_SELECT:
        core.select = value
    elif offset == VIC_ENABLE:
        core.enabled |= value
    elif offset == VIC_DISABLE:
        core.enabled &= ~value & _WORD
    elif offset == VIC_SOFT_SET:
        core.soft |= value
    elif offset == VIC_SOFT_CLR:
        core.soft &= ~value & _WORD
    elif VIC_ADDR <= offset < VIC_ADDR + 4 * VIC_SLOTS:
        core.vic_address[(offset - VIC_ADDR) >> 2] = value
    elif VIC_CNTL <= offset < VIC_CNTL + 4 * VIC_SLOTS:
        core.vic_control[(offset - VIC_CNTL) >> 2] = value
