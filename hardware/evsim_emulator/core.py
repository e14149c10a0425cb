"""A core: unicorn with the memories and devices of one SpiNNaker processor, and a program."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from evsim_emulator import sark
from evsim_emulator.addresses import CPU_INT, SYSRAM_BASE
from evsim_emulator.aplx import read_program
from evsim_emulator.chip import Chip
from evsim_emulator.engine import Engine
from evsim_emulator.execution import unicorn_functions
from evsim_emulator.failures import describe_failure
from evsim_emulator.memory import EmulatorError
from evsim_emulator.sark import CpuState
from evsim_emulator.state import INBOX, NEVER, OUTBOX, PACKET, address_of

_TO_CORE_FLAGS, _HOST = 0x87, 0xFF  # of an SDP message: a reply is expected; the tag and port of the host


class Core:
    """A core with a program.

    Args:
        chip: where it is.
        engine: that no other core uses.
        number: of the core on the chip; 0 is the monitor's.
        path: of the .aplx file.
        app_id: number of the application.
        wait: whether the program waits for the signal START.
        now: cycles that have passed.
    """

    def __init__(self, chip: Chip, engine: Engine, number: int, path: Path, app_id: int, wait: bool, now: int) -> None:
        self.chip, self.number, self.path, self.app_id = chip, number, path, app_id
        self._begun = now
        self.vcpu = sark.VCPU_BASE + sark.VCPU_SIZE * number
        self.replies: list[bytes] = []  # SDP messages to the host, as struct sdp_msg
        self._inbox, self._outbox = np.zeros(INBOX, PACKET), np.zeros(OUTBOX, PACKET)
        self._engine: Engine | None = engine
        self.state_record: Any = engine.state
        self._set_up(engine, now)
        engine.begin(read_program(path), app_id | (sark.APP_FLAG_WAIT if wait else 0))

    def _set_up(self, engine: Engine, now: int) -> None:
        state = engine.state
        state[:] = 0
        chip_sysram = self.chip.sysram.address
        values = {
            "engine": engine.handle,
            **unicorn_functions(),
            "chip": self.chip.state_address,
            "tcm": engine.tcm.address,
            "chip_index": self.chip.index,
            "number": self.number,
            "state": chip_sysram + self.vcpu - SYSRAM_BASE + sark.VCPU_STATE,
            "value_address": address_of(state, "value"),
            "cycles": now,
            "due": NEVER,
            "inbox": address_of(self._inbox),
            "outbox": address_of(self._outbox),
        }
        for field, value in values.items():
            state[field] = value

    # --- what it does ------------------------------------------------------------------------------------------------

    @property
    def state_address(self) -> int:
        """Where compiled code finds the state of its devices."""
        return address_of(self.state_record)

    @property
    def state(self) -> CpuState:
        """What the program says of itself in its struct vcpu."""
        return CpuState(self.chip.byte(self.vcpu + sark.VCPU_STATE) & 15)

    @property
    def asleep(self) -> bool:
        """Whether it waits for an interrupt."""
        return bool(self.state_record["asleep"][0])

    @property
    def halted(self) -> bool:
        """Whether it has stopped for good."""
        return bool(self.state_record["halted"][0])

    @property
    def cycles(self) -> int:
        """Cycles that have passed for it."""
        return int(self.state_record["cycles"][0])

    @property
    def idle_cycles(self) -> int:
        """Cycles asleep or waiting in a loop that was skipped."""
        return int(self.state_record["idle"][0] + self.state_record["skipped"][0])

    @property
    def busy_cycles(self) -> int:
        """Cycles in which instructions were executed."""
        return self.cycles - self._begun - self.idle_cycles

    @property
    def dma_bytes(self) -> int:
        """Bytes that its DMA controller has carried."""
        return int(self.state_record["dma_bytes"][0])

    @property
    def failure(self) -> str | None:
        """Why it has failed, with its registers and its text; None if it has not."""
        return describe_failure(self)

    def registers(self) -> dict[str, int]:
        """r0 to r15 and the status; nothing once it is closed."""
        return self._engine.registers() if self._engine else {}

    def iobuf(self) -> str:
        """What the program has written to its IO buffer."""
        text, block = "", self.chip.word(self.vcpu + sark.VCPU_IOBUF)
        while block:
            following, _, _, size = struct.unpack("<4I", self.chip.read(block, 16))
            text += self.chip.read(block + 16, min(size, self._iobuf_size())).decode("latin1")
            block = following
        return text

    def _iobuf_size(self) -> int:
        return self.chip.word(sark.SV_BASE + sark.SV_IOBUF_SIZE)

    def clear_iobuf(self) -> None:
        """Forget that text; the blocks stay."""
        block = self.chip.word(self.vcpu + sark.VCPU_IOBUF)
        while block:
            self.chip.set_word(block + 12, 0)
            block = self.chip.word(block)

    # --- what is done to it ------------------------------------------------------------------------------------------

    def interrupt(self, line: int) -> None:
        """Raise an interrupt line until the program clears it."""
        self.state_record["raw"][0] |= 1 << line

    def put_into_mailbox(self, command: int, content: int) -> None:
        """Give the program a message or a signal from the monitor, and interrupt it."""
        self.chip.set_word(self.vcpu + sark.VCPU_MBOX_AP_MSG, content)
        self.chip.set_byte(self.vcpu + sark.VCPU_MBOX_AP_CMD, command)
        self.interrupt(CPU_INT)

    def send_sdp(self, port: int, command: int, arguments: tuple[int, int, int] = (0, 0, 0), data: bytes = b"") -> None:
        """Send an SDP message with a command to one of the program's ports.

        Raises:
            EmulatorError: the chip's messages are all in use.
        """
        message = self.chip.take_message()
        if not message:
            raise EmulatorError(f"core {self.place}: all {sark.MESSAGE_COUNT} messages of the chip are in use")
        header = (24 + len(data), 0, _TO_CORE_FLAGS, _HOST, port << 5 | self.number, _HOST, 0, 0, command, 0)
        self.chip.write(message + 4, struct.pack("<HHBBBBHHHH3I", *header, *arguments) + data)
        self.put_into_mailbox(sark.SHM_MSG, message)

    def serve_mailbox(self) -> None:
        """Take what the program has for the monitor: messages to the host."""
        if self.chip.byte(self.vcpu + sark.VCPU_MBOX_MP_CMD) == sark.SHM_MSG:
            message = self.chip.word(self.vcpu + sark.VCPU_MBOX_MP_MSG)
            self.replies.append(self.chip.read(message, sark.MESSAGE_SIZE))
            self.chip.give_message(message)
            self.chip.set_byte(self.vcpu + sark.VCPU_MBOX_MP_CMD, sark.SHM_IDLE)
        flags = self.chip.word(sark.SV_BASE + sark.SV_MBOX_FLAGS)
        self.chip.set_word(sark.SV_BASE + sark.SV_MBOX_FLAGS, flags & ~(1 << self.number))
        self.state_record["mailbox"] = 0

    def close(self) -> Engine:
        """Stop for good, and give the engine back for another program."""
        engine, self._engine = self._engine, None
        if engine is None:
            raise EmulatorError(f"core {self.place} was closed before")
        self.state_record = engine.state.copy()
        self.state_record["halted"] = 1
        return engine

    @property
    def place(self) -> str:
        """Chip and number, for messages."""
        return f"{self.chip.x}, {self.chip.y}, {self.number}"
