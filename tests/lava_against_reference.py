"""One network on Lava and on the reference, and everything that they record compared."""

from __future__ import annotations

import numpy as np

from evsim.backend import Target
from evsim.chip import load_chip
from evsim.network import Network
from evsim.recording import Recordings
from evsim.registry import backend
from evsim_lava.session import LavaSession

STEPS = 100


def agree(chip: str, net: Network, stock: bool, pieces: tuple[int, ...] = (STEPS,)) -> Recordings:
    """Assert that Lava and the reference did the same as a chip, and return what.

    Args:
        stock: whether all synapses are in Lava's own processes, or none.
    """
    reference = backend("reference").start(net, Target("reference", chip))
    lava = LavaSession(net, load_chip(chip), timeout=120.0, stock_elements=10**9 if stock else 0)
    try:
        for steps in pieces:
            reference.run(steps)
            lava.run(steps)
        expected = reference.recordings()
        assert differences(expected, lava.recordings()) == []
        return expected
    finally:
        lava.close()


def differences(a: Recordings, b: Recordings) -> list[str]:
    """What is not equal, in words."""
    found = []
    for x, y in zip(a.spikes, b.spikes, strict=True):
        if not (np.array_equal(x.times, y.times) and np.array_equal(x.neurons, y.neurons)):
            found.append(f"spikes of population {x.population}: {len(x.times)} and {len(y.times)}")
    for x, y in zip(a.signals, b.signals, strict=True):
        assert x.raw is not None and y.raw is not None
        for name in ("times", "cells", "values", "raw"):
            if not np.array_equal(getattr(x, name), getattr(y, name)):
                found.append(f"{name} of {x.variable} of population {x.population}")
    return found
