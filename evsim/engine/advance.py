"""The loop that advances a network: take in what is due, sample, step every block of neurons, publish what spiked."""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.blocks import RECEIVE, STEP_ALONE, WHOLE, draw_noise, place_of_inputs, run_block
from evsim.engine.deferred import deliver_deferred, note_spikes
from evsim.engine.deliver import deliver_lane
from evsim.engine.electrical import drive_coupled, publish_coupled
from evsim.engine.enqueue import queue_spikes
from evsim.engine.exchange import complete, wait_for
from evsim.engine.held import hold
from evsim.engine.intrinsics import ticks
from evsim.engine.memory import BLOCK, UNREST
from evsim.engine.modulated import deliver_modulated, turn_modulated
from evsim.engine.modulated_history import deliver_doses, has_room_for_doses, note_modulated
from evsim.engine.off_grid import deliver_listed
from evsim.engine.places import (
    CHANGE,
    DELIVER,
    DONE,
    FEED,
    FULL_HISTORY,
    PLASTICITY,
    PUSH,
    RECEIVED,
    SAMPLE,
    STEP,
    STOPPED,
    UPDATE,
    WAIT,
)
from evsim.engine.plastic_history import has_room_for_all, note_posts
from evsim.engine.plasticity import deliver_plastic, turn
from evsim.engine.queue import take
from evsim.engine.records import sample, samples_at
from evsim.engine.release import deliver_released
from evsim.engine.rows import DOSING, MODULATED, NUMBERED, PLASTIC, RELEASING
from evsim.engine.traced import deliver_traced, note_traced, turn_traced


@inlined
def deliver_due(label, rows, calendar, share, scratch, flat, work):
    """Add everything to the inputs that is due at a label over synapses that are always the same."""
    slot = label % calendar.count.shape[1]
    for at in range(share.lanes.size):
        lane = share.lanes[at]
        while calendar.count[lane, slot] and rows.kind[lane] < NUMBERED:
            count = take(calendar, lane, slot, scratch.entries)
            work[DELIVER] += deliver_lane(rows, lane, scratch.entries[:count], (scratch.targets, scratch.words), flat)


@inlined
def deliver_changing(label, rows, kind, lanes, deliver, calendar, share, scratch, flat, work):
    """Add what is due at a label over synapses that change, after bringing these up to date.

    Args:
        kind: of the lanes, from NUMBERED on.
        lanes: the thread's lanes of that kind, in any numbers.
        deliver: what delivers over such a lane.
    """
    slot = label % calendar.count.shape[1]
    for at in range(share.lanes.size):
        lane = share.lanes[at]
        while calendar.count[lane, slot] and rows.kind[lane] == kind:
            entries = scratch.entries[: take(calendar, lane, slot, scratch.entries)]
            into = flat[rows.input[lane] : rows.input[lane] + rows.width[lane]]
            work[PLASTICITY] += deliver(lanes, lanes.number[lane], entries, label, into)


@inlined
def deliver_charges(label, share, blocks, layout, flat, charges):
    """Add the charges that are due at a label to the inputs of a thread's neurons, and clear them."""
    row = charges[label % charges.shape[0]]
    for at in range(share.blocks.size):
        b = share.blocks[at]
        first, rows, width = place_of_inputs(b, blocks, layout)
        for k in range(rows):
            begin = first + k * width
            due, into = row[begin : begin + blocks.size[b]], flat[begin : begin + blocks.size[b]]
            for i in range(due.size):
                into[i] += due[i]
                due[i] = 0


@inlined
def change_drive(step, progress, share, memory):
    """Make the changes of drive up to a step."""
    cursor = progress[CHANGE]
    while cursor < share.drive_step.size and share.drive_step[cursor] <= step:
        memory.drive[share.drive_place[cursor]] = share.drive_value[cursor]
        memory.rest[share.drive_block[cursor]] = UNREST
        cursor += 1
    progress[CHANGE] = cursor


@inlined
def spend(profile, spent, place, since):
    """Add the time since ``since`` to a place; returns the time now."""
    if not profile:
        return since
    now = ticks()
    spent[place] += now - since
    return now


@inlined
def copy_payloads(state, begin, spiked, payload, b):
    """Publish what the spikes of a block carry, which lies in its state from ``begin`` on."""
    for j in range(spiked.size):
        payload[b * BLOCK + j] = state[begin + spiked[j]]


@inlined
def visit_blocks(k, receiving, stepping, due, fixed):
    """Let every block of a share take in what is due, or step it and publish its spikes, or one after the other.

    Where a rule set has no phase of receiving, a step takes in what is due by itself.

    Args:
        fixed: those of the arguments of ``advance`` that are the same in every step.
    """
    timing, share, functions, net, scratch, exchange, notes = fixed
    profile, spent, work = notes
    steps, receives = functions
    blocks, layout, memory, feeds = net
    draws, buffers = (scratch.hashes, scratch.counts), (scratch.flags, scratch.before)
    phase = STEP_ALONE if timing.two_phase else WHOLE
    place = k % exchange.found.shape[0]
    t = ticks() if profile else np.int64(0)
    for at in range(share.blocks.size):
        b = share.blocks[at]
        spiked = exchange.spiked[place, b * BLOCK : b * BLOCK + blocks.size[b]]
        noisy = receiving and draw_noise(b, due, blocks, layout, memory, feeds, draws, work)
        t = spend(profile, spent, FEED, t)
        model = blocks.model[b]
        # One call for either, because it is compiled where it stands.
        for steps_now in range(0 if receiving and timing.two_phase else 1, 2 if stepping else 1):
            if not steps_now and memory.held_state.size and not stepping:
                hold(b, blocks, layout, memory)
            function, part = (steps[model], phase) if steps_now else (receives[model], RECEIVE)
            found = run_block(function, b, k, noisy, part, blocks, layout, memory, buffers, spiked)
            if steps_now:
                work[UPDATE + model] += blocks.size[b] if found >= 0 else 0
                found = max(found, 0)
                exchange.found[place, b] = found
                if blocks.payload[b] >= 0:
                    copy_payloads(memory.state, blocks.payload[b], spiked[:found], exchange.payload[place], b)
            t = spend(profile, spent, UPDATE + model if steps_now else FEED, t)


@inlined
def note_own(lanes, note, label, share, blocks, exchange, place):
    """Let a thread's plastic lanes know of the spikes of its own neurons in a step.

    Args:
        note: what tells such lanes of a block's spikes.
        place: of the step in the ring of spikes.
    """
    for at in range(share.blocks.size):
        b = share.blocks[at]
        spiked = exchange.spiked[place, b * BLOCK : b * BLOCK + exchange.found[place, b]]
        note(lanes, blocks.slice[b], blocks.population[b], blocks.local[b], spiked, label)


@lean
def advance(
    last,
    progress,
    timing,
    share,
    functions,
    net,
    queue,
    plastic,
    deferred,
    traced,
    releasing,
    modulated,
    coupled,
    listed,
    scratch,
    exchange,
    events,
    samples,
    log,
    notes,
):
    """Run the steps up to ``last - 1`` for one thread's share of the network.

    Args:
        progress: how far the thread is; see ``places``. It goes on from there, also after it returned early.
        functions: (steps, receives), native functions by model.
        net: blocks, (where each slice's inputs begin, the length of their rows), memory and feeds.
        queue: rows, the thread's calendar, and a (slots, inputs) ring of charges, (slots, 0) where there are none.
        plastic: the thread's plastic lanes in floating point; None where there are none.
        deferred, traced: those in SpiNNaker's numbers, and in Loihi's; None where there are none.
        releasing: those of synapses that release a part of their weight; None where there are none.
        modulated: those that learn by dopamine, and those that give it; None where there are none.
        coupled: the gap junctions of its cells; None where there are none.
        listed: what arrives between time steps, up to label ``last``; None where nothing does.
        events: (labels, global numbers) of sources' spikes up to label ``last``, sorted by label.
        notes: whether to take times, the times (ticks), and the counts of events, which are taken in any case.

    Returns:
        why it returned; see ``places``.
    """
    profile, spent, work = notes
    blocks, layout, memory, _ = net
    rows, calendar, charges = queue
    inputs = memory.inputs
    fixed = timing, share, functions, net, scratch, exchange, notes
    while True:
        k = progress[STEP]
        t = ticks() if profile else np.int64(0)
        ready = k - timing.slack + 1  # steps that all threads have made, then
        if not wait_for(exchange, share.thread, share.threads, ready):
            return STOPPED
        t = spend(profile, spent, WAIT, t)
        full = queue_spikes(ready, k, timing, progress, blocks, queue, share, scratch, exchange, events, log, work)
        if full != DONE:
            return full
        if plastic is not None and not has_room_for_all(plastic):
            return FULL_HISTORY
        if modulated is not None and not has_room_for_doses(modulated):
            return FULL_HISTORY
        t = spend(profile, spent, PUSH, t)
        due = k + timing.input_label
        sampling = timing.sampled <= k and samples_at(k, samples)
        receiving = progress[RECEIVED] <= k and (k < last or timing.two_phase)
        if receiving:
            deliver_due(due, rows, calendar, share, scratch, inputs, work)
            t = spend(profile, spent, DELIVER, t)
            if plastic is not None:
                turn(plastic, due)
                deliver_changing(due, rows, PLASTIC, plastic, deliver_plastic, calendar, share, scratch, inputs, work)
            if deferred is not None:
                deliver_changing(due, rows, PLASTIC, deferred, deliver_deferred, calendar, share, scratch, inputs, work)
            if traced is not None:
                turn_traced(traced, due)
                deliver_changing(due, rows, PLASTIC, traced, deliver_traced, calendar, share, scratch, inputs, work)
            if releasing is not None:
                deliver_changing(
                    due, rows, RELEASING, releasing, deliver_released, calendar, share, scratch, inputs, work
                )
            if modulated is not None:
                turn_modulated(modulated, due)
                deliver_changing(due, rows, DOSING, modulated, deliver_doses, calendar, share, scratch, inputs, work)
                deliver_changing(
                    due, rows, MODULATED, modulated, deliver_modulated, calendar, share, scratch, inputs, work
                )
            t = spend(profile, spent, PLASTICITY, t)
            if listed is not None:
                work[DELIVER] += deliver_listed(listed, due, inputs)
            if charges.shape[1]:
                deliver_charges(due, share, blocks, layout, inputs, charges)
            t = spend(profile, spent, DELIVER, t)
            progress[RECEIVED] = k + 1
        # Receiving and stepping one block after the other keeps it in the cache, unless the state between is wanted. It
        # is one call for either, because it is compiled where it stands.
        apart = timing.two_phase and receiving and (sampling or k >= last)
        for stepping in range(0 if apart else 1, 2):
            if stepping:
                if sampling:
                    sample(k, timing.sampled, memory.state, samples)
                    work[SAMPLE] += samples.place.size
                    t = spend(profile, spent, SAMPLE, t)
                if k >= last:
                    return DONE
                change_drive(k, progress, share, memory)
                if coupled is not None:
                    work[DELIVER] += drive_coupled(coupled, k, memory)
                    t = spend(profile, spent, DELIVER, t)
            visit_blocks(k, receiving and not (apart and stepping), stepping != 0, due, fixed)
            t = ticks() if profile else t
        if coupled is not None:
            publish_coupled(coupled, k, memory, blocks, exchange)
            t = spend(profile, spent, DELIVER, t)
        label, place = k + timing.spike_label, k % exchange.found.shape[0]
        if plastic is not None:
            note_own(plastic, note_posts, label, share, blocks, exchange, place)
        if deferred is not None:
            note_own(deferred, note_spikes, label, share, blocks, exchange, place)
        if traced is not None:
            note_own(traced, note_traced, label, share, blocks, exchange, place)
        if modulated is not None:
            note_own(modulated, note_modulated, label, share, blocks, exchange, place)
        spend(profile, spent, PLASTICITY, t)
        progress[STEP] = k + 1
        complete(exchange, share.thread, k + 1)
