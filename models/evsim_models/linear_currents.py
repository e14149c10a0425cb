"""A leaky integrate-and-fire neuron with any number of exponentially decaying currents, integrated exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba.extending import register_jitable

from evsim.model import Cells, Readout, Rule, Values, table
from evsim_models.common import Floats, current_shares, propagator, refractory_steps, spike_and_reset
from evsim_models.receptors import Receptor
from evsim_models.written import written

STATES = ("u", "refractory")  # u is v - v_rest
PARAMETERS = ("kept_u", "u_per_drive", "u_thresh", "u_reset", "refractory_steps")


def rule(receptors: Sequence[Receptor]) -> Rule:
    """The rule of such a cell in ``ideal``."""
    states = (*STATES, *(f"i_{r.short}" for r in receptors))
    rows = tuple(f"{name}_{r.short}" for r in receptors for name in ("kept", "u_per"))

    def convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
        return _cells(receptors, values, initial, dt)

    step = written(
        "neuron", (*states, *PARAMETERS, *rows, *(r.input for r in receptors), "drive"), _step(receptors), NAMES
    )
    inputs = {receptor.name: k for k, receptor in enumerate(receptors)}
    taus = {receptor.name: receptor.taus[0] for receptor in receptors}

    def arrive(receptor: str, values: Values, dt: float, left: Floats) -> tuple[Floats, Floats]:
        return current_shares(left, dt, values[taus[receptor]], values["tau_m"])

    return Rule(
        convert,
        step,
        states=states,
        parameters=(*PARAMETERS, *rows),
        inputs=inputs,
        arrive=arrive,
        sums={f"i_{r.short}": r.input for r in receptors},
        counters={"refractory": "refractory_steps"},
    )


NAMES = {"spike_and_reset": register_jitable(spike_and_reset)}


def _step(receptors: Sequence[Receptor]) -> list[str]:
    """v from the currents at the step's start, then the currents, then the input that is due at its end."""
    terms = ["kept_u * u", "u_per_drive * drive", *(f"u_per_{r.short} * i_{r.short}" for r in receptors)]
    return [
        f"moved = {' + '.join(terms)}",
        "u, refractory, fired = spike_and_reset(u, moved, refractory, u_thresh, u_reset, refractory_steps)",
        *(f"i_{r.short} = kept_{r.short} * i_{r.short} + {r.input}" for r in receptors),
        f"return {', '.join(['u', 'refractory', *(f'i_{r.short}' for r in receptors), 'fired'])}",
    ]


def _cells(receptors: Sequence[Receptor], values: Values, initial: Values, dt: float) -> Cells:
    """Exact propagators of the linear equations over one time step (Rotter and Diesmann 1999)."""
    tau_m, cm, v_rest = values["tau_m"], values["cm"], values["v_rest"]
    rows = [
        np.exp(-dt / tau_m),
        -tau_m / cm * np.expm1(-dt / tau_m),
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    ]
    zero = np.zeros(len(tau_m))
    state, readouts = [initial["v"] - v_rest, zero], {"v": Readout(0, offset=v_rest)}
    for receptor in receptors:
        tau = values[receptor.taus[0]]
        rows += [np.exp(-dt / tau), propagator(tau, tau_m, cm, dt)]
        readouts[receptor.variable] = Readout(len(state))
        state.append(initial.get(receptor.variable, zero))
    return Cells(np.stack(np.broadcast_arrays(*state)), table(*rows), values["i_offset"], 1.0, readouts)
