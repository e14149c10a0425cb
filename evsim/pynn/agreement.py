"""What processes do that have created something different: the word of the process counts to which a cell is local.

In PyNN each process makes the cells that are local to it, and the synapses onto them. Here each makes all of them; but
a script may still tell only its own cells what to do (``for cell in population: cell.tau_m = 12.0``), or draw from
a generator that is at another place in each process, such as one without a seed. So before a run, and before data is
gathered, digests of everything are compared. Where they differ, each process takes from every other one what that says
of its own cells, and of the synapses onto them. From then on all hold the same network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evsim.errors import EvsimError
from evsim.network import frozen
from evsim.processes import Processes, owners_of
from evsim.pynn import digests
from evsim.pynn.columns import Connections, in_steps
from evsim.synapses import Listed

if TYPE_CHECKING:
    from evsim.pynn.populations import Population
    from evsim.pynn.projections import Projection
    from evsim.pynn.simulator import State


def agree(state: State) -> None:
    """Hold the same network as all other processes; each of them must call this.

    Raises:
        EvsimError: they have created different populations, projections or current sources, or another setup().
    """
    processes = state.processes
    with state.whole():
        _refuse_strangers(state)
        recorders = [population.recorder for population in state.populations]
        said = [
            *map(digests.of_population, state.populations),
            *map(digests.of_projection, state.projections),
            *map(digests.of_recorder, recorders),
            digests.of_sources(state.current_sources),
        ]
        columns = list(zip(*processes.all(said), strict=True))
        alike = iter(len(set(words)) == 1 for words in columns)
        for population in state.populations:
            if not next(alike):
                _merge_population(processes, population)
        unlike = [projection for projection in state.projections if not next(alike)]
        if unlike and "learn" in processes.served:
            processes.served["learn"]()  # which each would else ask for at another time
        for projection in unlike:
            _merge_values(processes, projection)
        for recorder in recorders:
            if not next(alike):
                _merge_recorded(processes, recorder)
        if not next(alike):
            _merge_sources(state)


def agree_on_synapses(state: State, projection: Projection) -> None:
    """After a projection was connected: have the synapses onto each cell that its process has made.

    Raises:
        EvsimError: they differ in a projection whose synapses also say which place or receptor of a cell they reach.
    """
    processes = state.processes
    if not processes.talks:
        return
    processes.meet(f"create projection {len(state.projections)}, {projection.label!r}")
    if len(set(processes.all(digests.of_projection(projection)))) == 1:
        return
    if projection.sites is not None:
        raise EvsimError(
            f"the processes have connected projection {projection.label!r} differently, and its synapses reach several "
            "places or receptors; give its random numbers a generator with a seed, NumpyRNG(seed=...)"
        )
    chosen = target_owners(projection, processes.count) == processes.rank
    synapses = projection.synapses
    columns = {**values_of(projection), "source": synapses.source.astype(np.int32), "target": synapses.target}
    rows = {name: processes.all_rows(np.asarray(column)[chosen]) for name, column in columns.items()}
    order = np.argsort(rows["target"], kind="stable")
    found = {name: frozen(column[order]) for name, column in rows.items()}
    source, target, weight, delay = (found.pop(name) for name in ("source", "target", "weight", "delay"))
    steps, exact = in_steps(delay, state.dt)
    projection.hold(Connections(Listed(source, target, weight, frozen(steps)), exact, found))


def values_of(projection: Projection) -> dict[str, NDArray[np.float64]]:
    """The parameters (n,) that the synapses were given, by name; delays in ms."""
    return {**projection.others, "weight": projection.synapses.weight, "delay": projection.column("delay")}


def target_owners(projection: Projection, count: int) -> NDArray[np.int64]:
    """(n,) the process to which the target of each synapse is local."""
    return (projection.post.all_cells.astype(np.int64) % count)[projection.targets]


def _refuse_strangers(state: State) -> None:
    """Raise EvsimError where the processes have created other things, or in another order."""
    limits = "min_delay {} and max_delay {}".format(*state.delay_limits)
    what = [f"setup() with a time step of {state.dt:g} ms, {limits}, seed {state.seed}, {state.targets[0]}"]
    what += [f"population {p.label!r} of {p.size} {type(p.celltype).__name__}" for p in state.populations]
    what += [f"projection {p.label!r} from {p.shape[0]} to {p.shape[1]} cells" for p in state.projections]
    what += [f"current source {k}, a {type(source).__name__}" for k, source in enumerate(state.current_sources)]
    said = state.processes.all(what)
    for rank, others in enumerate(said):
        if others != said[0]:
            length = max(len(others), len(said[0]))
            padded = ([*words, *["nothing more"] * (length - len(words))] for words in (said[0], others))
            first, other = next((a, b) for a, b in zip(*padded, strict=True) if a != b)
            raise EvsimError(
                f"process 0 has created {first}, and process {rank} {other}; every process must create the same, in "
                "the same order, whichever cells are local to it"
            )


def _merge_population(processes: Processes, population: Population) -> None:
    """Take the parameters and the initial values of each cell from its process."""
    owner = owners_of(int(population.first_id), population.size, processes.count)
    mine = owner == processes.rank
    known = sorted(set().union(*processes.all(sorted(population.initial))))
    for variable in known:
        population.have_initial(variable)
    for table in (population.values, population.initial, population.times_set):
        for name in sorted(table):
            whole = np.array(table[name])
            for rank, part in enumerate(processes.all(whole[mine])):
                whole[owner == rank] = part
            table[name] = whole
    population.changed()


def _merge_values(processes: Processes, projection: Projection) -> None:
    """Take the parameters and the states of each synapse from the process of its target."""
    projection.keep_learned()
    owner = target_owners(projection, processes.count)
    mine, order = owner == processes.rank, np.argsort(owner, kind="stable")
    states = sorted(set().union(*processes.all(sorted(projection.initial))))
    columns = {**values_of(projection), **{name: projection.initial_state(name) for name in states}}
    found = {name: np.empty(len(owner)) for name in columns}
    for name, column in columns.items():
        found[name][order] = processes.all_rows(np.asarray(column, np.float64)[mine])
    times = [max(said) for said in zip(*processes.all([projection.times_set(name) for name in states]), strict=True)]
    projection.take_values(
        {name: frozen(found.pop(name)) for name in states}, dict(zip(states, times, strict=True)), found
    )


def _merge_recorded(processes: Processes, recorder: Any) -> None:
    """Record of each cell what its process records."""
    said = processes.all((digests.recorded_local(recorder, processes), recorder.sampling_interval))
    intervals = {interval for recorded, interval in said if any(variable[0] != "spikes" for variable in recorded)}
    located = {variable for recorded, _ in said for variable in recorded if variable[1] is not None}
    label = recorder.population.label
    if len(intervals) > 1 or located:
        what = "at locations" if located else "at different sampling intervals"
        raise EvsimError(
            f"the processes record different cells of population {label!r} {what}; let every process record all cells, "
            "those of other processes too: population.record(...)"
        )
    cells: dict[Any, set[int]] = {}
    for recorded, _ in said:
        for variable, indices in recorded.items():
            cells.setdefault(variable, set()).update(indices)
    recorder.record_exactly(cells, *intervals)


def _merge_sources(state: State) -> None:
    """Inject into each cell what its process injects."""
    processes, sources = state.processes, state.current_sources
    said = processes.all([digests.said_of(source) for source in sources])
    for k, source in enumerate(sources):
        waveforms = [process[k][0] for process in said]
        injected = [process[k][1] for process in said]
        if len({digests.hashed([waveform]) for waveform in waveforms}) > 1:
            if len({digests.hashed([cells]) for cells in injected}) > 1:
                raise EvsimError(
                    f"the processes give current source {k}, a {type(source).__name__}, other parameters and other "
                    "cells; create the same sources in every process, and inject each into its cells"
                )
            source.take_waveform(waveforms[0])
        source.inject_exactly(
            [
                (population, mine, place)
                for rank, entries in enumerate(injected)
                for population, cells, place in entries
                if len(mine := cells[_owners(state, population, processes)[cells] == rank])
            ]
        )


def _owners(state: State, population: int, processes: Processes) -> NDArray[np.int64]:
    cells = state.populations[population]
    return owners_of(int(cells.first_id), cells.size, processes.count)
