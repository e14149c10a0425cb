"""STDP in the numbers of Loihi's learning engine: whole impulses of traces, products with mantissa and exponent.

The engine keeps a weight between 0 and the largest mantissa, so w_max is made that, and w_min must be 0. An amplitude
is the product of a mantissa, a power of two and the impulse of a trace; the best of them within the registers is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evsim.arithmetic.loihi import WEIGHT_MAX
from evsim.arithmetic.loihi_learning import EXPONENT_MAX, EXPONENT_MIN, MANTISSA_MAX, TRACE_MAX
from evsim.model import PairRule, SynapseModel
from evsim.network import Network, Projection
from evsim.random_bits import derived
from evsim.registry import model

# An impulse in this range is coarse by 3 % at most, and so many of them fit into a trace as spikes may follow closely.
IMPULSES = range(16, 32)
# Bits that a product with the weight as a factor loses: the widths of trace, weight and mantissa, less the accumulator.
WEIGHED_SHIFT = 7 + 9 + 4 - 15
TOLD = 1e-4  # the least part by which a parameter must be off to be told


@dataclass(frozen=True)
class Product:
    """mantissa * 2^exponent * trace, and where it depends on the weight, times a factor that has it.

    Attributes:
        impulse: of the trace, with each spike.
        weighed: whether there is the factor ``weight + offset``; then 5 bits are cut off before the exponent.
    """

    mantissa: int
    exponent: int
    impulse: int
    weighed: bool = False
    offset: int = 0

    @property
    def amplitude(self) -> float:
        """Units of weight by a spike at a fresh trace, or where it depends on the weight the part of the factor."""
        return self.mantissa * 2.0**self.exponent * self.impulse / (1 << WEIGHED_SHIFT if self.weighed else 1)


@dataclass(frozen=True)
class LoihiPlasticity:
    """The learning rule of a projection.

    Attributes:
        tau_plus, tau_minus: time steps, of the traces of sources and targets.
        down, up: what spikes of sources and of targets do.
        exponent: of the weights' mantissas.
        inhibitory: whether weights lie between -255 and 0, and not between 0 and 255.
        dendritic_delay_fraction: the part of the delay that lies between synapse and soma.
        keys: of the random numbers for sources' traces, targets' traces and weights.
    """

    tau_plus: int
    tau_minus: int
    down: Product
    up: Product
    exponent: int
    inhibitory: bool
    dendritic_delay_fraction: float
    keys: tuple[int, ...]

    def dendritic_steps(self, delay: int) -> int:
        """The dendritic part of a delay, both in time steps."""
        return round(self.dendritic_delay_fraction * delay)

    @cached_property
    def kept(self) -> tuple[float, float]:
        """What is left of the traces of sources and targets after a time step; the arithmetic is Lava's, by NumPy."""
        plus, minus = np.exp(-1 / np.array([self.tau_plus, self.tau_minus]))
        return float(plus), float(minus)


def pair_rule_of(projection: Projection) -> PairRule:
    """The rule of a plastic projection, in physical numbers."""
    synapse = model(projection.synapse)
    assert isinstance(synapse, SynapseModel) and synapse.pair_rule, "checked before"
    return synapse.pair_rule(projection)


def plasticity_of(network: Network, projection: Projection, exponent: int) -> LoihiPlasticity | None:
    """The rule of a projection whose mantissas have an exponent; None if its synapses are static."""
    if projection.plasticity is None:
        return None
    rule = pair_rule_of(projection)
    sign = -1 if rule.w_max < 0 else 1
    key = derived(derived(np.uint64(0), network.seed), network.projections.index(projection))
    return LoihiPlasticity(
        tau_plus=tau_steps(rule.tau_plus, network.timestep),
        tau_minus=tau_steps(rule.tau_minus, network.timestep),
        down=product(rule.a_minus, rule.mu_minus, -sign, 0),
        up=product(rule.a_plus, rule.mu_plus, sign, sign * WEIGHT_MAX),
        exponent=exponent,
        inhibitory=sign < 0,
        dendritic_delay_fraction=rule.dendritic_delay_fraction,
        keys=tuple(int(derived(key, stream)) for stream in range(3)),
    )


def tau_steps(tau: float, timestep: float) -> int:
    """The time constant (ms) of a trace as it is held."""
    return round(tau / timestep)


def wanted(amplitude: float, mu: float) -> float:
    """mantissa * 2^exponent * impulse for an amplitude of PyNN's, which is a part of w_max, or of the room that is left
    where ``mu`` is 1."""
    return abs(amplitude) * (1 << WEIGHED_SHIFT if mu else WEIGHT_MAX)


def product(amplitude: float, mu: float, sign: int, bound: int) -> Product:
    """The product that is nearest to an amplitude; of those that are as near, the one with the smallest exponent.

    Args:
        mu: 0, or 1 where the change is a part of the distance of the weight from ``bound``.
        sign: of a positive amplitude's change where mu is 0.
        bound: the mantissa that the weight then goes to, or from which it starts.
    """
    target = wanted(amplitude, mu)
    mantissa, exponent, impulse = min(_candidates(target), key=lambda c: (_error(c, target), c[1], -c[2]))
    # toward the bound a change is a part of bound - weight, away from 0 one of the weight itself: both are -(w - bound)
    signed = (-1 if mu else sign) * (1 if amplitude >= 0 else -1) * mantissa
    return Product(signed, exponent, impulse, bool(mu), -bound if mu else 0)


def _candidates(target: float) -> Iterator[tuple[int, int, int]]:
    if target == 0:
        yield 0, 0, IMPULSES[0]
        return
    for mantissa in range(1, MANTISSA_MAX + 1):
        for exponent in range(EXPONENT_MIN, EXPONENT_MAX + 1):
            ideal = round(target / (mantissa * 2.0**exponent))
            lowest = exponent == EXPONENT_MIN and mantissa == 1
            highest = exponent == EXPONENT_MAX and mantissa == MANTISSA_MAX
            if ideal in IMPULSES or (lowest and ideal < IMPULSES[0]) or (highest and ideal > IMPULSES[-1]):
                yield mantissa, exponent, min(max(ideal, 1), TRACE_MAX)


def _error(candidate: tuple[int, int, int], target: float) -> float:
    """To a hundredth of a percent: what is finer does not matter."""
    mantissa, exponent, impulse = candidate
    return round(abs(mantissa * 2.0**exponent * impulse / target - 1), 4) if target else 0.0


def notes(network: Network, projection: Projection, held: LoihiPlasticity) -> Iterator[str]:
    """What the learning engine does otherwise than the rule that was asked for."""
    rule = pair_rule_of(projection)
    parts = []
    for name, asked, got, unit in (
        ("tau_plus", rule.tau_plus, held.tau_plus * network.timestep, " ms"),
        ("tau_minus", rule.tau_minus, held.tau_minus * network.timestep, " ms"),
        ("A_plus", rule.a_plus, _amplitude(rule.a_plus, held.up), ""),
        ("A_minus", rule.a_minus, _amplitude(rule.a_minus, held.down), ""),
    ):
        if abs(got - asked) > TOLD * abs(asked):
            parts.append(f"{name} as {got:.4g}{unit} instead of {asked:.4g}")
    told = f", {', '.join(parts)}" if parts else ""
    most = min(TRACE_MAX // held.up.impulse, TRACE_MAX // held.down.impulse)
    yield (
        f"projection {projection.label!r}: it learns as Lava approximates Loihi's learning engine, not bit for bit as "
        f"a chip: weights are held in steps of w_max / {WEIGHT_MAX}, rounded at random{told}; a trace holds {most} "
        "spikes that follow each other at once; spikes of both ends that meet at the synapse in one time step are a "
        "pair on both sides"
    )


def _amplitude(asked: float, held: Product) -> float:
    """As PyNN has it."""
    size = abs(held.amplitude) / (1 if held.weighed else WEIGHT_MAX)
    return size if asked >= 0 else -size
