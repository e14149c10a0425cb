"""Laying out what lanes hold, one lane after the other, from a part for each lane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def lane_table(parts: Sequence[Any], kind: np.dtype, names: Iterable[str]) -> np.ndarray:
    """(parts,) of ``kind``, with the parts' attributes of these names, and zeros else."""
    lanes = np.zeros(len(parts), kind)
    for name in names:
        lanes[name] = [getattr(part, name) for part in parts]
    return lanes


def set_firsts(lanes: np.ndarray, counts: Mapping[str, str]) -> None:
    """Set where things begin that each lane has some of, one lane after the other: their field -> that of the count."""
    for first, count in counts.items():
        lanes[first] = first_of(lanes[count])


def hand_over(was: np.ndarray, before: np.void, now: np.ndarray, after: np.void, fields: tuple[str, str]) -> None:
    """Copy what one lane has of an array to the place of another.

    Args:
        was, before: an array, and the lane that has a part of it.
        now, after: another array and lane.
        fields: of the lanes: where the part begins, and how long it is, which the first lane says.
    """
    first, count = fields
    now[after[first] :][: before[count]] = was[before[first] :][: before[count]]


def histories(
    was: Sequence[np.ndarray], before: np.ndarray, lanes: np.ndarray, first: str, counts: Sequence[str]
) -> list[np.ndarray]:
    """Histories, of (events, ...), in which each lane has room for its ``capacity``, with what is in others.

    Args:
        was, before: the others and their lanes, which are the same in the same order.
        lanes: is set to where the histories of each begin.
        first, counts: the field with that, and those with the length of each history.
    """
    lanes[first] = first_of(lanes["capacity"])
    found = [np.zeros((int(lanes["capacity"].sum()), *events.shape[1:]), events.dtype) for events in was]
    for old, new in zip(before, lanes, strict=True):
        for events, now, count in zip(was, found, counts, strict=True):
            hand_over(events, old, now, new, (first, count))
    return found


def begins(parts: Sequence[Any], name: str) -> NDArray[np.int64]:
    """(parts,) where each part's array of that name begins among the elements of all of them."""
    return first_of([np.size(getattr(part, name)) for part in parts])


def first_of(counts: Any) -> NDArray[np.int64]:
    """(lanes,) where what each lane has so many of begins, if they follow each other."""
    counts = np.asarray(counts, np.int64)
    return np.cumsum(counts) - counts


def joined(parts: Sequence[Any], name: str, number: Any) -> np.ndarray:
    """All elements of the parts' arrays of that name, as a flat array of a type."""
    arrays = [np.ravel(getattr(part, name)) for part in parts]
    return np.concatenate([*arrays, np.zeros(0, number)]).astype(number, copy=False)
