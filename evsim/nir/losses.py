"""What NIR cannot say of a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.errors import Problem
from evsim.network import Network, Population, Projection
from evsim.nir.delays import delays_of_channels
from evsim.registry import is_electrical
from evsim.sources import is_source, mean_rate

CELLS = ("IF_curr_exp", "IF_curr_delta")
LOSSY = "--lossy leaves it out."


def losses(network: Network, with_spikes: bool) -> list[Problem]:
    """Everything that a NIR graph of the network does not hold.

    Args:
        with_spikes: whether the spikes of sources are kept beside the graph.
    """
    found: list[Problem] = []
    for population in network.populations:
        found += _of_source(population, with_spikes) if is_source(population) else _of_cells(population)
    for projection in network.projections:
        found += _of_projection(network, projection)
    found += [
        Problem(
            f"current source {current.label!r}",
            f"a current into {len(current.cells)} cells of {network.populations[current.population].label!r}",
            "NIR has no injected currents that change",
            f"Set i_offset where it is constant; {LOSSY}",
        )
        for current in network.currents
    ]
    return found


def _of_source(population: Population, with_spikes: bool) -> Iterator[Problem]:
    if with_spikes:
        return
    if population.trains is not None:
        amount = f"{len(population.trains.times)} spike times"
    else:
        rate = mean_rate(population)
        assert rate is not None, "it has no trains"
        amount = f"random spikes at {np.min(rate):g} to {np.max(rate):g} Hz"
    if population.trains is None or len(population.trains.times):
        yield Problem(
            f"population {population.label!r}",
            amount,
            "NIR has an Input in its place, which says no spikes",
            f"--spikes FILE keeps them beside the graph; {LOSSY}",
        )


def _of_cells(population: Population) -> Iterator[Problem]:
    where = f"population {population.label!r}"
    if population.model not in CELLS:
        yield Problem(
            where,
            f"{population.size} cells of {population.model}",
            f"NIR has {' and '.join(CELLS)}, as CubaLIF, LI and LIF",
            "Use these cells; --lossy leaves the population out, with its projections.",
        )
        return
    value = population.parameters
    if (longest := float(np.max(value["tau_refrac"]))) > 0:
        yield Problem(
            where, f"tau_refrac of {longest:g} ms", "NIR has no refractoriness", f"Set tau_refrac to 0; {LOSSY}"
        )
    for name, start in population.initial.items():
        usual = value["v_reset"] if name == "v" else 0.0
        if bad := int(np.count_nonzero(start != usual)):
            yield Problem(
                where,
                f"initial {name} is not {'v_reset' if name == 'v' else 0} in {bad} of {population.size} cells",
                "NIR has no initial values; evsim starts its graphs from there",
                f"Initialise {name} so; {LOSSY}",
            )


def _of_projection(network: Network, projection: Projection) -> Iterator[Problem]:
    where, delay = f"projection {projection.label!r}", projection.synapses.delays
    if projection.plasticity is not None:
        yield Problem(
            where,
            f"{projection.plasticity.timing} with {projection.plasticity.weight}",
            "NIR has no plasticity",
            "Use StaticSynapse; --lossy writes the weights as they are at t = 0.",
        )
    if projection.release is not None:
        does = "learn" if projection.learns else "release"
        what, limit = f"synapses that {does} by {projection.release.rule}", "NIR has weights that are always the same"
        yield Problem(where, what, limit, "Use StaticSynapse; --lossy writes the weights.")
    if projection.structure is not None:
        what, limit = "synapses that come and go", "NIR has synapses that are always the same"
        yield Problem(where, what, limit, "Use StaticSynapse; --lossy writes those that there are at t = 0.")
    if projection.modulation is not None:
        yield Problem(where, "synapses that give dopamine", "NIR has none", f"Use other synapses; {LOSSY}")
        return
    if is_electrical(projection):
        yield Problem(where, "gap junctions", "NIR has none", f"Use other synapses; {LOSSY}")
        return
    if not delays_of_channels(network, projection).exact:
        least, most, mean = (steps * network.timestep for steps in (delay.least, delay.most, np.rint(delay.mean)))
        yield Problem(
            where,
            f"delays from {least:g} to {most:g} ms",
            "NIR has a delay for each channel, that is each source or each target, and none for each synapse",
            f"Give it one delay; --lossy writes the mean, {mean:g} ms, for all.",
        )
