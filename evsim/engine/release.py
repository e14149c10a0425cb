"""Synapses that release a part of their weight at a spike, by the rules of ``evsim.release``.

What they release depends on the times of their source's spikes alone, and a spike arrives a fixed delay later. So a
synapse is brought up to date when a spike is due over it, from what it was at the spike before; nothing is done while
its source is silent. A row of synapses shares its source and delay, and with them all intervals.

A random number depends on the projection, the synapse, the label of the spike and what it decides: on nothing that the
number of threads, or cutting a run into pieces, could change.
"""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.intrinsics import call_law, synapse_weight
from evsim.engine.release_memory import MULTI_QUANTAL, OWN, TSODYKS_MARKRAM
from evsim.engine.rows import TARGET_BITS
from evsim.random_bits import subkey, uniform

_REPEATS = 16  # bits for the spikes of one source at one label


@lean
def _left(tau, steps):
    """What exponential decay leaves after so many steps; nothing where ``tau`` (steps) is 0."""
    return math.exp(-steps / tau) if tau > 0 else 0.0


@lean
def _spent(tau_psc, tau_rec, steps):
    """How much of active resources has decayed after so many steps, and not recovered."""
    if tau_psc == 0:
        return _left(tau_rec, steps)
    if tau_rec == 0:
        return 0.0
    decay, recovery = 1 / tau_psc, 1 / tau_rec
    # (exp(-recovery t) - exp(-decay t)) / (decay - recovery), so that nothing cancels where both are nearly equal
    difference = abs(decay - recovery) * steps
    mean = -math.expm1(-difference) / difference if difference > 0 else 1.0
    return decay * steps * math.exp(-min(decay, recovery) * steps) * mean


@lean
def _over_steps(law, steps):
    """What a spike uses; what so many steps leave of it, of active and of spent resources, and of active as spent."""
    active, spent = _left(law.tau_psc, steps), _left(law.tau_rec, steps)
    return law.use, _left(law.tau_facil, steps), active, spent, _spent(law.tau_psc, law.tau_rec, steps)


@inlined
def _release_resource(word, state, over_steps, unit, into):
    """Tsodyks and Markram, one synapse."""
    use, use_left, active_left, spent_left, spent = over_steps
    inactive = state.spent * spent_left + state.active * spent
    active = state.active * active_left
    used = state.use * use_left
    used += use * (1 - used)
    part = used * (1 - active - inactive)
    state.use, state.active, state.spent = used, active + part, inactive
    into[np.int64(word & TARGET_BITS)] += synapse_weight(word, unit) * part


@lean
def _release_resources(words, states, laws, lane, steps, into):
    """Tsodyks and Markram."""
    if lane.varied:
        for q in range(words.size):
            _release_resource(words[q], states[q], _over_steps(laws[q], steps), lane.unit, into)
    else:
        over_steps = _over_steps(laws[0], steps)
        for q in range(words.size):
            _release_resource(words[q], states[q], over_steps, lane.unit, into)


@lean
def _release_sites(words, states, laws, order, lane, key, steps, into):
    """Several sites, each of which releases or not; at the even places of a synapse's key it is drawn which recover."""
    use = use_left = spent_left = 0.0
    sites = np.int64(0)
    for q in range(words.size):
        if q == 0 or lane.varied:
            law = laws[q]
            use, sites = law.use, np.int64(law.sites)
            use_left, spent_left = _left(law.tau_facil, steps), _left(law.tau_rec, steps)
        state, own = states[q], subkey(key, np.uint64(order[q]))
        used = state.use * use_left
        used += use * (1 - used)
        spent = min(np.int64(state.spent), sites)
        waiting = np.int64(0)
        for site in range(spent):
            waiting += uniform(own, 2 * site) < spent_left
        released = np.int64(0)
        for site in range(waiting, sites):
            released += uniform(own, 2 * site + 1) < used
        state.use, state.spent = used, waiting + released
        into[np.int64(words[q] & TARGET_BITS)] += synapse_weight(words[q], lane.unit) * (released / sites)


@lean
def _release_by_chance(words, laws, order, lane, key, into):
    """All or nothing."""
    if lane.varied:
        for q in range(words.size):
            released = uniform(subkey(key, np.uint64(order[q])), 0) < laws[q].use
            into[np.int64(words[q] & TARGET_BITS)] += synapse_weight(words[q], lane.unit) * released
    else:
        chance = laws[0].use
        for q in range(words.size):
            released = uniform(subkey(key, np.uint64(order[q])), 0) < chance
            into[np.int64(words[q] & TARGET_BITS)] += synapse_weight(words[q], lane.unit) * released


@lean
def _release_by_law(words, states, laws, order, lane, key, interval, into):
    """By a rule of a script's own; ``own_release`` writes what is called."""
    rows = words, states, laws, order, into
    call_law(lane.law, rows, (np.int64(words.size), lane.varied, lane.unit, key, interval, lane.timestep))


@inlined
def _interval(row, now):
    """The steps since the latest spike over a row; makes that of label ``now`` the latest."""
    steps = now - row.last
    row.repeats = row.repeats + 1 if steps == 0 else 0
    row.last = now
    return steps


@lean
def deliver_released(releasing, index, rows, label, into):
    """Deliver the rows of a lane to which a spike is due at a label; returns the number of synapses.

    Args:
        rows: (k,) numbers of rows within the lane.
        into: (targets of the lane,) float64, added to.
    """
    lane = releasing.lanes[index]
    delivered = np.int64(0)
    for k in range(rows.size):
        number = np.int64(rows[k])
        row = releasing.rows[lane.first_state + number]
        begin = np.int64(releasing.begin[lane.first_row + number])
        end = np.int64(releasing.begin[lane.first_row + number + 1])
        words = releasing.words[lane.base + begin : lane.base + end]
        order = releasing.order[lane.first_synapse + begin : lane.first_synapse + end]
        of_row = begin if lane.varied else np.int64(0)
        now, is_first = label - row.delay, row.repeats < 0
        steps = _interval(row, now)
        key = subkey(lane.key, np.uint64((now << _REPEATS) + row.repeats))
        delivered += words.size
        if lane.rule == OWN:
            states = releasing.own_states[lane.first_kept + begin * lane.n_states :]
            laws = releasing.own_laws[lane.first_law + of_row * lane.n_parameters :]
            interval = np.inf if is_first else steps * lane.timestep
            _release_by_law(words, states, laws, order, lane, key, interval, into)
            continue
        states = releasing.states[lane.first_kept + begin : lane.first_kept + end]
        laws = releasing.laws[lane.first_law + of_row :]
        if lane.rule == TSODYKS_MARKRAM:
            _release_resources(words, states, laws, lane, steps, into)
        elif lane.rule == MULTI_QUANTAL:
            _release_sites(words, states, laws, order, lane, key, steps, into)
        else:
            _release_by_chance(words, laws, order, lane, key, into)
    return delivered
