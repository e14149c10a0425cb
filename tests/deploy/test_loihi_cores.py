"""Cores of Loihi: synaptic memory as nengo-loihi packs it, and as many cores as the limits of one ask for."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy.loihi_cores import plan_cores
from evsim.network import Network

LOIHI1 = load_chip("loihi1")


def one_projection(nets, n_sources: int, size: int, rows, delay: int = 1) -> Network:
    populations = (nets.array_source([[0.0]] * n_sources), nets.cells(size))
    return Network(1.0, populations, (nets.connect(0, 1, [(s, t, 1.0, delay) for s, t in rows]),))


def nengo_bits(rows, delay: int) -> tuple[int, int]:
    """Bits of synaptic memory and input axons that nengo-loihi needs for synapses of 8 bits on one core."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions of nengo that it has not been tested with
        block = pytest.importorskip("nengo_loihi.block")
    sources = sorted({source for source, _ in rows})
    targets = [np.array([t for s, t in rows if s == source]) for source in sources]
    synapse = block.Synapse(len(sources))
    synapse._set_weights_indices([np.ones((1, len(t))) for t in targets], [t[None] for t in targets])
    synapse.format(delay_bits=(delay - 1).bit_length())
    return synapse.bits(), synapse.n_axons


@settings(deadline=None, derandomize=True, max_examples=50)
@given(seed=st.integers(0, 1000), delay=st.sampled_from([1, 2, 9, 63]))
def test_synaptic_memory_is_that_of_nengo_loihi(nets, seed, delay):
    rng = np.random.default_rng(seed)
    n_sources, size = int(rng.integers(1, 60)), int(rng.integers(1, 1000))
    rows = [(int(rng.integers(n_sources)), int(rng.integers(size))) for _ in range(int(rng.integers(1, 3000)))]
    (use,) = plan_cores(one_projection(nets, n_sources, size, rows, delay), LOIHI1).populations
    bits, axons = nengo_bits(rows, delay)
    assert (use.fullest["core_synapse_bits"], use.fullest["core_axons_in"]) == (bits, axons)
    assert use.cores == 1


@pytest.mark.parametrize(
    ("n_sources", "size", "per_cell", "cores", "decides"),
    [
        (1, 3000, 1, 3, "core_compartments"),
        (1, 1024, 1, 1, "core_compartments"),
        (1, 1025, 1, 2, "core_compartments"),
        (6000, 6, 1000, 2, "core_axons_in"),
    ],
)
def test_a_population_takes_the_cores_that_its_limits_ask_for(nets, n_sources, size, per_cell, cores, decides):
    rows = [((target * per_cell + k) % n_sources, target) for target in range(size) for k in range(per_cell)]
    plan = plan_cores(one_projection(nets, n_sources, size, rows), LOIHI1)
    (use,) = plan.populations
    assert (use.cores, use.decides, plan.cores, plan.chips) == (cores, decides, cores, 1)


def test_synaptic_memory_divides_a_population(nets):
    """All of 500 sources to all of 500 cells: 9 words of 64 synapses hold 20 bits each and a head, 500 times."""
    rows = [(s, t) for s in range(500) for t in range(500)]
    (use,) = plan_cores(one_projection(nets, 500, 500, rows), LOIHI1).populations
    assert use.decides == "core_synapse_bits"
    assert 500 * 500 * 17 / 2**20 < use.cores <= 500 * 500 * 19 / 2**20 + 1
    assert use.fullest["core_synapse_bits"] <= 2**20


def test_targets_on_many_cores_divide_their_source(nets):
    populations = (nets.cells(1000, "before"), nets.cells(10240, "after"))
    rows = [(s, 1024 * core + s, 1.0, 1) for s in range(1000) for core in range(10)]
    plan = plan_cores(Network(1.0, populations, (nets.connect(0, 1, rows),)), LOIHI1)
    before, after = plan.populations
    assert (after.cores, before.cores, before.decides) == (10, 3, "core_axons_out")
    assert before.fullest["core_axons_out"] <= 4096


def test_what_fits_on_no_core_is_named(nets):
    rows = [(source, 0) for source in range(5000)]
    plan = plan_cores(one_projection(nets, 5000, 3, rows), LOIHI1)
    (problem,) = plan.problems
    assert plan.cores is None and plan.chips is None
    assert "needs 5000 input axons" in problem.what and "has 4096" in problem.limit


def test_many_cores_take_many_chips(nets):
    populations = tuple(nets.cells(1024 * 100, f"cells {k}") for k in range(3))
    plan = plan_cores(Network(1.0, populations), LOIHI1)
    assert (plan.cores, plan.chips) == (300, 3)


def test_what_no_source_says_is_unknown(nets):
    loihi2 = load_chip("loihi2")
    plan = plan_cores(Network(1.0, (nets.cells(10),)), loihi2)
    assert plan.cores is None and plan.chips == 1 and "input axons" in plan.unknown
    nothing = replace(loihi2, limits={})
    assert plan_cores(Network(1.0, (nets.cells(10),)), nothing).chips is None
