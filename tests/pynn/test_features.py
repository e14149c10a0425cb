"""What any simulator's PyNN back end has, really done: cells, synapses, current sources and connectors.

The rows are those of PyNN 0.13's back ends (nest, neuron, brian2, arbor, mock), of sPyNNaker 7.4.1 and of pynn_genn;
what only drives a vendor's devices is left out.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from pyNN import connectors as pynn_connectors

from driven_cells import data_of, driven, signal, sim
from evsim.redirect import redirected

CONDUCTANCES = {"gsyn_exc", "gsyn_inh"}

CURRENTS_OF_SYNAPSES = {"isyn_exc", "isyn_inh"}

# cell -> what any back end of PyNN's own records of it
RECORDABLES = {
    "EIF_cond_alpha_isfa_ista": {"v", "w", *CONDUCTANCES},
    "EIF_cond_exp_isfa_ista": {"v", "w", *CONDUCTANCES},
    "GIF_cond_exp": {"v", "i_eta", "v_t", *CONDUCTANCES},
    "HH_cond_exp": {"v", "m", "n", "h", *CONDUCTANCES},
    "IF_cond_alpha": {"v", *CONDUCTANCES},
    "IF_cond_exp": {"v", *CONDUCTANCES},
    "IF_cond_exp_gsfa_grr": {"v", "g_r", "g_s", *CONDUCTANCES},
    "IF_curr_alpha": {"v", *CURRENTS_OF_SYNAPSES},
    "IF_curr_delta": {"v"},
    "IF_curr_exp": {"v", *CURRENTS_OF_SYNAPSES},
    "IF_facets_hardware1": {"v", *CONDUCTANCES},
    "Izhikevich": {"v", "u"},
}
SOURCES = {
    "SpikeSourceArray": {"spike_times": [1.0, 3.0]},
    "SpikeSourceGamma": {"alpha": 2.0, "beta": 200.0},
    "SpikeSourceInhGamma": {"a": [2.0, 3.0], "b": [0.005, 0.002], "tbins": [0.0, 50.0]},
    "SpikeSourcePoisson": {"rate": 100.0},
    "SpikeSourcePoissonRefractory": {"rate": 100.0, "tau_refrac": 2.0},
}

RESPONSES = [f"{name}PostSynapticResponse" for name in ("CondAlpha", "CondBeta", "CondExp", "CurrExp")]


# --- cells -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDABLES)
def test_cells_run_and_all_of_their_variables_are_recorded(name: str):
    sim.setup(timestep=0.1)
    _, cells, _ = driven(getattr(sim, name)(), 0.01)
    wanted = sorted(RECORDABLES[name])
    cells.record(["spikes", *wanted])
    sim.run(5.0)
    assert sorted(s.name for s in data_of(cells).analogsignals) == wanted
    for variable in wanted:
        found = signal(cells, variable)
        assert found.shape == (51, 2) and np.isfinite(found).all()


@pytest.mark.parametrize("name", ["IF_curr_exp", "IF_curr_alpha", "IF_curr_delta", "Izhikevich"])
def test_scripts_of_spynnaker_record_currents_as_gsyn(name: str):
    with redirected(lambda text: None):
        there: Any = importlib.import_module("pyNN.spiNNaker")
        there.setup(timestep=1.0, chip="spinnaker1")
        cells = there.Population(1, getattr(there, name)())
        cells.record(["gsyn_exc", "gsyn_inh"])
        there.run(2.0)
        assert [str(s.units.dimensionality) for s in data_of(cells).analogsignals] == ["nA", "nA"]
        there.end()


@pytest.mark.parametrize("name", SOURCES)
def test_sources_emit_spikes(name: str):
    sim.setup(timestep=0.1)
    source = sim.Population(3, getattr(sim, name)(**SOURCES[name]))
    source.record("spikes")
    sim.run(100.0)
    assert sum(len(train) for train in data_of(source).spiketrains) > 3


@pytest.mark.parametrize("base", ["LIF", "AdExp"])
@pytest.mark.parametrize("response", RESPONSES)
def test_cells_of_components(base: str, response: str):
    sim.setup(timestep=0.1)
    kind = sim.PointNeuron(getattr(sim, base)(), AMPA=getattr(sim, response)())
    _, cells, _ = driven(kind, 0.01, receptor_type="AMPA")
    shown = "AMPA.isyn" if response.startswith("Curr") else "AMPA.gsyn"
    wanted = ["v", shown, *(["w"] if base == "AdExp" else [])]
    cells.record(["spikes", *wanted])
    sim.run(5.0)
    assert sorted(s.name for s in data_of(cells).analogsignals) == sorted(wanted)
    assert signal(cells, shown).max() > 0.005


# --- synapses --------------------------------------------------------------------------------------------------------


def pair_rule():
    return sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.01, A_minus=0.012)


def stdp(timing: Any, weight: Any, **named):
    return sim.STDPMechanism(timing, weight, weight=0.5, delay=0.5, **named)


SYNAPSES = {
    "static": lambda: sim.StaticSynapse(weight=0.1, delay=0.5),
    "Tsodyks-Markram": lambda: sim.TsodyksMarkramSynapse(weight=0.1, delay=0.5, U=0.04, tau_rec=100.0, tau_facil=50.0),
    "stochastic Tsodyks-Markram": lambda: sim.StochasticTsodyksMarkramSynapse(
        weight=0.1, delay=0.5, U=0.5, tau_rec=10.0, tau_facil=5.0
    ),
    "simple stochastic": lambda: sim.SimpleStochasticSynapse(weight=0.1, delay=0.5, p=0.5),
    "multi-quantal": lambda: sim.MultiQuantalSynapse(weight=0.1, delay=0.5, n=3, U=0.5, tau_rec=10.0),
    "additive": lambda: stdp(pair_rule(), sim.AdditiveWeightDependence(0.0, 1.0)),
    "multiplicative": lambda: stdp(pair_rule(), sim.MultiplicativeWeightDependence(0.0, 1.0)),
    "additive and multiplicative": lambda: stdp(
        pair_rule(), sim.AdditivePotentiationMultiplicativeDepression(0.0, 1.0)
    ),
    "Guetig": lambda: stdp(pair_rule(), sim.GutigWeightDependence(0.0, 1.0, 0.4, 0.4)),
    "no dendritic delay": lambda: stdp(
        pair_rule(), sim.AdditiveWeightDependence(0.0, 1.0), dendritic_delay_fraction=0.0
    ),
    "Vogels": lambda: stdp(sim.Vogels2011Rule(tau=20.0, eta=0.01, rho=0.003), sim.AdditiveWeightDependence(0.0, 1.0)),
    "nearest pairs": lambda: stdp(sim.extra_models.SpikeNearestPairRule(), sim.AdditiveWeightDependence(0.0, 1.0)),
    "recurrent": lambda: stdp(
        sim.extra_models.RecurrentRule(-1, 1, A_plus=0.1), sim.MultiplicativeWeightDependence(0.0, 1.0)
    ),
    "triplets": lambda: stdp(
        sim.extra_models.PfisterSpikeTriplet(16.8, 33.7, 101.0, 125.0, 0.01, 0.01),
        sim.extra_models.WeightDependenceAdditiveTriplet(),
    ),
}


@pytest.mark.parametrize("name", SYNAPSES)
def test_synapses_of_every_kind(name: str):
    sim.setup(timestep=0.1)
    _, cells, projection = driven(sim.IF_curr_exp(tau_m=5.0, cm=0.05), synapse=SYNAPSES[name](), times=range(1, 40, 3))
    cells.record(["spikes", "v"])
    before = projection.get("weight", format="array")
    sim.run(50.0)
    assert signal(cells, "v").max() > -64.9
    after = projection.get("weight", format="array")
    plastic = isinstance(projection.synapse_type, sim.STDPMechanism)
    assert np.isfinite(after).all() and (not np.array_equal(before, after)) == plastic


@pytest.mark.parametrize("selection", ["RandomSelection", "LastNeuronSelection"])
@pytest.mark.parametrize("kind", ["Static", "STDP"])
def test_synapses_that_come_and_go(kind: str, selection: str):
    sim.setup(timestep=1.0)
    rules: dict[str, Any] = {"partner_selection": getattr(sim, selection)()}
    rules["formation"] = sim.DistanceDependentFormation(grid=(1, 2), p_form_forward=1.0)
    rules["elimination"] = sim.RandomByWeightElimination(threshold=0.5, prob_elim_depressed=0.5)
    if kind == "STDP":
        rules |= {"timing_dependence": pair_rule(), "weight_dependence": sim.AdditiveWeightDependence(0.0, 1.0)}
    mechanism = getattr(sim, f"StructuralMechanism{kind}")(**rules, f_rew=2000.0, s_max=4, initial_weight=0.2)
    _, cells, projection = driven(sim.IF_curr_exp(), synapse=mechanism, times=range(1, 40, 3))
    cells.record(["rewiring", "v"])
    begun = len(projection)
    sim.run(50.0)
    made, removed = data_of(cells).events
    assert len(made) and len(removed) and len(projection) == begun + len(made) - len(removed)
    assert signal(cells, "v").max() > -64.9


def test_states_of_short_term_plasticity_have_initial_values():
    sim.setup(timestep=0.1)
    _, cells, projection = driven(sim.IF_curr_exp(), synapse=SYNAPSES["Tsodyks-Markram"]())
    projection.initialize(u=0.5, x=0.8, y=0.1)
    cells.record("v")
    sim.run(5.0)
    first = signal(cells, "v").max()
    projection.initialize(u=0.0, x=0.0, y=0.0)
    sim.reset()
    sim.run(5.0)
    assert signal(cells, "v").max() < first


def test_gap_junctions():
    sim.setup(timestep=0.1)
    cells = sim.Population(2, sim.IF_curr_exp(), initial_values={"v": [-65.0, -70.0]})
    cells.record("v")
    one = sim.FromListConnector([(0, 1, 0.02)], column_names=["weight"])
    sim.Projection(cells, cells, one, sim.ElectricalSynapse())
    sim.run(5.0)
    assert signal(cells, "v")[-1, 0] < -65.05


# --- currents --------------------------------------------------------------------------------------------------------

CURRENTS = {
    "DCSource": {"amplitude": 0.5, "start": 1.0, "stop": 4.0},
    "ACSource": {"amplitude": 0.5, "frequency": 100.0, "start": 1.0, "stop": 4.0},
    "StepCurrentSource": {"times": [1.0, 2.0, 4.0], "amplitudes": [0.5, -0.5, 0.0]},
    "NoisyCurrentSource": {"mean": 0.5, "stdev": 0.1, "start": 1.0, "stop": 4.0, "dt": 0.1},
}


@pytest.mark.parametrize("name", CURRENTS)
@pytest.mark.parametrize("into", ["cell", "list", "population", "view", "assembly"])
def test_currents_into_anything(name: str, into: str):
    sim.setup(timestep=0.1)
    cells = sim.Population(3, sim.IF_curr_exp())
    target = {
        "cell": cells[1],
        "list": [cells[1], cells[2]],
        "population": cells,
        "view": cells[1:],
        "assembly": cells + sim.Population(1, sim.IF_curr_exp()),
    }[into]
    electrode = getattr(sim, name)(**CURRENTS[name])
    electrode.record()
    if into in ("cell", "list"):
        electrode.inject_into(target if into == "list" else [target])
    else:
        target.inject(electrode)
    cells.record("v")
    sim.run(3.0)
    if name == "DCSource":
        electrode.amplitude = -0.5
    sim.run(3.0)
    assert np.ptp(signal(cells, "v")[:, 1]) > 0.01
    assert (np.ptp(signal(cells, "v")[:, 0]) > 0.01) == (into in ("population", "assembly"))
    found = electrode.get_data()
    assert found.units.dimensionality == (1 * found.units).dimensionality and np.ptp(found.magnitude) > 0.1


# --- connectors ------------------------------------------------------------------------------------------------------

CONNECTORS = {
    "AllToAllConnector": lambda folder: sim.AllToAllConnector(allow_self_connections=False),
    "ArrayConnector": lambda folder: sim.ArrayConnector(np.eye(6, dtype=bool)),
    "CSAConnector": lambda folder: sim.CSAConnector(pytest.importorskip("csa").cset(pytest.importorskip("csa").full)),
    "DisplacementDependentProbabilityConnector": lambda folder: sim.DisplacementDependentProbabilityConnector(
        lambda d: np.abs(d[0]) < 3
    ),
    "DistanceDependentProbabilityConnector": lambda folder: sim.DistanceDependentProbabilityConnector("d < 3"),
    "FixedNumberPostConnector": lambda folder: sim.FixedNumberPostConnector(2),
    "FixedNumberPreConnector": lambda folder: sim.FixedNumberPreConnector(2),
    "FixedProbabilityConnector": lambda folder: sim.FixedProbabilityConnector(0.5),
    "FixedTotalNumberConnector": lambda folder: sim.FixedTotalNumberConnector(9),
    "FromFileConnector": lambda folder: from_file(folder),
    "FromListConnector": lambda folder: sim.FromListConnector([(0, 1, 0.1, 0.5), (0, 1, 0.2, 1.5), (3, 2, 0.3, 0.5)]),
    "IndexBasedProbabilityConnector": lambda folder: sim.IndexBasedProbabilityConnector(near()),
    "KernelConnector": lambda folder: sim.KernelConnector((2, 3), (2, 3), (1, 1), weight_kernel=np.full((1, 1), 0.2)),
    "OneToOneConnector": lambda folder: sim.OneToOneConnector(),
    "SmallWorldConnector": lambda folder: sim.SmallWorldConnector(2.0, 0.1),
}


def from_file(folder):
    path = folder / "connections.txt"
    np.savetxt(path, [[0, 1, 0.1, 0.5], [3, 2, 0.3, 0.5]], header='columns = ["i", "j", "weight", "delay"]')
    return sim.FromFileConnector(str(path))


def near():
    expression = type("Near", (pynn_connectors.IndexBasedExpression,), {"__call__": lambda self, i, j: abs(i - j) < 2})
    return expression()


@pytest.mark.parametrize("name", CONNECTORS)
def test_connectors_connect_and_what_they_made_can_be_cloned(name: str, tmp_path):
    sim.setup(timestep=0.1)
    cells, others = (sim.Population(6, sim.IF_curr_exp(), structure=sim.Line()) for _ in range(2))
    synapse = sim.StaticSynapse(weight=0.1, delay=0.5)
    projection = sim.Projection(cells, others, CONNECTORS[name](tmp_path), synapse)
    found = projection.get(["weight", "delay"], format="list")
    assert 0 < len(projection) == len(found) <= 36
    if name != "KernelConnector":  # whose weights are its own
        clone = sim.Projection(cells, others, sim.CloneConnector(projection), synapse)
        pairs = {(row[0], row[1]) for row in found}  # PyNN copies which pairs are connected
        assert {(row[0], row[1]) for row in clone.get("weight", format="list")} == pairs
    sim.run(1.0)


def test_several_synapses_between_a_pair():
    sim.setup(timestep=0.1)
    pairs = [(0, 1, 0.1, 0.5), (0, 1, 0.3, 1.5)]
    cells = sim.Population(2, sim.IF_curr_exp())
    projection = sim.Projection(cells, cells, sim.FromListConnector(pairs), sim.StaticSynapse())
    for how, expected in (("sum", 0.4), ("min", 0.1), ("max", 0.3), ("first", 0.1), ("last", 0.3)):
        found = projection.get("weight", format="array", multiple_synapses=how)
        assert found[0, 1] == pytest.approx(expected), how
    assert sorted(row[2] for row in projection.get("delay", format="list")) == [0.5, 1.5]
