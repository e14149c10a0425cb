"""Responses of receptors to spikes, as conductances or currents, known exactly at any time after a spike.

A spike of weight w opens a receptor by w times a function of the time t since then:

    exp     exp(-t / tau)
    alpha   t / tau exp(1 - t / tau)
    beta    exp(-t / tau_decay) - exp(-t / tau_rise), divided by its own peak

All three are g of dg/dt = -g / tau + x, dx/dt = -x / tau_x, where the first one has no x. An outward current that the
neuron's own spikes make is one, too, since no membrane acts back on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.responses import exponential_shares, moved, rising_shares, time_of_peak
from evsim.model import Values
from evsim_models.common import Floats


@dataclass(frozen=True)
class Receptor:
    """A receptor of a cell, or a current that its own spikes make.

    Attributes:
        name: PyNN's name of it.
        short: what its rows of state and parameters end in.
        variable: PyNN's name of what it records, its conductance (uS) or current (nA).
        taus: the names of its time constants: one, or those of decay and rise.
        reversal: the name of its reversal potential; None of a current.
        rises: whether it does not open at once.
        own: the name of the outward current (nA) that each of the neuron's own spikes adds; empty for synapses.
    """

    name: str
    short: str
    variable: str
    taus: tuple[str, ...]
    reversal: str | None
    rises: bool = False
    own: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        """Its rows of the state."""
        return (f"g_{self.short}", f"x_{self.short}") if self.rises else (f"g_{self.short}",)

    @property
    def input(self) -> str:
        """What a synapse's spikes add, or a spike of the neuron's own."""
        return f"own_{self.short}" if self.own else f"in_{self.short}"

    @property
    def pull(self) -> str:
        """What of it drives the membrane, up to the mark of the time that is meant."""
        if self.reversal:
            return f"e_{self.short} * g_{self.short}"
        return f"-g_{self.short}" if self.own else f"g_{self.short}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its rows of the parameters: what is left of g and x after half a substep, what of x is in g, ..."""
        names = ("tau", "kept", "gain") + (("tau_x", "kept_x", "moved") if self.rises else ())
        more = (("e",) if self.reversal else ()) + (("own",) if self.own else ())
        return tuple(f"{name}_{self.short}" for name in (*names, *more))

    def rows(self, values: Values, h: float) -> Sequence[Floats]:
        """What they hold, for substeps of ``h`` ms."""
        tau, tau_x = (values[name] for name in (self.taus * 2)[:2])
        kept, kept_x = np.exp(-h / 2 / tau), np.exp(-h / 2 / tau_x)
        if self.rises:
            gain = 1 / moved(time_of_peak(tau, tau_x), tau, tau_x)
            found = [tau, kept, gain, tau_x, kept_x, moved(h / 2, tau, tau_x)]
        else:
            found = [tau, kept, np.ones_like(tau)]
        return [*found, *(values[name] for name in (self.reversal, self.own) if name)]

    def shares(self, values: Values, dt: float, left: Floats) -> tuple[Floats, Floats]:
        """Early and late part of an input within a time step; see ``evsim.model.Rule.arrive``."""
        tau, tau_x = (values[name] for name in (self.taus * 2)[:2])
        return rising_shares(left, dt, tau, tau_x) if self.rises else exponential_shares(left, dt, tau)

    def later(self, after: str, before: str, decayed: str = "") -> Iterator[str]:
        """Statements: from the rows marked ``before``, those half a substep later, marked ``after``.

        Args:
            decayed: what marks the constants of another time than that.
        """
        g, x, end = f"g_{self.short}", f"x_{self.short}", f"_{self.short}{decayed}"
        if self.rises:
            yield f"{g}{after} = fma({x}{before}, moved{end}, {g}{before} * kept{end})"
            yield f"{x}{after} = {x}{before} * kept_x{end}"
        else:
            yield f"{g}{after} = {g}{before} * kept{end}"

    def constants(self, decayed: str, time: str) -> Iterator[str]:
        """Statements: the constants of another time, which are marked ``decayed``."""
        end = f"_{self.short}"
        yield f"kept{end}{decayed} = math.exp(-{time} / tau{end})"
        if self.rises:
            yield f"kept_x{end}{decayed} = math.exp(-{time} / tau_x{end})"
            yield f"moved{end}{decayed} = moved_part({time}, tau{end}, tau_x{end})"


@register_jitable
def moved_part(time, tau, tau_x):
    """``moved`` of numbers."""
    difference = time * (1.0 / tau - 1.0 / tau_x)
    if difference == 0.0:
        return time * math.exp(-time / tau)
    return time * math.exp(-time / tau) * math.expm1(difference) / difference


def standard(rises: bool) -> tuple[Receptor, Receptor]:
    """The excitatory and the inhibitory conductance of PyNN's cells."""
    return (
        Receptor("excitatory", "exc", "gsyn_exc", ("tau_syn_E",), "e_rev_E", rises),
        Receptor("inhibitory", "inh", "gsyn_inh", ("tau_syn_I",), "e_rev_I", rises),
    )


EXPONENTIAL, ALPHA = standard(rises=False), standard(rises=True)
