"""The state of a core's devices and of a chip, which compiled code and Python share.

Every field has 64 bits, so that compiled code never mixes widths; registers of 32 bits are kept masked.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from evsim_emulator.addresses import SC_LOCKS, VIC_SLOTS
from evsim_emulator.native import record_at

INBOX, OUTBOX = 1 << 14, 1 << 10  # packets on the way to a core; packets that it sends in one slice of time
POLLS = 4  # device registers that a loop of waiting may look at

CHIP: Any = np.dtype(
    [
        ("sdram", "i8"),  # addresses of the memories in this process
        ("sysram", "i8"),
        ("flag", "i8"),  # of the system controller
        ("locks", "i8", SC_LOCKS),
    ]
)

PACKET: Any = np.dtype([("time", "i8"), ("key", "i8"), ("payload", "i8"), ("control", "i8")])

CORE: Any = np.dtype(
    [
        ("engine", "i8"),  # unicorn's handle, and the addresses of its functions
        *(("start", "i8"), ("stop", "i8"), ("read_register", "i8"), ("write_register", "i8")),
        ("chip", "i8"),  # addresses of the CHIP and of the memories of this core
        ("tcm", "i8"),
        ("chip_index", "i8"),
        ("number", "i8"),  # of the core on its chip
        ("state", "i8"),  # address of cpu_state in the core's struct vcpu
        ("value", "i8"),  # of a register that unicorn is asked for or given, and where this lies
        ("value_address", "i8"),
        # time, in instructions of 4 bytes, one a cycle
        ("cycles", "i8"),
        ("limit", "i8"),  # end of the slice
        ("next_event", "i8"),  # when the program must be looked after
        ("idle", "i8"),  # cycles asleep
        ("skipped", "i8"),  # cycles of waiting in a loop
        # how it runs
        ("stopping", "i8"),  # whether it was stopped from outside
        ("asleep", "i8"),
        ("halted", "i8"),
        ("mailbox", "i8"),  # whether the monitor must look into the mailbox
        ("fault", "i8"),  # one of FAULT_..., or 0
        ("fault_detail", "i8"),
        # interrupts
        ("raw", "i8"),  # lines of devices that stay up until they are cleared
        ("soft", "i8"),
        ("enabled", "i8"),
        ("select", "i8"),
        ("depth", "i8"),
        ("in_service", "i8", VIC_SLOTS + 1),
        ("vic_address", "i8", VIC_SLOTS),
        ("vic_control", "i8", VIC_SLOTS),
        # timers
        ("load", "i8", 2),
        ("background", "i8", 2),
        ("control", "i8", 2),
        ("due", "i8", 2),  # when they reach 0; NEVER when off
        # direct memory access
        ("dma_system", "i8"),
        ("dma_tcm", "i8"),
        ("dma_done", "i8"),
        ("dma_bytes", "i8"),
        # communications controller
        ("tx_control", "i8"),
        ("tx_data", "i8"),
        ("inbox", "i8"),  # address of a ring of INBOX packets, by time of arrival
        ("inbox_first", "i8"),
        ("inbox_count", "i8"),
        ("outbox", "i8"),  # address of OUTBOX packets
        ("outbox_count", "i8"),
        # loops of waiting
        ("effect", "i8"),  # whether reading a register has changed anything
        ("polls", "i8"),
        ("poll_cycle", "i8"),
        ("poll_counts", "i8"),  # whether one of the registers counts cycles
        ("poll_next", "i8"),
        ("poll_address", "i8", POLLS),
        ("poll_value", "i8", POLLS),
    ]
)

NEVER = 1 << 62

# What stops a core for good, beside a run-time error of its own.
FAULT_MEMORY, FAULT_DEVICE, FAULT_DMA, FAULT_PACKET, FAULT_INBOX = 1, 2, 3, 4, 5

_CORE, _CHIP, _PACKET = (numba.from_dtype(kind) for kind in (CORE, CHIP, PACKET))
core_at, chip_at, packet_at = record_at(_CORE), record_at(_CHIP), record_at(_PACKET)
PACKET_BYTES: int = PACKET.itemsize


def address_of(array: np.ndarray, field: str | None = None) -> int:
    """Where an array of one record lies, or one of its fields."""
    return array.ctypes.data + (0 if field is None else array.dtype.fields[field][1])
