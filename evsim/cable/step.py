"""One time step of branched neurons: a native function in the form of ``evsim.loops``, the same one for all of them.

The membrane is stepped implicitly. With the gates and synaptic conductances of the time step, the change of every
potential is the solution of one linear system, whose matrix is that of a tree: Hines (1984, Int J Biomed Comput 15:69)
eliminates from the tips to the root and substitutes back, in a number of operations that is proportional to that of
compartments. Then the gates follow, each by its exact solution at the new potential, and the synaptic states by theirs.

- Of first order (NEURON's default, ``secondorder = 0``): backward Euler over the whole time step.
- Of second order (``secondorder = 2``): backward Euler over half of it, whose change is doubled: that is Crank and
  Nicolson's. Gates and conductances are those of the middle of the time step, half a step beside the potential.

The rows of parameters are, in this order, ``HEADER`` numbers of the whole neuron; ``NODE`` rows for each node, by
quantity (first all parents); ``SITE`` rows for each site of synapses, by quantity. The rows of state are the potential
of each node, twice as many rows to compute with, the gates that there are, two rows for each site, and whether the
potential is above the threshold.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.exponential import exp
from evsim.compile import lean

# The numbers of a neuron.
NODES, SITES, GATES, SOURCE, THRESHOLD, GAIN, DT, HEADER = range(8)
# Those of a node: its parent; axial conductance (uS), capacitance over the time step (uS), leak (uS) and what that
# pulls (nA); the first row of the sodium gates m and h, counted from the first gate, or -1, and the conductance and the
# pull of all open sodium channels; the same of the potassium gate n.
PARENT, AXIAL, CAPACITY, LEAK, LEAK_PULL = range(5)
SODIUM_ROW, SODIUM, SODIUM_PULL, POTASSIUM_ROW, POTASSIUM, POTASSIUM_PULL, NODE = range(5, 12)
# Those of a site: its node, what is left of both states after a step, how much of the first goes over to the second,
# what a unit of input adds to each, the reversal potential (mV), and whether it is a conductance.
AT, KEPT_FIRST, KEPT, MOVED, JUMP_FIRST, JUMP, REVERSAL, CONDUCTS, SITE = range(9)


@register_jitable
def linear_over_exp(x, scale):
    """x / (exp(x / scale) - 1), with its limit at 0."""
    y = x / scale
    near = abs(y) < 1e-6
    return scale * (1.0 - 0.5 * y) if near else x / (exp(1.0 if near else y) - 1.0)


@register_jitable
def relaxed(gate, opening, closing, dt):
    """A gate after ``dt`` ms at constant rates (1/ms)."""
    rate = opening + closing
    settled = opening / rate
    return settled + (gate - settled) * exp(-dt * rate)


@register_jitable
def charge(state, parameters, drive, nodes, gates, each):
    """Put the membrane current into each node (nA) and its slope (uS) into the rows to compute with."""
    for c in range(nodes):
        row = HEADER + c
        v, slope, current = state[c], state[nodes + c], state[2 * nodes + c]
        sodium = np.int64(parameters[row + SODIUM_ROW * nodes, 0])
        potassium = np.int64(parameters[row + POTASSIUM_ROW * nodes, 0])
        for i in range(v.size):
            p = i * each
            g = parameters[row + LEAK * nodes, p]
            pull = parameters[row + LEAK_PULL * nodes, p] + drive[c * v.size + i]
            if sodium >= 0:
                m, h = state[gates + sodium, i], state[gates + sodium + 1, i]
                part = m * m * m * h
                g += part * parameters[row + SODIUM * nodes, p]
                pull += part * parameters[row + SODIUM_PULL * nodes, p]
            if potassium >= 0:
                n = state[gates + potassium, i]
                part = (n * n) * (n * n)
                g += part * parameters[row + POTASSIUM * nodes, p]
                pull += part * parameters[row + POTASSIUM_PULL * nodes, p]
            slope[i] = parameters[row + CAPACITY * nodes, p] + g
            current[i] = pull - g * v[i]


@register_jitable
def couple(state, parameters, nodes, each):
    """Add the currents between neighbours."""
    for c in range(1, nodes):
        up = np.int64(parameters[HEADER + PARENT * nodes + c, 0])
        for i in range(state.shape[1]):
            g = parameters[HEADER + AXIAL * nodes + c, i * each]
            flow = g * (state[up, i] - state[c, i])
            state[nodes + c, i] += g
            state[nodes + up, i] += g
            state[2 * nodes + c, i] += flow
            state[2 * nodes + up, i] -= flow


@register_jitable
def open_sites(state, parameters, nodes, sites, first_site, each):
    """Add the currents of the synapses."""
    for k in range(sites):
        row = HEADER + NODE * nodes + k
        c = np.int64(parameters[row + AT * sites, 0])
        conducts = parameters[row + CONDUCTS * sites, 0]
        for i in range(state.shape[1]):
            g = state[first_site + sites + k, i]
            state[nodes + c, i] += conducts * g
            towards = parameters[row + REVERSAL * sites, i * each] - state[c, i]
            state[2 * nodes + c, i] += g * towards if conducts != 0.0 else g


@register_jitable
def solve(state, parameters, nodes, gain, each):
    """Eliminate from the tips to the root, substitute back, and add ``gain`` times the change to the potentials."""
    for c in range(nodes - 1, 0, -1):
        up = np.int64(parameters[HEADER + PARENT * nodes + c, 0])
        for i in range(state.shape[1]):
            g = parameters[HEADER + AXIAL * nodes + c, i * each]
            part = g / state[nodes + c, i]
            state[nodes + up, i] -= part * g
            state[2 * nodes + up, i] += part * state[2 * nodes + c, i]
    for c in range(nodes):
        up = np.int64(parameters[HEADER + PARENT * nodes + c, 0])
        for i in range(state.shape[1]):
            g = parameters[HEADER + AXIAL * nodes + c, i * each]
            from_above = g * state[2 * nodes + up, i] if c > 0 else 0.0
            change = (state[2 * nodes + c, i] + from_above) / state[nodes + c, i]
            state[2 * nodes + c, i] = change
            state[c, i] += gain * change


@register_jitable
def sodium_rates(v):
    """Opening and closing of m, and of h (1/ms): Hodgkin and Huxley (1952) at 6.3 degrees, with rest at -65 mV."""
    return (
        0.1 * linear_over_exp(-(v + 40.0), 10.0),
        4.0 * exp(-(v + 65.0) / 18.0),
        0.07 * exp(-(v + 65.0) / 20.0),
        1.0 / (exp(-(v + 35.0) / 10.0) + 1.0),
    )


@register_jitable
def potassium_rates(v):
    """The same of n."""
    return 0.01 * linear_over_exp(-(v + 55.0), 10.0), 0.125 * exp(-(v + 65.0) / 80.0)


@register_jitable
def relax(state, parameters, nodes, gates, dt):
    """Step the gates."""
    for c in range(nodes):
        sodium = np.int64(parameters[HEADER + SODIUM_ROW * nodes + c, 0])
        potassium = np.int64(parameters[HEADER + POTASSIUM_ROW * nodes + c, 0])
        if sodium >= 0:
            for i in range(state.shape[1]):
                m_opens, m_closes, h_opens, h_closes = sodium_rates(state[c, i])
                state[gates + sodium, i] = relaxed(state[gates + sodium, i], m_opens, m_closes, dt)
                state[gates + sodium + 1, i] = relaxed(state[gates + sodium + 1, i], h_opens, h_closes, dt)
        if potassium >= 0:
            for i in range(state.shape[1]):
                opens, closes = potassium_rates(state[c, i])
                state[gates + potassium, i] = relaxed(state[gates + potassium, i], opens, closes, dt)


@lean
def advance_gates(v, gates, time):
    """Relax m, h and n (3, n) for ``time`` ms at the potentials (n,); infinite for where they settle."""
    for i in range(v.size):
        m_opens, m_closes, h_opens, h_closes = sodium_rates(v[i])
        gates[0, i] = relaxed(gates[0, i], m_opens, m_closes, time)
        gates[1, i] = relaxed(gates[1, i], h_opens, h_closes, time)
        opens, closes = potassium_rates(v[i])
        gates[2, i] = relaxed(gates[2, i], opens, closes, time)


@register_jitable
def receive(state, parameters, inputs, nodes, sites, first_site, each):
    """Step the synapses, and take what arrives at the end of the step."""
    for k in range(sites):
        row = HEADER + NODE * nodes + k
        for i in range(state.shape[1]):
            p, came = i * each, inputs[k, i]
            inputs[k, i] = 0.0
            first, second = state[first_site + k, i], state[first_site + sites + k, i]
            kept, moved = parameters[row + KEPT * sites, p], parameters[row + MOVED * sites, p]
            jump = parameters[row + JUMP * sites, p]
            state[first_site + sites + k, i] = second * kept + first * moved + jump * came
            kept, jump = parameters[row + KEPT_FIRST * sites, p], parameters[row + JUMP_FIRST * sites, p]
            state[first_site + k, i] = first * kept + jump * came


def step(state, parameters, inputs, drive, flags, spiked, tally, key, step, first):
    """The step; ``drive`` has further rows behind the first one, one for each node."""
    nodes, sites = np.int64(parameters[NODES, 0]), np.int64(parameters[SITES, 0])
    gates = 3 * nodes
    first_site = gates + np.int64(parameters[GATES, 0])
    above, source = first_site + 2 * sites, np.int64(parameters[SOURCE, 0])
    each = np.int64(0 if parameters.shape[1] == 1 else 1)
    charge(state, parameters, drive, nodes, gates, each)
    couple(state, parameters, nodes, each)
    open_sites(state, parameters, nodes, sites, first_site, each)
    solve(state, parameters, nodes, parameters[GAIN, 0], each)
    relax(state, parameters, nodes, gates, parameters[DT, 0])
    receive(state, parameters, inputs, nodes, sites, first_site, each)
    count = np.int64(0)
    for i in range(state.shape[1]):
        is_above = state[source, i] > parameters[THRESHOLD, 0]
        if is_above and state[above, i] == 0.0:
            spiked[count] = i
            count += 1
        state[above, i] = 1.0 if is_above else 0.0
    return count
