"""Neurons of NIR as PyNN's cells: their parameters, and what a weight of NIR is there.

With the method ``exact`` the cells obey NIR's equations. With ``euler`` a time step of theirs equals the forward Euler
step of NIR's equations, which the training frameworks make: a state that keeps the part a = 1 - dt/tau of itself has
the time constant -dt/ln(a) here, and weights make up for the rest. v comes out the same, step for step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.errors import CheckError, Problem

MS_PER_S = 1000.0
LEAKLESS = 1e8  # time steps; the time constant that stands for none, small enough for a bias to keep eight digits

Floats = NDArray[np.float64]


class Port(NamedTuple):
    """Where synapses end.

    Attributes:
        name: the node that they lead to: the neuron itself, or an LI before it.
        receptor: of the cell; None where weights of either sign have the same time constant.
        gain: (n,) the weight there (nA or mV) for a weight of 1 in NIR.
    """

    name: str
    receptor: str | None
    gain: Floats


class Cells(NamedTuple):
    """A population in PyNN's terms.

    Attributes:
        celltype: the name of the standard cell.
        parameters, initial: name -> (n,).
    """

    name: str
    size: int
    celltype: str
    parameters: dict[str, Floats]
    initial: dict[str, Floats]
    ports: tuple[Port, ...]


class Current(NamedTuple):
    """An exponentially decaying synaptic current, in NIR's terms; arrays (n,)."""

    name: str
    tau: Floats  # s
    gain: Floats  # w_in of a CubaLIF, r of an LI
    bias: Floats  # what its equation has beside the spikes
    signs: frozenset[int]  # of its weights


class Step(NamedTuple):
    """The time step (s) and how equations are integrated over it."""

    size: float
    method: str

    def tau(self, tau: Floats) -> Floats:
        """The time constant (ms) whose exact decay over a step is that of the method."""
        if self.method == "exact":
            return tau * MS_PER_S
        return -self.size * MS_PER_S / np.log1p(-self.size / tau)

    def drive(self, tau_m: Floats, tau_syn: Floats) -> Floats:
        """The synaptic current in the cell that moves v in a step as NIR's current of 1 does.

        Over a step that keeps the part a of v and b of the current, a current of 1 that decays adds -ln(a) L(a, b) of
        what it would come to, L being the logarithmic mean; in a step of Euler's it adds 1 - a.
        """
        if self.method == "exact":
            return np.ones_like(tau_m)
        log_a, log_b = np.log1p(-self.size / tau_m), np.log1p(-self.size / tau_syn)
        apart = log_b - log_a
        safe = np.where(apart == 0, 1.0, apart)
        mean = np.exp(log_a) * np.where(apart == 0, 1.0, np.expm1(safe) / safe)
        return self.size / tau_m / (-log_a * mean)


def values(node: Any, name: str, size: int) -> Floats:
    """A parameter of a node for each cell."""
    return np.broadcast_to(np.ravel(np.asarray(getattr(node, name), np.float64)), size)


def value_problems(label: str, node: Any, step: Step) -> Iterator[Problem]:
    """Parameters of a neuron or an LI that no cell can have."""
    for name in ("tau", "tau_mem", "tau_syn", "r", "v_threshold", "v_reset", "v_leak", "w_in"):
        given = np.ravel(np.asarray(getattr(node, name, 1.0), np.float64))
        positive = name.startswith("tau") or name == "r"
        bad = ~np.isfinite(given) | (positive & ~(given > 0))
        if bad.any():
            limit = "above 0" if positive else "finite"
            yield Problem(f"node {label!r}", f"{name} of {given[bad][0]:g}", f"it must be {limit}", f"Correct {name}.")
        elif name.startswith("tau") and step.method == "euler" and hasattr(node, name) and given.min() <= step.size:
            yield Problem(
                f"node {label!r}",
                f"{name} of {given.min():g} s",
                f"above the time step, {step.size:g} s, with --method euler",
                "Give a shorter --timestep, or --method exact.",
            )


def integrator(label: str, node: Any, size: int, bias: Floats, step: Step) -> Cells:
    """An IF or a LIF that spikes reach directly: IF_curr_delta.

    Its cm is 1 nF, with i_offset to suit: sPyNNaker's cell of this name moves v by weight / cm.
    """
    r = values(node, "r", size)
    if type(node).__name__ == "IF":
        tau, v_leak = np.full(size, LEAKLESS * step.size), values(node, "v_reset", size)
        r, tau_m = r * tau, tau * MS_PER_S
    else:
        tau, v_leak = values(node, "tau", size), values(node, "v_leak", size)
        tau_m = step.tau(tau)
    parameters = _membrane(node, size, tau_m, np.ones(size), v_leak) | {"i_offset": bias * r / tau_m}
    port = Port(label, None, r * step.size / tau)
    return Cells(label, size, "IF_curr_delta", parameters, {"v": parameters["v_reset"]}, (port,))


def with_currents(label: str, node: Any, size: int, currents: list[Current], step: Step) -> Cells:
    """A CubaLIF, or a LIF after LIs: IF_curr_exp.

    A bias b goes through the synapse's equation: its current is c (1 - exp(-t/tau)) with c = gain * b, that is a
    constant c and a synaptic current that begins at -c.

    Raises:
        CheckError: currents with time constants of their own that are not one of either sign.
    """
    tau = values(node, "tau_mem" if hasattr(node, "tau_mem") else "tau", size)
    tau_m = step.tau(tau)
    parameters = _membrane(node, size, tau_m, tau_m / values(node, "r", size), values(node, "v_leak", size))
    receptors = _receptors(label, currents)
    initial = {"v": parameters["v_reset"]}
    ports, offset = [], np.zeros(size)
    for current, receptor in zip(currents, receptors, strict=True):
        drive = step.drive(tau, current.tau)
        settled = current.gain * current.bias
        offset = offset + settled
        state = "isyn_inh" if receptor == "inhibitory" else "isyn_exc"
        if settled.any():
            initial[state] = initial.get(state, np.zeros(size)) - settled * drive
        ports.append(Port(current.name, receptor, current.gain * step.size / current.tau * drive))
    tau_of = {receptor: step.tau(current.tau) for current, receptor in zip(currents, receptors, strict=True)}
    first = next(iter(tau_of.values()))
    synapses = {"tau_syn_E": tau_of.get("excitatory", first), "tau_syn_I": tau_of.get("inhibitory", first)}
    return Cells(label, size, "IF_curr_exp", parameters | synapses | {"i_offset": offset}, initial, tuple(ports))


def _membrane(node: Any, size: int, tau_m: Floats, cm: Floats, v_leak: Floats) -> dict[str, Floats]:
    """What both cells have. NIR's neurons spike above their threshold and PyNN's at it, hence the next number."""
    return {
        "tau_m": tau_m,
        "cm": cm,
        "v_rest": v_leak,
        "v_reset": values(node, "v_reset", size),
        "v_thresh": np.nextafter(values(node, "v_threshold", size), np.inf),
        "tau_refrac": np.zeros(size),
    }


def _receptors(label: str, currents: list[Current]) -> list[str | None]:
    """The receptor of each current; None for both signs where all decay alike."""
    if all((current.tau == currents[0].tau).all() for current in currents):
        return [None] * len(currents)
    if len(currents) == 2:
        for first, second in ((0, 1), (1, 0)):
            if -1 not in currents[first].signs and 1 not in currents[second].signs:
                return ["excitatory", "inhibitory"] if first == 0 else ["inhibitory", "excitatory"]
    problem = Problem(
        f"node {label!r}",
        f"{len(currents)} synaptic currents with time constants of their own: "
        + ", ".join(repr(current.name) for current in currents),
        "one whose weights are all positive and one whose weights are all negative",
        "Join LI nodes that have the same tau, and split the others by sign.",
    )
    raise CheckError("this NIR graph has a neuron that evsim lacks", [problem])
