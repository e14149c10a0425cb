"""Where a SpiNNaker chip has its memories and devices, as a core sees them, and the registers of its devices.

Names and numbers are those of ``spinnaker.h`` of spinnaker_tools 4.0 and of the SpiNNaker datasheet (version 2.02).
"""

from __future__ import annotations

# --- memories: base and size in bytes (datasheet, section 3.3) --------------------------------------------------------

ITCM_BASE, ITCM_SIZE = 0x0000_0000, 0x8000
DTCM_BASE, DTCM_SIZE = 0x0040_0000, 0x1_0000
SDRAM_BASE, SDRAM_BASE_UNBUF, SDRAM_SIZE = 0x6000_0000, 0x7000_0000, 128 << 20
SYSRAM_BASE, SYSRAM_BASE_UNBUF, SYSRAM_SIZE = 0xE500_0000, 0xF500_0000, 0x8000

# --- devices: bases, of buffered and of unbuffered writes -------------------------------------------------------------

CC_BASES = (0x1000_0000, 0x2000_0000)  # communications controller (section 8)
TIMER_BASES = (0x1100_0000, 0x2100_0000)  # two timers (section 6)
VIC_BASES = (0x1F00_0000, 0x2F00_0000)  # interrupt controller (section 5)
VIC_VECTOR_BASE = 0xFFFF_F000  # where the instruction at the IRQ vector reads it
DMA_BASES = (0x3000_0000, 0x4000_0000)  # section 7
SYSCTL_BASES = (0xE200_0000, 0xF200_0000)  # system controller (14)
DEVICE_SIZE = 0x1000
# Memory controller, router and watchdog: programs configure and read them, to no effect here.
IDLE_BASES, IDLE_SIZE = (0xE000_0000, 0xF000_0000, 0xE100_0000, 0xF100_0000, 0xE300_0000, 0xF300_0000), 0x2_0000

# --- registers, in bytes from the device's base -----------------------------------------------------------------------

CC_TCR, CC_TXDATA, CC_TXKEY, CC_RSR, CC_RXDATA, CC_RXKEY = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
CC_TX_EMPTY, CC_TX_NOT_FULL = 0x8000_0000, 0x3000_0000  # bits of CC_TCR that are read
CC_RECEIVED = 0x8000_0000  # bit of CC_RSR
PKT_PAYLOAD, PKT_TYPE = 0x2_0000, 0x00C0_0000  # bits of a packet's control word

TC_LOAD, TC_COUNT, TC_CONTROL, TC_INT_CLR, TC_RAW_INT, TC_MASK_INT, TC_BG_LOAD = 0, 4, 8, 12, 16, 20, 24
TIMER_OFFSET = 0x20  # of the second timer
TC_ONE_SHOT, TC_INTERRUPTS, TC_ENABLED = 0x01, 0x20, 0x80  # bits of TC_CONTROL

VIC_IRQ_STATUS, VIC_FIQ_STATUS, VIC_RAW, VIC_SELECT, VIC_ENABLE, VIC_DISABLE = 0, 4, 8, 12, 16, 20
VIC_SOFT_SET, VIC_SOFT_CLR, VIC_VADDR, VIC_ADDR, VIC_CNTL = 0x18, 0x1C, 0x30, 0x100, 0x200
VIC_SLOTS, VIC_SLOT_ENABLED = 16, 0x20

DMA_ADRS, DMA_ADRT, DMA_DESC, DMA_CTRL, DMA_STAT, DMA_AD2S, DMA_AD2T = 0x04, 0x08, 0x0C, 0x10, 0x14, 0x104, 0x108
DMA_LENGTH, DMA_TO_SYSTEM = 0x1_FFFF, 1 << 19  # bits of DMA_DESC
DMA_DONE = 0x400  # bit of DMA_STAT
DMA_CLEAR_DONE = 0x08  # bit of DMA_CTRL

SC_SET_IRQ, SC_CLR_IRQ, SC_SETFLAG, SC_CLRFLAG = 0x08, 0x0C, 0x58, 0x5C
SC_TAS0, SC_TAC0, SC_LOCKS = 0x100, 0x180, 32  # test-and-set and test-and-clear
SC_CODE = 0x5EC  # what the upper 12 bits of a word must be

# --- interrupts: numbers of the lines into the VIC --------------------------------------------------------------------

TIMER1_INT, TIMER2_INT, CC_RDY_INT, CC_TMT_INT, DMA_DONE_INT, CPU_INT, CC_TNF_INT, CC_MC_INT = (
    4,
    5,
    6,
    11,
    12,
    18,
    23,
    24,
)

# --- packets and chips ------------------------------------------------------------------------------------------------

NUM_CPUS, NUM_LINKS, MC_TABLE_SIZE = 18, 6, 1024
LINKS = ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1))  # what a link leads to: east, north-east, north, ...

# --- the processor ----------------------------------------------------------------------------------------------------

MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_BITS = 0x11, 0x12, 0x13, 0x1F
THUMB_BIT, IMASK_FIQ, IMASK_IRQ = 0x20, 0x40, 0x80
IRQ_VECTOR, FIQ_VECTOR = 0x18, 0x1C
