"""When a block of neurons is at rest, and what wakes it."""

import numba
import numpy as np
import pytest

from evsim.engine.blocks import PATIENCE, RECEIVE, STEP_ALONE, WHOLE, run_block
from evsim.engine.memory import AT_REST, LOOK, Blocks, Memory, Slices
from evsim.forms import Form
from evsim.loops import receive_function, step_function
from evsim.model import Rule
from evsim.rulesets import RULE_SETS

IDEAL = RULE_SETS["ideal"]


def convert(values, initial, dt, scale):
    raise NotImplementedError("a block is made by hand here")


def leaky(v, kept, threshold, jump):
    v = kept * v + jump
    return v, v >= threshold, abs(v) > 100.0


def keep(v):
    return v, False, False


def take(v, jump):
    return jump + 0.0 * v, False


LEAKY = Rule(convert, leaky, ("v",), ("kept", "threshold"), {"excitatory": 0}, ("large",))
TWO_PHASES = Rule(convert, keep, ("v",), ("kept", "threshold"), {"excitatory": 0}, ("large",), receive=take)
FUNCTIONS = {
    WHOLE: step_function(LEAKY, IDEAL, Form(shared=True)),
    RECEIVE: receive_function(TWO_PHASES, IDEAL, Form(shared=True)),
    STEP_ALONE: step_function(TWO_PHASES, IDEAL, Form(shared=True)),
}


@numba.njit
def call(function, noisy, phase, blocks, slices, memory, buffers, spiked):
    return run_block(function, 0, 0, noisy, phase, blocks, slices, memory, buffers, spiked)


class Block:
    """Two neurons; ``rest`` is what the engine knows of them."""

    def __init__(self, v, kept=1.0, threshold=1e9, rest=LOOK):
        one = {name: np.zeros(1, np.int64) for name in Blocks._fields}
        one |= {"size": np.array([2]), "n_state": np.array([1]), "n_parameters": np.array([2])}
        one |= {"n_inputs": np.array([1]), "width": np.array([1])}
        self.blocks = Blocks(**one)
        state = np.array([v, 0.0])
        tally = np.zeros((1, 8), np.int64)
        parameters = np.array([kept, threshold])
        nothing = np.zeros(0)
        self.memory = Memory(
            *(state, parameters, np.zeros(2), np.zeros(2), tally, np.array([rest]), state.view(np.uint8)),
            held_state=nothing,
            held_inputs=nothing,
        )

    def run(self, phase=WHOLE, jump=0.0, noisy=False) -> int:
        self.memory.inputs[0] = jump
        slices = Slices(np.array([2]), np.zeros(1, np.int64))
        buffers = np.empty(2, np.int32), np.empty(16, np.uint8)
        return call(
            FUNCTIONS[phase].address,
            np.bool_(noisy),
            phase,
            self.blocks,
            slices,
            self.memory,
            buffers,
            np.empty(2, np.int32),
        )

    @property
    def rest(self) -> int:
        return int(self.memory.rest[0])


@pytest.mark.parametrize(
    ("found", "block", "words"),
    [
        (AT_REST, Block(5.0), {}),
        (AT_REST, Block(np.nan), {}),
        (-PATIENCE, Block(5.0), {"jump": 1.0}),
        (-PATIENCE, Block(5.0), {"noisy": True}),
        (-PATIENCE, Block(5.0, kept=0.5), {}),  # the state changes
        (-PATIENCE, Block(-0.0), {}),  # to +0.0, which is another bit
        (-PATIENCE, Block(200.0), {}),  # something is counted
        (-PATIENCE, Block(5.0, threshold=1.0), {}),  # spikes
        (-2, Block(5.0, rest=-3), {}),  # not yet
    ],
)
def test_a_block_is_at_rest_when_nothing_at_all_happens(found, block, words):
    assert block.run(**words) >= 0
    assert block.rest == found


def test_a_block_at_rest_is_left_alone_until_there_is_input():
    block = Block(5.0, rest=AT_REST)
    assert block.run() == -1
    assert block.run(jump=2.0) == 0
    assert block.memory.state[0] == 7.0 and block.rest == -PATIENCE
    for _ in range(PATIENCE + 1):
        assert block.run() == 0
    assert block.rest == AT_REST


def test_a_block_that_holds_the_input_of_a_step_before_is_not_at_rest():
    """Where a step follows on receiving, it may change nothing although the next receiving will."""
    block = Block(0.0)
    assert block.run(RECEIVE, jump=5.0) == 0
    assert block.run(STEP_ALONE) == 0
    while block.rest < LOOK:
        assert block.run(RECEIVE) == block.run(STEP_ALONE) == 0
    assert (block.run(RECEIVE), block.rest) == (0, LOOK)
    assert (block.run(STEP_ALONE), block.rest) == (0, AT_REST)
    assert block.memory.state[0] == 0.0
    assert (block.run(RECEIVE), block.run(STEP_ALONE)) == (-1, -1)
