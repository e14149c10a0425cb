"""Every example of ``docs/loihi.md``, executed by each emulator and by evsim: the page must say what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import loihi_emulators as emulators
from evsim.arithmetic.loihi import STATE_LIMIT
from evsim.chip import load_chip
from evsim.errors import BackendError

for emulator in ("lava.proc", "brian2_loihi", "nengo_loihi"):
    emulators.need(emulator)

PAGE = (Path(__file__).parents[2] / "docs" / "loihi.md").read_text()
LAVA, BRIAN2, NENGO = "Lava", "brian2-loihi", "nengo-loihi"
COLUMNS = LAVA, BRIAN2, NENGO, "loihi1", "loihi2"
ABSENT = "-"
STEPS = 9  # of the examples of refractory periods


def one_neuron(
    *weights: int, exponent: int = 0, silent: int = 0, apart: bool = False, steps: int = 2, **registers
) -> emulators.Registers:
    """A neuron with u and v that decay at once, unless told otherwise, and an input for each weight.

    Args:
        weights: mantissas, felt in row 1, or later where they are sent apart.
        silent: a further weight, of an input without spikes.
        apart: whether input k spikes k steps earlier than the first one, over a delay that is so much longer.
    """
    count = len(weights)
    delay = 1 + apart * np.arange(count + 1)
    inputs = np.zeros((steps, count + 1), bool)
    inputs[delay[count - 1] - delay[:count], np.arange(count)] = True
    every = np.array([*weights, silent])
    synapses = emulators.Synapses(np.arange(count + 1), np.zeros(count + 1, int), every, delay, exponent)
    values = {"du": 4095, "dv": 4095, "vth": 131071, **registers}
    return emulators.Registers(1, inputs=inputs, synapses=(synapses,), **values)


@dataclass(frozen=True)
class Example:
    """A row of the page.

    Attributes:
        text: its first column.
        registers: one neuron.
        read: what the other columns show of a result.
        without: emulators that have no such thing.
        own: the registers of emulators in which the same words, or numbers, mean others.
        vmin: nengo-loihi's register; None is what its blocks begin with.
    """

    text: str
    registers: emulators.Registers
    read: Callable[[emulators.Result], object]
    without: frozenset[str] = frozenset()
    own: Mapping[str, emulators.Registers] = field(default_factory=dict)
    vmin: int | None = 1 - STATE_LIMIT

    def of(self, emulator: str) -> emulators.Registers:
        """The registers that an emulator gets."""
        return self.own.get(emulator, self.registers)


def input_units(result: emulators.Result) -> int:
    """What u got in the last row, in the units of weights."""
    return int(result.u[-1, 0]) >> 6


def u(result: emulators.Result) -> int:
    """u in the last row."""
    return int(result.u[-1, 0])


def v(result: emulators.Result) -> int:
    """v in the last row."""
    return int(result.v[-1, 0])


def spike_rows(result: emulators.Result) -> str:
    """The rows of the spikes."""
    return ", ".join(str(row) for row in np.flatnonzero(result.spikes[:, 0]))


def nengo_without_filter() -> int:
    """The du that nengo-loihi gives a block whose synapses have no filter."""
    compartment = emulators.quietly("nengo_loihi.block").LoihiBlock(1).compartment
    compartment.vth[:] = 1.0
    emulators.quietly("nengo_loihi.builder.discretize").discretize_compartment(compartment, 1.0)
    return int(compartment.decay_u[0])


EXAMPLES = (
    Example("both signs: -101", one_neuron(-101, silent=2), input_units),
    Example("both signs: -103", one_neuron(-103, silent=2), input_units),
    Example("both signs: -256", one_neuron(-256, silent=2), input_units),
    Example("both signs: -256, exponent 7", one_neuron(-256, silent=2, exponent=7), input_units),
    Example("one sign: -256", one_neuron(-256), input_units),
    Example("one sign: 255", one_neuron(255), input_units),
    Example("6 and 6, exponent -2, sent together", one_neuron(6, 6, exponent=-2), input_units),
    Example(
        "6 and 6, exponent -2, sent apart, felt together",
        one_neuron(6, 6, exponent=-2, apart=True, steps=3),
        input_units,
        frozenset({NENGO}),
    ),
    Example("254 and 2, exponent 7", one_neuron(254, 2, exponent=7), u),
    Example("u = 8387584, du = 0; then 80", one_neuron(80, u=8387584, du=0), u),
    Example("u = 8387584, du = 0; then 82", one_neuron(82, u=8387584, du=0), u),
    Example("13 times 254, exponent 7", one_neuron(*[254] * 13, exponent=7), u),
    Example(
        "254, no filter: one step later",
        one_neuron(254, steps=3),
        u,
        own={NENGO: one_neuron(254, steps=3, du=nengo_without_filter())},
    ),
    Example(
        "u = 4096, 0 in the register of its decay",
        one_neuron(steps=1, u=4096, du=0),
        u,
        frozenset({"loihi1", "loihi2"}),
        own={BRIAN2: one_neuron(steps=1, u=4096, du=-1)},
    ),
    Example("v = -8388607, u = -64", one_neuron(steps=1, v=-8388607, u=-64, du=0, dv=0), v),
    Example(
        "u = -8323072, bias -4095 * 2^7",
        one_neuron(steps=1, u=-8323072, du=0, dv=0, bias_mantissa=-4095, bias_exponent=7),
        v,
        frozenset({BRIAN2}),
    ),
    Example("u = -64", one_neuron(steps=1, u=-64, du=0, dv=0), v, vmin=None),
    Example(
        "v = -2147483647, u = -64",
        one_neuron(steps=1, v=-2147483647, u=-64, du=0, dv=0),
        v,
        frozenset({LAVA, NENGO, "loihi2"}),
    ),
)


@cache
def lava_results() -> dict[str, emulators.Result]:
    """Lava's, of all examples that it can run, in one child process."""
    chosen = [example for example in EXAMPLES if LAVA not in example.without]
    results = emulators.lava([(example.of(LAVA), "DelayDense") for example in chosen])
    return {example.text: result for example, result in zip(chosen, results, strict=True)}


def expect_row(text: str, cells: dict[str, object]) -> None:
    """The page has this row, and names the columns in this order."""
    assert f"| {' | '.join(COLUMNS)} |" in PAGE
    row = f"| {text} | {' | '.join(str(cells.get(column, ABSENT)) for column in COLUMNS)} |"
    assert row in PAGE.splitlines(), row


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.text)
def test_the_page_says_what_each_gives(example):
    results = {
        LAVA: lambda: lava_results()[example.text],
        BRIAN2: lambda: emulators.brian2_loihi(example.of(BRIAN2)),
        NENGO: lambda: emulators.nengo_loihi(example.of(NENGO), discretised=True, vmin=example.vmin),
        "loihi1": lambda: emulators.evsim(example.registers, "loihi1"),
        "loihi2": lambda: emulators.evsim(example.registers, "loihi2"),
    }
    expect_row(example.text, {k: example.read(run()) for k, run in results.items() if k not in example.without})


def test_refractory_periods():
    """A number of 3 is a register of brian2-loihi and nengo-loihi, and steps for Lava and evsim."""

    def always(refractory: int) -> emulators.Registers:
        return one_neuron(steps=STEPS, vth=0, u=1 << 20, du=0, dv=0, refractory=refractory)

    spikes = emulators.lava_refractory(3, STEPS, "floating_pt")
    cells: dict[str, object] = {
        LAVA: spike_rows(emulators.Result(spikes, spikes, spikes)),
        BRIAN2: spike_rows(emulators.brian2_loihi(always(2))),  # the function adds 1 for the register
        NENGO: spike_rows(emulators.nengo_loihi(always(2))),
    }
    ours = {rules: spike_rows(emulators.evsim(always(3), rules)) for rules in ("loihi1", "loihi2")}
    expect_row("3, and v beyond the threshold in every free step", cells | ours)


def test_lava_has_no_refractory_period_in_integers():
    with pytest.raises(BackendError, match="No ProcessModels found with tag 'fixed_pt'"):
        emulators.lava_refractory(3, STEPS, "fixed_pt")


def longest(run: Callable[[int], object], accepted: int) -> int:
    """The delay, after asserting that the emulator runs it, and refuses one more step."""
    run(accepted)
    with pytest.raises(Exception, match="delay"):  # brian2-loihi raises no other
        run(accepted + 1)
    return accepted


def test_longest_delays():
    def delayed(delay: int) -> emulators.Registers:
        cell = np.array([0])
        synapses = emulators.Synapses(cell, cell, np.array([255]), np.array([delay]))
        return emulators.Registers(1, 0, 0, 100, np.zeros((1, 1), bool), (synapses,))

    cells: dict[str, object] = {
        # an input's spike is sent in the step before, so its delay in Lava is one less
        LAVA: longest(lambda delay: emulators.lava([(delayed(delay + 1), "DelayDense")]), 63),
        BRIAN2: longest(lambda delay: emulators.brian2_loihi(delayed(delay)), 62),
        NENGO: emulators.quietly("nengo_loihi.emulator.interface").CompartmentState.MAX_DELAY - 1,
    }
    ours = {rules: int(load_chip(rules).limit("max_delay") or 0) for rules in ("loihi1", "loihi2")}
    expect_row("longest delay", cells | ours)
