"""Digests of what a script has created, by which processes find out whether they hold the same network."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from evsim.processes import Processes, owners_of
from evsim.synapses import Synapses, is_constant

if TYPE_CHECKING:
    from evsim.pynn.electrodes import CurrentSource
    from evsim.pynn.populations import Population
    from evsim.pynn.projections import Projection
    from evsim.pynn.recording import Recorder

SIZE = 16  # bytes
_known: WeakKeyDictionary[Any, tuple[Any, bytes]] = WeakKeyDictionary()  # what was built of a thing, and its digest


def hashed(parts: Iterable[Any]) -> bytes:
    """The digest of arrays and of whatever can be pickled."""
    found = hashlib.blake2b(digest_size=SIZE)
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype != object:
            found.update(_bytes_of(part[:1] if is_constant(part) else part))
        else:
            found.update(pickle.dumps(part))
    return found.digest()


def _bytes_of(array: np.ndarray) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _remembered(thing: Any, built: Any, parts: Iterable[Any]) -> bytes:
    """The digest of a thing; what was not changed since it was built is not looked through again."""
    if built is not None and _known.get(thing, (None,))[0] is built:
        return _known[thing][1]
    found = hashed(parts)
    if built is not None:
        _known[thing] = built, found
    return found


def of_population(population: Population) -> bytes:
    """Of the parameters and the initial values of all cells."""
    tables = population.values, population.initial, population.times_set
    parts = (part for table in tables for item in sorted(table.items()) for part in item)
    return _remembered(population, population.part, parts)


def of_projection(projection: Projection) -> bytes:
    """Of all synapses as they were given, whatever they have learned since."""
    return _remembered(projection, projection.parts, _parts_of(projection))


def _parts_of(projection: Projection) -> Iterable[Any]:
    yield _of_synapses(projection.synapses)
    for table in (projection.others, projection.initial):
        for name, column in sorted(table.items()):
            yield name
            yield column
    yield sorted((name, projection.times_set(name)) for name in projection.initial)
    yield projection.exact_delay


def _of_synapses(synapses: Synapses) -> list[bytes]:
    """Column by column, in types of its own, so that it does not matter in which form synapses are held."""
    columns = [hashlib.blake2b(digest_size=SIZE) for _ in range(4)]
    for chunk in synapses.chunks():
        for column, values, kind in zip(columns, chunk, (np.int32, np.int32, np.float64, np.int32), strict=True):
            column.update(_bytes_of(np.asarray(values, kind)))
    return [column.digest() for column in columns]


def of_recorder(recorder: Recorder) -> bytes:
    """Of what is recorded of which cells."""
    return _remembered(recorder, recorder.version, _parts_of_recorder(recorder))


def _parts_of_recorder(recorder: Recorder) -> Iterable[Any]:
    recorded = [((*map(str, variable),), sorted(map(int, ids))) for variable, ids in recorder.recorded.items() if ids]
    yield sorted(recorded)
    yield recorder.sampling_interval


def recorded_local(recorder: Recorder, processes: Processes) -> dict[Any, list[int]]:
    """Variable -> the indices of the cells of this process of which it is recorded."""
    first = int(recorder.population.first_id)
    owner = owners_of(first, recorder.population.size, processes.count)
    found = {variable: [int(cell) - first for cell in ids] for variable, ids in recorder.recorded.items() if ids}
    return {variable: [i for i in cells if owner[i] == processes.rank] for variable, cells in found.items()}


def of_sources(sources: Sequence[CurrentSource]) -> bytes:
    """Of all current sources, and of what they are injected into."""
    return hashed([said_of(source) for source in sources])


def said_of(source: CurrentSource) -> tuple[Any, list[tuple[int, np.ndarray, str]]]:
    """A waveform, by what makes it; and the population, its cells and the place in them, each time it was injected."""
    return source.waveform(), source.injected
