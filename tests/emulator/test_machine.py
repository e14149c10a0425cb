"""Loading programs and routes into an emulated machine."""

from __future__ import annotations

import pytest

import arm
from evsim_emulator import EmulatorError, Machine
from evsim_emulator import addresses as at


@pytest.mark.parametrize("number", [0, 18, -1])
def test_programs_go_on_cores_that_there_are(tmp_path, number):
    path = arm.program(tmp_path, "sleeper", arm.WAIT_FOR_INTERRUPT)
    with pytest.raises(EmulatorError, match=f"no core {number} for programs on a chip: they are 1 to 17"):
        Machine(1, 1).load(0, 0, number, path, 16)


def test_a_file_that_is_no_program_is_refused(tmp_path):
    path = tmp_path / "text.aplx"
    path.write_bytes(b"This is not a program at all, but a text that is long enough to be one.")
    with pytest.raises(EmulatorError, match=r"text\.aplx is not a SpiNNaker binary"):
        Machine(1, 1).load(0, 0, 1, path, 16)


def test_a_program_larger_than_the_memory_is_refused(tmp_path):
    path = arm.program(tmp_path, "large", [arm.WAIT_FOR_INTERRUPT] * 9000)
    with pytest.raises(EmulatorError, match=r"large\.aplx: it puts 36064 bytes at 0x00000000, where a core has no"):
        Machine(1, 1).load(0, 0, 1, path, 16)


def test_a_router_has_room_for_1023_routes():
    machine = Machine(1, 1)
    machine.set_routes(0, 0, [(key, 0xFFFF_FFFF, [1], []) for key in range(1023)])
    with pytest.raises(EmulatorError, match="1024 routes, and its router has room for 1023"):
        machine.set_routes(0, 0, [(9999, 0xFFFF_FFFF, [1], [])])


def test_a_machine_has_chips():
    with pytest.raises(EmulatorError, match="0 by 4 chips"):
        Machine(0, 4)


def test_the_programs_of_an_application_are_ended_together(tmp_path):
    machine = Machine(2, 1)
    path = arm.program(tmp_path, "sleeper", arm.WAIT_FOR_INTERRUPT)
    for x, app_id in ((0, 16), (1, 16), (1, 17)):
        machine.load(x, 0, app_id - 15, path, app_id)
    machine.stop(16)
    assert list(machine.cores) == [(1, 0, 2)]


def test_the_same_programs_do_the_same_again(tmp_path):
    def run():
        machine = Machine(2, 1)
        loop = [*arm.constant(0, 777), arm.subtract(0, 1), arm.branch(-1, arm.NOT_EQUAL), arm.WAIT_FOR_INTERRUPT]
        cores = [machine.load(x, 0, p, arm.program(tmp_path, "loop", loop), 16) for x in (0, 1) for p in (1, 2, 3)]
        machine.run(lambda: all(core.asleep for core in cores), 1_000_000)
        return machine.now, [(core.cycles, core.idle_cycles) for core in cores]

    assert run() == run()


def test_a_core_that_gets_another_program_is_as_new(tmp_path):
    """Registers, banked ones too, memories, translated code, timers and the interrupt controller."""
    fast_mode, own_word, new_word = 0xE321_F0D1, arm.constant(2, at.DTCM_BASE + 0x80), 0xDEAD_BEEF
    messy = [
        *arm.write_register(at.DTCM_BASE + 0x80, new_word),
        *arm.write_register(at.VIC_BASES[0] + at.VIC_ENABLE, 1 << at.TIMER1_INT),
        *arm.write_register(at.TIMER_BASES[0] + at.TC_LOAD, 5000),
        *arm.write_register(at.TIMER_BASES[0] + at.TC_CONTROL, at.TC_ENABLED | at.TC_INTERRUPTS),
        *[word for register in range(2, 15) for word in arm.constant(register, new_word)],
        fast_mode,
        *[word for register in range(8, 15) for word in arm.constant(register, new_word)],
        arm.WAIT_FOR_INTERRUPT,
    ]
    curious = [*own_word, arm.load(3, 2), fast_mode, arm.WAIT_FOR_INTERRUPT]
    before, after = arm.program(tmp_path, "messy", messy), arm.program(tmp_path, "curious", curious)

    def run(*paths):
        machine, found = Machine(1, 1), []
        for path in paths:
            core = machine.load(0, 0, 1, path, 16)
            machine.run(lambda: False, 100_000)
            found.append((core.registers(), core.busy_cycles, core.asleep))
            machine.stop(16)
        assert core.halted and core.registers() == {}
        return found[-1]

    assert run(before, after) == run(after)
