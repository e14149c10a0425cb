"""Poisson events: when the cells of a population spike, one event after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.compile import lean
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


def choice_of(rates: NDArray[np.float64]) -> Choice:
    """The tables of the alias method, built as Vose (1991) does; at least one rate is above 0."""
    choice = Choice(np.empty(rates.size), np.arange(rates.size))
    _share_out(rates, *choice, np.empty(rates.size, np.int64), np.empty(rates.size, np.int64))
    return choice


@lean
def _share_out(rates, keep, alias, poor, rich):
    """Fill the tables of a choice.

    Args:
        alias: each cell's own number.
        poor, rich: room for lists of all cells.
    """
    size = rates.size
    total, largest = 0.0, 0
    for i in range(size):
        total += rates[i]
        if rates[i] > rates[largest]:
            largest = i
    n_poor = n_rich = np.int64(0)
    for i in range(size):
        keep[i] = rates[i] * (size / total)
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
        alias[poor[k]] = largest


class Position(NamedTuple):
    """How far a process has come: the number and the time (ms) of its first event that was not handed out yet."""

    number: int
    time: float


@lean
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


@lean
def draw_gaps(key, number, gaps):
    """Exponentially distributed gaps of mean 1, each before the event of its number."""
    for k in range(gaps.size):
        gaps[k] = minus_log(bits_at(key, 2 * (number + k)))


@lean
def draw_cells(key, number, keep, alias, cell):
    """The cell of each event from ``number`` on."""
    size = keep.size
    for k in range(cell.size):
        bits = bits_at(key, 2 * (number + k) + 1) >> np.uint64(11)
        place = np.float64(np.int64(bits)) * (size * (1.0 / 9007199254740992.0))
        hit = np.int64(place)
        cell[k] = hit if place - hit < keep[hit] else alias[hit]


@lean
def add_gaps(time, mean_gap, gaps, times):
    """Set the time of each event, the first of which is known; returns that of the event behind them."""
    for k in range(times.size):
        times[k] = time
        time += gaps[k] * mean_gap
    return time


@lean
def set_labels(times, timestep, label):
    """The step at or after each time."""
    for k in range(times.size):
        label[k] = np.int64(np.ceil(times[k] / timestep))


@lean
def _draw_until(last, key, number, clock, timestep, mean_gap, keep, alias, gaps, n_events, times, label, cell):
    """Draw events, as many at once as there are ``gaps``, until one is beyond a label or the room for them is full.

    Args:
        number: of the first event of all.
        clock: (1,) the time of the next one, which is moved on.
        n_events: how many there are.

    Returns:
        how many there are now.
    """
    while (n_events == 0 or label[n_events - 1] <= last) and n_events + gaps.size <= times.size:
        stop = n_events + gaps.size
        draw_gaps(key, number + n_events + 1, gaps)
        draw_cells(key, number + n_events, keep, alias, cell[n_events:stop])
        clock[0] = add_gaps(clock[0], mean_gap, gaps, times[n_events:stop])
        set_labels(times[n_events:stop], timestep, label[n_events:stop])
        n_events = stop
    return n_events


def _lengthened(array: np.ndarray) -> np.ndarray:
    """The array with as much room again behind it."""
    return np.concatenate([array, np.empty_like(array)])


def draw_events(
    key: np.uint64, position: Position, last: int, timestep: float, mean_gap: float, choice: Choice, expected: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], Position]:
    """The events of a whole population up to a label, in order of time.

    Args:
        mean_gap: ms between two events of the population.
        expected: about how many there will be; more room is made when it is needed.

    Returns:
        time (ms), label and cell of each event, and the new position.
    """
    room = expected + _EVENTS
    times, label, cell = np.empty(room), np.empty(room, np.int64), np.empty(room, np.int64)
    clock, gaps = np.array([position.time]), np.empty(_EVENTS)
    process = last, key, position.number, clock, timestep, mean_gap, *choice, gaps
    n_events = _draw_until(*process, 0, times, label, cell)
    while label[n_events - 1] <= last:
        times, label, cell = _lengthened(times), _lengthened(label), _lengthened(cell)
        n_events = _draw_until(*process, n_events, times, label, cell)
    n = int(np.searchsorted(label[:n_events], last, side="right"))
    return times[:n], label[:n], cell[:n], Position(position.number + n, float(times[n]))


def counting_order(keys: np.ndarray, n_keys: int) -> np.ndarray:
    """The stable order of keys below ``n_keys``, in their number type."""
    order = np.empty_like(keys)
    _count_and_order(keys, np.zeros(n_keys + 1, np.int64), order)
    return order


@lean
def _count_and_order(keys, place, order):
    """A counting sort; ``place`` (keys + 1,) are zeros."""
    for k in range(keys.size):
        place[keys[k] + 1] += 1
    for k in range(place.size - 1):
        place[k + 1] += place[k]
    for k in range(keys.size):
        order[place[keys[k]]] = k
        place[keys[k]] += 1


def ordered(label: NDArray[np.int64], cell: NDArray[np.int64], n_cells: int) -> NDArray[np.int64]:
    """The cells of events that are in order of label, in order of label and then of cell."""
    result = np.empty_like(cell)
    _order_runs(label, cell, counting_order(cell, n_cells), np.empty_like(label), np.empty_like(label), result)
    return result


@lean
def _order_runs(label, cell, by_cell, run, begin, result):
    """Put the cells of each run of equal labels in order.

    Args:
        by_cell: the order of all events by cell.
        run, begin: room for the run of each event, and for where the next cell of each run goes.
    """
    n_runs = np.int64(0)
    for k in range(label.size):
        if k == 0 or label[k] != label[k - 1]:
            begin[n_runs] = k
            n_runs += 1
        run[k] = n_runs - 1
    for k in range(by_cell.size):
        event = by_cell[k]
        result[begin[run[event]]] = cell[event]
        begin[run[event]] += 1
