"""Small ARM programs for tests: instructions as words, and .aplx files of them (ARM architecture reference manual)."""

from __future__ import annotations

import struct
from pathlib import Path

WAIT_FOR_INTERRUPT = 0xEE07_0F90
ENABLE_INTERRUPTS = 0xE321_F013  # msr cpsr_c, supervisor mode
RETURN_FROM_INTERRUPT = 0xE25E_F004  # subs pc, lr, #4
TO_VIC = 0xE51F_FFF0  # ldr pc, [pc, #-0xff0], at the IRQ vector
MAIN = 0x40  # where programs begin, behind the vectors


def constant(register: int, value: int) -> list[int]:
    """Put a number into a register; four instructions."""
    parts = [value >> 8 * byte & 0xFF for byte in range(4)]
    first = 0xE3A0_0000 | register << 12 | parts[0]
    rest = (0xE380_0000 | register << 16 | register << 12 | (16 - 4 * k) << 8 | parts[k] for k in (1, 2, 3))
    return [first, *rest]


def store(register: int, base: int, offset: int = 0) -> int:
    """``str register, [base, #offset]``."""
    return 0xE580_0000 | base << 16 | register << 12 | offset


def load(register: int, base: int, offset: int = 0) -> int:
    """``ldr register, [base, #offset]``."""
    return 0xE590_0000 | base << 16 | register << 12 | offset


def add(register: int, number: int) -> int:
    """``add register, register, #number``."""
    return 0xE280_0000 | register << 16 | register << 12 | number


def subtract(register: int, number: int) -> int:
    """``subs register, register, #number``."""
    return 0xE250_0000 | register << 16 | register << 12 | number


def compare(register: int, number: int) -> int:
    """``cmp register, #number``."""
    return 0xE350_0000 | register << 16 | number


ALWAYS, NOT_EQUAL, EQUAL = 0xEA00_0000, 0x1A00_0000, 0x0A00_0000


def branch(instructions: int, condition: int = ALWAYS) -> int:
    """A branch over so many instructions, counted from this one."""
    return condition | (instructions - 2) & 0xFF_FFFF


def write_register(address: int, value: int) -> list[int]:
    """Write a number to an address, by r0 and r1."""
    return [*constant(0, value), *constant(1, address), store(0, 1)]


def program(folder: Path, name: str, *parts: int | list[int], handler: list[int] | None = None) -> Path:
    """An .aplx file of a program that begins at ``MAIN``, with a handler of interrupts behind it."""
    flat = [word for part in parts for word in (part if isinstance(part, list) else [part])]
    vectors = [branch(MAIN // 4)] + [0] * (MAIN // 4 - 1)
    vectors[6] = TO_VIC
    code = struct.pack(f"<{len(vectors) + len(flat) + len(handler or [])}I", *vectors, *flat, *(handler or []))
    table = struct.pack("<8I", 2, 0, 32, len(code), 4, 0, 0, 0)
    path = folder / f"{name}.aplx"
    path.write_bytes(table + code)
    return path
