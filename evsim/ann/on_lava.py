"""The same converted network on Lava, held against the reference in the arithmetic of Loihi 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evsim.ann.evaluate import Code, Converted, ran
from evsim.ann.layers import Floats
from evsim.backend import Target
from evsim.chip import load_chip
from evsim.errors import BackendError, MissingPartError, UnknownNameError
from evsim.recording import Recordings

CHIP = "loihi2"


def on_lava(
    converted: Converted, code: Code, inputs: Floats, images: int, timeout: float, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Whether every spike and every output of the first images is equal.

    Returns:
        ``ran``: whether it did, and else ``why`` not; ``spikes``, ``samples``: how many were compared;
        ``different_spikes``, ``different_samples``: how many of them are not on both sides.
    """
    rules = load_chip(CHIP).rules
    tell(f"{converted.ann.name}, {code.name} code, {images} images on Lava")
    network = code.network(converted.stages, inputs[:images], converted.first, rules)
    steps = code.steps(converted.stages, rules)
    started = {"code": code.name, "images": min(images, len(inputs)), "steps": steps}
    reference = ran(network, Target("reference", CHIP), steps)
    try:
        other = ran(network, Target("lava", CHIP, {"timeout": timeout}), steps)
    except (MissingPartError, UnknownNameError, BackendError) as error:
        return {**started, "ran": False, "why": str(error).strip().splitlines()[-1]}
    return {**started, "ran": True, **_difference(reference, other)}


def _difference(one: Recordings, other: Recordings) -> dict[str, int]:
    all_spikes = [_spikes(one), _spikes(other)]
    samples = [{signal.population: signal for signal in side.signals} for side in (one, other)]
    different = total = 0
    for population, signal in samples[0].items():
        theirs = samples[1][population]
        mine, yours = signal.raw, theirs.raw
        assert mine is not None and yours is not None, "both compute in integers"
        count = min(len(mine), len(yours))
        total += mine[:count].size
        different += int(np.count_nonzero(mine[:count] != yours[:count]))
    return {
        "spikes": len(all_spikes[0] | all_spikes[1]),
        "different_spikes": len(all_spikes[0] ^ all_spikes[1]),
        "samples": total,
        "different_samples": different,
    }


def _spikes(recorded: Recordings) -> set[tuple[int, int, float]]:
    return {
        (train.population, int(neuron), float(time))
        for train in recorded.spikes
        for neuron, time in zip(train.neurons, train.times, strict=True)
    }
