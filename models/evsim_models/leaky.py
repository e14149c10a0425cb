"""The equations of leaky integrate-and-fire neurons between events, for steps of any length (``evsim.equations``)."""

from __future__ import annotations

from functools import partial

from evsim.equations import Constants, Equations, Response, Slopes

TAUS = {"excitatory": ("exc", "tau_syn_E"), "inhibitory": ("inh", "tau_syn_I")}


def responses(prefix: str, rise: bool) -> dict[str, Response]:
    """Of both receptors, in variables whose names begin with ``prefix``."""
    return {receptor: Response(f"{prefix}_{short}", tau, rise) for receptor, (short, tau) in TAUS.items()}


def conductances(rise: bool) -> dict[str, Response]:
    """Of PyNN's cells with conductances."""
    return responses("gsyn", rise)


def _current_slopes(cell: Constants) -> Slopes:
    rest, per_tau, per_cm = cell["v_rest"], 1 / cell["tau_m"], 1 / cell["cm"]
    return lambda states, received, current: [(rest - states[0]) * per_tau + (sum(received) + current) * per_cm]


def _conductance_slopes(cell: Constants) -> Slopes:
    rest, per_tau, per_cm = cell["v_rest"], 1 / cell["tau_m"], 1 / cell["cm"]
    e_exc, e_inh = cell["e_rev_E"], cell["e_rev_I"]

    def flow(states, received, current):
        v = states[0]
        synaptic = received[0] * (e_exc - v) + received[1] * (e_inh - v)
        return [(rest - v) * per_tau + (synaptic + current) * per_cm]

    return flow


_LEAKY = partial(
    Equations,
    states={"v": 1.0},
    level=lambda cell: cell["v_thresh"],
    reset=lambda cell, states: [cell["v_reset"]],
    refractory="tau_refrac",
)


def with_currents(rise: bool) -> Equations:
    """Currents that decay, or rise and fall."""
    return _LEAKY(slopes=_current_slopes, responses=responses("isyn", rise))


def with_conductances(rise: bool) -> Equations:
    """Conductances that decay, or rise and fall."""
    return _LEAKY(slopes=_conductance_slopes, responses=conductances(rise))


def with_jumps() -> Equations:
    """Weights that move v itself; those that arrive while it is held are lost."""
    return _LEAKY(slopes=_current_slopes)
