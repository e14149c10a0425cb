"""The reference against the firmware of sPyNNaker 7.4.1 as the emulated machine executes it: zero LSB, random networks.

Many small networks make one network of populations that do not meet, so that sPyNNaker is started once for all of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evsim.model import NeuronModel
from evsim.network import Network, Plasticity, Population, Probe, Projection
from evsim.registry import cell_model
from evsim_spinnaker.cells import CELLS

PER_BATCH = 34
# seed, time step (ms), steps of each run()
BATCHES = (
    (11, 1.0, (60,)),
    (12, 0.1, (20, 1, 69)),
    (13, 0.25, (33, 27)),
    (14, 2.0, (60,)),
)
RULE = {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.02, "A_minus": 0.03, "w_min": 0.0, "w_max": 4.0}


def batch(drawn, seed: int, draw) -> Network:
    return drawn.side_by_side([drawn.random_network(np.random.default_rng([seed, k]), draw) for k in range(PER_BATCH)])


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "timestep", "pieces"), BATCHES, ids=[f"{b[1]:g}ms" for b in BATCHES])
def test_random_networks_agree_in_every_spike_sample_and_weight(drawn, both, seed, timestep, pieces):
    pair = both(batch(drawn, seed, drawn.Draw(timestep, sum(pieces))))
    for steps in pieces:
        pair.run(steps)
    pair.compare()
    assert pair.spikes > PER_BATCH  # or there was little to compare


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "timestep"), [(15, 1.0), (16, 0.5)])
def test_what_changes_between_runs_agrees(drawn, both, seed, timestep):
    """Trains, rates, parameters, states and currents."""
    draw, rng = drawn.Draw(timestep, 70, changes=True), np.random.default_rng(seed)
    pair = both(batch(drawn, seed, draw))
    pair.run(20)
    pair.update(drawn.changed(rng, pair.network, draw))
    pair.run(25)
    pair.update(drawn.changed(rng, pair.network, draw))
    pair.run(1)
    pair.compare()
    pair.reset()
    pair.update(replace(pair.network, projections=tuple(map(halved, pair.network.projections))))
    pair.run(40)
    pair.compare()


def halved(projection: Projection) -> Projection:
    """Static weights halved."""
    if projection.plasticity:
        return projection
    return replace(projection, synapses=projection.synapses.replaced(weight=projection.weight / 2))


@pytest.mark.slow
@pytest.mark.parametrize("timestep", [1.0, 0.5])
def test_spikes_that_come_again_in_a_time_step_agree(nets, both, timestep):
    """Onto cores of synapses alone: of one projection, of two, and through a delay extension."""
    rng = np.random.default_rng(8)
    labels = [np.repeat(np.arange(60), rng.integers(0, 7, 60) * (rng.random(60) < 0.2)) for _ in range(5)]
    populations, projections = [nets.array_source([train * timestep for train in labels])], []
    for timing in ("SpikePairRule", "SpikeNearestPairRule"):
        for others, size, longest in ((0, 20, 9), (1, 20, 9), (0, 200, 40), (1, 200, 40)):
            populations.append(nets.cells(size, f"{timing}, {others}, {longest}", "IF_curr_dual_exp", i_offset=1.0))
            post = len(populations) - 1
            for k in range(1 + others):
                rows = nets.random_rows(rng, 5, size, 3 * size, (0.1, 0.8), longest)
                made = nets.connect(0, post, rows, label=f"{timing}, {others}, {longest}, {k}")
                if k == 0:
                    rule = Plasticity(timing, "AdditiveWeightDependence", RULE)
                    made = replace(made, synapse="STDPMechanism", plasticity=rule)
                projections.append(made)
    probes = nets.record_all(populations, "spikes", "v")
    pair = both(Network(timestep, tuple(populations), tuple(projections), (), probes))
    pair.run(60)
    pair.compare()
    assert pair.spikes > 200


@pytest.mark.slow
def test_populations_of_several_cores_agree(nets, drawn, both):
    """Lists in any order, long static delays, full and half cores of plastic synapses, an extension of one stage."""
    rng, draw = np.random.default_rng(5), drawn.Draw(1.0, 60)
    sizes = (("short", 500, 40), ("long", 200, 144), ("learns", 400, 3), ("far", 120, 100), ("also", 200, 20))
    source = nets.array_source([drawn.random_train(rng, draw) for _ in range(10)])
    populations = (source, *(nets.cells(size, label) for label, size, _ in sizes))
    projections = []
    for post, (label, size, longest) in enumerate(sizes, 1):
        for pre in (0, post):
            rows = nets.random_rows(rng, populations[pre].size, size, 1500, (0.1, 0.8), longest)
            rows = [*rows, (0, size - 1, 1.0, longest)]
            made = nets.connect(pre, post, rows, label=f"{label} {pre}")
            if label in ("learns", "far", "also"):
                rule = Plasticity("SpikePairRule", "AdditiveWeightDependence", RULE)
                made = replace(made, synapse="STDPMechanism", plasticity=rule)
            projections.append(made)
    probes = nets.record_all(populations, "spikes", "v", "isyn_exc")
    pair = both(Network(1.0, populations, tuple(projections), (), probes))
    pair.run(40)
    pair.run(35)  # fewer than 15 spikes of a neuron between two arrivals
    pair.compare()
    assert pair.spikes > 200


@pytest.mark.slow
def test_cores_that_have_no_synapses_of_their_own_neurons_agree(nets, both):
    """Below 1 ms their neurons' spikes do not come back to them, whichever kind of loop the others have."""
    plastic = {
        "synapse": "STDPMechanism",
        "plasticity": Plasticity("SpikePairRule", "AdditiveWeightDependence", RULE),
    }
    populations = [nets.array_source([[3.0, 6.0], [4.5]])]
    projections = []
    for kinds in ((True,), (False,), (True, False)):  # of loops: plastic or static
        populations.append(nets.cells(258, f"cells {len(populations)}", i_offset=8.0, tau_refrac=1.0))
        index = len(populations) - 1
        rows = [(k % 2, cell, 1.0, 1) for k, cell in enumerate((0, 1, 2, 255, 256, 257))]
        projections.append(replace(nets.connect(0, index, rows, label=f"to {index}"), **plastic))
        inside = [(1, 2, 0.01, 1), (0, 1, 0.01, 3)], [(0, 256, 0.01, 2), (256, 257, 0.01, 1), (2, 0, 0.01, 1)]
        for number, learns in enumerate(kinds):
            loop = nets.connect(index, index, inside[number], label=f"loop {number} of {index}")
            projections.append(replace(loop, **plastic) if learns else loop)
    probes = nets.record_all(tuple(populations), "spikes", "v")
    pair = both(Network(0.1, tuple(populations), tuple(projections), (), probes))
    pair.run(90)
    pair.compare()
    assert pair.spikes > 1000
    assert len(set(pair.weights(0))) > 1, "whether a core hears of its spikes makes a difference"


@pytest.mark.slow
def test_inputs_whose_factor_is_wrapped_agree(nets, both):
    """A defect of the firmware: next to nothing arrives at the cells at 840.17, 4090 and 4096 ms."""
    taus = np.array([20.0, 840.1, 840.17, 4077.3, 4090.0, 4096.0, 4096.1])
    kinds = (
        ("IF_curr_exp", "tau_syn_I", "inhibitory", -4.0, {}),
        ("IF_cond_exp", "tau_syn_E", "excitatory", 0.01, {"e_rev_E": 0.0, "e_rev_I": -70.0}),
        ("IF_curr_dual_exp", "tau_syn_E2", "excitatory2", 0.5, {}),
    )
    cells = [nets.cells(7, model, model, **{**more, tau: taus}) for model, tau, _, _, more in kinds]
    populations = (nets.array_source([[1.0, 3.0]]), *cells)
    projections = tuple(
        nets.connect(0, post, [(0, k, weight, 1) for k in range(7)], receptor)
        for post, (_, _, receptor, weight, _) in enumerate(kinds, 1)
    )
    pair = both(Network(1.0, populations, projections, (), nets.record_all(populations, "spikes", "v")))
    pair.run(12)
    pair.compare()
    for signal in pair.recordings().signals:
        moved = abs(signal.values[-1] + 65.0)
        np.testing.assert_array_equal(moved < 0.01 * moved[[0, 1, 3, 6]].min(), np.isin(np.arange(7), (2, 4, 5)))


EVERY_CELL = 9
SCALES = {"i_offset": (0.0, 2.0), "scaling_factor": (0.3, 2.0)}
STOCHASTIC = {
    "IFCurrDeltaFixedProb": {"p_thresh": np.linspace(0.0, 1.0, EVERY_CELL)},
    "StocExp": {"tau": np.linspace(3.0, 12.0, EVERY_CELL), "bias": -1.0},
    "StocExpStable": {"v_reset": -3.0, "tau": np.linspace(0.05, 0.4, EVERY_CELL), "tau_refrac": 3.0, "bias": -0.1},
}
WEIGHTS = {"uS": (0.005, 0.03), "nA": (0.1, 2.0), "mV": (0.5, 6.0)}


def one_of_each(nets, rng, timestep: float) -> Network:
    """A population of every cell that sPyNNaker has, with generators that were seeded at random; all variables."""
    trains = [np.flatnonzero(rng.random(80) < 0.15) * timestep for _ in range(10)]
    populations: list[Population] = [nets.array_source(trains)]
    projections, probes = [], [Probe(0, "spikes", np.arange(10, dtype=np.int32))]
    for post, name in enumerate(CELLS, 1):
        model = cell_model(name)
        assert isinstance(model, NeuronModel)
        chosen = {"a": 0.03, "b": 0.2, "c": -65.0, "d": 6.0, "e_rev_E": 0.0, "e_rev_I": -70.0}
        chosen |= {name: rng.uniform(low, high, EVERY_CELL) for name, (low, high) in SCALES.items()}
        chosen |= STOCHASTIC.get(name, {})
        cells = nets.cells(EVERY_CELL, name, name, **chosen)
        words = {k: rng.integers(0, 2**32, EVERY_CELL).astype(float) for k in cells.initial if k.startswith("seed")}
        low = {"v": rng.uniform(-1, 1, EVERY_CELL)} if name == "StocExpStable" else {}
        populations.append(replace(cells, initial={**cells.initial, **words, **low}))
        bounds = (0.1, 1.5) if name.startswith("Stoc") else WEIGHTS[model.weight_unit]
        for receptor in model.receptors:
            sign = -1.0 if model.has_negative_weights(receptor) else 1.0
            drawn_rows = nets.random_rows(rng, 10, EVERY_CELL, 50, bounds, 7)
            rows = [(source, target, sign * weight, delay) for source, target, weight, delay in drawn_rows]
            projections.append(nets.connect(0, post, rows, receptor))
        everybody = np.arange(EVERY_CELL, dtype=np.int32)
        probes += [Probe(post, variable, everybody) for variable in ("spikes", *CELLS[name].recorded)]
    return Network(timestep, tuple(populations), tuple(projections), (), tuple(probes))


@pytest.mark.slow
@pytest.mark.parametrize(("timestep", "seed"), [(1.0, 31), (0.1, 32)])
def test_every_cell_agrees_in_all_that_can_be_recorded_and_in_what_it_draws(nets, both, timestep, seed):
    pair = both(one_of_each(nets, np.random.default_rng(seed), timestep))
    pair.run(80)
    pair.compare()
    spikes = {part.population: len(part.times) for part in pair.recordings().spikes}
    assert sum(spikes[post] > 3 for post in range(1, len(CELLS) + 1)) > 0.7 * len(CELLS)
    moved = {(s.population, s.variable): np.ptp(s.values) for s in pair.recordings().signals}
    assert all(moved.values()), moved
