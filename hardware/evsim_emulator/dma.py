"""The DMA controller (datasheet, section 7). A transfer takes no time: it is done when it is asked for."""

from __future__ import annotations

from evsim.compile import lean
from evsim_emulator.addresses import (
    DMA_AD2S,
    DMA_AD2T,
    DMA_ADRS,
    DMA_ADRT,
    DMA_CLEAR_DONE,
    DMA_CTRL,
    DMA_DESC,
    DMA_DONE,
    DMA_DONE_INT,
    DMA_LENGTH,
    DMA_STAT,
    DMA_TO_SYSTEM,
    DTCM_BASE,
    DTCM_SIZE,
    ITCM_SIZE,
    SDRAM_BASE,
    SDRAM_BASE_UNBUF,
    SDRAM_SIZE,
    SYSRAM_BASE,
    SYSRAM_BASE_UNBUF,
    SYSRAM_SIZE,
)
from evsim_emulator.native import copy_memory
from evsim_emulator.state import FAULT_DMA, chip_at


@lean
def _within(address, size, base, length):
    return base <= address and address + size <= base + length


@lean
def tcm_address(core, address, size):
    """Where bytes of the core's own memories lie in this process; 0 where there are none."""
    if _within(address, size, DTCM_BASE, DTCM_SIZE) or _within(address, size, 0, ITCM_SIZE):
        return core.tcm + address
    return 0


@lean
def system_address(core, address, size):
    """Where bytes of the chip's memories lie in this process; 0 where there are none."""
    chip = chip_at(core.chip)
    if _within(address, size, SDRAM_BASE, SDRAM_SIZE):
        return chip.sdram + address - SDRAM_BASE
    if _within(address, size, SDRAM_BASE_UNBUF, SDRAM_SIZE):
        return chip.sdram + address - SDRAM_BASE_UNBUF
    if _within(address, size, SYSRAM_BASE, SYSRAM_SIZE):
        return chip.sysram + address - SYSRAM_BASE
    if _within(address, size, SYSRAM_BASE_UNBUF, SYSRAM_SIZE):
        return chip.sysram + address - SYSRAM_BASE_UNBUF
    return 0


@lean
def _transfer(core, description):
    size = description & DMA_LENGTH
    system = system_address(core, core.dma_system, size)
    tcm = tcm_address(core, core.dma_tcm, size)
    if system == 0 or tcm == 0:
        core.fault = FAULT_DMA
        core.fault_detail = core.dma_system if system == 0 else core.dma_tcm
        core.halted = 1
        return
    if description & DMA_TO_SYSTEM:
        copy_memory(system, tcm, size)
    else:
        copy_memory(tcm, system, size)
    core.dma_done = 1
    core.raw |= 1 << DMA_DONE_INT
    core.dma_bytes += size


@lean
def dma_read(core, offset):
    """A register of the DMA controller."""
    if offset == DMA_STAT:
        return core.number << 24 | (DMA_DONE if core.dma_done else 0)
    if offset in (DMA_ADRS, DMA_AD2S):
        return core.dma_system
    if offset in (DMA_ADRT, DMA_AD2T):
        return core.dma_tcm
    return 0


@lean
def dma_write(core, offset, value):
    """Set a register of the DMA controller; writing the description starts the transfer."""
    if offset == DMA_ADRS:
        core.dma_system = value
    elif offset == DMA_ADRT:
        core.dma_tcm = value
    elif offset == DMA_DESC:
        _transfer(core, value)
    elif offset == DMA_CTRL and value & DMA_CLEAR_DONE:
        core.dma_done = 0
        core.raw &= ~(1 << DMA_DONE_INT)
