"""The releasing lanes of a network: from rows of synapses to ``release_memory``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evsim.engine.memory import Layout
from evsim.engine.own_release import law_function, own_laws, own_states
from evsim.engine.plastic_lanes import synapses_of_lanes
from evsim.engine.release_memory import (
    BERNOULLI,
    LAW,
    MULTI_QUANTAL,
    OWN,
    STATE,
    TSODYKS_MARKRAM,
    Releasing,
    ReleasingPart,
    lay_out_releasing,
    set_variables,
)
from evsim.engine.rows import RELEASING, Rows, lanes_of
from evsim.model import NeuronModel
from evsim.network import Network, Projection
from evsim.random_bits import derived
from evsim.registry import cell_model
from evsim.release import Release, rule_of
from evsim.synapses import is_constant

_RULES = {"TsodyksMarkram": TSODYKS_MARKRAM, "MultiQuantal": MULTI_QUANTAL, "Bernoulli": BERNOULLI}
_DOMAIN = np.uint64(0x52454C45415345)  # sets these keys apart from other ones of the same seed


def releasing_lanes(network: Network, layout: Layout, rows: Rows, mine: NDArray[np.bool_]) -> Releasing | None:
    """The releasing lanes of one thread, at t = 0; None in a network without such synapses.

    Args:
        mine: (slices,) whether a slice is the thread's.
    """
    if (found := lanes_of(rows, RELEASING, mine)) is None:
        return None
    lanes, number = found
    parts: dict[int, ReleasingPart] = {}
    for index in np.unique(rows.projection[lanes]):
        parts |= _parts(network, layout, rows, mine, int(index))
    return lay_out_releasing([parts[int(lane)] for lane in lanes], rows.words, rows.begin, number)


def _parts(
    network: Network, layout: Layout, rows: Rows, mine: NDArray[np.bool_], index: int
) -> dict[int, ReleasingPart]:
    """The lanes of a projection that are a thread's, by their numbers."""
    projection, found = network.projections[index], {}
    release = projection.release
    assert release is not None, "only releasing projections have such lanes"
    if own := rule_of(release.rule).law is not None:
        laws, states = own_laws(release), own_states(release, len(projection))
    else:
        laws, states = _laws(network, projection, release), _states(release, len(projection))
    key = derived(derived(_DOMAIN, network.seed), index)
    for lane, order in synapses_of_lanes(projection, layout, rows, index):
        if not mine[rows.slice[lane]]:
            continue
        first, last = int(rows.first[lane, 0]), int(rows.first[lane, -1])
        found[lane] = ReleasingPart(
            rule=OWN if own else _RULES[release.rule],
            unit=float(rows.weight[lane]),
            key=key,
            base=int(rows.base[lane]),
            first_row=first,
            delay=rows.delay[first:last],
            order=order,
            laws=laws if len(laws) == 1 else laws[order],
            states=states[order],
            timestep=network.timestep,
            law=law_function(rule_of(release.rule)).address if own else 0,
        )
    return found


def _laws(network: Network, projection: Projection, release: Release) -> np.ndarray:
    """The numbers of each synapse (n,) of ``LAW``; (1,) where all have the same ones."""
    given, dt = {name: _short(values) for name, values in release.parameters.items()}, network.timestep
    zero = np.zeros(1)
    columns = {
        "use": given["p"] if "p" in given else given["U"],
        "tau_rec": given.get("tau_rec", zero) / dt,
        "tau_facil": given.get("tau_facil", zero) / dt,
        "tau_psc": _response_times(network, projection) / dt,
        "sites": _short(sites_of(release)),
    }
    alike = all((column == column[:1]).all() for column in columns.values())
    laws = np.zeros(1 if alike else len(projection), LAW)
    for name, column in columns.items():
        laws[name] = column[: len(laws)]
    return laws


def _short(values: np.ndarray) -> np.ndarray:
    """A column (n,), or (1,) where it is one value that was broadcast."""
    return values[:1] if is_constant(values) else values


def _response_times(network: Network, projection: Projection) -> NDArray[np.float64]:
    """The time constant (ms) of the response of each synapse's target (n,), or of all (1,); 0 of an instant one."""
    target = network.populations[projection.post]
    model = cell_model(target.model)
    name = model.response_time(projection.receptor) if isinstance(model, NeuronModel) else None
    if name is None:
        return np.zeros(1)
    times = _short(target.parameters[name])
    return times if len(times) == 1 else times[projection.target]


def _states(release: Release, count: int) -> np.ndarray:
    """The states (n,) at t = 0."""
    states = np.zeros(count, STATE)
    set_variables(states, release.initial, sites_of(release))
    return states


def sites_of(release: Release) -> NDArray[np.float64]:
    """How many sites each synapse has (n,); (1,) where it has none."""
    return release.parameters.get("n", np.zeros(1))
