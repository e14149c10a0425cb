"""Loops of waiting: a core that reads the same device registers again and again and finds nothing new is skipped on.

Cores that compute synapses wait in such loops. Nothing that a program computes depends on how often it looks.
"""

from __future__ import annotations

from evsim.compile import lean
from evsim_emulator.horizon import horizon
from evsim_emulator.state import POLLS

FEW = 24  # reads of the same that make a loop of waiting
LONGEST_TURN = 60  # cycles from one read to the next in such a loop
# Cycles by which each turn of a loop is longer than the one before that waits for a counter to pass a number that only
# the program knows: a wait of 10,000 cycles becomes at most a tenth longer, one of 100,000 a thirtieth.
CLOCK_STEP = 48


@lean
def forget_polls(core):
    """The program did something else."""
    core.polls = 0


@lean
def _found_anything(core, address, value, counts):
    """Whether a register has another value than when it was last read; one that counts is never news."""
    for place in range(POLLS):
        if core.poll_address[place] == address:
            same = counts or core.poll_value[place] == value
            core.poll_value[place] = value
            return not same
    core.poll_address[core.poll_next] = address
    core.poll_value[core.poll_next] = value
    core.poll_next = (core.poll_next + 1) % POLLS
    return True


@lean
def note_poll(core, address, value, counts):
    """Note that a register was read; in a loop of waiting time goes on to what can end it.

    Args:
        counts: whether the register counts cycles, so that a loop may wait for it to pass a number.
    """
    if core.polls == 0 or core.cycles - core.poll_cycle > LONGEST_TURN:
        core.polls = core.poll_counts = 0
        for place in range(POLLS):
            core.poll_address[place] = -1
    core.poll_counts |= counts
    core.polls = 1 if _found_anything(core, address, value, counts) else core.polls + 1
    if core.polls > FEW:
        ahead = horizon(core)
        if core.poll_counts:
            ahead = min(ahead, core.cycles + CLOCK_STEP * (core.polls - FEW))
        if ahead > core.cycles:
            core.skipped += ahead - core.cycles
            core.cycles = ahead
    core.poll_cycle = core.cycles
