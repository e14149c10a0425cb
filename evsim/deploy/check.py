"""Everything about a network that cannot be on a chip, found all at once and before anything runs."""

from __future__ import annotations

from dataclasses import replace

from evsim.chip import Chip
from evsim.deploy import gap_junctions, loihi_check, spinnaker_check
from evsim.deploy.check_cells import current_problems, population_problems, probe_problems, rate_problems
from evsim.deploy.check_synapses import kind_problems, value_problems
from evsim.errors import Problem
from evsim.network import Network, malformed_current, malformed_population, malformed_projection

# What a family of rule sets adds to the checks that hold for all.
_OF_FAMILY = {
    "ideal": gap_junctions.problems,
    "spinnaker": spinnaker_check.problems,
    "loihi": loihi_check.problems,
}


def check(network: Network, chip: Chip) -> list[Problem]:
    """Every problem of the network, which may be a ``Draft``, on the chip; empty where it can run.

    The checks of the rule set are made on those populations that it can hold and the projections between them, so they
    are reported together with all other problems.
    """
    problems: list[Problem] = []
    cells = [[*malformed_population(p), *population_problems(p, chip)] for p in network.populations]
    for population, found in zip(network.populations, cells, strict=True):
        found += () if found else rate_problems(network, population)
    kinds = [[*malformed_projection(network, p), *kind_problems(network, p, chip)] for p in network.projections]
    currents = [[*malformed_current(c), *current_problems(network, c)] for c in network.currents]
    for found in cells:
        problems += found
    for projection, found in zip(network.projections, kinds, strict=True):
        problems += [*found, *value_problems(network, projection, chip)]
    for found in currents:
        problems += found
    for probe in network.probes:
        problems += probe_problems(network, probe, chip)
    if chip.rules.family in _OF_FAMILY:
        sound = _sound_part(network, chip, cells, kinds, currents) if problems else network
        problems += _OF_FAMILY[chip.rules.family](sound, chip)
    return problems


def _sound_part(
    network: Network,
    chip: Chip,
    cells: list[list[Problem]],
    kinds: list[list[Problem]],
    currents: list[list[Problem]],
) -> Network:
    """The populations, projections and currents that are in order; labels stay, indices change."""
    place: dict[int, int] = {}
    for index, found in enumerate(cells):
        if not found:
            place[index] = len(place)
    projections = [
        replace(projection, pre=place[projection.pre], post=place[projection.post])
        for projection, found in zip(network.projections, kinds, strict=True)
        if not found and projection.pre in place and projection.post in place
    ]
    return replace(
        network,
        populations=tuple(network.populations[index] for index in place),
        projections=tuple(projections),
        currents=tuple(
            replace(current, population=place[current.population])
            for current, found in zip(network.currents, currents, strict=True)
            if current.population in place and not found
        ),
        probes=tuple(
            replace(probe, population=place[probe.population])
            for probe in network.probes
            if probe.population in place and not probe_problems(network, probe, chip)
        ),
    )
