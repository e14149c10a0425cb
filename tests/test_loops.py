"""The loop that is written around a model's functions, against those functions called for one neuron after another."""

from __future__ import annotations

import re
from dataclasses import replace

import numba
import numpy as np
import pytest
from scipy import stats

from evsim import registry
from evsim.compile import LEAN
from evsim.forms import Form
from evsim.loops import receive_function, signature, step_function, written_receive, written_step
from evsim.model import Cells, NeuronModel, Rule
from evsim.random_bits import subkey, uniform
from evsim.rulesets import RULE_SETS

SHARED = Form(shared=True)
IDEAL, SPINNAKER1 = RULE_SETS["ideal"], RULE_SETS["spinnaker1"]


def convert(values, initial, dt, scale):
    return Cells(np.zeros((2, 1)), np.zeros((2, 1)), np.zeros(1), 1.0, {})


def leaky(v, count, kept, threshold, jump, drive):
    v = kept * v + jump + drive
    fired = v >= threshold
    return (0.0 if fired else v), (count + 1 if fired else count), fired, abs(v) > 100.0


LEAKY = Rule(
    convert,
    leaky,
    states=("v", "count"),
    parameters=("kept", "threshold"),
    inputs={"excitatory": 0, "inhibitory": 0},
    tallies=("large",),
)


@numba.njit
def call(function, state, parameters, inputs, drive, flags, spiked, tally, key, step, first):
    return function(state, parameters, inputs, drive, flags, spiked, tally, key, step, first)


class Block:
    """Arrays of n neurons and the native functions of a rule on them."""

    def __init__(self, state, parameters, inputs, drive=0.0, rules=IDEAL):
        self.state = np.ascontiguousarray(state, rules.number)
        self.parameters = np.ascontiguousarray(parameters, rules.number)
        self.inputs = np.ascontiguousarray(inputs, rules.number)
        self.drive = np.full(self.state.shape[1], drive, rules.number)
        self.spiked = np.zeros(self.state.shape[1], np.int32)
        self.tally = np.zeros(8, np.int64)

    def call(self, function, key=0, step=0, first=0) -> int:
        flags = np.empty_like(self.spiked)
        arrays = self.state, self.parameters, self.inputs, self.drive, flags, self.spiked, self.tally
        return call(function, *arrays, np.uint64(key), step, first)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 100, 1000])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("threshold", [-1e9, 50.0, 98.0, 1e9])
def test_the_loop_does_what_the_function_does_for_each_neuron(n, shared, threshold):
    rng = np.random.default_rng(n)
    kept = np.full(n, 0.5) if shared else rng.uniform(0.1, 0.9, n)
    parameters = [[0.5], [threshold]] if shared else [kept, np.full(n, threshold)]
    block = Block([rng.uniform(-90, 90, n), np.zeros(n)], parameters, [rng.uniform(-90, 90, n)], drive=1.5)
    results = [
        leaky(v, 0.0, k, threshold, jump, 1.5) for v, k, jump in zip(block.state[0], kept, block.inputs[0], strict=True)
    ]
    count = block.call(step_function(LEAKY, IDEAL, Form(shared=shared)))
    fired = [i for i, result in enumerate(results) if result[2]]
    assert count == len(fired)
    assert block.spiked[: len(fired)].tolist() == fired
    assert block.state.T.tolist() == [list(result[:2]) for result in results]
    assert block.tally.tolist() == [sum(result[3] for result in results)] + 7 * [0]
    assert not block.inputs.any()


def coin(last, rate, jump, chance):
    return chance + 0.0 * jump, chance < rate


CHANCY = Rule(convert, coin, ("last",), ("rate",), {"excitatory": 0})


def tossed(n, first, step=7, key=12345):
    """The numbers that n neurons were given, and the indices of those that spiked."""
    block = Block([np.zeros(n)], [[0.25]], [np.zeros(n)])
    count = block.call(step_function(CHANCY, IDEAL, SHARED), key, step, first)
    return block.state[0], block.spiked[:count]


def test_a_chance_depends_on_population_step_and_cell_alone():
    whole, spiked = tossed(1000, 0)
    assert spiked.tolist() == np.flatnonzero(whole < 0.25).tolist()
    np.testing.assert_array_equal(np.concatenate([tossed(400, 0)[0], tossed(600, 400)[0]]), whole)
    others = [whole, tossed(1000, 0, step=8)[0], tossed(1000, 0, key=12346)[0], tossed(1000, 1000)[0]]
    assert len(np.unique(others)) == 4000
    expected = [uniform(subkey(np.uint64(12345), np.uint64(7)), np.int64(cell)) for cell in range(1000)]
    np.testing.assert_array_equal(whole, expected)


def test_chances_are_uniform_and_independent_from_step_to_step_and_from_cell_to_cell():
    drawn = np.array([tossed(500, 0, step)[0] for step in range(400)])
    assert drawn.min() >= 0 and drawn.max() < 1
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-3
    for later in (drawn[1:, :] * drawn[:-1, :], drawn[:, 1:] * drawn[:, :-1]):
        assert abs(later.mean() - 0.25) < 4 * np.sqrt(7 / 144 / later.size)  # the variance of a product of two


def test_only_neuron_is_given_a_chance():
    def chancy_substep(v, limit, chance):
        return chance * v, v > limit

    with pytest.raises(TypeError, match=r"chancy_substep takes 0 rows of input, but 1 of its arguments \(chance\)"):
        Rule(convert, finish, ("v",), ("limit", "substeps"), {"e": 0}, substep=chancy_substep, hard_substep=halve)


def take(v, shift, charge):
    return v + (charge << shift), charge > 1000


def leak(v):
    return v >> 1, v > (1 << 30), False


INTEGERS = Rule(convert, leak, ("v",), ("shift",), {"excitatory": 0}, ("large",), receive=take)


def test_integers_are_computed_with_64_bits_and_kept_with_32():
    block = Block([[3, (1 << 31) - 1, -5]], [[20]], [[1, 1 << 12, 0]], rules=SPINNAKER1)
    assert block.call(receive_function(INTEGERS, SPINNAKER1, SHARED)) == 0
    assert block.state.tolist() == [[3 + (1 << 20), (1 << 31) - 1 + (1 << 32) - (1 << 32), -5]]
    assert block.tally[0] == 1
    assert block.inputs.tolist() == [[0, 0, 0]]
    assert block.call(step_function(INTEGERS, SPINNAKER1, SHARED)) == 1
    assert block.spiked[0] == 1


def double(v, limit):
    return 2.0 * v, v > limit


def halve(v):
    return (0.5 * v,)


def finish(v, jump):
    return v + jump, v > 1e6


def test_hard_substeps_are_done_by_the_other_function():
    rule = Rule(
        convert,
        finish,
        states=("v",),
        parameters=("limit", "substeps"),
        inputs={"excitatory": 0},
        substep=double,
        hard_substep=halve,
    )
    block = Block([[1.0, 3.0, 4.0, 5.0]], [[4.0], [2]], [[0.0, 0.5, 0.0, 0.0]])
    assert block.call(step_function(rule, IDEAL, SHARED)) == 0
    assert block.state.tolist() == [[4.0, 3.5, 4.0, 5.0]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"parameters": ("kept",)}, r"leaky takes 1 rows of input, but 2 of its arguments \(threshold, jump\)"),
        ({"inputs": {"excitatory": 0, "inhibitory": 1}}, "leaky takes 2 rows of input, but 1 "),
        ({"payload_unit": lambda values: 1.0}, "payload_unit goes with a state 'payload'"),
        ({"tallies": tuple("abcdefghi")}, "9 tallies; at most 8"),
        ({"substep": double}, "both of substep and hard_substep"),
        ({"substep": double, "hard_substep": halve}, "need a parameter named 'substeps'"),
    ],
)
def test_a_rule_whose_parts_do_not_fit_is_refused(changed, message):
    with pytest.raises(TypeError, match=message):
        replace(LEAKY, **changed)


def test_rows_that_are_missing_are_an_error_before_the_run():
    rule = replace(LEAKY, parameters=("kept", "threshold", "more"))
    with pytest.raises(TypeError, match="convert makes 2 rows of kept, threshold, more"):
        rule.cells({}, {}, 1.0, None)


# Their firmware's exponential is a loop that ends earlier in one neuron than in the other.
BRANCHING = {"StocExp", "StocExpStable"}
RULES = [
    (name, rules)
    for name, model in registry.models().items()
    if isinstance(model, NeuronModel) and name not in BRANCHING
    for rules in model.rules
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rules"), RULES)
def test_every_loop_is_vectorised(name, rules):
    """Whatever is known of the neurons, and without masked stores, which some processors hardly know."""
    model = registry.models()[name]
    assert isinstance(model, NeuronModel)
    rule, rule_set = model.rules[rules], RULE_SETS[rules]
    best = Form(True, bool(rule.sums), tuple(rule.sums.values())[:1], bool(rule.counters), True, bool(rule.substep))
    forms = {Form(), SHARED, best}
    written = [(written_step(rule, form), 2 if rule.substep and not form.once else 1) for form in forms]
    if rule.receive:
        written += [(written_receive(rule, form), 1) for form in (Form(), SHARED)]
    for function, loops in written:
        compiled = numba.cfunc(signature(rule_set), **LEAN)(function)
        assert len(re.findall(r"^vector\.body\d*:", compiled.inspect_llvm(), re.MULTILINE)) >= loops
        assembly = getattr(compiled, "_library").get_asm_str()  # noqa: B009 - numba has no public name for it
        assert not re.search(r"maskmov.*\)$", assembly, re.MULTILINE)
