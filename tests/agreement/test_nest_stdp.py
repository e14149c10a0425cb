"""Plasticity in the rule set ``ideal`` against NEST 3.10's ``stdp_synapse``: weights and spikes of random networks.

The sources fall silent before the end, so that no spike is under way when the weights are read: NEST changes a weight
when a spike is sent, evsim when it arrives.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from builders import IF_CURR_EXP, cells
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.network import Network, Plasticity, Population, Probe, Projection, Trains
from evsim.synapses import Listed

nest = pytest.importorskip("nest")

QUIET = 200.0  # ms at the end
TAU_MINUS = 25.0  # ms
N_SOURCES, N_NEURONS = 30, 12
EXPONENTS = {
    "AdditiveWeightDependence": (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": (0.4, 0.7),
}


def rule(weight: str, w_max: float) -> Plasticity:
    timing = {"tau_plus": 15.0, "tau_minus": TAU_MINUS, "A_plus": 0.02, "A_minus": 0.018}
    exponents = dict(zip(("mu_plus", "mu_minus"), EXPONENTS[weight], strict=True))
    return Plasticity("SpikePairRule", weight, {**timing, "w_min": 0.0, "w_max": w_max, **exponents})


def network(seed: int, timestep: float, duration: float, weight: str, delays: list[int]) -> Network:
    """Sources onto recurrently connected neurons, everything plastic, with pairs that are connected more than once."""
    rng = np.random.default_rng(seed)

    def synapses(n_pre: int, count: int, most: float) -> Listed:
        source, target = rng.integers(0, n_pre, count), rng.integers(0, N_NEURONS, count)
        weights, delay = rng.uniform(0.2, 0.8, count) * most, rng.choice(delays, count)
        return Listed(source.astype(np.int32), target.astype(np.int32), weights, delay.astype(np.int32))

    steps = round((duration - QUIET) / timestep)
    trains = [
        np.unique(rng.integers(2, steps, rng.poisson(0.02 * (duration - QUIET)))) * timestep for _ in range(N_SOURCES)
    ]
    return Network(
        timestep,
        (
            Population("sources", "SpikeSourceArray", N_SOURCES, {}, trains=Trains.from_lists(trains)),
            cells(N_NEURONS, "neurons"),
        ),
        (
            Projection("in", 0, 1, "excitatory", "STDPMechanism", synapses(N_SOURCES, 250, 2.0), rule(weight, 2.0)),
            Projection("loop", 1, 1, "excitatory", "STDPMechanism", synapses(N_NEURONS, 80, 0.3), rule(weight, 0.3)),
        ),
        probes=(Probe(1, "spikes", np.arange(N_NEURONS, dtype=np.int32)),),
    )


def stdp_model(given: Mapping[str, float]) -> str:
    """A NEST model with a rule's parameters; tau_minus is the target's."""
    name = f"stdp w_max {given['w_max']:g}"
    parameters = {
        "tau_plus": given["tau_plus"],
        "lambda": given["A_plus"],
        "alpha": given["A_minus"] / given["A_plus"],
        "mu_plus": given["mu_plus"],
        "mu_minus": given["mu_minus"],
        "Wmax": given["w_max"] * 1000,
    }
    nest.CopyModel("stdp_synapse", name, parameters)
    return name


def run_nest(net: Network, duration: float) -> tuple[set[tuple[int, int]], list[np.ndarray]]:
    """Spikes as (label, neuron), and for each projection rows of (source, target, delay, weight in nA), sorted."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = net.timestep
    trains = net.populations[0].trains
    assert trains is not None
    generators = nest.Create("spike_generator", N_SOURCES)
    for i in range(N_SOURCES):
        generators[i].spike_times = trains.of(i) - net.timestep  # a parrot repeats a spike one step later
    sources = nest.Create("parrot_neuron", N_SOURCES)
    nest.Connect(generators, sources, "one_to_one", {"delay": net.timestep})
    names = {"E_L": "v_rest", "V_reset": "v_reset", "V_th": "v_thresh", "t_ref": "tau_refrac", "tau_m": "tau_m"}
    cell = {nest_name: IF_CURR_EXP[name] for nest_name, name in names.items()}
    cell |= {"C_m": 1000.0, "tau_syn_ex": 5.0, "tau_syn_in": 5.0, "V_m": -65.0}
    neurons = nest.Create("iaf_psc_exp", N_NEURONS, {**cell, "tau_minus": TAU_MINUS})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    ends = [np.array(sources.tolist()), np.array(neurons.tolist())]
    models = []
    for projection in net.projections:
        assert projection.plasticity is not None
        model = stdp_model(projection.plasticity.parameters)
        models.append(model)
        nest.Connect(
            ends[projection.pre][projection.source],
            ends[1][projection.target],
            "one_to_one",
            {
                "synapse_model": model,
                "weight": projection.weight * 1000,
                "delay": projection.delay * net.timestep,
            },
        )
    nest.Simulate(duration)
    events = recorder.events
    labels = np.rint(np.array(events["times"]) / net.timestep).astype(int)
    spikes = {(int(k), int(i) - ends[1][0]) for k, i in zip(labels, events["senders"], strict=True)}
    found = []
    for projection, model in zip(net.projections, models, strict=True):
        got = nest.GetConnections(synapse_model=model).get(["source", "target", "delay", "weight"])
        delay = np.rint(np.array(got["delay"]) / net.timestep)
        pairs = np.array(got["source"]) - ends[projection.pre][0], np.array(got["target"]) - ends[1][0]
        found.append(in_order(*pairs, delay, np.array(got["weight"]) / 1000))
    return spikes, found


def in_order(*columns: np.ndarray) -> np.ndarray:
    """The rows (n, columns) of a table, sorted by the first column, then by the second, ..."""
    return np.column_stack(columns)[np.lexsort(columns[::-1])]


@pytest.mark.parametrize(
    ("weight", "timestep", "delays", "duration"),
    [
        ("AdditiveWeightDependence", 1.0, [1], 20_000.0),
        ("AdditiveWeightDependence", 0.1, [1, 7, 15, 40], 3000.0),
        ("AdditiveWeightDependence", 1.0, [1, 2, 5, 9], 20_000.0),
        ("MultiplicativeWeightDependence", 0.5, [2, 5], 4000.0),
        ("AdditivePotentiationMultiplicativeDepression", 0.5, [3], 4000.0),
        ("GutigWeightDependence", 0.5, [2, 6], 4000.0),
    ],
)
def test_weights_and_spikes_are_those_of_nest(weight: str, timestep: float, delays: list[int], duration: float):
    net = network(3, timestep, duration, weight, delays)
    steps = round(duration / timestep)
    spikes, rows = run_nest(net, duration)
    assert len(spikes) > 100
    for threads in (1, 2):
        simulation = Simulation(quantise(net, load_chip("ideal")), threads)
        simulation.run(steps // 3)
        simulation.run(steps - steps // 3)
        (found,) = simulation.recordings().spikes
        labels = np.rint(found.times / timestep).astype(int)
        assert {(int(k), int(i)) for k, i in zip(labels, found.neurons, strict=True)} == spikes
        for index, projection in enumerate(net.projections):
            present = simulation.weights(index)
            assert np.abs(present - projection.weight).max() > 0.1 * projection.weight.max()
            mine = in_order(projection.source, projection.target, projection.delay, present)
            np.testing.assert_array_equal(mine[:, :3], rows[index][:, :3])
            np.testing.assert_allclose(mine[:, 3], rows[index][:, 3], rtol=1e-10, atol=1e-12)
