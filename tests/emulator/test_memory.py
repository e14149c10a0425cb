"""Memories and heaps of an emulated chip."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim_emulator import EmulatorError, Machine
from evsim_emulator.addresses import SDRAM_BASE, SDRAM_BASE_UNBUF, SDRAM_SIZE, SYSRAM_BASE


@pytest.fixture
def chip():
    return Machine(2, 2).chip(1, 0)


def test_both_addresses_of_a_memory_mean_the_same(chip):
    chip.write(SDRAM_BASE + 4096, b"abcd")
    assert chip.read(SDRAM_BASE_UNBUF + 4096, 4) == b"abcd"
    chip.set_word(SDRAM_BASE_UNBUF + 4096, -1)
    assert chip.word(SDRAM_BASE + 4096) == 0xFFFF_FFFF


@pytest.mark.parametrize("address", [0, SDRAM_BASE - 2, SDRAM_BASE + SDRAM_SIZE - 2, SYSRAM_BASE - 1, 0xFFFF_FFFF])
def test_where_there_is_no_memory_there_is_an_error(chip, address):
    with pytest.raises(EmulatorError, match=rf"chip 1, 0: there is no memory for 4 bytes at 0x{address:08x}"):
        chip.read(address, 4)
    with pytest.raises(EmulatorError):
        chip.write(address, b"1234")


def test_there_is_no_chip_beyond_the_machine():
    with pytest.raises(EmulatorError, match="no chip 2, 0 on a machine of 2 by 2"):
        Machine(2, 2).chip(2, 0)


def free_bytes(chip):
    return chip.heap.free_bytes


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.one_of(st.tuples(st.integers(0, 3000), st.integers(17, 19)), st.integers(17, 19)), max_size=40))
def test_what_is_allocated_never_overlaps_and_comes_back(steps):
    chip = Machine(1, 1).chip(0, 0)
    whole, held = free_bytes(chip), []
    for step in steps:
        if isinstance(step, tuple):
            size, app_id = step
            address = chip.allocate(size, app_id)
            assert address % 4 == 0
            assert all(address + size <= a or a + s <= address for a, s, _ in held if s and size)
            held.append((address, size, app_id))
        else:
            chip.free_all(step)
            held = [block for block in held if block[2] != step]
    for app_id in (17, 18, 19):
        chip.free_all(app_id)
    assert free_bytes(chip) == whole
    assert chip.allocate(whole, 17)  # in one piece again


def test_a_full_heap_says_what_was_asked_for_and_what_is_left(chip):
    chip.allocate(100 << 20, 17)
    with pytest.raises(EmulatorError, match=r"SDRAM of chip 1, 0 is full: 52428800 bytes .* and 209\d+ are free"):
        chip.allocate(50 << 20, 17)


def test_a_tag_finds_its_memory(chip):
    from evsim_emulator.sark import ALLOC_TAGS

    address = chip.allocate(100, 30, tag=5)
    assert chip.word(ALLOC_TAGS + 4 * (30 * 256 + 5)) == address
    chip.free_all(30)
    assert chip.word(ALLOC_TAGS + 4 * (30 * 256 + 5)) == 0
