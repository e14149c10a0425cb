"""Programs on emulated cores: what they compute, when they sleep, and what is said when they fail."""

from __future__ import annotations

import pytest

import arm
from evsim_emulator import CpuState, EmulatorError, Machine, sark
from evsim_emulator import addresses as at
from evsim_emulator.state import INBOX

RESULT = at.SDRAM_BASE + 0x10_0000
FOREVER = 10_000_000  # cycles


@pytest.fixture
def machine():
    return Machine(3, 2)


def asleep(core):
    return lambda: core.asleep


def with_interrupt(number: int, length: int) -> list[int]:
    """Let the VIC call a handler behind a program of so many words, whose own length includes this."""
    return [
        *arm.write_register(at.VIC_BASES[0] + at.VIC_ADDR, arm.MAIN + 4 * length),
        *arm.write_register(at.VIC_BASES[0] + at.VIC_CNTL, at.VIC_SLOT_ENABLED | number),
        *arm.write_register(at.VIC_BASES[0] + at.VIC_ENABLE, 1 << number),
    ]


def end_of_interrupt() -> list[int]:
    return [*arm.write_register(at.VIC_BASES[0] + at.VIC_VADDR, 0), arm.RETURN_FROM_INTERRUPT]


def test_instructions_are_counted(machine, tmp_path):
    loop = [*arm.constant(0, 100), arm.subtract(0, 1), arm.branch(-1, arm.NOT_EQUAL), arm.WAIT_FOR_INTERRUPT]
    core = machine.load(0, 0, 1, arm.program(tmp_path, "loop", loop), 16)
    assert machine.run(asleep(core), FOREVER)
    assert core.registers()["r0"] == 0
    assert core.busy_cycles == 1 + 4 + 200 + 1  # the branch from the vector, the loop, the wait


def test_a_run_ends_at_its_limit(machine, tmp_path):
    core = machine.load(0, 0, 1, arm.program(tmp_path, "endless", arm.branch(0)), 16)
    assert not machine.run(asleep(core), 300_000)
    assert 300_000 <= machine.now < 500_000
    assert core.idle_cycles == 0


def test_a_run_ends_when_nothing_can_happen_any_more(machine, tmp_path):
    core = machine.load(0, 0, 1, arm.program(tmp_path, "sleeper", arm.WAIT_FOR_INTERRUPT), 16)
    assert not machine.run(lambda: False, FOREVER)
    assert core.asleep and machine.now < FOREVER


def test_what_reads_where_nothing_is_fails_with_everything_known(machine, tmp_path):
    core = machine.load(0, 1, 3, arm.program(tmp_path, "astray", [*arm.constant(2, 0x5000_0000), arm.load(0, 2)]), 16)
    said = r"core 0, 1, 3 \(astray\) read, wrote or executed where nothing is"
    with pytest.raises(EmulatorError, match=said) as caught:
        machine.run(lambda: False, FOREVER)
    assert "r2 0x50000000" in str(caught.value)
    assert core.halted


def test_what_looks_for_a_device_where_there_is_none_fails(machine, tmp_path):
    body = [*arm.constant(2, at.VIC_BASES[0] + at.DEVICE_SIZE), arm.load(0, 2), arm.branch(0)]
    machine.load(0, 0, 1, arm.program(tmp_path, "beside", body), 16)
    with pytest.raises(EmulatorError, match="looked for a device at 0x1f001000"):
        machine.run(lambda: False, FOREVER)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (CpuState.RTE, r"core 1, 0, 2 \(ending\) stopped with the run-time error 10 \(out of heap \(malloc\)\), at 0x"),
        (CpuState.WDOG, r"core 1, 0, 2 \(ending\) was stopped by its watchdog"),
    ],
)
def test_a_program_that_ends_itself_says_why(machine, tmp_path, state, said):
    own = sark.VCPU_BASE + 2 * sark.VCPU_SIZE
    codes = arm.write_register(own + sark.VCPU_RT_CODE, 10 | state << 16)  # a byte each: rt_code, phys_cpu, cpu_state
    machine.load(1, 0, 2, arm.program(tmp_path, "ending", codes, arm.WAIT_FOR_INTERRUPT), 16)
    with pytest.raises(EmulatorError, match=said):
        machine.run(lambda: False, FOREVER)


def test_a_core_that_takes_no_packets_is_named(machine, tmp_path):
    machine.load(0, 0, 2, arm.program(tmp_path, "deaf", arm.branch(0)), 16)
    machine.set_routes(0, 0, [(0, 0xFFFF_0000, [2], [])])
    machine.load(0, 0, 1, sender(tmp_path, 0, INBOX + 1), 16)
    with pytest.raises(EmulatorError, match=rf"0, 0, 2 \(deaf\) has {INBOX} packets on their way to it and takes none"):
        machine.run(lambda: False, FOREVER)


def test_timers_interrupt(machine, tmp_path):
    handler = [
        *arm.constant(8, RESULT),
        arm.load(7, 8),
        arm.add(7, 1),
        arm.store(7, 8),
        *arm.write_register(at.TIMER_BASES[0] + at.TC_INT_CLR, 1),
        *end_of_interrupt(),
    ]
    enable = at.TC_ENABLED | at.TC_INTERRUPTS
    timer = [
        *arm.write_register(at.TIMER_BASES[0] + at.TC_LOAD, 5000),
        *arm.write_register(at.TIMER_BASES[0] + at.TC_CONTROL, enable),
    ]
    tail = [arm.ENABLE_INTERRUPTS, arm.WAIT_FOR_INTERRUPT, arm.branch(-1)]
    main_length = len(with_interrupt(0, 0)) + len(timer) + len(tail)
    main = [*with_interrupt(at.TIMER1_INT, main_length), *timer, *tail]
    core = machine.load(0, 0, 1, arm.program(tmp_path, "clock", main, handler=handler), 16)
    assert not machine.run(lambda: False, 1_000_000)
    ticks = core.chip.word(RESULT)
    assert abs(ticks - machine.now / 5000) <= 1
    assert core.busy_cycles < 40 * ticks + 100


def receiver(folder) -> object:
    """A program that writes the keys and payloads that it receives one behind the other, from ``RESULT`` on."""
    handler = [
        *arm.constant(2, at.CC_BASES[0]),
        arm.load(3, 2, at.CC_RXDATA),
        arm.load(4, 2, at.CC_RXKEY),
        arm.store(4, 9),
        arm.store(3, 9, 4),
        arm.add(9, 8),
        *end_of_interrupt(),
    ]
    tail = [*arm.constant(9, RESULT), arm.ENABLE_INTERRUPTS, arm.WAIT_FOR_INTERRUPT, arm.branch(-1)]
    length = len(with_interrupt(0, 0)) + len(tail)
    return arm.program(folder, "receiver", [*with_interrupt(at.CC_MC_INT, length), *tail], handler=handler)


def sender(folder, first_key: int, count: int):
    """A program that sends packets with keys one after the other and the key as payload, and sleeps."""
    cc = at.CC_BASES[0]
    return arm.program(
        folder,
        f"sender{first_key:x}",
        [
            *arm.write_register(cc + at.CC_TCR, at.PKT_PAYLOAD),
            *arm.constant(2, cc),
            *arm.constant(3, first_key),
            *arm.constant(4, count),
            arm.store(3, 2, at.CC_TXDATA),
            arm.store(3, 2, at.CC_TXKEY),
            arm.add(3, 1),
            arm.subtract(4, 1),
            arm.branch(-4, arm.NOT_EQUAL),
            arm.WAIT_FOR_INTERRUPT,
        ],
    )


def test_packets_are_routed_by_tables_and_straight_on(machine, tmp_path):
    to = machine.load(2, 0, 5, receiver(tmp_path), 16)
    machine.run(asleep(to), FOREVER)
    machine.load(0, 0, 1, sender(tmp_path, 0x40, 10), 16)
    machine.set_routes(0, 0, [(0x40, 0xFFFF_FFF0, [], [0])])  # east; chip 1, 0 has no entry
    machine.set_routes(2, 0, [(0x40, 0xFFFF_FFF0, [5], [])])
    machine.run(lambda: False, FOREVER)
    words = [to.chip.word(RESULT + 4 * place) for place in range(22)]
    assert words == [key for key in range(0x40, 0x4A) for _ in range(2)] + [0, 0]
    assert machine.counters == (10, 0)


def test_packets_go_to_several_cores_and_chips_and_round_the_edges(machine, tmp_path):
    cores = [machine.load(*place, receiver(tmp_path), 16) for place in ((0, 0, 2), (0, 0, 3), (2, 1, 1))]
    machine.run(lambda: all(core.asleep for core in cores), FOREVER)
    machine.load(0, 0, 1, sender(tmp_path, 7, 1), 16)
    machine.set_routes(0, 0, [(7, 0xFFFF_FFFF, [2, 3], [4])])  # link 4 leads to x - 1, y - 1
    machine.set_routes(2, 1, [(0, 0, [1], [])])
    machine.run(lambda: False, FOREVER)
    assert [core.chip.word(RESULT) for core in cores] == [7, 7, 7]


def test_a_packet_without_a_route_is_dropped_and_counted(machine, tmp_path):
    machine.load(0, 0, 1, sender(tmp_path, 9, 3), 16)
    machine.run(lambda: False, FOREVER)
    assert machine.counters == (3, 3)


def test_a_packet_whose_route_ends_a_branch_is_not_dropped(machine, tmp_path):
    to = machine.load(0, 0, 2, receiver(tmp_path), 16)
    machine.run(asleep(to), FOREVER)
    machine.load(0, 0, 1, sender(tmp_path, 7, 2), 16)
    machine.set_routes(0, 0, [(7, 0xFFFF_FFFF, [2], [0]), (8, 0xFFFF_FFFF, [], [])])
    machine.set_routes(1, 0, [(7, 0xFFFF_FFFF, [], [])])  # as the tables have it for keys that nobody there wants
    machine.run(lambda: False, FOREVER)
    assert to.chip.word(RESULT) == 7 and machine.counters == (2, 0)


def test_a_packet_that_goes_in_circles_is_dropped(machine, tmp_path):
    machine.load(0, 0, 1, sender(tmp_path, 9, 1), 16)
    for x in range(3):
        machine.set_routes(x, 0, [(9, 0xFFFF_FFFF, [], [0])])
    machine.run(lambda: False, FOREVER)
    assert machine.counters == (1, 1)


def test_packets_of_another_kind_are_refused(machine, tmp_path):
    cc = at.CC_BASES[0]
    body = [*arm.write_register(cc + at.CC_TCR, 0x0040_0000), *arm.write_register(cc + at.CC_TXKEY, 1)]
    machine.load(0, 0, 1, arm.program(tmp_path, "p2p", body, arm.branch(0)), 16)
    with pytest.raises(EmulatorError, match=r"control word 0x00400000; the emulated machine carries multicast packets"):
        machine.run(lambda: False, FOREVER)


def test_locks_hold_between_the_cores_of_a_chip(machine, tmp_path):
    lock, turns = at.SYSCTL_BASES[0] + at.SC_TAS0, 1000
    body = [
        *arm.constant(2, lock),
        *arm.constant(3, lock + at.SC_TAC0 - at.SC_TAS0),
        *arm.constant(4, RESULT),
        *arm.constant(5, turns),
        arm.load(0, 2),  # taken where it was 0
        arm.compare(0, 0),
        arm.branch(-2, arm.NOT_EQUAL),
        arm.load(6, 4),
        *arm.constant(7, 20),
        arm.subtract(7, 1),  # slices of time end here, too, with the lock held
        arm.branch(-1, arm.NOT_EQUAL),
        arm.add(6, 1),
        arm.store(6, 4),
        arm.load(0, 3),  # given back
        arm.subtract(5, 1),
        arm.branch(-14, arm.NOT_EQUAL),
        arm.WAIT_FOR_INTERRUPT,
    ]
    path = arm.program(tmp_path, "counter", body)
    cores = [machine.load(1, 1, number, path, 16) for number in (1, 2, 3)]
    machine.run(lambda: all(core.asleep for core in cores), 50 * FOREVER)
    assert machine.chip(1, 1).word(RESULT) == 3 * turns


def transfer(system: int, tcm: int, description: int) -> list[int]:
    dma = at.DMA_BASES[0]
    return [
        *arm.write_register(dma + at.DMA_ADRS, system),
        *arm.write_register(dma + at.DMA_ADRT, tcm),
        *arm.write_register(dma + at.DMA_DESC, description),
    ]


def test_transfers_go_both_ways(machine, tmp_path):
    there = transfer(RESULT, at.DTCM_BASE + 64, 1 << 24 | 12)
    back = transfer(at.SDRAM_BASE_UNBUF + 0x10_0100, at.DTCM_BASE + 64, at.DMA_TO_SYSTEM | 8)
    core = machine.load(0, 0, 1, arm.program(tmp_path, "copy", there, back, arm.WAIT_FOR_INTERRUPT), 16)
    core.chip.write(RESULT, b"Hello, world")
    machine.run(asleep(core), FOREVER)
    assert core.chip.read(RESULT + 0x100, 12) == b"Hello, w" + bytes(4)
    assert core.dma_bytes == 20


def test_a_transfer_beyond_the_memory_is_refused(machine, tmp_path):
    body = transfer(at.SDRAM_BASE + at.SDRAM_SIZE - 4, at.DTCM_BASE, 8)
    machine.load(0, 0, 1, arm.program(tmp_path, "beyond", body, arm.branch(0)), 16)
    with pytest.raises(EmulatorError, match="DMA transfer at 0x67fffffc"):
        machine.run(lambda: False, FOREVER)


def test_a_loop_of_waiting_is_skipped_and_finds_the_same(machine, tmp_path):
    poll = [
        *arm.constant(2, at.CC_BASES[0]),
        *arm.constant(4, RESULT),
        arm.load(3, 2, at.CC_RSR),
        arm.compare(3, 0),
        arm.branch(-2, arm.EQUAL),
        arm.load(3, 2, at.CC_RXKEY),
        arm.store(3, 4),
        arm.branch(-5),
    ]
    waiting = machine.load(0, 0, 2, arm.program(tmp_path, "waiting", poll), 16)
    machine.run(lambda: False, 400_000)
    late = [*arm.constant(5, 20_000), arm.subtract(5, 1), arm.branch(-1, arm.NOT_EQUAL)]
    send = [*arm.constant(2, at.CC_BASES[0]), *arm.constant(3, 77), arm.store(3, 2, at.CC_TXKEY)]
    machine.load(0, 0, 1, arm.program(tmp_path, "late", late, send, arm.WAIT_FOR_INTERRUPT), 16)
    machine.set_routes(0, 0, [(77, 0xFFFF_FFFF, [2], [])])
    assert machine.run(lambda: waiting.chip.word(RESULT) == 77, FOREVER)
    assert waiting.busy_cycles < 0.2 * waiting.cycles


def test_a_loop_that_waits_for_a_counter_does_not_oversleep(machine, tmp_path):
    timer = at.TIMER_BASES[0]
    body = [
        *arm.write_register(timer + at.TC_LOAD, 0x4000),
        *arm.write_register(timer + at.TC_CONTROL, at.TC_ENABLED),
        *arm.constant(2, timer),
        arm.load(3, 2, at.TC_COUNT),
        0xE353_0A03,  # cmp r3, #0x3000
        arm.branch(-2, 0xCA00_0000),  # while it is greater
        arm.WAIT_FOR_INTERRUPT,
    ]
    core = machine.load(0, 0, 1, arm.program(tmp_path, "until", body), 16)
    machine.run(asleep(core), FOREVER)
    waited = 0x4000 - 0x3000
    assert 0x3000 - waited / 6 < core.registers()["r3"] <= 0x3000
