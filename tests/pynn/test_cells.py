"""Cells as PyNN's classes: PyNN's own, and those that only sPyNNaker has."""

from __future__ import annotations

import numpy as np
import pytest
from pyNN import errors
from pyNN.standardmodels import cells as pynn_cells

from evsim.pynn.graph import build


def test_pynns_cells_have_pynns_parameters(sim):
    assert {"IF_curr_exp", "IF_curr_alpha", "IF_curr_delta", "IF_cond_exp"} <= set(sim.list_standard_models())
    assert sim.IF_curr_alpha.default_parameters == pynn_cells.IF_curr_alpha.default_parameters
    assert sim.IF_curr_alpha.recordable == ["spikes", "v", "isyn_exc", "isyn_inh"]


def test_a_cell_of_sPyNNaker_has_its_names_and_defaults(sim):  # noqa: N802 - its name
    cell = sim.IFCurrExpCa2Adaptive
    assert cell.default_parameters["tau_ca2"] == 50.0 and cell.default_parameters["i_alpha"] == 0.1
    assert cell.default_initial_values == {"v": -65.0, "isyn_exc": 0.0, "isyn_inh": 0.0, "i_ca2": 0.0}
    assert cell.units["i_ca2"] == "nA" and not cell.conductance_based
    assert "IFCurrExpCa2Adaptive" in dir(sim) and "IFCurrExpCa2Adaptive" not in sim.list_standard_models()
    with pytest.raises(Exception, match="i_beta"):
        cell(i_beta=1.0)


@pytest.mark.filterwarnings("ignore:Can't check weight")  # PyNN knows the signs of two receptors alone
def test_the_second_excitatory_receptor(sim):
    assert tuple(sim.IF_curr_dual_exp.receptor_types) == ("excitatory", "excitatory2", "inhibitory")
    sim.setup(timestep=1.0)
    cells = sim.Population(1, sim.IF_curr_dual_exp(tau_syn_E2=20.0))
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    synapse = sim.StaticSynapse(weight=1.5, delay=1.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type="excitatory2")
    cells.record("isyn_exc2")
    sim.run(26.0)
    current = np.asarray(cells.get_data().segments[0].filter(name="isyn_exc2")[0])[:, 0]
    np.testing.assert_allclose(current[[5, 6, 26]], [0.0, 1.5, 1.5 / np.e], rtol=0, atol=1e-12)
    sim.end()


@pytest.mark.parametrize(("name", "peak"), [("IF_curr_alpha", 4.0), ("IFCurrExpCa2Adaptive", 0.0)])
def test_they_run_and_record(sim, name, peak):
    sim.setup(timestep=1.0)
    cells = sim.Population(3, getattr(sim, name)(tau_syn_E=4.0, i_offset=[0.0, 0.5, 2.0]))
    cells.initialize(isyn_inh=-0.5)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.5, delay=1.0))
    cells.record(["spikes", *cells.celltype.recordable[1:]])
    sim.run(100.0)
    segment = cells.get_data().segments[0]
    counts = [len(train) for train in segment.spiketrains]
    assert counts[0] == 0 and counts[2] > 1
    current = np.asarray(segment.filter(name="isyn_exc")[0])[:, 0]
    assert current.argmax() == 6 + peak and current.max() == pytest.approx(1.5)
    assert np.asarray(segment.filter(name="isyn_inh")[0])[0].tolist() == [-0.5] * 3
    sim.end()


CONDUCTANCES = (
    *("IF_cond_alpha", "IF_cond_exp_gsfa_grr", "IF_facets_hardware1", "HH_cond_exp"),
    *("EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista"),
)
TRIPLE = (1.0, 20.0, 300.0)


@pytest.mark.parametrize("name", CONDUCTANCES)
def test_cells_with_conductances_record_what_pynn_says(sim, name):
    sim.setup(timestep=0.1)
    cells = sim.Population(2, getattr(sim, name)())
    assert set(cells.celltype.default_parameters) == set(getattr(pynn_cells, name).default_parameters)
    assert set(getattr(pynn_cells, name).recordable) <= set(cells.celltype.recordable)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 6.0, 7.0]))
    synapses = sim.FromListConnector([(0, 0, 0.5, 1.0), (0, 1, 0.0, 1.0)])
    sim.Projection(source, cells, synapses, receptor_type="excitatory")
    cells.record(cells.celltype.recordable)
    sim.run(30.0)
    segment = cells.get_data().segments[0]
    v, gsyn = (np.asarray(segment.filter(name=variable)[0]) for variable in ("v", "gsyn_exc"))
    assert v[60:, 0].max() > v[60:, 1].max() + 1.0
    assert len(segment.spiketrains[0]) > 0 and gsyn[:, 0].max() > 0.05 and not gsyn[:, 1].any()
    assert str(segment.filter(name="v")[0].units.dimensionality) == "mV"
    sim.end()


def test_a_gif_neuron_records_what_pynn_says(sim):
    sim.setup(timestep=0.1)
    cells = sim.Population(3, sim.GIF_cond_exp(i_offset=1.5, a_eta=[(0, 0, 0), (0.1, 0.1, 0.1), (0.1, 0.1, 0.1)]))
    assert set(cells.celltype.default_parameters) == set(pynn_cells.GIF_cond_exp.default_parameters)
    assert set(cells.celltype.recordable) == set(pynn_cells.GIF_cond_exp.recordable)
    cells.record(cells.celltype.recordable)
    sim.run(100.0)
    segment = cells.get_data().segments[0]
    current, threshold = (np.asarray(segment.filter(name=name)[0]) for name in ("i_eta", "v_t"))
    assert not current[:, 0].any() and current[:, 1].max() > 0.2
    assert threshold.min() == threshold[0, 0] == -48.0 and threshold.max() > -46.0
    assert min(len(train) for train in segment.spiketrains) > 0
    sim.end()


@pytest.mark.parametrize("name", ["GIF_cond_exp", "GLM_exp"])
def test_an_array_is_a_parameter_of_each_cell(sim, name):
    kind = getattr(sim, name)
    tau, a = ("tau_eta", "a_eta") if name == "GIF_cond_exp" else ("tau_history", "a_history")
    cells = sim.Population(3, kind(**{tau: TRIPLE, a: [(1, 2, 3), (4, 5, 6), (1, 2, 3)]}))
    assert cells.get(tau).value.tolist() == list(TRIPLE)
    cells[1:2].set(**{tau: (2.0, 3.0, 4.0)})
    setattr(cells[0], a, (7, 8, 9))
    assert [x.value.tolist() for x in cells.get(tau)] == [list(TRIPLE), [2.0, 3.0, 4.0], list(TRIPLE)]
    assert [x.value.tolist() for x in cells.get(a)] == [[7, 8, 9], [4, 5, 6], [1, 2, 3]]
    part = build(sim.simulator.state).populations[0].parameters
    assert part[f"{tau}2"].tolist() == [20.0, 3.0, 20.0] and part[f"{a}3"].tolist() == [9.0, 6.0, 3.0]


@pytest.mark.parametrize("wrong", [(1.0, 2.0), (), (1.0, 2.0, 3.0, 4.0)])
def test_an_array_of_another_length_is_refused(sim, wrong):
    with pytest.raises(errors.InvalidDimensionsError, match=r"population 'gif': tau_gamma of cell 0 is .* 3 numbers"):
        sim.Population(2, sim.GIF_cond_exp(tau_gamma=wrong), label="gif")
    cells = sim.Population(2, sim.GIF_cond_exp(), label="gif")
    with pytest.raises(errors.InvalidDimensionsError, match=r"a_gamma of cell 1"):
        cells[1:2].set(a_gamma=wrong)
    assert cells.get("a_gamma").value.tolist() == [1.0, 1.0, 1.0]


def test_a_number_in_the_place_of_an_array_is_refused(sim):
    with pytest.raises(errors.InvalidParameterValueError, match=r"tau_gamma of GIF_cond_exp is 3.0; give it a list"):
        sim.GIF_cond_exp(tau_gamma=3.0)


def test_what_follows_from_the_spikes_has_no_initial_value_of_its_own(sim):
    cells = sim.Population(2, sim.GIF_cond_exp(), label="gif", initial_values={"v_t": -48.0, "v": -60.0})
    with pytest.raises(errors.InvalidParameterValueError, match=r"'gif': the initial v_t is -40; in GIF_cond_exp it"):
        cells[1:].initialize(v_t=-40.0)


def test_what_follows_from_the_spikes_may_be_said_to_begin_where_it_does(sim):
    cells = sim.Population(2, sim.GIF_cond_exp(v_t_star=[-55.0, -50.0]), initial_values={"v_t": [-55.0, -50.0]})
    with pytest.raises(errors.InvalidParameterValueError, match=r"v_t is -55; .* begins at -50, which is v_t_star"):
        cells[1:].initialize(v_t=-55.0)


def test_spike_times_that_are_shared_can_be_read(sim):
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.0]))
    assert source.get("spike_times").value.tolist() == source[1].spike_times.value.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("name", "variables"), [("QIF_curr_exp", 3), ("QIF_cond_exp", 3), ("GLM_exp", 4)])
def test_cells_of_our_own_have_defaults(sim, name, variables):
    sim.setup(timestep=0.1)
    kind = getattr(sim, name)
    assert name in dir(sim) and name not in sim.list_standard_models() and len(kind.recordable) == variables + 1
    cells = sim.Population(50, kind(i_offset=1.0))
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 6.0]))
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.0))
    cells.record(kind.recordable)
    sim.run(300.0)
    assert cells.mean_spike_count() > 1
    segment = cells.get_data().segments[0]
    assert {signal.name for signal in segment.analogsignals} == set(kind.recordable) - {"spikes"}
    exc = next(signal for signal in segment.analogsignals if signal.name.endswith("syn_exc"))
    assert exc.magnitude.max() == pytest.approx(0.1 * (1 + np.exp(-1 / 5)))
    sim.end()


RATES = {
    "SpikeSourcePoissonRefractory": {"rate": 100.0, "tau_refrac": 4.0},
    "SpikeSourceGamma": {"alpha": 2.0, "beta": 200.0},
    "SpikeSourceInhGamma": {"a": [2.0, 2.0], "b": [0.0025, 0.01], "tbins": [0.0, 100.0]},
}


@pytest.mark.parametrize("name", RATES)
def test_renewal_sources_drive_cells(sim, name):
    sim.setup(timestep=0.1)
    source = sim.Population(20, getattr(sim, name)(**RATES[name]))
    cells = sim.Population(5, sim.IF_curr_exp())
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.3))
    source.record("spikes")
    cells.record("spikes")
    sim.run(200.0)
    assert 300 < source.mean_spike_count() * 20 < (600 if "Inh" in name else 500)
    assert cells.mean_spike_count() > 1
    sim.end()
