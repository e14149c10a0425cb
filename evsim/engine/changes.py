"""A change of a network that runs: which one is possible, and what becomes of state and charges."""

from __future__ import annotations

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.memory import Layout
from evsim.errors import BackendError
from evsim.network import set_anew


def refuse_growth(old: ChipNetwork, new: ChipNetwork) -> None:
    """Raise BackendError where populations or projections came or went."""

    def shape(net: ChipNetwork) -> tuple[list, list]:
        return [(p.size, p.model) for p in net.network.populations], [(p.pre, p.post) for p in net.network.projections]

    if shape(old) != shape(new):
        raise BackendError(
            "populations or projections were added or removed while the network runs; "
            "create them before run(), or call reset() first"
        )


def same_synapses(old: ChipNetwork, new: ChipNetwork) -> bool:
    """Whether both have the same synapses with the same numbers on the chip.

    What a synapse releases also depends on how its target responds.
    """
    cells = zip(old.network.populations, new.network.populations, strict=True)
    changed = {index for index, (before, now) in enumerate(cells) if before is not now}
    if any(projection.release and projection.post in changed for projection in new.network.projections):
        return False
    return all(
        a is b and (c.row, c.synapses, c.hold, c.exponent) == (d.row, d.synapses, d.hold, d.exponent)
        for a, b, c, d in zip(
            old.network.projections, new.network.projections, old.projections, new.projections, strict=True
        )
    )


def rescale_charges(old: ChipNetwork, new: ChipNetwork, layout: Layout, charges: np.ndarray) -> None:
    """Follow a changed scale of weights: what is under way becomes the nearest number of the new one.

    Args:
        charges: (slots, inputs), changed in place.
    """
    if not charges.any():
        return
    rules = new.chip.rules
    for at, index in enumerate(layout.neurons):
        before, now = old.neurons(index), new.neurons(index)
        if before.scale is None:
            continue
        for row in range(now.model.rules[rules.name].n_inputs):
            places, gain = layout.input_places(at, row), now.scale.rescaling(before.scale, row)
            charges[:, places] = _nearest(charges[:, places] * gain, rules.number)


def carry_state(old: ChipNetwork, new: ChipNetwork, layout: Layout, left: np.ndarray, state: np.ndarray) -> None:
    """Keep the state, except where an initial value was set anew; follow a changed scale.

    Args:
        left: the old network's ``Memory.state``, in its layout; the new one has the same blocks.
        state: the new network's, changed in place.
    """
    for at, index in enumerate(layout.neurons):
        before, now = old.neurons(index), new.neurons(index)
        was_state = layout.gather(at, left, *before.cells.state.shape)
        kept = was_state.copy()
        for name, readout in now.cells.readouts.items():
            was = before.cells.readouts[name]
            if not (np.array_equal(was.scale, readout.scale) and np.array_equal(was.offset, readout.offset)):
                physical = was_state[was.row] * was.scale + was.offset
                kept[readout.row] = _nearest((physical - readout.offset) / readout.scale, new.chip.rules.number)
            anew = set_anew(old.network.populations[index], new.network.populations[index], name)
            for row in (readout.row, *readout.beside):
                kept[row][anew] = now.cells.state[row][anew]
        derive = now.model.rules[new.chip.rules.name].derive
        if derive is not None:
            kept = derive(kept, now.cells.parameters)
        layout.scatter(at, state, kept)


def _nearest(values: np.ndarray, number: type) -> np.ndarray:
    """The nearest numbers that a rule set's number type holds; the rules tally those beyond a register's end."""
    if number is np.float64:
        return values
    return np.clip(np.rint(values), np.iinfo(number).min, np.iinfo(number).max)
