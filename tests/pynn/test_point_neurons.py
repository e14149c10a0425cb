"""Composed cells against the cells that PyNN has whole, closed forms, and NEST's with several receptors."""

from __future__ import annotations

import numpy as np
import pytest
from pyNN import errors

TRAIN = [3.0, 4.0, 11.0, 25.0, 31.0, 40.0]
WEIGHTS = {"excitatory": [0.02, 0.01], "inhibitory": [0.015, 0.02]}


def driven(sim, celltype, weights, duration: float = 60.0, **initial):
    """Cells that get input by each receptor; their segment."""
    size = len(next(iter(weights.values())))
    cells = sim.Population(size, celltype, initial_values=initial)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=TRAIN))
    for receptor, values in weights.items():
        rows = [(0, k, weight, 1.0) for k, weight in enumerate(values)]
        sim.Projection(source, cells, sim.FromListConnector(rows), receptor_type=receptor)
    cells.record(celltype.recordable)
    sim.run(duration)
    return cells.get_data().segments[0]


def signal(segment, name: str) -> np.ndarray:
    return np.asarray(segment.filter(name=name)[0])


def times(segment) -> list[list[float]]:
    return [np.asarray(train).tolist() for train in segment.spiketrains]


def test_lif_with_currents_is_if_curr_exp(sim):
    membrane = {"tau_m": 12.0, "cm": 0.3, "i_offset": [0.6, 0.9], "tau_refrac": 1.0}
    weights = {"excitatory": [0.6, 0.4], "inhibitory": [-0.2, -0.5]}
    sim.setup(timestep=0.1)
    whole = driven(sim, sim.IF_curr_exp(tau_syn_E=2.0, tau_syn_I=5.0, **membrane), weights, v=-65.0)
    parts = {"excitatory": (2.0, "isyn_exc"), "inhibitory": (5.0, "isyn_inh")}
    currents = {name: sim.CurrExpPostSynapticResponse(tau_syn=tau) for name, (tau, _) in parts.items()}
    sim.setup(timestep=0.1)
    composed = driven(sim, sim.PointNeuron(sim.LIF(**membrane), **currents), weights, v=-65.0)
    assert times(composed) == times(whole) and sum(map(len, times(whole))) > 3
    assert np.abs(signal(composed, "v") - signal(whole, "v")).max() < 1e-9
    for name, (_, variable) in parts.items():
        np.testing.assert_allclose(signal(composed, f"{name}.isyn"), signal(whole, variable), atol=1e-12)
    sim.end()


@pytest.mark.parametrize(
    ("whole", "response"), [("EIF_cond_exp_isfa_ista", "ExpPSR"), ("EIF_cond_alpha_isfa_ista", "AlphaPSR")]
)
def test_adexp_with_two_conductances_is_the_eif(sim, whole, response):
    own = {"i_offset": [0.5, 0.9], "tau_m": 12.0, "tau_refrac": 2.0}
    sim.setup(timestep=0.1)
    expected = driven(sim, getattr(sim, whole)(tau_syn_E=2.0, tau_syn_I=4.0, e_rev_I=-75.0, **own), WEIGHTS)
    kind = getattr(sim, response)
    sim.setup(timestep=0.1)
    receptors = {"excitatory": kind(tau_syn=2.0, e_syn=0.0), "inhibitory": kind(tau_syn=4.0, e_syn=-75.0)}
    found = driven(sim, sim.PointNeuron(sim.AdExp(**own), **receptors), WEIGHTS)
    assert times(found) == times(expected) and sum(map(len, times(expected))) > 3
    for name, variable in (("v", "v"), ("w", "w"), ("excitatory.gsyn", "gsyn_exc"), ("inhibitory.gsyn", "gsyn_inh")):
        np.testing.assert_allclose(signal(found, name), signal(expected, variable), rtol=0, atol=1e-9)
    sim.end()


@pytest.mark.parametrize(("rise", "decay"), [(0.2, 1.7), (3.0, 8.0), (2.0, 2.0), (2.0, 2.0000001), (5.0, 2.0)])
def test_a_beta_function_has_its_shape_and_its_peak(sim, rise, decay):
    sim.setup(timestep=0.1)
    cell = sim.PointNeuron(sim.LIF(), AMPA=sim.BetaPSR(tau_rise=rise, tau_decay=decay))
    cells = sim.Population(1, cell)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    sim.Projection(
        source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.03, delay=1.0), receptor_type="AMPA"
    )
    cells.record("AMPA.gsyn")
    sim.run(60.0)
    found = signal(cells.get_data().segments[0], "AMPA.gsyn")[20:, 0]
    t = np.arange(len(found)) * 0.1
    fine = np.linspace(0.0, 40.0, 400_001)

    def shape(t):
        return t * np.exp(-t / decay) if abs(rise - decay) < 1e-3 else np.exp(-t / decay) - np.exp(-t / rise)

    expected = 0.03 * shape(t) / shape(fine)[np.argmax(np.abs(shape(fine)))]
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-9)
    sim.end()


def test_parameters_of_receptors_have_their_names(sim):
    sim.setup(timestep=0.1)
    cell = sim.PointNeuron(sim.AdExp(tau_m=10.0), AMPA=sim.AlphaPSR(tau_syn=1.0), GABAA=sim.BetaPSR(e_syn=-70.0))
    assert cell.receptor_types == ["AMPA", "GABAA"]
    cells = sim.Population(3, cell)
    assert cells.get("tau_m") == 10.0 and cells.get("AMPA.tau_syn") == 1.0 and cells.get("GABAA.e_syn") == -70.0
    cells.set(**{"AMPA.tau_syn": [2.0, 3.0, 4.0]})
    assert cells.get("AMPA.tau_syn").tolist() == [2.0, 3.0, 4.0]
    cells.initialize(**{"AMPA.gsyn": 0.01})
    cells.record("AMPA.gsyn")
    sim.run(2.0)
    decayed = signal(cells.get_data().segments[0], "AMPA.gsyn")[-1]
    np.testing.assert_allclose(decayed, 0.01 * np.exp(-2.0 / np.array([2.0, 3.0, 4.0])), rtol=1e-9)
    sim.end()


def test_parts_that_do_not_fit_are_refused(sim):
    with pytest.raises(errors.NoModelAvailableError, match="currents or conductances, not both"):
        sim.PointNeuron(sim.LIF(), a=sim.ExpPSR(), b=sim.CurrExpPostSynapticResponse())
    with pytest.raises(errors.NoModelAvailableError, match=r"LIF\(...\) or AdExp\(...\)"):
        sim.PointNeuron(sim.IF_curr_exp(), a=sim.ExpPSR())
    with pytest.raises(errors.NoModelAvailableError, match="for 'a'"):
        sim.PointNeuron(sim.LIF(), a=sim.StaticSynapse())


def test_a_chip_without_such_cells_says_so(sim):
    sim.setup(timestep=1.0, backend="reference", chip="spinnaker1")
    sim.Population(2, sim.PointNeuron(sim.LIF(), AMPA=sim.CurrExpPostSynapticResponse()))
    with pytest.raises(Exception, match=r"spinnaker1.*does not have it; ideal can hold it"):
        sim.run(1.0)
    sim.end()


@pytest.mark.parametrize(
    ("neuron", "response", "nests"),
    [
        ("AdExp", "BetaPSR", "aeif_cond_beta_multisynapse"),
        ("AdExp", "AlphaPSR", "aeif_cond_alpha_multisynapse"),
        ("LIF", "CurrExpPostSynapticResponse", "iaf_psc_exp_multisynapse"),
    ],
)
def test_three_receptors_are_those_of_nest(sim, neuron, response, nests):
    nest = pytest.importorskip("nest")
    names, weights = ("A", "B", "C"), (0.05, 0.02, 0.03)
    taus = (
        {"tau_decay": (3.0, 20.0, 5.0), "tau_rise": (0.5, 2.0, 1.0)}
        if response == "BetaPSR"
        else {"tau_syn": (3.0, 20.0, 5.0)}
    )
    reversal = (0.0, 0.0, -80.0)
    is_current = response.startswith("Curr")
    sim.setup(timestep=0.1)
    receptors = {}
    for k, name in enumerate(names):
        given = {key: values[k] for key, values in taus.items()} | ({} if is_current else {"e_syn": reversal[k]})
        receptors[name] = getattr(sim, response)(**given)
    own = {"i_offset": 0.3, "tau_m": 15.0, "cm": 0.25}
    sign = -1.0 if is_current else 1.0
    drive = {name: [weight * (10 if is_current else 1)] for name, weight in zip(names, weights, strict=True)}
    drive["C"] = [sign * drive["C"][0]]
    cell = sim.PointNeuron(getattr(sim, neuron)(**own), **receptors)
    ours = driven(sim, cell, drive, 100.0, v=-70.0)
    v_thresh = cell.parameter_space["v_thresh"].base_value
    sim.end()

    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = 0.1
    defaults = cell.default_parameters
    values = {"C_m": 250.0, "I_e": 300.0, "E_L": defaults["v_rest"], "V_reset": defaults["v_reset"], "V_th": v_thresh}
    values |= {"t_ref": 0.1, "V_m": -70.0}
    if neuron == "AdExp":
        values |= {"g_L": 250.0 / 15.0, "a": 4.0, "b": 80.5, "Delta_T": 2.0, "tau_w": 144.0, "V_peak": -40.0}
        values |= {"E_rev": list(reversal), "gsl_error_tol": 1e-12}
    else:
        values |= {"tau_m": 15.0}
    theirs = nest.Create(nests)
    theirs.set({**values, **{key: list(of) for key, of in taus.items()}})
    source = nest.Create("spike_generator", params={"spike_times": TRAIN})
    for port, name in enumerate(names, 1):
        nest.Connect(source, theirs, syn_spec={"weight": 1000 * drive[name][0], "delay": 1.0, "receptor_type": port})
    recorder, meter = (
        nest.Create("spike_recorder"),
        nest.Create("multimeter", params={"record_from": ["V_m"], "interval": 0.1}),
    )
    nest.Connect(theirs, recorder)
    nest.Connect(meter, theirs)
    nest.Simulate(100.2)
    np.testing.assert_allclose(times(ours)[0], recorder.events["times"], atol=1e-9)
    assert len(times(ours)[0]) > 1
    v = signal(ours, "v")[1:1000, 0]
    error = np.abs(v - meter.events["V_m"][: len(v)])
    assert np.median(error) < (1e-9 if is_current else 1e-4)
