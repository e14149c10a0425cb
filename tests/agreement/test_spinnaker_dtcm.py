"""As many plastic neurons on a core as evsim puts there: the firmware starts, and agrees with the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.spinnaker_cores import cores_of
from evsim.deploy.spinnaker_dtcm import CELL_BYTES, FULL_CORE
from evsim.deploy.spinnaker_split import COMBINED, RULES, STATIC_ALONE
from evsim.deploy.spinnaker_traces import TIMINGS
from evsim.network import Network, Plasticity, Projection

AMPLITUDES = {"A_plus": 0.02, "A_minus": 0.03, "A3_plus": 0.01, "A3_minus": 0.01, "alpha": 0.0}
BOUNDS = {"w_min": 0.0, "w_max": 4.0}
CELL = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 6.0, "e_rev_E": 0.0, "e_rev_I": -70.0, "tau_ca2": 20.0, "i_alpha": 0.1}


def learning(nets, post: int, size: int, longest: int, rule: tuple[str, str], tau: float, weight: float) -> Projection:
    """Onto the first and the last neuron, and some between them, from two sources."""
    targets = np.unique(np.linspace(0, size - 1, 40).astype(int)).tolist()
    rows = [(k % 2, cell, weight, 1 + k % longest) for k, cell in enumerate(targets)] + [(0, 0, weight, longest)]
    timing, dependence = rule
    taus = dict.fromkeys(TIMINGS[timing][1], tau)
    made = nets.connect(0, post, rows, label=f"learns {post}")
    plasticity = Plasticity(timing, dependence, {**taus, **AMPLITUDES, **BOUNDS})
    return replace(made, synapse="STDPMechanism", plasticity=plasticity)


def fullest(nets, timestep: float, model: str, rule: tuple[str, str], longest: int, tau: float) -> Network:
    """A core with as many neurons as fit."""
    weight = 0.02 if "cond" in model else 0.5
    for size in range(FULL_CORE, 0, -1):
        cells = nets.cells(size, "cells", model, i_offset=1.0, scaling_factor=0.1, tau_syn_E2=5.0, **CELL)
        source = nets.array_source([[2 * timestep, 9 * timestep], [4 * timestep]])
        network = Network(timestep, (source, cells), (learning(nets, 1, size, longest, rule, tau, weight),))
        if cores_of(network, 1).neurons >= size:
            return network
    raise AssertionError("nothing fits")


@pytest.mark.slow
@pytest.mark.parametrize(("timestep", "longest", "tau"), [(1.0, 7, 20.0), (0.1, 15, 40.0)])
def test_a_full_core_starts_and_agrees(nets, drawn, both, timestep, longest, tau):
    """Of each cell with each of its rules; below 1 ms, where a core has synapses alone, of each rule."""
    cases = [(cell, rule) for cell in COMBINED for rule in RULES if cell not in STATIC_ALONE and rule in COMBINED[cell]]
    if timestep < 1:
        cases = [("IF_curr_exp", rule) for rule in RULES] + [("IF_cond_exp", RULES[0]), ("IF_curr_dual_exp", RULES[0])]
    networks = [fullest(nets, timestep, cell, rule, longest, tau) for cell, rule in cases]
    assert min(network.populations[1].size for network in networks) < FULL_CORE, "else nothing was full"
    network = drawn.side_by_side(networks)
    probes = nets.record_all(network.populations, "spikes", "v")
    pair = both(replace(network, probes=probes))
    pair.run(12)
    pair.compare()


@pytest.mark.slow
def test_tables_of_long_time_constants_start_and_agree(nets, both):
    network = fullest(nets, 0.1, "IF_curr_exp", RULES[0], 3, 150.0)
    assert 20 < network.populations[1].size < 120
    pair = both(replace(network, probes=nets.record_all(network.populations, "spikes", "v")))
    pair.run(20)
    pair.compare()


@pytest.mark.parametrize(("timestep", "tau"), [(0.1, 200.0), (1.0, 2000.0)])
def test_tables_that_leave_no_room_are_refused(nets, timestep, tau):
    """As the firmware does, by stopping as it starts, whatever the number of neurons."""

    def said(tau: float) -> str:
        populations = nets.array_source([[1.0], [2.0]]), nets.cells(20)
        learns = learning(nets, 1, 20, 3, RULES[0], tau, 0.5)
        return " ".join(map(str, check(Network(timestep, populations, (learns,)), load_chip("spinnaker1"))))

    problem = said(tau)
    assert "bytes of tables" in problem and f"tau_plus of {tau:g} ms and tau_minus of {tau:g} ms" in problem
    percent = float(problem.partition("at most ")[2].partition(" %")[0])
    assert said(0.99 * percent / 100 * tau) == ""


def test_every_cell_is_known():
    assert CELL_BYTES.keys() == COMBINED.keys()
