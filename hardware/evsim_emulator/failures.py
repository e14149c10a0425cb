"""What is said of a core that has stopped for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evsim_emulator import sark
from evsim_emulator.engine import UnicornError
from evsim_emulator.sark import CpuState
from evsim_emulator.state import FAULT_DEVICE, FAULT_DMA, FAULT_INBOX, FAULT_MEMORY, FAULT_PACKET, INBOX

if TYPE_CHECKING:
    from evsim_emulator.core import Core

_LAST_TEXT = 2000  # characters of a core's IO buffer that are shown


def describe_failure(core: Core) -> str | None:
    """Why a core has failed: chip, core, binary, reason, registers, its own text; None if it has not."""
    reason = _fault(core) or _own_error(core)
    if reason is None:
        return None
    registers = core.registers()
    listed = ", ".join(f"{name} 0x{value:08x}" for name, value in registers.items())
    text = core.iobuf()[-_LAST_TEXT:].strip()
    return (
        f"core {core.place} ({core.path.stem}) {reason}, after {core.cycles} cycles. Registers: {listed}. "
        f"Its IO buffer: {text or 'empty'}"
    )


def _fault(core: Core) -> str | None:
    kind, detail = int(core.state_record["fault"][0]), int(core.state_record["fault_detail"][0])
    if kind == FAULT_MEMORY:
        at = core.registers().get("r15", 0)
        return f"read, wrote or executed where nothing is ({UnicornError(detail)}), at 0x{at:08x}"
    if kind == FAULT_DEVICE:
        return f"looked for a device at 0x{detail:08x}, where there is none"
    if kind == FAULT_DMA:
        return f"asked for a DMA transfer at 0x{detail:08x}, where it has no memory of that length"
    if kind == FAULT_PACKET:
        return f"sent a packet with control word 0x{detail:08x}; the emulated machine carries multicast packets only"
    if kind == FAULT_INBOX:
        return f"has {INBOX} packets on their way to it and takes none; it receives more than it can process"
    return None


def _own_error(core: Core) -> str | None:
    state = core.state
    if state == CpuState.RTE:
        code = core.chip.byte(core.vcpu + sark.VCPU_RT_CODE)
        at = core.chip.word(core.vcpu + sark.VCPU_LR)
        return f"stopped with the run-time error {code} ({sark.RUN_TIME_ERRORS.get(code, 'unknown')}), at 0x{at:08x}"
    return "was stopped by its watchdog" if state == CpuState.WDOG else None
