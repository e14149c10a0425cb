"""Recorded data that may be longer than memory: arrays that grow at their end and move to a file when they are long.

The stores of one recorder share an allowance of memory. One that would exceed it moves to a temporary file and is read
back as a memory map, so that the operating system keeps of it what it has room for. The file has no name: it is gone
when the last array that shows it is, and when the process ends, however it ends.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from evsim.errors import EvsimError

RECORD_MEMORY = "EVSIM_RECORD_MEMORY"  # environment variable: MB of recorded data that are kept in memory
DEFAULT_MEGABYTES = 512.0
PART_BYTES = 1 << 22  # that are worked on at once
_MB = 1e6


class Allowance:
    """How much memory (bytes) several stores may take together, and how much they do.

    Args:
        limit: bytes; None for what the environment variable EVSIM_RECORD_MEMORY says in MB, or 512 MB.

    Raises:
        EvsimError: the variable is not a number of MB.
    """

    def __init__(self, limit: float | None = None) -> None:
        self.limit = _limit_of_environment() if limit is None else limit
        self.used = 0


def _limit_of_environment() -> float:
    text = os.environ.get(RECORD_MEMORY, str(DEFAULT_MEGABYTES))
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not limit >= 0:
        raise EvsimError(
            f"the environment variable {RECORD_MEMORY} is {text!r}; set it to the MB of recorded data to keep in "
            f"memory, such as {DEFAULT_MEGABYTES:g}"
        )
    return limit * _MB


class Store:
    """Rows of one type that are appended and read back, in memory or in a file.

    Args:
        dtype: of an element; a structured one for rows of different columns.
        width: elements in a row, or None for rows that are single elements.
    """

    def __init__(self, allowance: Allowance, dtype: Any, width: int | None = None) -> None:
        self._allowance = allowance
        self._dtype = np.dtype(dtype)
        self._row = () if width is None else (width,)
        self._parts: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._closing: weakref.finalize | None = None
        self._length = 0

    def __len__(self) -> int:
        """The number of rows."""
        return self._length

    @property
    def row_bytes(self) -> int:
        """What a row takes."""
        return self._dtype.itemsize * int(np.prod(self._row))

    def append(self, rows: np.ndarray) -> None:
        """Keep a copy of rows (n, width) behind those that are here.

        Raises:
            EvsimError: the disk is full.
        """
        added = np.ascontiguousarray(rows, self._dtype)
        if self._file is None and self._allowance.used + added.nbytes > self._allowance.limit:
            self._move_to_file()
        if self._file is None:
            self._parts.append(added.copy() if np.may_share_memory(added, rows) else added)
            self._allowance.used += added.nbytes
        else:
            self._write(self._file, added)
        self._length += len(added)

    def read(self) -> np.ndarray:
        """All rows; not to be changed. What is in a file is mapped, not loaded."""
        if self._file is not None:
            return _mapped(self._file, self._dtype, (self._length, *self._row))
        if len(self._parts) != 1:
            self._parts = [np.concatenate([*self._parts, np.empty((0, *self._row), self._dtype)])]
        return self._parts[0]

    def parts(self) -> Iterator[np.ndarray]:
        """All rows, in pieces that memory can hold several times."""
        rows, count = self.read(), max(PART_BYTES // max(self.row_bytes, 1), 1)
        for first in range(0, len(rows), count):
            yield rows[first : first + count]

    def room(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array for what is worked out from these rows: in memory if they are, else in a file of its own.

        Raises:
            EvsimError: the disk is full.
        """
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self._file is None or not size:
            return np.empty(shape, dtype)
        with tempfile.TemporaryFile(buffering=0) as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size)  # a full disk is found here, not when a page is written
            except OSError as error:
                raise self._full(size, error) from error
            return _mapped(file, np.dtype(dtype), shape, "r+")

    def shorten(self, rows: int) -> None:
        """Forget the last rows; arrays that were read stay as they are."""
        self._length -= rows
        if self._file is not None:
            self._file.seek(self._length * self.row_bytes)
            return
        while rows:
            last = self._parts.pop()
            kept = last[: max(len(last) - rows, 0)]
            rows -= len(last) - len(kept)
            self._allowance.used -= last.nbytes - kept.nbytes
            if len(kept):
                self._parts.append(kept)

    def clear(self) -> None:
        """Forget all rows; arrays that were read stay as they are."""
        self._allowance.used -= sum(part.nbytes for part in self._parts)
        self._parts, self._length = [], 0
        if self._closing is not None:
            self._closing()
        self._file = None

    def _move_to_file(self) -> None:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the store
        for part in self._parts:
            self._write(file, part)
        self._file, self._closing = file, weakref.finalize(self, file.close)
        self._allowance.used -= sum(part.nbytes for part in self._parts)
        self._parts = []

    def _write(self, file: IO[bytes], rows: np.ndarray) -> None:
        left = rows.reshape(-1).view(np.uint8).data
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise self._full(rows.nbytes, error) from error

    def _full(self, size: int, error: OSError) -> EvsimError:
        return EvsimError(
            f"recorded data could not be written to {tempfile.gettempdir()} ({error.strerror}): "
            f"{size / _MB:.3g} MB more than the {self._length * self.row_bytes / _MB:.3g} MB that are there already. "
            "Free some disk space, set TMPDIR to a folder on another disk, record fewer cells or at a longer "
            f"sampling interval, or let {RECORD_MEMORY} allow more than {self._allowance.limit / _MB:g} MB of memory"
        )


def _mapped(file: IO[bytes], dtype: np.dtype, shape: tuple[int, ...], mode: Any = "r") -> np.ndarray:
    # An empty file cannot be mapped.
    return np.memmap(file, dtype, mode, shape=shape).view(np.ndarray) if np.prod(shape) else np.empty(shape, dtype)
