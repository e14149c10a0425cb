"""Spikes of Inputs and of Outputs as files of numpy: for each an array (time steps, *channels) of numbers of spikes.

A ``.npy`` file holds one array; a ``.npz`` file one for each node, under the node's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evsim.errors import CheckError, EvsimError, Problem

MOST = 255  # spikes of a channel in a time step
Counts = NDArray[np.int64]  # (time steps, channels), spikes


def read_spikes(path: Path, channels: Mapping[str, int]) -> dict[str, Counts]:
    """The spikes of each Input, (time steps, channels); an Input that the file does not name stays silent.

    Args:
        channels: Input -> the number of its channels.

    Raises:
        EvsimError: the file cannot be read, or an array in it does not fit.
    """
    arrays = _arrays(path, list(channels))
    problems = [
        Problem(f"{path}: array {name!r}", what, limit, "Correct the file.")
        for name, array in arrays.items()
        for what, limit in _faults(name, array, channels)
    ]
    if problems:
        raise CheckError("the input spikes do not fit the graph", problems)
    return {name: np.reshape(array, (len(array), channels[name])).astype(np.int64) for name, array in arrays.items()}


def _arrays(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    try:
        found = np.load(path, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            with found:
                return {name: found[name] for name in found.files}
    except OSError as error:
        raise EvsimError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a damaged file makes numpy and zipfile raise many kinds
        raise EvsimError(f"{path}: neither a .npy nor a .npz file of numbers ({error!r})") from error
    if len(names) != 1:
        raise EvsimError(
            f"{path} holds one array, and the graph has {len(names)} Inputs: {', '.join(names)}; "
            "give a .npz file with an array for each, under its name"
        )
    return {names[0]: found}


def _faults(name: str, array: np.ndarray, channels: Mapping[str, int]) -> list[tuple[str, str]]:
    if name not in channels:
        return [("there is no Input of this name", f"the graph has {', '.join(map(repr, channels)) or 'none'}")]
    if array.ndim < 2 or np.prod(array.shape[1:]) != channels[name]:
        return [(f"shape {array.shape}", f"(time steps, {channels[name]}), or its channels in more dimensions")]
    odd = ~((array >= 0) & (array == np.floor(array)) & (array <= MOST))
    if odd.any():
        step = int(np.argwhere(odd)[0][0])
        return [
            (
                f"{np.count_nonzero(odd)} values such as {array[odd][0]:g} (step {step})",
                f"whole numbers of spikes, from 0 to {MOST}",
            )
        ]
    return []


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays under their names as ``.npz``; raises EvsimError where that cannot be."""
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, **dict(arrays))
    except OSError as error:
        raise EvsimError(f"cannot write {path}: {error.strerror or error}") from error
