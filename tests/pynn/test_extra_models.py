"""``sim.extra_models``: what sPyNNaker offers beyond PyNN, under its names."""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim import registry
from evsim.errors import CheckError
from evsim.model import NeuronModel
from evsim.pynn import extra_models, graph, simulator
from evsim.redirect import redirected

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

# from spynnaker.pyNN.extra_models of sPyNNaker 7.4.1: arguments, and the defaults of those that have one
SIGNATURES = {
    "SpikeNearestPairRule": {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.01, "A_minus": 0.01},
    "Vogels2011Rule": {"alpha": None, "tau": 20.0, "A_plus": 0.01, "A_minus": 0.01},
    "PfisterSpikeTriplet": dict.fromkeys(("tau_plus", "tau_minus", "tau_x", "tau_y", "A_plus", "A_minus")),
    "RecurrentRule": {
        **{"accumulator_depression": -6, "accumulator_potentiation": 6},
        **{"mean_pre_window": 35.0, "mean_post_window": 35.0, "dual_fsm": True, "A_plus": 0.01, "A_minus": 0.01},
    },
    "WeightDependenceAdditiveTriplet": {"w_min": 0.0, "w_max": 1.0, "A3_plus": 0.01, "A3_minus": 0.01},
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_rules_are_called_as_in_spynnaker(name: str):
    found = inspect.signature(getattr(sim.extra_models, name)).parameters
    given = {key: None if value.default is value.empty else value.default for key, value in found.items()}
    assert given == SIGNATURES[name]


def test_cells_are_there_under_spynnakers_names():
    assert sim.extra_models.IFCurDelta is sim.IF_curr_delta
    assert sim.extra_models.IF_curr_dual_exp is sim.IF_curr_dual_exp
    assert sim.extra_models.IFCurrExpCa2Adaptive is sim.IFCurrExpCa2Adaptive
    assert set(extra_models.__all__) <= set(dir(sim.extra_models))


def test_rates_that_vary_are_given_as_in_spynnaker():
    """sPyNNaker 7.4.1: SpikeSourcePoissonVariable(rates, starts, durations=None)."""
    kind = sim.extra_models.SpikeSourcePoissonVariable
    assert list(inspect.signature(kind).parameters) == ["rates", "starts", "durations"]
    sim.setup(timestep=1.0)
    shared = sim.Population(20, kind(rates=[0.0, 100.0], starts=[0, 100]))
    own = sim.Population(2, kind(rates=[[500.0], [0.0, 500.0]], starts=[[0], [0, 100]], durations=[[50], [10, 1000]]))
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.Projection(shared, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.3))
    for population in (shared, own, cells):
        population.record("spikes")
    sim.run(200.0)
    times = np.concatenate([np.asarray(train) for train in shared.get_data().segments[0].spiketrains])
    assert abs(len(times) - 200) < 60 and times.min() > 100.0
    first, second = (np.asarray(train) for train in own.get_data().segments[0].spiketrains)
    assert abs(len(first) - 25) < 20 and first.max() <= 50.0
    assert abs(len(second) - 50) < 30 and second.min() > 100.0
    assert cells.mean_spike_count() > 0
    own.set(rates=[200.0], starts=[250.0], durations=[20.0])
    sim.run(100.0)
    later = np.concatenate([np.asarray(train) for train in own.get_data().segments[0].spiketrains])
    assert later[later > 200.0].min() > 250.0 and later.max() <= 270.0


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi2"])
def test_every_chip_is_given_the_same_spikes_at_rates_that_vary(chip: str):
    found = []
    for where in ("ideal", chip):
        sim.setup(timestep=1.0, chip=where, rng_seed=4)
        kind = sim.extra_models.SpikeSourcePoissonVariable(rates=[20.0, 90.0], starts=[0.0, 50.0])
        source = sim.Population(5, kind)
        cells = sim.Population(5, sim.IF_curr_exp())
        sim.Projection(source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
        source.record("spikes")
        sim.run(100.0)
        found.append([np.asarray(train).tolist() for train in source.get_data().segments[0].spiketrains])
    assert found[0] == found[1] and sum(map(len, found[0])) > 10


def test_rates_that_vary_are_lists():
    with pytest.raises(errors.InvalidParameterValueError, match=r"rates of SpikeSourcePoissonVariable is 10\.0; give"):
        sim.extra_models.SpikeSourcePoissonVariable(rates=10.0, starts=[0.0])
    sim.setup(timestep=1.0)
    with pytest.raises(errors.InvalidParameterValueError, match="the starts of cell 0 are not in increasing order"):
        sim.Population(1, sim.extra_models.SpikeSourcePoissonVariable(rates=[1.0, 2.0], starts=[5.0, 0.0]))


def test_what_evsim_lacks_is_refused_by_name_and_with_its_reason():
    with pytest.raises(AttributeError, match=r"WeightChanger: it changes .*; it has IFCurDelta, .*Vogels2011Rule"):
        sim.extra_models.WeightChanger  # noqa: B018
    with pytest.raises(AttributeError, match=r"StocSigma: while one of its neurons is refractory, .* StocExp"):
        sim.extra_models.StocSigma  # noqa: B018
    with pytest.raises(AttributeError, match="sPyNNaker's extra_models have no 'Other'"):
        sim.extra_models.Other  # noqa: B018


# from spynnaker.pyNN.models.neuron.builds of sPyNNaker 7.4.1: parameters and their defaults
CELLS = {
    "IFCurrDeltaCa2Adaptive": {"tau_m": 20.0, "cm": 1.0, "v_thresh": -50.0, "tau_refrac": 0.1, "tau_ca2": 50.0},
    "IFCurrDeltaFixedProb": {"tau_m": 0.0001, "cm": 0.0001, "v_rest": 0.0, "v_thresh": 1.0, "p_thresh": 1.0},
    "IFCondExpStoc": {"tau_m": 20.0, "v_thresh": -50.0, "e_rev_I": -70.0, "du_th": 0.5, "tau_th": 20.0},
    "IFTruncDelta": {"tau_m": 1.0, "cm": 1.0, "v_reset": 0.0, "v_thresh": 1.0, "tau_refrac": 1.0, "i_offset": 0.0},
    "IF_curr_exp_sEMD": {"tau_syn_E": 5.0, "tau_syn_E2": 5.0, "tau_syn_I": 5.0, "scaling_factor": 1.0},
    "Izhikevich_cond": {"a": 0.02, "b": 0.2, "c": -65.0, "d": 2.0, "tau_syn_E": 5.0, "e_rev_I": -70.0},
    "Izhikevich_cond_dual": {"a": 0.02, "d": 2.0, "tau_syn_E": 5.0, "tau_syn_E2": 5.0, "tau_syn_I": 5.0},
    "StocExp": {"tau": 10.0, "bias": 0.0},
    "StocExpStable": {"v_reset": 0.0, "tau": 0.1, "tau_refrac": 1.0, "bias": 0.0},
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("chip", ["ideal", "spinnaker1"])
def test_cells_run_where_they_are_and_are_refused_elsewhere(name: str, chip: str):
    kind = getattr(sim.extra_models, name)
    assert CELLS[name].items() <= kind.default_parameters.items()
    sim.setup(timestep=1.0, chip=chip)
    cells = sim.Population(2, kind(), label="some")
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[2.0, 3.0]))
    for receptor in cells.receptor_types:
        weight = -0.02 if receptor == "inhibitory" and not cells.conductance_based else 0.02
        synapse = sim.StaticSynapse(weight=weight, delay=1.0)
        sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type=receptor)
    cells.record("all")
    model = registry.cell_model(name)
    assert isinstance(model, NeuronModel)
    if chip not in model.rules:
        with pytest.raises(CheckError, match=rf"population 'some': the cell {name}; {chip} .*can hold it"):
            sim.run(10.0)
        return
    sim.run(10.0)
    segment = cells.get_data().segments[0]
    assert {s.name for s in segment.analogsignals} == set(cells.celltype.recordable) - {"spikes"} != set()
    assert all(np.isfinite(s.magnitude).all() for s in segment.analogsignals)


def drawn(seeds, rng_seed=0):
    """The spikes of cells with these seeds, each a population of its own."""
    sim.setup(timestep=1.0, chip="spinnaker1", rng_seed=rng_seed)
    given = [{} if seed is None else {"seed": seed} for seed in seeds]
    kind = sim.extra_models.StocExpStable
    populations = [sim.Population(20, kind(tau=0.3, tau_refrac=2.0, **words)) for words in given]
    for population in populations:
        population.record("spikes")
    sim.run(100.0)
    return [[train.magnitude.tolist() for train in p.get_data().segments[0].spiketrains] for p in populations]


def test_seeds_of_cells_decide_their_spikes():
    first, again, other = drawn([4, 4, 5])
    assert first == again != other and first == drawn([4])[0]
    assert len({tuple(train) for train in first}) == 20
    one, two = drawn([None, None])
    assert one != two and [one, two] == drawn([None, None]) and one != drawn([None], rng_seed=1)[0]


def test_words_of_a_generator_can_be_given():
    sim.setup(timestep=1.0, chip="spinnaker1")
    words = {f"seed{k}": [11.0 + k, 2.0**32 - 1 - k] for k in range(4)}
    pairs = [sim.Population(2, sim.extra_models.StocExp(), initial_values=words) for _ in range(2)]
    for cells in pairs:
        cells.record("spikes")
    sim.run(200.0)
    one, two = ([t.magnitude.tolist() for t in cells.get_data().segments[0].spiketrains] for cells in pairs)
    assert one == two and one[0] != one[1] and len(one[0]) > 10


def test_plastic_synapses_onto_cells_without_such_firmware_are_refused():
    sim.setup(timestep=1.0, chip="spinnaker1")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0]))
    cells = sim.Population(2, sim.extra_models.StocExp())
    rule = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(), weight=0.5, delay=1.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), rule, label="learns")
    with pytest.raises(CheckError, match=r"'learns': plastic synapses; sPyNNaker 7\.4\.1 has no firmware of StocExp"):
        sim.run(1.0)


def projection(timing: Any, weight: Any):
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0, 40.0]))
    kick = sim.Population(1, sim.SpikeSourceArray(spike_times=[18.0]))
    cell = sim.Population(1, sim.IF_curr_exp(tau_m=10.0, cm=0.1, tau_refrac=60.0), initial_values={"v": -65.0})
    cell.record("spikes")
    sim.Projection(kick, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=1.0))
    rule = sim.STDPMechanism(timing, weight, weight=0.5, delay=1.0)
    return cell, sim.Projection(source, cell, sim.AllToAllConnector(), rule, label="learns")


def test_the_network_says_which_rules_there_are():
    sim.setup(timestep=1.0)
    triplet = sim.extra_models.PfisterSpikeTriplet(16.8, 33.7, 101.0, 125.0, 0.005, 0.007)
    projection(triplet, sim.extra_models.WeightDependenceAdditiveTriplet(w_max=2.0))
    plasticity = graph.build(simulator.state).projections[1].plasticity
    assert plasticity is not None
    assert (plasticity.timing, plasticity.weight) == ("PfisterSpikeTriplet", "WeightDependenceAdditiveTriplet")
    assert plasticity.parameters == {
        **{"tau_plus": 16.8, "tau_minus": 33.7, "tau_x": 101.0, "tau_y": 125.0, "A_plus": 0.005, "A_minus": 0.007},
        **{"w_min": 0.0, "w_max": 2.0, "A3_plus": 0.01, "A3_minus": 0.01},
    }


@pytest.mark.parametrize(("chip", "lowering"), [("ideal", 2), ("spinnaker1", 1)])
def test_the_rule_of_vogels_raises_by_pairs_and_lowers_by_each_spike(chip: str, lowering: int):
    """Vogels et al. 2011, in changes of nA: the source spikes twice, the target once in between.

    The first spike of the source finds none of the target, which in the firmware means that it changes nothing.
    """
    sim.setup(timestep=1.0, chip=chip)
    timing = sim.extra_models.Vogels2011Rule(alpha=0.25, tau=16.0, A_plus=0.5)
    cell, learns = projection(timing, sim.AdditiveWeightDependence(w_max=3.0))
    sim.run(50.0)
    (train,) = cell.get_data().segments[0].spiketrains
    (spike,) = (float(time) for time in train)
    expected = 0.5 + 0.5 * (np.exp(-(spike + 1 - 10) / 16) + np.exp(-(40 - spike - 1) / 16) - 0.25 * lowering)
    assert np.asarray(learns.get("weight", format="array")).item() == pytest.approx(expected, abs=2.0**-10)


def test_scripts_of_spynnaker_find_them():
    sys.modules.pop("pyNN.spiNNaker", None)
    with redirected(lambda text: None):
        there: Any = importlib.import_module("pyNN.spiNNaker")
        assert there.extra_models.Vogels2011Rule is sim.extra_models.Vogels2011Rule
        assert importlib.import_module("pyNN.spiNNaker.extra_models").IFCurDelta is sim.IF_curr_delta
