"""From PyNN's objects to the network graph. Parts that did not change since the last time are the same objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyNN import common
from pyNN.standardmodels import StandardCellType, StandardSynapseType

from evsim import network, registry
from evsim.chip import load_chip
from evsim.connected import Connected
from evsim.errors import CheckError, Problem
from evsim.model import NeuronModel, SourceModel
from evsim.network import Draft, Network, Probe, Sequences, Trains, frozen
from evsim.pynn.array_parameters import element
from evsim.release import Release
from evsim.synapses import LONGEST_DELAY, Listed, Synapses, is_constant, take

if TYPE_CHECKING:
    from evsim.pynn.populations import Population
    from evsim.pynn.projections import Projection
    from evsim.pynn.settable import Settable
    from evsim.pynn.simulator import State


def build(state: State) -> Network:
    """The network that was created so far.

    Raises:
        CheckError: with everything about it that cannot be, whatever the backend.
    """
    problems = [problem for projection in state.projections for problem in _delay_problems(projection, state)]
    parts = _parts(state)
    try:
        built = Network(**parts)
    except CheckError as error:
        problems += error.problems
    else:
        if not problems:
            return built
    problems += _problems_on_chips(Draft(**parts), state)
    raise CheckError("this network cannot run", list(dict.fromkeys(problems)))


def _parts(state: State) -> dict[str, Any]:
    """What a ``Network`` is made of."""
    labels = unique_labels([population.label for population in state.populations])
    return {
        "timestep": state.dt,
        "populations": tuple(_population(p, label) for p, label in zip(state.populations, labels, strict=True)),
        "projections": tuple(part for projection in state.projections for part in _projection(projection, state)),
        "currents": tuple(part for source in state.current_sources for part in source.parts()),
        "probes": tuple(_probes(state)),
        "seed": state.seed,
        "off_grid": state.off_grid,
    }


def _problems_on_chips(draft: Draft, state: State) -> Iterator[Problem]:
    """What else the chips that the network is to run on would refuse, so that all is said at once."""
    from evsim.deploy.check import check  # loads numba, which an import of the API does without

    if not (np.isfinite(draft.timestep) and draft.timestep > 0):
        return
    for name in dict.fromkeys(target.chip or "ideal" for target in state.targets):
        yield from check(draft, load_chip(name))


def shape(net: Network) -> tuple:
    """What a session cannot change while it runs: which populations and projections there are."""
    populations = tuple((population.label, population.model, population.size) for population in net.populations)
    return populations, tuple(
        (part.label, part.pre, part.post, part.receptor, part.synapse) for part in net.projections
    )


def unique_labels(labels: list[str]) -> list[str]:
    """The labels, with a number added to each that was there before: ``cells``, ``cells (2)``, ``cells (3)``."""
    taken: set[str] = set()
    result = []
    for label in labels:
        candidate, number = label, 1
        while candidate in taken:
            number += 1
            candidate = f"{label} ({number})"
        taken.add(candidate)
        result.append(candidate)
    return result


# --- populations -----------------------------------------------------------------------------------------------------


def model_name(kind: StandardCellType | StandardSynapseType) -> str:
    """The registry's name of a type of cell or synapse; a composed one, or a script's own, says its own."""
    return getattr(kind, "model_name", type(kind).__name__)


def _population(population: Population, label: str) -> network.Population:
    if population.part is None or population.part.label != label:
        model = registry.cell_model(model_name(population.celltype))
        values = population.values
        given = isinstance(model, SourceModel) and model.draw == "given"
        several = model.sequences if isinstance(model, SourceModel) else ()
        single = [name for name in model.parameters if not given and name not in several]
        states, arrays = (model.states, model.arrays) if isinstance(model, NeuronModel) else ({}, {})
        population.part = network.Population(
            label=label,
            model=model.name,
            size=population.size,
            parameters={name: frozen(element(values, name, arrays)) for name in single},
            initial={name: frozen(population.initial[name]) for name in states if name in population.initial},
            times_set={name: frozen(population.times_set[name]) for name in states if name in population.times_set},
            trains=Trains.from_lists([train.value for train in values["spike_times"]]) if given else None,
            sequences={name: Sequences.from_lists([part.value for part in values[name]]) for name in several},
        )
    return population.part


def _probes(state: State) -> Iterator[Probe]:
    for index, population in enumerate(state.populations):
        wanted = population.recorder.recorded_cells()
        model = registry.cell_model(model_name(population.celltype))
        neurons = isinstance(model, NeuronModel)
        counted = state.counted & set(model.recordables) if neurons else set()
        if state.record_all_for_compare and neurons:
            counted = {*counted, "spikes"}
        wanted |= dict.fromkeys(counted, np.arange(population.size, dtype=np.int32))
        for variable, cells in sorted(wanted.items()):
            interval = 1 if variable in ("spikes", network.REWIRING, *counted) else population.recorder.interval
            yield Probe(index, variable, frozen(cells), interval)


# --- projections -----------------------------------------------------------------------------------------------------


class Member(NamedTuple):
    """The part of an end of a projection that lies in one population.

    Attributes:
        population: its index in the network.
        cells: where each of its cells is in that population; None where all are, in order.
        start, stop: which cells of the end they are.
    """

    population: int
    cells: np.ndarray | None
    start: int
    stop: int


def members(end, populations: list[Population]) -> list[Member]:
    """The populations behind a population, a view or an assembly, in its order."""
    found, start = [], 0
    for part in end.populations if isinstance(end, common.Assembly) else [end]:
        if isinstance(part, common.PopulationView):
            population, cells = part.grandparent, part.index_in_grandparent(np.arange(part.size)).astype(np.int32)
        else:
            population, cells = part, None
        found.append(Member(populations.index(population), cells, start, start + part.size))
        start += part.size
    return found


def _projection(projection: Projection, state: State) -> tuple[network.Projection, ...]:
    if projection.parts is None:
        pre, post = members(projection.pre, state.populations), members(projection.post, state.populations)
        if projection.sites is None:
            parts = [_part(projection, a, b, whole=len(pre) == len(post) == 1) for a in pre for b in post]
        else:
            parts = [_part_at(projection, *portion) for portion in portions(projection, state.populations)]
        projection.parts = tuple(parts)
    return projection.parts


class Portion(NamedTuple):
    """The synapses of a projection from one population to another, or to one place or receptor of its cells.

    Attributes:
        chosen: (n,) which of the projection's synapses they are.
        place: the model's name of the place, or the receptor that their sign says; empty where there is but one.
    """

    pre: Member
    post: Member
    chosen: NDArray[np.bool_]
    place: str


def portions(projection: Settable, populations: list[Population]) -> Iterator[Portion]:
    """What the parts of a projection in the network hold, in their order."""
    for pre in members(projection.pre, populations):
        for post in members(projection.post, populations):
            chosen = within(projection, pre, post)
            if projection.sites is None:
                yield Portion(pre, post, chosen, "")
                continue
            numbers = projection.sites.numbers
            for number, place in enumerate(projection.sites.names):
                if (there := chosen & (numbers == number)).any():
                    yield Portion(pre, post, there, place)


def _part_at(projection: Projection, pre: Member, post: Member, chosen: NDArray[np.bool_], place: str):
    """The synapses at one place of the cells of a population, or of one receptor."""
    assert projection.sites is not None, "whoever asks for a place has seen that there are some"
    release = projection.release()
    there = Listed(
        projection.sources[chosen] - np.int32(pre.start),
        projection.targets[chosen] - np.int32(post.start),
        projection.sites.weight(place, take(projection.synapses.weight, chosen)),
        take(projection.synapses.delay, chosen),
    )
    return _of(projection, pre, post, there, release and release.of(chosen), projection.sites.receptor(place))


def _part(projection: Projection, pre: Member, post: Member, whole: bool) -> network.Projection:
    """The synapses from one population to another, in the order in which they were created."""
    synapses, release = projection.synapses, projection.release()
    if not whole:
        synapses = synapses.between(range(pre.start, pre.stop), range(post.start, post.stop))
        release = release and release.of(within(projection, pre, post))
    return _of(projection, pre, post, synapses, release, str(projection.receptor_type))


def _of(
    projection: Projection, pre: Member, post: Member, synapses: Synapses, release: Release | None, receptor: str
) -> network.Projection:
    if pre.cells is not None or post.cells is not None:
        synapses = synapses.moved(pre.cells, post.cells)
    return network.Projection(
        label=projection.label or "",
        pre=pre.population,
        post=post.population,
        receptor=receptor,
        synapse=model_name(projection.synapse_type),
        synapses=synapses,
        plasticity=projection.synapse_type.plasticity(projection.label, projection.column),
        release=release,
        modulation=projection.modulation(),
        structure=projection.structure(),
        connected=connected_by(projection) if pre.cells is None and post.cells is None else None,
    )


def connected_by(projection: Projection) -> Connected | None:
    """How a projection between two populations was made; None if one of its ends is something else."""
    if not all(isinstance(end, common.Population) for end in (projection.pre, projection.post)):
        return None
    connector = projection._connector
    number = next((getattr(connector, name) for name in ("p_connect", "n") if hasattr(connector, name)), 0.0)
    return Connected(type(connector).__name__, float(number)) if isinstance(number, (int, float, np.number)) else None


def within(projection: Settable, pre: Member, post: Member) -> NDArray[np.bool_]:
    """Which synapses of a projection (n,) lie between parts of its ends."""
    source, target = projection.sources, projection.targets
    return (source >= pre.start) & (source < pre.stop) & (target >= post.start) & (target < post.stop)


def _delay_problems(projection: Projection, state: State) -> Iterator[Problem]:
    if "delay" not in projection.names:
        return
    half = 0.5 * state.dt  # delays and limits are on the grid, give or take a rounding error
    least, most = (np.nan if limit is None else limit for limit in state.delay_limits)
    longest = LONGEST_DELAY * state.dt
    if not len(projection.synapses) or (
        projection.shortest_delay > 0
        and not projection.shortest_delay < least - half
        and projection.longest_delay <= longest
        and not projection.longest_delay > most + half
    ):
        return  # as nearly always, and without a look at each delay
    delay = projection.column("delay")
    values, each = (delay[:1], len(delay)) if is_constant(delay) else (delay, 1)
    for bad, what, limit, remedy in (
        (~np.isfinite(values), "are not finite numbers", "all must be finite", "Correct delay."),
        (
            (values > 0) & (values < least - half),
            "are below min_delay",
            f"at least {least:g} ms",
            "Give longer delays, or setup() a smaller min_delay.",
        ),
        (
            np.isfinite(values) & (values > most + half),
            "are above max_delay",
            f"at most {most:g} ms",
            "Give shorter delays, or setup() a greater max_delay.",
        ),
        (
            np.isfinite(values) & (values > longest),
            f"are longer than {LONGEST_DELAY} time steps",
            f"at most {longest:g} ms with a time step of {state.dt:g} ms",
            "Give shorter delays, or setup() a longer timestep.",
        ),
    ):
        if bad.any():
            example = f"{values[bad][0]:g} ms"
            count = np.count_nonzero(bad) * each
            yield Problem(
                f"projection {projection.label!r}",
                f"{count} of {len(delay)} delays {what} (such as {example})",
                limit,
                remedy,
            )
