"""sPyNNaker's RecurrentRule: windows of random length, and a count of spikes that fall into them.

A spike of the source opens a window in which a spike of the target counts 1 up, and one of the target a window in which
a spike of the source counts 1 down. The length of each window is drawn from an exponential distribution. Where the
count reaches ``accumulator_potentiation`` or ``accumulator_depression``, the weight changes, and it begins at 0 again.
Of spikes that reach the synapse in the same time step that of the target comes first (if some of the delay lies behind
the synapse, as all of it does on SpiNNaker), so that they count down.

With ``dual_fsm`` every spike opens a window, which ends the one that the spike before on that side has opened; a window
is the same for all synapses of a projection over which its spike comes. Without it a synapse is in one of three states:
idle, open for a spike of the target, or open for one of the source; with a window of its own, which closes at the first
spike that falls into it, whether that counts or is the next one of its own side.

Source: timing_recurrent_dual_fsm_impl.h, timing_recurrent_pre_stochastic_impl.h and timing_recurrent_common.h of
sPyNNaker; timing_dependence_recurrent.py of sPyNNaker 7.4.1. There the length of a window is a whole number of time
steps, rounded down, of one of 2,048 values; here it is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from evsim.compile import inlined
from evsim.errors import Problem
from evsim.learning_rule import FRACTION, LearningRule
from evsim.network import Plasticity
from evsim.release import Release, Span, take_up

TIMING = "RecurrentRule"
WINDOWS = ("mean_pre_window", "mean_post_window")  # ms
IDLE, SOURCE_OPEN, TARGET_OPEN = 0.0, 1.0, 2.0


@inlined
def _raised(weight, a_plus, mu_plus, w_min, w_max):
    """A weight that is potentiated, as ``PairRule`` has it."""
    span = w_max - w_min
    room = span * max((w_max - weight) / span, 0.0) ** mu_plus if mu_plus > 0 else w_max
    return min(max(weight + a_plus * room, min(w_min, w_max)), max(w_min, w_max))


@inlined
def _lowered(weight, a_minus, mu_minus, w_min, w_max):
    """A weight that is depressed."""
    span = w_max - w_min
    room = span * max((weight - w_min) / span, 0.0) ** mu_minus if mu_minus > 0 else w_max
    return min(max(weight - a_minus * room, min(w_min, w_max)), max(w_min, w_max))


@inlined
def _counted_up(weight, accumulator, accumulator_potentiation, a_plus, mu_plus, w_min, w_max):
    """Weight and count after a spike that counts up."""
    accumulator += 1.0
    if accumulator >= accumulator_potentiation:
        return _raised(weight, a_plus, mu_plus, w_min, w_max), 0.0
    return weight, accumulator


@inlined
def _counted_down(weight, accumulator, accumulator_depression, a_minus, mu_minus, w_min, w_max):
    """Weight and count after a spike that counts down."""
    accumulator -= 1.0
    if accumulator <= accumulator_depression:
        return _lowered(weight, a_minus, mu_minus, w_min, w_max), 0.0
    return weight, accumulator


@inlined
def _window(mean, chance):
    """The length of a window, ms."""
    return -mean * np.log1p(-chance)


def _dual_pre(
    weight,
    accumulator,
    target_window,
    since_post,
    chance,
    mean_pre_window,
    accumulator_depression,
    a_minus,
    mu_minus,
    w_min,
    w_max,
):
    if since_post < target_window:
        weight, accumulator = _counted_down(
            weight, accumulator, accumulator_depression, a_minus, mu_minus, w_min, w_max
        )
    return weight, accumulator, _window(mean_pre_window, chance), target_window


def _dual_post(
    weight,
    accumulator,
    source_window,
    since_pre,
    chance,
    mean_post_window,
    accumulator_potentiation,
    a_plus,
    mu_plus,
    w_min,
    w_max,
):
    if 0.0 < since_pre < source_window:
        weight, accumulator = _counted_up(weight, accumulator, accumulator_potentiation, a_plus, mu_plus, w_min, w_max)
    return weight, accumulator, source_window, _window(mean_post_window, chance)


def _single_pre(
    weight,
    accumulator,
    state,
    window,
    since_pre,
    since_post,
    chance,
    mean_pre_window,
    accumulator_depression,
    a_minus,
    mu_minus,
    w_min,
    w_max,
):
    opens = state == IDLE
    if state == SOURCE_OPEN:
        opens = since_pre >= window
        state = IDLE
    elif state == TARGET_OPEN:
        opens = since_post >= window
        state = IDLE
        if since_post < window:
            weight, accumulator = _counted_down(
                weight, accumulator, accumulator_depression, a_minus, mu_minus, w_min, w_max
            )
    if opens:
        state, window = SOURCE_OPEN, _window(mean_pre_window, chance)
    return weight, accumulator, state, window


def _single_post(
    weight,
    accumulator,
    state,
    window,
    since_pre,
    since_post,
    chance,
    mean_post_window,
    accumulator_potentiation,
    a_plus,
    mu_plus,
    w_min,
    w_max,
):
    opens = state == IDLE
    if state == TARGET_OPEN:
        opens = since_post >= window
        state = IDLE
    elif state == SOURCE_OPEN:
        opens = since_pre > 0.0 and since_pre >= window
        state = IDLE
        if 0.0 < since_pre < window:
            weight, accumulator = _counted_up(
                weight, accumulator, accumulator_potentiation, a_plus, mu_plus, w_min, w_max
            )
    if opens:
        state, window = TARGET_OPEN, _window(mean_post_window, chance)
    return weight, accumulator, state, window


_PARAMETERS = {
    FRACTION: Span(0.0, 1.0),
    **dict.fromkeys(("accumulator_depression", "accumulator_potentiation"), Span()),
    **dict.fromkeys(WINDOWS, Span(0.0, unit="ms", beyond=True)),
    **dict.fromkeys(("a_plus", "a_minus", "mu_plus", "mu_minus", "w_min", "w_max"), Span()),
}

# ``dual_fsm`` -> its rule
RULES = {
    True: LearningRule(
        _PARAMETERS,
        {"accumulator": 0.0, "source_window": 0.0, "target_window": 0.0},
        on_pre=_dual_pre,
        on_post=_dual_post,
        shared=True,
        target_first=True,
    ),
    False: LearningRule(
        _PARAMETERS,
        {"accumulator": 0.0, "state": IDLE, "window": 0.0},
        on_pre=_single_pre,
        on_post=_single_post,
        target_first=True,
    ),
}
NAMES = {True: f"{TIMING} with dual_fsm", False: f"{TIMING} without dual_fsm"}
for _dual, _name in NAMES.items():
    take_up(_name, RULES[_dual])


def learned(plasticity: Plasticity, count: int, dependence: Mapping[str, float]) -> Release:
    """How the synapses of a projection learn.

    Args:
        count: of the synapses.
        dependence: ``mu_plus``, ``mu_minus``, and ``w_min`` and ``w_max`` with the sign of the weights.
    """
    given = plasticity.parameters
    values = {
        FRACTION: plasticity.dendritic_delay_fraction,
        **{name: given[name] for name in ("accumulator_depression", "accumulator_potentiation", *WINDOWS)},
        "a_plus": given["A_plus"],
        "a_minus": given["A_minus"],
        **dependence,
    }
    parameters = {name: np.broadcast_to(float(values[name]), count) for name in _PARAMETERS}
    return Release(NAMES[bool(given["dual_fsm"])], parameters)


def problems(where: str, plasticity: Plasticity) -> Iterator[Problem]:
    """Thresholds of the count that cannot be."""
    for name, sign in (("accumulator_depression", -1), ("accumulator_potentiation", 1)):
        value = plasticity.parameters[name]
        if np.isfinite(value) and not (value == np.rint(value) and sign * value >= 1):
            limit = f"it must be a whole number of {'at least 1' if sign > 0 else 'at most -1'}"
            yield Problem(where, f"{name} is {value:g}", limit, f"Set {name}.")
