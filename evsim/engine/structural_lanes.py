"""The lanes of synapses that come and go: from a network to ``structural_memory``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.lane_tables import first_of
from evsim.engine.memory import Layout
from evsim.engine.plastic_lanes import pair_rule_of
from evsim.engine.rows import STRUCTURAL, Rows, lanes_of
from evsim.engine.structural_memory import (
    AGO,
    EVENT,
    HEAD,
    HEARD,
    LANE,
    NEVER,
    NOTHING,
    SITE,
    SLOT,
    SPIKE,
    Structural,
)
from evsim.network import Network, Projection
from evsim.pair_rule import PairRule
from evsim.random_bits import derived
from evsim.structure import LAST, Structure

_KEYS = np.uint64(0x57A7C)  # what the keys of these random numbers begin at, and no others
_FIRST_EVENTS = 1 << 10


def structural_projections(network: Network) -> list[int]:
    """The indices of the projections whose synapses come and go."""
    return [index for index, projection in enumerate(network.projections) if projection.structure]


def structure_of(projection: Projection) -> Structure:
    """How the synapses of such a projection come and go."""
    assert projection.structure is not None, "other projections have lanes of other kinds"
    return projection.structure


def with_structural(rows: Rows, chip_network: ChipNetwork, layout: Layout) -> Rows:
    """The rows with the lanes of synapses that come and go: in each a row for each source, a time step away.

    A lane lies where the target has neurons. Its rows have no length.
    """
    network = chip_network.network
    found = [
        (index, int(owner))
        for index in structural_projections(network)
        for owner in np.unique(layout.local_places(network.projections[index].post)[0])
    ]
    if not found:
        return rows
    indices, owners = np.array(found, np.int64).T
    pre = [network.projections[index].pre for index in indices]
    sizes = np.array([network.populations[index].size for index in pre], np.int64)
    first = np.zeros((len(found), rows.first.shape[1]), np.int64)
    begins = len(rows.begin) + first_of(sizes + 1)
    for lane, (population, size) in enumerate(zip(pre, sizes, strict=True)):
        since = np.arange(first.shape[1]) - layout.first_neuron[population]
        first[lane] = begins[lane] + np.clip(since, 0, size)
    row = np.array([chip_network.projections[index].row for index in indices], np.int64)
    n_rows = int((sizes + 1).sum())
    nothing = np.zeros(len(found), np.int64)
    delays = [_longest_delay(network.projections[index]) for index in indices]
    own = [index in layout.neurons for index in pre]
    return rows._replace(
        slice=np.concatenate([rows.slice, owners]),
        kind=np.concatenate([rows.kind, nothing + STRUCTURAL]),
        weight=np.concatenate([rows.weight, nothing.astype(rows.weight.dtype)]),
        shift=np.concatenate([rows.shift, nothing]),
        input=np.concatenate([rows.input, layout.slices.input[owners] + row * layout.slices.size[owners]]),
        width=np.concatenate([rows.width, layout.slices.size[owners]]),
        base=np.concatenate([rows.base, nothing]),
        gathers=np.concatenate([rows.gathers, nothing]),
        projection=np.concatenate([rows.projection, indices]),
        first=np.concatenate([rows.first, first]),
        begin=np.concatenate([rows.begin, np.zeros(n_rows, rows.begin.dtype)]),
        delay=np.concatenate([rows.delay, np.ones(n_rows, rows.delay.dtype)]),
        most_delay=max(rows.most_delay, *delays, 1),
        least_delay=1 if any(own) else rows.least_delay,
    )


def _longest_delay(projection: Projection) -> int:
    """Of the synapses that there are at the start, and those that may be made; time steps."""
    first = int(projection.synapses.delays.most) if len(projection) else 1
    return max(first, structure_of(projection).longest_delay)


# --- laying out ------------------------------------------------------------------------------------------------------


class _Site(NamedTuple):
    """A population in a slice, and the lanes of the network that lead there."""

    post: int
    slice: int
    lanes: list[int]


def structural_lanes(
    chip_network: ChipNetwork, layout: Layout, rows: Rows, mine: NDArray[np.bool_]
) -> Structural | None:
    """The synapses that come and go of one thread, as they are at t = 0; None in a network without them.

    Args:
        mine: (slices,) whether a slice is the thread's.
    """
    if (found := lanes_of(rows, STRUCTURAL, mine)) is None:
        return None
    network = chip_network.network
    places = _sites(network, rows, found[0])
    order = [lane for site in places for lane in site.lanes]
    number = np.full(len(rows.kind), -1)
    number[order] = np.arange(len(order))
    cells = [np.flatnonzero(layout.local_places(site.post)[0] == site.slice) for site in places]
    local = [layout.local_places(site.post)[1][own] for site, own in zip(places, cells, strict=True)]
    sites = _site_table(network, layout, places, cells)
    lanes = _lane_table(network, rows, places, order)
    structural = Structural(
        sites=sites,
        lanes=lanes,
        slots=_free_slots(int((sites["n_targets"] * sites["places"]).sum())),
        heads=_heads(int(lanes["n_sources"].sum())),
        target_of=_numbers(sites["n_cells"], cells),
        target_at=_numbers([int(layout.slices.size[site.slice]) for site in places], local),
        local=_flat(local, np.int32),
        cell=_flat(cells, np.int32),
        spikes=np.zeros(int((sites["n_targets"] * sites["history"]).sum()), SPIKE),
        spiked=np.zeros(int(sites["n_targets"].sum()), np.int64),
        settled=np.zeros(int(sites["n_targets"].sum()), np.int64),
        heard=np.zeros(int(2 * sites["room"].sum()), HEARD),
        events=np.zeros(_FIRST_EVENTS, EVENT),
        count=np.zeros(1, np.int64),
        most=np.array([int(np.ceil(sites["rate"] + 1).sum())], np.int64),
        number=number,
    )
    for index, projection in enumerate(network.projections):
        if projection.structure:
            _fill_in(structural, network, index)
    return structural


def _sites(network: Network, rows: Rows, lanes: NDArray[np.int64]) -> list[_Site]:
    """The sites of some lanes, and the lanes of each by the order of the projections."""
    found: dict[tuple[int, int], list[int]] = {}
    for lane in lanes[np.argsort(rows.projection[lanes], kind="stable")].tolist():
        post = network.projections[int(rows.projection[lane])].post
        found.setdefault((post, int(rows.slice[lane])), []).append(lane)
    return [_Site(post, owner, own) for (post, owner), own in sorted(found.items())]


def _numbers(sizes: Sequence[int] | np.ndarray, members: list[np.ndarray]) -> NDArray[np.int32]:
    """For each site a table of that size: the number of each of its members, and NOTHING of others."""
    tables = [np.full(size, NOTHING, np.int32) for size in sizes]
    for table, own in zip(tables, members, strict=True):
        table[own] = np.arange(len(own))
    return _flat(tables, np.int32)


def _flat(parts: list[np.ndarray], number: type) -> np.ndarray:
    return np.concatenate([*parts, np.zeros(0, number)]).astype(number)


def _free_slots(count: int) -> np.ndarray:
    slots = np.zeros(count, SLOT)
    slots["source"] = NOTHING
    return slots


def _heads(count: int) -> np.ndarray:
    heads = np.zeros(count, HEAD)
    heads["first"] = heads["last"] = NOTHING
    return heads


def _site_table(network: Network, layout: Layout, places: list[_Site], cells: list[np.ndarray]) -> np.ndarray:
    sites = np.zeros(len(places), SITE)
    for site, place in zip(sites, places, strict=True):
        projections = [p for p in network.projections if p.structure and p.post == place.post]
        structures = [structure_of(projection) for projection in projections]
        site["slice"], site["population"] = place.slice, layout.neurons.index(place.post)
        site["n_cells"] = network.populations[place.post].size
        site["places"] = structures[0].s_max
        site["rate"] = structures[0].f_rew * network.timestep / 1000
        site["key"] = _key(network, place.post, structures)
        site["n_lanes"] = len(place.lanes)
        site["listens"] = structures[0].selection == LAST
        site["room"] = structures[0].buffer if site["listens"] else 0
        site["heard_at"] = NEVER
        site["longest"] = max(_longest_delay(projection) for projection in projections)
        plastic = [projection for projection in projections if projection.plasticity]
        if plastic:
            site["learns"], site["history"] = 1, 2 * (int(site["longest"]) + AGO)
            site["rate_minus"] = network.timestep / pair_rule_of(plastic[0]).tau_minus
    sites["n_targets"] = [len(own) for own in cells]
    sites["first_cell"] = first_of(sites["n_cells"])
    sites["first_local"] = first_of([int(layout.slices.size[place.slice]) for place in places])
    sites["first_target"] = first_of(sites["n_targets"])
    sites["first_slot"] = first_of(sites["n_targets"] * sites["places"])
    sites["first_lane"] = first_of(sites["n_lanes"])
    sites["first_heard"] = first_of(2 * sites["room"])
    sites["first_spike"] = first_of(sites["n_targets"] * sites["history"])
    return sites


def _key(network: Network, post: int, structures: list[Structure]) -> np.uint64:
    """Of what is drawn for a population."""
    seeds = [structure.seed for structure in structures if structure.seed is not None]
    return derived(derived(_KEYS, seeds[0] if seeds else network.seed), post)


def _lane_table(network: Network, rows: Rows, places: list[_Site], order: list[int]) -> np.ndarray:
    lanes = np.zeros(len(order), LANE)
    lanes["site"] = np.repeat(np.arange(len(places)), [len(place.lanes) for place in places])
    lanes["projection"], lanes["input"] = rows.projection[order], rows.input[order]
    for lane in lanes:
        projection = network.projections[lane["projection"]]
        structure = structure_of(projection)
        lane["n_sources"] = network.populations[projection.pre].size
        lane["grid_x"], lane["grid_y"] = structure.grid
        kind = "lateral" if projection.pre == projection.post else "forward"
        lane["p_form"] = getattr(structure, f"p_form_{kind}")
        lane["sigma"] = getattr(structure, f"sigma_form_{kind}")
        lane["threshold"] = abs(structure.threshold)
        lane["p_depressed"] = structure.prob_elim_depressed
        lane["p_potentiated"] = structure.prob_elim_potentiated
        lane["sign"], lane["weight"] = sign_of(projection), abs(structure.initial_weight)
        lane["delay_from"], lane["delay_to"] = structure.initial_delay
        lane["repeats"] = structure.with_replacement
        if projection.plasticity:
            _set_rule(lane, pair_rule_of(projection), network.timestep)
    lanes["first_head"] = first_of(lanes["n_sources"])
    return lanes


def sign_of(projection: Projection) -> float:
    """The sign of the weights of such a projection, which all have."""
    least = projection.synapses.weights.least if len(projection) else 0.0
    return -1.0 if min(least, structure_of(projection).initial_weight) < 0 else 1.0


def _set_rule(lane: np.void, rule: PairRule, timestep: float) -> None:
    lane["plastic"] = 1
    lane["low"], lane["high"] = abs(rule.w_min), abs(rule.w_max)
    span = lane["high"] - lane["low"]
    lane["mu_plus"], lane["mu_minus"] = rule.mu_plus, rule.mu_minus
    lane["up"] = rule.a_plus * (span if rule.mu_plus else lane["high"])
    lane["down"] = rule.a_minus * (span if rule.mu_minus else lane["high"])
    lane["rate_plus"] = timestep / rule.tau_plus


def _fill_in(structural: Structural, network: Network, index: int) -> None:
    """Put the synapses that a projection has at the start into free places of their targets."""
    projection, slots = network.projections[index], structural.slots
    for number in np.flatnonzero(structural.lanes["projection"] == index):
        lane = structural.lanes[number]
        site = structural.sites[lane["site"]]
        mine = slice(site["first_slot"], site["first_slot"] + site["n_targets"] * site["places"])
        taken = (slots["source"][mine] != NOTHING).reshape(-1, site["places"]).sum(axis=1)
        here = structural.target_of[site["first_cell"] :][projection.target]
        chosen = np.flatnonzero(here != NOTHING)
        target = here[chosen]
        place = site["first_slot"] + target * site["places"] + taken[target] + _ranks(target)
        slots["source"][place], slots["target"][place] = projection.source[chosen], target
        slots["lane"][place], slots["delay"][place] = number, projection.delay[chosen]
        slots["weight"][place] = slots["ahead"][place] = np.abs(projection.weight[chosen])
        slots["seen"][place] = NEVER
        _link_all(slots, structural.heads[lane["first_head"] :], place)


def _ranks(target: np.ndarray) -> NDArray[np.int64]:
    """(n,) how many entries before each are the same."""
    order = np.argsort(target, kind="stable")
    ascending = target[order]
    ranks = np.empty(len(target), np.int64)
    ranks[order] = np.arange(len(target)) - np.searchsorted(ascending, ascending)
    return ranks


def _link_all(slots: np.ndarray, heads: np.ndarray, place: np.ndarray) -> None:
    """Make the lists of the sources of a lane, in the order in which its synapses lie at these places."""
    place = place[np.argsort(slots["source"][place], kind="stable")]
    source = slots["source"][place]
    same = source[1:] == source[:-1]
    slots["previous"][place], slots["next"][place] = NOTHING, NOTHING
    slots["previous"][place[1:][same]] = place[:-1][same]
    slots["next"][place[:-1][same]] = place[1:][same]
    begins, ends = np.concatenate([[True], ~same]), np.concatenate([~same, [True]])
    if len(place):
        heads["first"][source[begins]] = place[begins]
        heads["last"][source[ends]] = place[ends]
