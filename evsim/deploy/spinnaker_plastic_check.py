"""What sPyNNaker's plastic synapses cannot be, and what its firmware gets wrong about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evsim.arithmetic.s1615 import LARGEST, ONE, is_beyond
from evsim.deploy.spinnaker_cores import Cores, cores_of
from evsim.deploy.spinnaker_dtcm import bytes_of, heap_of, tables_of
from evsim.deploy.spinnaker_plastic import amplitude_unit
from evsim.deploy.spinnaker_scale import CONDUCTANCE_GAIN
from evsim.deploy.spinnaker_split import LEAST_COMBINED_TIMESTEP, RULES, STATIC_ALONE, are_overtaken, entries_of_spikes
from evsim.errors import Problem
from evsim.model import NeuronModel
from evsim.network import Network, Plasticity, Population, Projection
from evsim.registry import cell_model

LEAST_LOST = 0.01  # the part of a source's spikes from which on it is said that they change no weights


def plastic_problems(network: Network) -> Iterator[Problem]:
    """Every plastic projection that sPyNNaker cannot have."""
    first: dict[int, Projection] = {}
    for projection in network.projections:
        if projection.plasticity is None or not len(projection):
            continue
        same = first.setdefault(projection.post, projection)
        lacking = list(_rule_problems(network, projection))
        yield from lacking or [*_range_problems(network, projection), *_memory_problems(network, projection)]
        if _held(projection) != _held(same):
            yield Problem(
                f"projection {projection.label!r}",
                f"plastic synapses with other rules or parameters than those of projection {same.label!r}",
                "on SpiNNaker all plastic synapses onto a population have the same rules and parameters",
                "Give both the same, or project onto different populations.",
            )


def _held(projection: Projection) -> Plasticity | None:
    """The rule as the chip has it: bounds are magnitudes there, and the receptor decides the sign."""
    rule = projection.plasticity
    if rule is None:
        return None
    bounds = {name: abs(rule.parameters[name]) for name in ("w_min", "w_max")}
    return replace(rule, parameters={**rule.parameters, **bounds})


def _rule_problems(network: Network, projection: Projection) -> Iterator[Problem]:
    where, plasticity = f"projection {projection.label!r}", projection.plasticity
    assert plasticity is not None
    if plasticity.dendritic_delay_fraction != 1.0:
        what = f"dendritic_delay_fraction is {plasticity.dendritic_delay_fraction:g}"
        yield Problem(where, what, "on SpiNNaker all of the delay is dendritic", "Set it to 1.")
    cell = network.populations[projection.post].model
    if cell in STATIC_ALONE:
        limit = f"sPyNNaker 7.4.1 has no firmware of {cell} for plastic synapses"
        yield Problem(where, "plastic synapses", limit, "Project onto another cell.")
    if plasticity.timing == "RecurrentRule":
        limit = (
            "the firmware of sPyNNaker 7.4.1 draws its windows from one stream for all synapses of a core, in the "
            "order in which it comes to deal with spikes, which evsim does not follow"
        )
        remedy = "Run it on reference:ideal; `evsim spinnaker SCRIPT` executes the firmware itself."
        yield Problem(where, f"the rule {plasticity.timing}", limit, remedy)
    elif (plasticity.timing, plasticity.weight) not in RULES:
        listed = ", ".join(" with ".join(pair) for pair in RULES)
        what = f"{plasticity.timing} with {plasticity.weight}"
        yield Problem(where, what, f"sPyNNaker 7.4.1 has firmware for these rules: {listed}", "Use one of these.")


def _range_problems(network: Network, projection: Projection) -> Iterator[Problem]:
    model, plasticity = cell_model(network.populations[projection.post].model), projection.plasticity
    assert isinstance(model, NeuronModel) and plasticity is not None
    gain = CONDUCTANCE_GAIN if model.has_conductances else 1.0
    units = {"w_min": gain, "w_max": gain, "alpha": 1.0}
    for name, value in plasticity.parameters.items():
        scale = units.get(name, amplitude_unit(plasticity, gain))
        if not name.startswith("tau") and is_beyond(value * scale):
            yield Problem(
                f"projection {projection.label!r}",
                f"{name} is {value:g}",
                f"s16.15 holds numbers below {(LARGEST + 1) / ONE / scale:g}",
                f"Give a smaller {name}.",
            )


def _memory_problems(network: Network, projection: Projection) -> Iterator[Problem]:
    """Tables of decay that leave no room for one neuron beside them."""
    plasticity, cores = projection.plasticity, cores_of(network, projection.post)
    assert plasticity is not None
    taken, heap = bytes_of(network, projection.post, cores.neurons, cores.ring), heap_of(network, projection.post)
    if taken > heap:
        timestep = network.timestep
        tables = tables_of(plasticity, timestep)
        taus = " and ".join(f"{name} of {value:g} ms" for name, value in plasticity.parameters.items() if "tau" in name)
        part = max(0.0, 1 - (taken - heap) / tables)
        yield Problem(
            f"projection {projection.label!r}",
            f"{taus} need {tables} bytes of tables at a time step of {timestep:g} ms, and a core {taken} in all",
            f"a core of SpiNNaker has {heap} bytes for tables, histories of spikes and ring buffers; sPyNNaker 7.4.1 "
            "does not count them, and its firmware stops as it starts",
            f"Give time constants of at most {100 * part:.0f} % of these, or a time step that is longer by as much.",
        )


def defects(network: Network) -> Iterator[Problem]:
    """What the firmware of sPyNNaker 7.4.1 does otherwise than it should with plastic synapses (docs/firmware.md)."""
    for index in range(len(network.populations)):
        onto = [p for p in network.projections if p.post == index and p.plasticity and len(p)]
        if not onto:
            continue
        cores = cores_of(network, index)
        for projection in onto:
            yield from _ring_defects(network, projection, cores)
            yield from _vogels_defects(projection)
            yield from _repeat_defects(network, projection, cores)
        yield from _history_defects(network, index, cores)


def _ring_defects(network: Network, projection: Projection, cores: Cores) -> Iterator[Problem]:
    """Delays of exactly the ring buffer's size, over which nothing is delivered.

    The firmware keeps the lower bits of a delay, so a whole ring becomes 0; static synapses take that for a whole ring,
    plastic ones drop what they would deliver.
    """
    ring = cores.ring
    count = int(np.count_nonzero(projection.delay % ring == 0))
    if count:
        timestep = network.timestep
        yield Problem(
            f"projection {projection.label!r}",
            f"{count} of {len(projection)} plastic synapses deliver nothing, since their delay is {ring} time steps "
            f"({ring * timestep:g} ms) or a multiple",
            f"the firmware of sPyNNaker 7.4.1 drops what is delayed by the size of the ring buffer, which is {ring} "
            "slots here, by the longest delay onto the population",
            _remedy(network, projection, cores),
        )


def _vogels_defects(projection: Projection) -> Iterator[Problem]:
    plasticity = projection.plasticity
    assert plasticity is not None
    alpha = plasticity.parameters.get("alpha", 0.0)
    if plasticity.timing == "Vogels2011Rule" and alpha * plasticity.parameters["A_plus"] > 0:
        yield Problem(
            f"projection {projection.label!r}",
            f"weights that alpha ({alpha:g}) lowers are not kept above w_min, and become the largest below 0",
            "the firmware of sPyNNaker 7.4.1 adds a negative change by Vogels2011Rule as if it were positive, of which "
            "it compares the sum with w_max alone",
            "Keep weights so large, or A_plus and alpha so small, that none falls below w_min.",
        )


def _repeat_defects(network: Network, projection: Projection, cores: Cores) -> Iterator[Problem]:
    """Spikes of a source in one time step of which every other one changes no weight."""
    source = network.populations[projection.pre]
    lost = _repeated(source, network.timestep)
    if lost >= LEAST_LOST and any(are_overtaken(network, projection, cores.ring)):
        yield Problem(
            f"projection {projection.label!r}",
            f"about {lost:.2g} of the spikes of {source.label!r} change no weights",
            "where synapses have a core of their own, the firmware of sPyNNaker 7.4.1 lets every other one of a cell's "
            "spikes in a time step find the synapses as the one before did",
            "Let no cell of the source spike more than once in a time step.",
        )


def _repeated(source: Population, timestep: float) -> float:
    """The part of a source's spikes that are the second, fourth, ... of a cell in their time step."""
    if source.trains is not None:
        steps = np.rint(source.trains.times / timestep)
        often = np.unique(np.column_stack([source.trains.cells(), steps]), axis=0, return_counts=True)[1]
        return float(np.sum(often // 2)) / max(len(steps), 1)
    # of m spikes of a Poisson process m // 2: (m - [m is odd]) / 2
    mean = np.asarray(source.parameters.get("rate", 0.0)) * timestep / 1000
    return float(np.sum(mean / 2 - (1 - np.exp(-2 * mean)) / 4) / max(np.sum(mean), np.finfo(float).tiny))


def _history_defects(network: Network, index: int, cores: Cores) -> Iterator[Problem]:
    """Neurons whose own spikes are entered into their history more often than once, or never."""
    entries = entries_of_spikes(network, index, cores.ring, cores.neurons)
    wrong = int(np.count_nonzero(entries != 1))
    if wrong:
        population = network.populations[index]
        yield Problem(
            f"population {population.label!r}",
            f"STDP counts the spikes of {wrong} of {population.size} neurons "
            + " or ".join("never" if times == 0 else f"{times} times" for times in np.unique(entries[entries != 1])),
            "with neurons and synapses on cores of their own, the firmware of sPyNNaker 7.4.1 counts a neuron's spike "
            "once for each projection of the population onto itself, and never where the neuron has no synapse there, "
            "or the neurons of its core none onto each other",
            _history_remedy(network, index),
        )


def _history_remedy(network: Network, index: int) -> str:
    """A single plastic projection has a row for every neuron, on cores that hear of their own spikes."""
    loop = "a single plastic projection of the population onto itself, with a synapse within each of its cores"
    if network.timestep < LEAST_COMBINED_TIMESTEP:
        return f"Take a time step of {LEAST_COMBINED_TIMESTEP:g} ms, or {loop}."
    return f"Take rules with firmware for one core of {network.populations[index].model}, or {loop}."


def _remedy(network: Network, projection: Projection, cores: Cores) -> str:
    """A longer delay of any synapse onto the population makes the ring longer, as far as its index has bits."""
    label = network.populations[projection.post].label
    if cores.ring < cores.most_slots:
        return (
            f"Make those delays a time step shorter or longer, or give any synapse onto population {label!r} a "
            f"delay above {cores.ring * network.timestep:g} ms: the ring then has {2 * cores.ring} slots."
        )
    return "Make those delays a time step shorter or longer."
