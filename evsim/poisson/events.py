"""Poisson events: when the cells of a population spike, one event after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import kernel
from evsim.poisson.keys import twice
from evsim.random_bits import bits_at

_EVENTS = 256  # events that are drawn at once


class Choice(NamedTuple):
    """Chooses a cell with a probability proportional to its rate (the alias method, Walker 1977).

    Attributes:
        keep: (cells,) float64, the probability with which a cell that was hit keeps the event.
        alias: (cells,) int64, the cell that gets the event otherwise.
    """

    keep: np.ndarray
    alias: np.ndarray


@kernel
def choice_of(rates):
    """The tables of the alias method, built as Vose (1991) does; at least one rate is above 0."""
    size = rates.size
    keep = rates * (size / rates.sum())
    alias = np.arange(size)
    poor, rich = np.empty(size, np.int64), np.empty(size, np.int64)
    n_poor = n_rich = np.int64(0)
    for i in range(size):
        if keep[i] < 1.0:
            poor[n_poor] = i
            n_poor += 1
        else:
            rich[n_rich] = i
            n_rich += 1
    while n_poor and n_rich:
        n_poor -= 1
        giver, taker = rich[n_rich - 1], poor[n_poor]
        alias[taker] = giver
        keep[giver] -= 1.0 - keep[taker]
        if keep[giver] < 1.0:
            n_rich -= 1
            poor[n_poor] = giver
            n_poor += 1
    for k in range(n_rich):
        keep[rich[k]] = 1.0
    for k in range(n_poor):  # rounding may leave some; a cell of rate 0 must never keep an event
        keep[poor[k]] = np.float64(rates[poor[k]] > 0.0)
        alias[poor[k]] = np.argmax(rates)
    return Choice(keep, alias)


class Position(NamedTuple):
    """How far a process has come: the number and the time (ms) of its first event that was not handed out yet."""

    number: int
    time: float


@kernel
def minus_log(bits):
    """-ln u of the uniform number u = (b + 1) / 2^53 in (0, 1], where b is the upper 53 bits.

    By ln m = 2 artanh((m - 1) / (m + 1)) and its power series for m between sqrt(1/2) and sqrt(2): within 3 roundings,
    the same on every machine, and without a branch or a call, so that it is computed for several events at once.
    """
    scaled = np.float64(np.int64(bits >> np.uint64(11))) + 1.0
    pattern = np.float64(scaled).view(np.int64)
    exponent = (pattern - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)  # the pattern of sqrt(1/2)
    m = np.int64(pattern - (exponent << np.int64(52))).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = 1 / 17 + z * (1 / 19 + z * (1 / 21 + z * (1 / 23)))
    series = 1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z * series)))
    series = z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * series)))
    return (53.0 - np.float64(exponent)) * 0.6931471805599453 - 2.0 * (s + s * series)


@kernel
def draw_gaps(key, number, gaps):
    """Exponentially distributed gaps of mean 1, each before the event of its number."""
    for k in range(gaps.size):
        gaps[k] = minus_log(bits_at(key, 2 * (number + k)))


@kernel
def draw_cells(key, number, choice, cell):
    """The cell of each event from ``number`` on."""
    size = choice.keep.size
    for k in range(cell.size):
        bits = bits_at(key, 2 * (number + k) + 1) >> np.uint64(11)
        place = np.float64(np.int64(bits)) * (size * (1.0 / 9007199254740992.0))
        hit = np.int64(place)
        cell[k] = hit if place - hit < choice.keep[hit] else choice.alias[hit]


@kernel
def add_gaps(time, mean_gap, gaps, times):
    """Set the time of each event, the first of which is known; returns that of the event behind them."""
    for k in range(times.size):
        times[k] = time
        time += gaps[k] * mean_gap
    return time


@kernel
def set_labels(times, timestep, label):
    """The step at or after each time."""
    for k in range(times.size):
        label[k] = np.int64(np.ceil(times[k] / timestep))


@kernel
def draw_events(key, position, last, timestep, mean_gap, choice, expected):
    """The events of a whole population up to a label, in order of time.

    Args:
        mean_gap: ms between two events of the population.
        expected: about how many there will be; more room is made when it is needed.

    Returns:
        time (ms), label and cell of each event, and the new position.
    """
    number, time = position
    times = np.empty(expected + _EVENTS, np.float64)
    label, cell = np.empty(times.size, np.int64), np.empty(times.size, np.int64)
    gaps = np.empty(_EVENTS, np.float64)
    n_events = np.int64(0)
    while n_events == 0 or label[n_events - 1] <= last:
        stop = n_events + _EVENTS
        if stop > times.size:
            times, label, cell = twice(times), twice(label), twice(cell)
        draw_gaps(key, number + n_events + 1, gaps)
        draw_cells(key, number + n_events, choice, cell[n_events:stop])
        time = add_gaps(time, mean_gap, gaps, times[n_events:stop])
        set_labels(times[n_events:stop], timestep, label[n_events:stop])
        n_events = stop
    found = np.searchsorted(label[:n_events], last, side="right")
    return times[:found], label[:found], cell[:found], Position(number + found, float(times[found]))


@kernel
def counting_order(keys, n_keys):
    """The stable order of keys below ``n_keys``."""
    place = np.zeros(n_keys + 1, np.int64)
    for k in range(keys.size):
        place[keys[k] + 1] += 1
    for k in range(n_keys):
        place[k + 1] += place[k]
    order = np.empty_like(keys)
    for k in range(keys.size):
        order[place[keys[k]]] = k
        place[keys[k]] += 1
    return order


@kernel
def ordered(label, cell, n_cells):
    """The cells of events that are in order of label, in order of label and then of cell."""
    begin = np.empty(label.size, np.int64)  # of each run of equal labels; then where its next cell goes
    run = np.empty(label.size, np.int64)
    n_runs = np.int64(0)
    for k in range(label.size):
        if k == 0 or label[k] != label[k - 1]:
            begin[n_runs] = k
            n_runs += 1
        run[k] = n_runs - 1
    by_cell = counting_order(cell, n_cells)
    result = np.empty_like(cell)
    for k in range(by_cell.size):
        event = by_cell[k]
        result[begin[run[event]]] = cell[event]
        begin[run[event]] += 1
    return result
