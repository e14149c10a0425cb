"""What SARK, the run time in every binary, expects in a chip's System RAM, and what the monitor core does for it.

Names and numbers are those of ``sark.h`` of spinnaker_tools 4.0.
"""

from __future__ import annotations

from enum import IntEnum

from evsim_emulator.addresses import SDRAM_BASE, SYSRAM_BASE, SYSRAM_SIZE

# --- System RAM -------------------------------------------------------------------------------------------------------

SV_BASE = SYSRAM_BASE + SYSRAM_SIZE - 256  # struct sv
VCPU_BASE, VCPU_SIZE = SYSRAM_BASE + SYSRAM_SIZE - 0x1000, 128  # struct vcpu of each core
SYSRAM_HEAP = (SYSRAM_BASE + 0x100, SYSRAM_BASE + 0x4000)
MESSAGES, MESSAGE_COUNT, MESSAGE_SIZE = SYSRAM_BASE + 0x4000, 8, 292  # struct sdp_msg, shared between cores

# --- SDRAM: what is the system's lies in its upper 8 MB ---------------------------------------------------------------

SDRAM_HEAP = (SDRAM_BASE + 0x100, SDRAM_BASE + 0x780_0000)
ROUTER_COPY = SDRAM_BASE + 0x781_0000
ALLOC_TAGS = SDRAM_BASE + 0x782_0000  # one word for each application and tag
APP_DATA = SDRAM_BASE + 0x787_0000
SYSTEM_BUFFERS = SDRAM_BASE + 0x788_0000
SYSTEM_HEAP = (SDRAM_BASE + 0x790_0000, SDRAM_BASE + 0x7F0_0000)

# --- offsets in struct sv ---------------------------------------------------------------------------------------------

SV_P2P_ADDR, SV_CPU_CLK, SV_MEM_CLK = 0x00, 0x24, 0x26
SV_SYSRAM_HEAP, SV_SDRAM_HEAP, SV_IOBUF_SIZE, SV_SDRAM_BUFS, SV_SYSBUF_SIZE = 0x48, 0x4C, 0x50, 0x54, 0x58
SV_SHM_ROOT, SV_P2V_MAP, SV_V2P_MAP, SV_NUM_CPUS = 0x68, 0x94, 0xA8, 0xBC
SV_SDRAM_BASE, SV_SYSRAM_BASE, SV_VCPU_BASE, SV_SYS_HEAP, SV_RTR_COPY = 0xC0, 0xC4, 0xCC, 0xD0, 0xD4
SV_ALLOC_TAG, SV_APP_DATA, SV_SHM_BUF, SV_MBOX_FLAGS, SV_SW_VER = 0xDC, 0xE4, 0xE8, 0xEC, 0xFC

SOFTWARE_VERSION = 0x04_0000  # 4.0.0; a binary compares the major version with its own

# --- offsets in struct vcpu -------------------------------------------------------------------------------------------

VCPU_RT_CODE, VCPU_STATE, VCPU_LR, VCPU_IOBUF, VCPU_USER0 = 44, 46, 40, 88, 112
VCPU_MBOX_AP_MSG, VCPU_MBOX_MP_MSG, VCPU_MBOX_AP_CMD, VCPU_MBOX_MP_CMD = 48, 52, 56, 57
SHM_IDLE, SHM_MSG, SHM_SIGNAL = 0, 1, 3  # commands in a mailbox

APP_FLAG_WAIT = 0x100  # bit of the word with which a program starts: wait for the signal START


class CpuState(IntEnum):
    """``cpu_state`` in struct vcpu."""

    DEAD = 0
    PWRDN = 1
    RTE = 2
    WDOG = 3
    INIT = 4
    WAIT = 5
    SARK = 6
    RUN = 7
    SYNC0 = 8
    SYNC1 = 9
    PAUSE = 10
    EXIT = 11
    SPARE_12 = 12
    SPARE_13 = 13
    SPARE_14 = 14
    IDLE = 15


class Signal(IntEnum):
    """Signals to applications."""

    STOP = 2
    START = 3
    SYNC0 = 4
    SYNC1 = 5


RUN_TIME_ERRORS = {  # rt_code in struct vcpu
    1: "branch through zero",
    2: "undefined instruction",
    3: "undefined SVC or no handler",
    4: "prefetch abort",
    5: "data abort",
    6: "unhandled IRQ",
    7: "unhandled FIQ",
    8: "unconfigured VIC vector",
    9: "abort by the program",
    10: "out of heap (malloc)",
    11: "division by zero",
    12: "event startup failure",
    13: "fatal software error",
    14: "failed to allocate an IO buffer",
    15: "bad event enable",
    16: "null pointer",
    17: "packet startup failure",
    18: "timer startup failure",
    19: "API startup failure",
    20: "software version conflict",
}
