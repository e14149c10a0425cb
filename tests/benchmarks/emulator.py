"""How fast the emulated SpiNNaker machine executes, beside unicorn alone on the same loop.

python tests/benchmarks/emulator.py [--rounds 5] [--cores 4]
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import unicorn
import unicorn.arm_const as registers
from unicorn.unicorn_py3 import unicorn as binding

import arm
from evsim_emulator import Machine
from evsim_emulator.addresses import DTCM_BASE
from evsim_emulator.execution import page_callback
from evsim_emulator.memory import PAGE

MULTIPLY = 0xE001_0392  # mul r1, r2, r3
TURN = [arm.load(2, 8), MULTIPLY, arm.add(1, 1), arm.store(1, 8, 4), arm.load(3, 8, 8), arm.store(1, 8, 12)]
SETUP = arm.constant(8, DTCM_BASE)
INSTRUCTIONS = 20_000_000
CYCLES_IN_MS = 200_000


def alone(code: bytes, set_up: bool) -> float:
    """Million instructions a second of unicorn without blocks being counted, without devices, interrupts and slices.

    Args:
        set_up: whether it treats memory pages as the machine has it do.
    """
    engine = getattr(unicorn, "Uc")(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_ARM)  # noqa: B009
    engine.ctl_set_cpu_model(registers.UC_CPU_ARM_926)
    engine.ctl_set_page_size(PAGE if set_up else 4096)
    engine.mem_map(0, PAGE)
    engine.mem_map(DTCM_BASE, PAGE)
    if set_up:
        engine.ctl_set_tlb_mode(unicorn.UC_TLB_VIRTUAL)
        hook, callback = ctypes.c_size_t(), page_callback()
        address, everywhere = ctypes.c_void_p(callback.address), (ctypes.c_uint64(1), ctypes.c_uint64(0))
        kind = unicorn.UC_HOOK_TLB_FILL
        binding.uclib.uc_hook_add(engine._uch, ctypes.byref(hook), kind, address, None, *everywhere)
    engine.mem_write(0, code)
    turns = INSTRUCTIONS // (len(TURN) + 2)
    engine.reg_write(registers.UC_ARM_REG_R8, DTCM_BASE)
    engine.reg_write(registers.UC_ARM_REG_R7, turns)
    begun = time.process_time()
    engine.emu_start(0, len(code))
    return turns * (len(TURN) + 2) / (time.process_time() - begun) / 1e6


def machine(folder: Path, cores: int) -> float:
    """The same of so many cores of a machine, together."""
    emulated = Machine(1, 1)
    path = arm.program(folder, "loop", SETUP, TURN, arm.subtract(7, 0), arm.branch(-len(TURN) - 1))
    loaded = [emulated.load(0, 0, 1 + number, path, 16) for number in range(cores)]
    emulated.run(lambda: False, CYCLES_IN_MS)  # translated now
    before, begun = sum(core.busy_cycles for core in loaded), time.process_time()
    emulated.run(lambda: False, INSTRUCTIONS // cores)
    return (sum(core.busy_cycles for core in loaded) - before) / (time.process_time() - begun) / 1e6


def main() -> None:
    """Alternate between the three, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=4)
    options = parser.parse_args()
    words = [*TURN, arm.subtract(7, 1), arm.branch(-len(TURN) - 1, arm.NOT_EQUAL)]
    code = b"".join(word.to_bytes(4, "little") for word in words)
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            (alone(code, False), alone(code, True), machine(Path(folder), options.cores)) for _ in range(options.rounds)
        ]
    as_it_comes, raw, emulated = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"unicorn as it comes: {as_it_comes:.0f} million instructions a second")
    print(f"unicorn set up as the machine's: {raw:.0f}")
    print(f"the machine, {options.cores} cores: {emulated:.0f}, {emulated / raw:.2f} of that")
    print(f"that is {emulated * 1e6 / CYCLES_IN_MS:.0f} ms of busy cores a second")


if __name__ == "__main__":
    main()
