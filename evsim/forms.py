"""What a step need not do for the neurons of a population, because it is known before it begins."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from evsim.model import SUBSTEPS, Cells, Rule

SHORT_MOST = (1 << 15) - 1  # the largest number of a short row


class Form(NamedTuple):
    """What is known of the neurons of a population, for which a loop is written.

    The step of a light model takes as long as its rows take to come from the cache, so rows of which all is known are
    left out.

    Attributes:
        shared: whether all neurons have the same parameters, which are of shape (parameters, 1) then.
        summed: whether the states to which inputs are added (``Rule.sums``) lie in the rows of input, and those of the
            state are not used. Such a neuron takes its step before it is given what is due at the step's end.
        silent: names of those input rows into which nothing comes, and which are 0 and stay so.
        short: whether the counters (``Rule.counters``) are held in 16 bits each, at the beginning of their row.
        steady: whether the drive is the same for all neurons and never changes, so that the first one's is read.
        once: whether a step has one substep, which is then made in the same loop as the end of the step.
    """

    shared: bool = False
    summed: bool = False
    silent: tuple[str, ...] = ()
    short: bool = False
    steady: bool = False
    once: bool = False


def form_of(rule: Rule, cells: Cells, fed: Collection[int], driven: bool = True, before: Form | None = None) -> Form:
    """The form of a population.

    Args:
        cells: the population's.
        fed: the rows of input into which something may come.
        driven: whether currents may come, beside the constant ones of the cells.
        before: its form until now, if its state is to be kept: a row that was not known to be 0 may not be.
    """
    if rule.whole:
        return Form()
    shared = cells.parameters.shape[1] == 1
    summed = bool(rule.sums) and sorted(rule.sums.values()) == sorted(rule.input_names)
    rows = _summed_rows(rule) if summed else {}
    silent = tuple(
        rule.input_names[row]
        for state, row in rows.items()
        if row not in fed
        and (before is None or rule.input_names[row] in before.silent)
        and not cells.state[state].any()
    )
    short = bool(rule.counters) and _fits(rule, cells) and (before is None or before.short)
    return Form(shared, summed, silent, short, not driven and _is_steady(cells), _has_one_substep(rule, cells))


def summed_rows(rule: Rule, form: Form) -> dict[int, int]:
    """The rows of the state that lie in the inputs -> the row of input."""
    return _summed_rows(rule) if form.summed else {}


def _summed_rows(rule: Rule) -> dict[int, int]:
    return {rule.states.index(state): rule.input_names.index(name) for state, name in rule.sums.items()}


def counter_rows(rule: Rule, form: Form) -> tuple[int, ...]:
    """The rows of the state whose numbers have 16 bits."""
    return tuple(rule.states.index(name) for name in rule.counters) if form.short else ()


def pack(state: np.ndarray, rows: Iterable[int]) -> np.ndarray:
    """A copy of a state (rows, n) of 64-bit numbers in which some rows are short."""
    packed = np.array(state, order="C")
    for row in rows:
        packed[row] = 0
        packed[row].view(np.int16)[: state.shape[1]] = state[row]
    return packed


def unpack(state: np.ndarray, rows: Iterable[int]) -> np.ndarray:
    """The inverse of ``pack``."""
    unpacked = np.array(state, order="C")
    for row in rows:
        unpacked[row] = np.ascontiguousarray(state[row]).view(np.int16)[: state.shape[1]]
    return unpacked


def _fits(rule: Rule, cells: Cells) -> bool:
    """Whether the counters never leave 16 bits."""
    rows = [cells.state[rule.states.index(name)] for name in rule.counters]
    rows += [cells.parameters[rule.parameters.index(name)] for name in rule.counters.values()]
    return all(bool(((row >= 0) & (row <= SHORT_MOST) & (row == np.rint(row))).all()) for row in rows)


def _is_steady(cells: Cells) -> bool:
    return cells.drive.ndim == 1 and bool((cells.drive == cells.drive[:1]).all())


def _has_one_substep(rule: Rule, cells: Cells) -> bool:
    return rule.substep is not None and bool((cells.parameters[rule.parameters.index(SUBSTEPS)] == 1).all())
