"""Plasticity under dopamine in floating point, brought up to date when a spike arrives.

The rule is that of ``evsim.modulation``; pairs are as in ``plasticity``, and what they add is added to the eligibility.
Of the delay of a synapse the dendritic part lies behind it: a spike of the source that is due at a label arrives that
much earlier, one of the target reaches the synapse that much later; dopamine reaches it as it is due. Between any two
of these events weights are integrated in closed form, and where dopamine passes the baseline in between, up to there
and from there: so they move one way at a time, and are cut off at their bounds at the end of each part.

Where a spike of the target reaches a synapse just as one of the source arrives, they make no pair. To rules that depend
on the eligibility it matters which comes first: the target's, unless no part of the delay lies behind the synapse.

At labels that are multiples of ``SWEEP`` all rows are brought up to date, so that the histories of spikes and of doses
may be forgotten. So what is computed depends neither on the number of threads nor on when a run is cut.
"""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.modulated_history import forget
from evsim.engine.rows import TARGET_BITS

SWEEP = 1024  # steps


# --- one synapse -----------------------------------------------------------------------------------------------------


@lean
def _gained(lane, eligibility, dopamine, steps):
    """What a weight gains in so many steps without an event."""
    rate = lane.rate_c + lane.rate_d
    gained = -dopamine * math.expm1(-rate * steps) / rate
    if lane.baseline != 0:
        gained += lane.baseline * math.expm1(-lane.rate_c * steps) / lane.rate_c
    return lane.timestep * eligibility * gained


@lean
def _integrated(lane, weight, eligibility, dopamine, steps):
    """The weight after so many steps without an event."""
    if eligibility == 0:
        return weight
    if lane.baseline != 0 and dopamine / lane.baseline > 1:
        turn = math.log(dopamine / lane.baseline) / lane.rate_d  # where dopamine is at its baseline
        if turn < steps:
            weight = min(max(weight + _gained(lane, eligibility, dopamine, turn), lane.low), lane.high)
            eligibility *= math.exp(-lane.rate_c * turn)
            steps, dopamine = steps - turn, lane.baseline
    return min(max(weight + _gained(lane, eligibility, dopamine, steps), lane.low), lane.high)


@lean
def _part_of(lane, slope, eligibility, steps):
    """So much of what an eligibility was so many steps before."""
    return slope * eligibility * math.exp(steps * lane.rate_c) if slope != 0 else 0.0


@lean
def _before(events, place, stop):
    """The latest entry of a target before place ``stop``, going back from its entry at ``place``."""
    while place >= stop:
        place = np.int64(events[place].earlier)
    return place


@lean
def _first_from(events, place, start):
    """The first entry of a target from ``start`` on, going back from its latest at ``place``; -1 if there is none."""
    found = np.int64(-1)
    while place >= start:
        found, place = place, np.int64(events[place].earlier)
    return found


@lean
def _trace_of_arrivals(lane, row, label):
    """The trace of the source's arrivals before a label."""
    trace = row.trace + (row.repeats if label > row.last else 0)
    return trace * math.exp(-(label - row.last) * lane.rate_plus)


@lean
def _brought(lane, row, synapse, histories, pasts, until, ends):
    """Weight and eligibility of a synapse at a label.

    Args:
        histories: of its lane, posts and doses.
        pasts: of its target.
        ends: the places in the histories before which entries have reached the synapse by then.
    """
    posts, doses = histories
    spiked, dosed = pasts
    weight, eligibility, time = synapse.weight, synapse.eligibility, row.time
    post, dose = _first_from(posts, spiked.place, row.posts), _first_from(doses, dosed.place, row.doses)
    level, since = dosed.value, dosed.label
    met = _before(doses, dosed.place, row.doses)
    if met >= 0:
        level, since = doses[met].value, doses[met].label
    while True:
        is_post, is_dose = 0 <= post < ends[0], 0 <= dose < ends[1]
        at = until
        if is_post:
            at = posts[post].label + row.lag
        if is_dose and (not is_post or doses[dose].label < at):
            at, is_post = doses[dose].label, False
        later = max(at, time)
        if later > time:
            dopamine = level * math.exp(-(time - since) * lane.rate_d)
            weight = _integrated(lane, weight, eligibility, dopamine, later - time)
            eligibility *= math.exp(-(later - time) * lane.rate_c)
            time = later
        if is_post:
            amount = lane.up - _part_of(lane, lane.up_slope, eligibility, time - at)
            added = amount * _trace_of_arrivals(lane, row, at)
            eligibility += added * math.exp(-(time - at) * lane.rate_c)
            post = np.int64(posts[post].later)
        elif is_dose:
            level, since = doses[dose].value, doses[dose].label
            dose = np.int64(doses[dose].later)
        else:
            return weight, eligibility


# --- rows ------------------------------------------------------------------------------------------------------------


@lean
def _reached(row, posts, doses, until):
    """The places before which the entries of both histories have reached a row's synapses by a label."""
    post, dose = row.posts, row.doses
    while post < posts.size and posts[post].label + row.lag <= until:
        post += 1
    while dose < doses.size and doses[dose].label <= until:
        dose += 1
    return post, dose


@inlined
def _histories(modulated, lane):
    first = lane.first_event
    return modulated.posts[first : first + lane.n_posts], modulated.doses[first : first + lane.n_doses]


@inlined
def _place_of_row(modulated, lane, number):
    """The words of a row, and the first of its synapses."""
    begin = np.int64(modulated.begin[lane.first_row + number])
    end = np.int64(modulated.begin[lane.first_row + number + 1])
    return modulated.words[lane.base + begin : lane.base + end], lane.first_synapse + begin


@lean
def _bring(modulated, lane, number, until):
    """Bring the synapses of a row to a label, from which on it goes on."""
    row = modulated.rows[lane.first_state + number]
    posts, doses = _histories(modulated, lane)
    ends = _reached(row, posts, doses, until)
    if row.repeats:  # else nothing has ever arrived, so that there is no eligibility
        words, first = _place_of_row(modulated, lane, number)
        for q in range(words.size):
            target = lane.first_target + np.int64(words[q] & TARGET_BITS)
            synapse, pasts = modulated.synapses[first + q], (modulated.spiked[target], modulated.dosed[target])
            weight, eligibility = _brought(lane, row, synapse, (posts, doses), pasts, until, ends)
            synapse.weight, synapse.eligibility = weight, eligibility
    row.posts, row.doses = ends
    row.time = max(row.time, until)


@lean
def present(modulated, index, until, into):
    """Weights (synapses of a lane,) as they are at a label, into an array; nothing is changed."""
    lane = modulated.lanes[index]
    posts, doses = _histories(modulated, lane)
    for number in range(lane.n_rows):
        row = modulated.rows[lane.first_state + number]
        ends = _reached(row, posts, doses, until)
        words, first = _place_of_row(modulated, lane, np.int64(number))
        for q in range(words.size):
            target = lane.first_target + np.int64(words[q] & TARGET_BITS)
            synapse, pasts = modulated.synapses[first + q], (modulated.spiked[target], modulated.dosed[target])
            weight = synapse.weight
            if row.repeats:
                weight, _ = _brought(lane, row, synapse, (posts, doses), pasts, until, ends)
            into[first - lane.first_synapse + q] = weight * lane.sign


@lean
def bring_all(modulated, index, until):
    """Bring all synapses of a lane to a label."""
    for number in range(modulated.lanes[index].n_rows):
        _bring(modulated, modulated.lanes[index], np.int64(number), until)


@lean
def _depress(lane, row, synapse, posts, past, arrival):
    """Lower the eligibility of a synapse by an arrival, by the trace of what its target sent before."""
    felt = arrival - row.lag
    place = past.place
    while place >= 0 and posts[place].label >= felt:
        place = np.int64(posts[place].earlier)
    trace, label = past.value, past.label
    if place >= 0:
        trace, label = posts[place].value, posts[place].label
    amount = lane.down + _part_of(lane, lane.down_slope, synapse.eligibility, row.time - arrival)
    fallen = amount * trace * math.exp(-(felt - label) * lane.rate_minus) + lane.cost
    synapse.eligibility -= fallen * math.exp(-(row.time - arrival) * lane.rate_c)


@lean
def deliver_modulated(modulated, index, rows, now, into):
    """Deliver the rows of a lane to which a spike is due at label ``now``; returns the number of synapses.

    Args:
        rows: (k,) numbers of rows within the lane.
        into: (targets of the lane,) float64, added to.
    """
    lane = modulated.lanes[index]
    delivered = np.int64(0)
    for k in range(rows.size):
        number = np.int64(rows[k])
        row = modulated.rows[lane.first_state + number]
        arrival = now - row.lag
        _bring(modulated, lane, number, arrival)
        posts, _ = _histories(modulated, lane)
        words, first = _place_of_row(modulated, lane, number)
        for q in range(words.size):
            target, synapse = np.int64(words[q] & TARGET_BITS), modulated.synapses[first + q]
            _depress(lane, row, synapse, posts, modulated.spiked[lane.first_target + target], arrival)
            into[target] += synapse.weight * lane.sign
        if arrival > row.last:
            row.trace = _trace_of_arrivals(lane, row, arrival)
            row.last, row.repeats = arrival, 0
        row.repeats += 1
        delivered += words.size
    return delivered


# --- sweeps ----------------------------------------------------------------------------------------------------------


@lean
def _sweep(modulated, lane, now):
    """Bring the rows of a lane as far as no spike that is still to arrive would have it otherwise, and forget."""
    rows = modulated.rows[lane.first_state : lane.first_state + lane.n_rows]
    met_posts, met_doses = lane.n_posts, lane.n_doses
    for number in range(rows.size):
        if now - rows[number].lag - 1 > rows[number].time:
            _bring(modulated, lane, np.int64(number), now - rows[number].lag - 1)
        met_posts, met_doses = min(met_posts, rows[number].posts), min(met_doses, rows[number].doses)
    for number in range(rows.size):
        rows[number].posts -= met_posts
        rows[number].doses -= met_doses
    own = slice(lane.first_target, lane.first_target + lane.n_targets)
    lane.n_posts = forget(modulated.posts, lane.first_event, lane.n_posts, modulated.spiked[own], met_posts)
    lane.n_doses = forget(modulated.doses, lane.first_event, lane.n_doses, modulated.dosed[own], met_doses)


@inlined
def turn_modulated(modulated, now):
    """Sweep where the label for it has come; called in each step, before what is due is delivered."""
    if now % SWEEP == 0:
        for index in range(modulated.lanes.size):
            _sweep(modulated, modulated.lanes[index], now)
