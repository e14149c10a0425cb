"""Random networks in registers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evsim.arithmetic.loihi import BIAS_EXPONENT_MAX, BIAS_MANTISSA_MAX, THRESHOLD_MAX
from loihi_emulators.registers import Registers, Synapses


def drawn(
    seed: int,
    size: int,
    inputs: int,
    steps: int,
    *,
    delays: int = 0,
    exponents: tuple[int, int] = (-8, 7),
    together: int = 1 << 15,
    least_du: int = 0,
    most_decay: int = 4095,
    bias: bool = True,
    refractory: int = 0,
) -> Registers:
    """Random registers and synapses: excitation, inhibition, and both signs in one object.

    Args:
        delays: the longest; 0 for the shortest that every emulator has, which are 1 of inputs and 0 of neurons.
        exponents: the least and the largest.
        together: the units of 64 that a neuron may get in one step are fewer; exponents are lowered for that.
        least_du, most_decay: of du, and of du and dv. u often leaves 24 bits where du is less than 100.
    """
    rng = np.random.default_rng(seed)
    synapses = [
        _drawn_synapses(rng, size, inputs, (1, 255), delays, False),
        _drawn_synapses(rng, size, size, (-255, -1), delays, True),
        _drawn_synapses(rng, size, size, (-127, 127), delays, True),
    ]
    mantissas = sum(np.bincount(s.target, np.abs(s.weight), size) for s in synapses)
    most = int(np.floor(np.log2((together - 1) / np.max(mantissas))))
    synapses = [replace(s, exponent=min(int(rng.integers(exponents[0], exponents[1] + 1)), most)) for s in synapses]
    strongest = 128 * 2.0 ** max(s.exponent for s in synapses)
    return Registers(
        size,
        du=int(np.clip(rng.choice([0, 7, 60, 400, 2000, 4095]), least_du, most_decay)),
        dv=int(min(rng.choice([0, 7, 60, 400, 4095]), most_decay)),
        vth=int(np.clip(strongest * 2.0 ** rng.uniform(-2, 6), 0, THRESHOLD_MAX)),
        inputs=rng.random((steps, inputs)) < rng.choice([0.02, 0.2]),
        synapses=tuple(synapses),
        refractory=refractory,
        bias_mantissa=rng.integers(-BIAS_MANTISSA_MAX // 8, BIAS_MANTISSA_MAX, size) if bias else 0,
        bias_exponent=rng.integers(0, BIAS_EXPONENT_MAX + 1, size) if bias else 0,
        u=rng.integers(-10_000, 10_000, size),
        v=rng.integers(-10_000, 10_000, size),
    )


def _drawn_synapses(rng, size: int, sources: int, mantissas: tuple[int, int], delays: int, recurrent: bool) -> Synapses:
    chosen = rng.random((size, sources)) < min(0.3, 10 / sources)
    chosen[0, :2] = True  # two at least
    target, source = np.nonzero(chosen)
    weight = rng.integers(mantissas[0], mantissas[1] + 1, len(target))
    if mantissas[0] < 0 < mantissas[1]:
        weight *= 2  # an emulator would cut odd ones
        weight[:2] = -254, 254
    first = int(not recurrent)
    delay = rng.integers(first, delays + 1, len(target)) if delays else np.full(len(target), first)
    return Synapses(source, target, weight, delay, recurrent=recurrent)
