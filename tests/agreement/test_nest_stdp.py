"""Plasticity in the rule set ``ideal`` against NEST 3.10's synapses: weights and spikes of random networks.

The sources fall silent before the end, so that no spike is under way when the weights are read: NEST changes a weight
when a spike is sent, evsim when it arrives. Of the nearest pairs NEST has no rule that depresses and potentiates by the
same ones: ``stdp_nn_symm_synapse`` depresses as ours does, ``stdp_nn_restr_synapse`` potentiates so. Both take t = 0
for a spike of every source, which is long forgotten here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from builders import IF_CURR_EXP, cells
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.network import Network, Plasticity, Population, Probe, Projection, Trains
from evsim.pynn.own_synapses import parameter, source_trace, synapse_type, target_trace
from evsim.release import Release
from evsim.synapses import Listed

nest = pytest.importorskip("nest")

START, QUIET = 600.0, 200.0  # ms of silence at the beginning and at the end
TAU_MINUS, TAU_Y = 25.0, 80.0  # ms
N_SOURCES, N_NEURONS = 30, 12
EXPONENTS = {
    "AdditiveWeightDependence": (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": (0.4, 0.7),
}


@dataclass(frozen=True)
class Case:
    """A rule, and NEST's synapse for it."""

    timing: str = "SpikePairRule"
    weight: str = "AdditiveWeightDependence"
    nest: str = "stdp_synapse"
    a_plus: float = 0.02
    a_minus: float = 0.018

    def rule(self, w_max: float) -> Plasticity:
        """With an upper bound; the learning rate of Vogels et al. is in the unit of the weight."""
        unit = w_max if self.timing == "Vogels2011Rule" else 1.0
        given = {
            "tau_plus": 15.0,
            "tau_minus": TAU_MINUS,
            "tau": TAU_MINUS,
            "tau_x": 90.0,
            "tau_y": TAU_Y,
            "A_plus": self.a_plus * unit,
            "A_minus": self.a_minus,
            "A3_plus": 0.004,
            "A3_minus": 0.003,
            "alpha": 8.0,  # at w_max NEST lowers the weight after it cut it off, the paper before
            "w_min": 0.0,
            "w_max": w_max,
        }
        exponents = dict(zip(("mu_plus", "mu_minus"), EXPONENTS.get(self.weight, (0.0, 0.0)), strict=True))
        return Plasticity(self.timing, self.weight, {**given, **exponents})

    def model(self, w_max: float) -> str:
        """A NEST model with the rule's parameters; tau_minus and tau_y are the target's."""
        given, name = self.rule(w_max).parameters, f"{self.nest} w_max {w_max:g}"
        if self.timing == "Vogels2011Rule":
            own = {"tau": given["tau"], "eta": given["A_plus"] * 1000, "alpha": given["alpha"]}
        elif self.timing == "PfisterSpikeTriplet":
            names = {"A_plus": "Aplus", "A_minus": "Aminus", "A3_plus": "Aplus_triplet", "A3_minus": "Aminus_triplet"}
            own = {nest_name: given[name] * w_max * 1000 for name, nest_name in names.items()}
            own |= {"tau_plus": given["tau_plus"], "tau_plus_triplet": given["tau_x"]}
        else:
            own = {name: given[name] for name in ("tau_plus", "mu_plus", "mu_minus")}
            own |= {"lambda": given["A_plus"], "alpha": given["A_minus"] / given["A_plus"]}
        nest.CopyModel(self.nest, name, {**own, "Wmax": w_max * 1000})
        return name


def network(seed: int, timestep: float, duration: float, case: Case, delays: list[int]) -> Network:
    """Sources onto recurrently connected neurons, everything plastic, with pairs that are connected more than once."""
    rng = np.random.default_rng(seed)

    def synapses(n_pre: int, count: int, most: float) -> Listed:
        source, target = rng.integers(0, n_pre, count), rng.integers(0, N_NEURONS, count)
        weights, delay = rng.uniform(0.2, 0.8, count) * most, rng.choice(delays, count)
        return Listed(source.astype(np.int32), target.astype(np.int32), weights, delay.astype(np.int32))

    first, last = round(START / timestep), round((duration - QUIET) / timestep)
    counts = rng.poisson(0.02 * (duration - QUIET - START), N_SOURCES)
    trains = [np.unique(rng.integers(first, last, count)) * timestep for count in counts]
    return Network(
        timestep,
        (
            Population("sources", "SpikeSourceArray", N_SOURCES, {}, trains=Trains.from_lists(trains)),
            cells(N_NEURONS, "neurons"),
        ),
        (
            Projection("in", 0, 1, "excitatory", "STDPMechanism", synapses(N_SOURCES, 250, 2.0), case.rule(2.0)),
            Projection("loop", 1, 1, "excitatory", "STDPMechanism", synapses(N_NEURONS, 80, 0.3), case.rule(0.3)),
        ),
        probes=(Probe(1, "spikes", np.arange(N_NEURONS, dtype=np.int32)),),
    )


def run_nest(net: Network, case: Case, duration: float) -> tuple[set[tuple[int, int]], list[np.ndarray]]:
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
    neurons = nest.Create("iaf_psc_exp", N_NEURONS, {**cell, "tau_minus": TAU_MINUS, "tau_minus_triplet": TAU_Y})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    ends = [np.array(sources.tolist()), np.array(neurons.tolist())]
    models = []
    for projection in net.projections:
        rule = projection.plasticity
        model = case.model(rule.parameters["w_max"]) if rule else "static_synapse"
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


NONE = 1e-15  # an amplitude that changes nothing; NEST gives that of depression as a multiple of it
NEAREST = ("SpikeNearestPairRule", "GutigWeightDependence")
TRIPLETS = ("PfisterSpikeTriplet", "WeightDependenceAdditiveTriplet", "stdp_triplet_synapse")


@pytest.mark.parametrize(
    ("case", "timestep", "delays", "duration"),
    [
        pytest.param(*given, id=f"{given[0].nest} {given[0].weight} {given[1]:g} ms")
        for given in (
            (Case(), 1.0, [1], 20_000.0),
            (Case(), 0.1, [1, 7, 15, 40], 3000.0),
            (Case(), 1.0, [1, 2, 5, 9], 20_000.0),
            (Case(weight="MultiplicativeWeightDependence"), 0.5, [2, 5], 4000.0),
            (Case(weight="AdditivePotentiationMultiplicativeDepression"), 0.5, [3], 4000.0),
            (Case(weight="GutigWeightDependence"), 0.5, [2, 6], 4000.0),
            (Case(*NEAREST, "stdp_nn_symm_synapse", a_plus=NONE), 0.5, [2, 6], 4000.0),
            (Case(*NEAREST, "stdp_nn_restr_synapse", a_minus=0.0), 0.5, [2, 6], 4000.0),
            (Case(*TRIPLETS, a_plus=0.006, a_minus=0.014), 0.5, [1, 2, 6], 4000.0),
            (Case("Vogels2011Rule", nest="vogels_sprekeler_synapse", a_plus=2.5e-4), 0.5, [1, 2, 6], 4000.0),
        )
    ],
)
def test_weights_and_spikes_are_those_of_nest(case: Case, timestep: float, delays: list[int], duration: float):
    net = network(3, timestep, duration, case, delays)
    compare(net, run_nest(net, case, duration), duration)


def compare(
    net: Network, expected: tuple[set[tuple[int, int]], list[np.ndarray]], duration: float, least: float = 0.1
) -> None:
    """Hold spikes and weights of a network against NEST's, some of which must have changed by a part of the largest."""
    (spikes, rows), timestep = expected, net.timestep
    steps = round(duration / timestep)
    assert len(spikes) > 100
    for threads in (1, 2):
        simulation = Simulation(quantise(net, load_chip("ideal")), threads)
        simulation.run(steps // 3)
        simulation.run(steps - steps // 3)
        (found,) = simulation.recordings().spikes
        labels = np.rint(found.times / timestep).astype(int)
        assert {(int(k), int(i)) for k, i in zip(labels, found.neurons, strict=True)} == spikes
        for index, projection in enumerate(net.projections):
            if not projection.learns:
                continue
            present = simulation.weights(index)
            assert np.abs(present - projection.weight).max() > least * projection.weight.max()
            mine = in_order(projection.source, projection.target, projection.delay, present)
            np.testing.assert_array_equal(mine[:, :3], rows[index][:, :3])
            np.testing.assert_allclose(mine[:, 3], rows[index][:, 3], rtol=1e-10, atol=1e-12 * projection.weight.max())


@synapse_type
class Pairs:
    """The rule of ``stdp_synapse`` with additive changes, as a script would write it."""

    tau_plus = parameter(15.0, "ms", above_zero=True)
    tau_minus = parameter(25.0, "ms", above_zero=True)
    a_plus = parameter(0.02, "dimensionless")
    a_minus = parameter(0.018, "dimensionless")
    w_max = parameter(1.0, "nA")
    pre = source_trace(tau_plus)
    post = target_trace(tau_minus)

    @staticmethod
    def on_pre(weight, post, a_minus, w_max):
        return max(weight - a_minus * w_max * post, 0.0)

    @staticmethod
    def on_post(weight, pre, since_pre, a_plus, w_max):
        return min(weight + a_plus * w_max * (pre - (since_pre == 0)), w_max)


def test_a_rule_of_a_scripts_own_learns_as_nest():
    """Where nothing depends on the order of spikes that meet: no weight comes to a bound, or drives its target.

    Half of the sources drive the neurons; the others teach, and spike once more at the end, when these are silent: then
    NEST brings weights up to date.
    """
    case, duration, half, w_max = Case(a_plus=6e-4, a_minus=8e-4), 4000.0, N_SOURCES // 2, 2e-9
    net = network(3, 0.5, duration, case, [1, 7, 15])
    (sources, neurons), (projection, loop) = net.populations, net.projections
    trains = [sources.trains.of(i) for i in range(N_SOURCES)] if sources.trains else []
    trains[half:] = [np.append(train, duration - 20.0) for train in trains[half:]]
    synapses, weight = projection.synapses.stored(), projection.weight
    ends = synapses.target, synapses.delay
    driving = Listed((synapses.source % half).astype(np.int32), ends[0], weight * 2, ends[1])
    taught = Listed((synapses.source % half + half).astype(np.int32), ends[0], weight * 1e-9, ends[1])
    still = [
        replace(projection, synapses=driving, synapse="StaticSynapse", plasticity=None),
        replace(loop, synapse="StaticSynapse", plasticity=None),
    ]
    plastic = replace(projection, synapses=taught, plasticity=case.rule(w_max))
    net = replace(net, populations=(replace(sources, trains=Trains.from_lists(trains)), neurons))
    expected = run_nest(replace(net, projections=(*still, plastic)), case, duration)

    kind: Any = Pairs
    given = {name: value for name, value in kind.default_parameters.items() if name not in ("weight", "delay")}
    given |= {"w_max": w_max, "a_plus": case.a_plus, "a_minus": case.a_minus}
    columns = {name: np.full(len(taught), float(value)) for name, value in given.items()}
    ours = replace(plastic, synapse=kind.model_name, plasticity=None, release=Release(kind.rule, columns))
    compare(replace(net, projections=(*still, ours)), expected, duration, least=0.005)
