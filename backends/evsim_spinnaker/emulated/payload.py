"""What spinnman writes to a machine's memory."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np


def bytes_of(data: Any, n_bytes: int | None, offset: int) -> bytes:
    """The bytes of what spinnman accepts for data: a word, a file by name, an open file, or anything with bytes.

    Args:
        n_bytes: how many are wanted; None for all.
        offset: how many are left out before them, where the data are no open file.
    """
    if isinstance(data, int):
        return struct.pack("<I", data)
    if isinstance(data, str):
        with open(data, "rb") as file:
            data = file.read()
    elif hasattr(data, "read"):
        return data.read(n_bytes)
    whole = memoryview(data).cast("B")[offset:]
    return bytes(whole if n_bytes is None else whole[:n_bytes])


def checksum(data: bytes) -> int:
    """The sum of the words of some bytes, modulo 2^32."""
    return int(np.frombuffer(data + bytes(-len(data) % 4), "<u4").sum(dtype=np.uint32))
