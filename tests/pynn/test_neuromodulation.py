"""Learning by dopamine through PyNN's API, in sPyNNaker's form."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.errors import CheckError
from evsim.modulation import Modulation
from evsim.network_file import fingerprint, load, save
from evsim.pynn import graph, simulator

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

A_PLUS, TAU_PLUS, TAU_C, TAU_D, DOSE = 0.05, 20.0, 400.0, 100.0, 0.002


def build(receptor: str | None = "reward", timing: Any = None, weight: Any = None, **changed):
    """A source of one spike, before that of a neuron which another source makes spike, and a dose of dopamine later."""
    sim.setup(timestep=1.0)
    early, driver, dopamine = (
        sim.Population(1, sim.SpikeSourceArray(spike_times=[t]), label=label)
        for t, label in ((10.0, "early"), (20.0, "driver"), (60.0, "dopamine"))
    )
    cells = sim.Population(1, sim.IF_curr_exp(tau_syn_E=0.5), label="cells")
    cells.record("spikes")
    one = sim.AllToAllConnector()
    rule = sim.STDPMechanism(
        timing_dependence=timing or sim.SpikePairRule(tau_plus=TAU_PLUS, tau_minus=20.0, A_plus=A_PLUS, A_minus=0.05),
        weight_dependence=weight or sim.AdditiveWeightDependence(w_min=0.0, w_max=2.0),
        weight=0.5,
        delay=1.0,
    )
    plastic = sim.Projection(early, cells, one, rule, label="plastic")
    sim.Projection(driver, cells, one, sim.StaticSynapse(weight=60.0, delay=1.0), label="driving")
    kind = sim.extra_models.Neuromodulation(
        **{"weight": DOSE, "tau_c": TAU_C, "tau_d": TAU_D, "w_min": 0.0, "w_max": 5.0, "delay": 1.0, **changed}
    )
    doses = sim.Projection(dopamine, cells, one, kind, receptor_type=receptor, label="doses")
    return plastic, doses, cells


def weight_of(projection) -> float:
    return projection.get("weight", format="list", with_address=False)[0]


def gained(cells, end: float, dose: float = DOSE) -> float:
    """The integral of eligibility times dopamine from 61 ms to an end."""
    (spike,) = cells.get_data().segments[-1].spiketrains[0].magnitude
    eligibility = A_PLUS * 2.0 * np.exp(-(spike + 1 - 10.0) / TAU_PLUS) * np.exp(-(61.0 - spike - 1) / TAU_C)
    rate = 1 / TAU_C + 1 / TAU_D
    return eligibility * dose * -np.expm1(-rate * (end - 61.0)) / rate


@pytest.mark.parametrize(("receptor", "sign"), [("reward", 1.0), ("punishment", -1.0)])
def test_a_pair_changes_the_weight_when_dopamine_comes(receptor: str, sign: float):
    plastic, _, cells = build(receptor)
    sim.run(60.0)
    assert weight_of(plastic) == 0.5
    for end in (100.0, 300.0):
        sim.run(end - sim.get_current_time())
        assert weight_of(plastic) == pytest.approx(0.5 + sign * gained(cells, end), rel=1e-12)
        assert abs(weight_of(plastic) - 0.5) > 1e-3


def test_a_receptor_that_is_not_given_is_that_of_reward():
    _, doses, _ = build(receptor=None)
    assert doses.receptor_type == "reward" and doses.get("weight", format="list") == [(0, 0, DOSE)]
    (part,) = [p for p in graph.build(simulator.state).projections if p.modulation]
    assert part.modulation == Modulation(TAU_C, TAU_D, 0.0, 5.0, 0.0) and part.receptor == "reward"


def test_the_defaults_are_spynnakers():
    defaults = sim.extra_models.Neuromodulation.default_parameters
    assert {name: defaults[name] for name in ("weight", "tau_c", "tau_d", "w_min", "w_max")} == {
        "weight": 0.0,
        "tau_c": 1000.0,
        "tau_d": 200.0,
        "w_min": 0.0,
        "w_max": 1.0,
    }
    assert sim.extra_models.Neuromodulation(0.5, 10.0, 5.0).parameter_space["tau_d"].base_value == 5.0


def test_the_amount_of_dopamine_can_be_set_between_runs():
    plastic, doses, cells = build()
    sim.run(30.0)
    doses.set(weight=3 * DOSE)
    sim.run(270.0)
    assert weight_of(plastic) == pytest.approx(0.5 + gained(cells, 300.0, 3 * DOSE), rel=1e-12)


def test_a_weight_that_is_set_goes_on_from_there():
    plastic, _, cells = build()
    sim.run(100.0)
    before = gained(cells, 100.0)
    plastic.set(weight=1.5)
    sim.run(200.0)
    assert weight_of(plastic) == pytest.approx(1.5 + gained(cells, 300.0) - before, rel=1e-12)


def test_a_time_constant_that_is_set_goes_on_with_what_was_learned():
    """The weight so far, and eligibility and dopamine as they are by then."""
    plastic, doses, cells = build()
    sim.run(100.0)
    learned = gained(cells, 100.0)
    assert learned > 1e-3
    doses.set(tau_c=150.0, tau_d=70.0)
    sim.run(200.0)
    rates = (1 / TAU_C + 1 / TAU_D), (1 / 150.0 + 1 / 70.0)
    rest = gained(cells, np.inf) - learned  # proportional to both, divided by the sum of their rates
    assert weight_of(plastic) == pytest.approx(
        0.5 + learned + rest * rates[0] / rates[1] * -np.expm1(-rates[1] * 200.0), rel=1e-12
    )


def test_without_dopamine_nothing_is_learned_and_a_baseline_unlearns():
    plastic, _, _ = build(baseline=0.001)
    sim.run(60.0)
    assert weight_of(plastic) < 0.5 - 1e-3


def test_a_saved_network_is_the_same(tmp_path):
    build(baseline=0.0003)
    network = graph.build(simulator.state)
    save(network, tmp_path / "dopamine.npz")
    again = load(tmp_path / "dopamine.npz")
    assert fingerprint(again) == fingerprint(network)
    assert [p.modulation for p in again.projections] == [p.modulation for p in network.projections]
    build(baseline=0.0004)
    assert fingerprint(graph.build(simulator.state)) != fingerprint(network)


# --- what cannot be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1", "loihi2", "loihi2_learning"])
def test_chips_refuse_it_before_the_run(chip: str):
    build()
    found = [p for p in check(graph.build(simulator.state), load_chip(chip)) if p.where == "projection 'doses'"]
    assert len(found) == 1 and "Neuromodulation" in found[0].what and "ideal can hold it" in found[0].limit


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tau_c": 0.0}, "tau_c is 0 ms; it must be finite and above 0"),
        ({"tau_d": -3.0}, "tau_d is -3 ms"),
        ({"w_min": 6.0}, "w_min is 6 and w_max is 5; both must be finite, and 0 <= w_min < w_max"),
        ({"baseline": np.inf}, "baseline is inf"),
    ],
)
def test_parameters_out_of_range_are_refused(changed: dict, said: str):
    build(**changed)
    with pytest.raises(CheckError, match=f"projection 'doses': {said}"):
        sim.run(1.0)


def test_negative_amounts_and_other_receptors_are_refused():
    with pytest.raises(errors.ConnectionError, match=r"a weight of Neuromodulation is -0.1; it must be at least 0"):
        _with_dose(-0.1)
    with pytest.raises(errors.ConnectionError, match=r"'excitatory': Neuromodulation has reward, punishment"):
        build("excitatory")


def _with_dose(amount: float) -> None:
    sim.setup(timestep=1.0)
    source, cells = sim.Population(1, sim.SpikeSourceArray()), sim.Population(1, sim.IF_curr_exp())
    kind = sim.extra_models.Neuromodulation(weight=amount)
    sim.Projection(source, cells, sim.AllToAllConnector(), kind, receptor_type="reward")


def test_dopamine_wants_plastic_synapses():
    _with_dose(0.1)
    with pytest.raises(CheckError, match="it has no plastic synapses"):
        sim.run(1.0)


def test_all_dopamine_of_a_population_has_one_effect():
    _, doses, cells = build()
    kind = sim.extra_models.Neuromodulation(weight=0.1, tau_c=77.0, tau_d=TAU_D, w_max=5.0)
    sim.Projection(doses.pre, cells, sim.AllToAllConnector(), kind, receptor_type="punishment", label="other")
    with pytest.raises(CheckError, match=r"projection 'other': other parameters than those of projection 'doses'"):
        sim.run(1.0)


RULES = {
    "multiplicative": lambda: {"weight": sim.MultiplicativeWeightDependence(w_min=0.0, w_max=2.0)},
    "additive and multiplicative": lambda: {
        "weight": sim.AdditivePotentiationMultiplicativeDepression(w_min=0.0, w_max=2.0)
    },
    "Vogels": lambda: {"timing": sim.Vogels2011Rule(tau=TAU_PLUS, eta=A_PLUS * 2.0, rho=0.0)},
    "sPyNNaker's Vogels": lambda: {"timing": sim.extra_models.Vogels2011Rule(alpha=0.0, tau=TAU_PLUS, A_plus=0.1)},
}


@pytest.mark.parametrize("name", RULES)
def test_rules_that_go_with_dopamine_begin_alike(name: str):
    """From an eligibility of 0, one pair adds the same by each of them."""
    plastic, _, cells = build(**RULES[name]())
    sim.run(300.0)
    assert weight_of(plastic) == pytest.approx(0.5 + gained(cells, 300.0), abs=1e-10)


def test_other_rules_are_refused():
    build(weight=sim.GutigWeightDependence(w_min=0.0, w_max=1.0))
    with pytest.raises(CheckError, match=r"projection 'plastic': SpikePairRule with GutigWeightDependence"):
        sim.run(1.0)


def some(seed: int, count: int) -> list[np.ndarray]:
    """Times (ms) before 441 ms, and from 520 ms on."""
    random = np.random.default_rng(seed)
    both = ((random.choice(440, 8, False) + 1.0, random.choice(360, 8, False) + 520.0) for _ in range(count))
    return [np.concatenate(each) for each in both]


# of sources, of what makes the cells spike, and of dopamine
SENT, PUSHED, DOSES = some(4, 15), some(5, 520), [np.array([600.0, 620.0, 800.0])]


def since(start: float, threads: int, weight: Any):
    """What is sent from a time on: plastic synapses, cells, and a source of dopamine that nothing hears yet."""
    sim.setup(timestep=1.0, threads=threads)
    ends = [
        sim.Population(len(trains), sim.SpikeSourceArray(spike_times=[np.sort(t[t > start] - start) for t in trains]))
        for trains in (SENT, PUSHED, DOSES)
    ]
    cells = sim.Population(520, sim.IF_curr_delta(tau_m=1.0, tau_refrac=0.0))
    cells.record("spikes")
    sim.Projection(ends[1], cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=100.0, delay=1.0))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=TAU_PLUS, tau_minus=25.0, A_plus=0.01, A_minus=0.012),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
        weight=weight,
        delay=2.0,
    )
    return sim.Projection(ends[0], cells, sim.AllToAllConnector(), rule), cells, ends[2]


def reward(source, cells) -> None:
    kind = sim.extra_models.Neuromodulation(weight=DOSE, tau_c=TAU_C, tau_d=TAU_D, w_max=5.0, delay=1.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), kind, receptor_type="reward")


def matrix(projection) -> np.ndarray:
    """(pre, post)"""
    return np.array(projection.get("weight", "array"))


@pytest.mark.parametrize("threads", [1, 2])
def test_dopamine_may_come_in_the_middle_of_a_run(threads: int):
    """Up to then all pairs count at once; from then on all is as in a network that begins with dopamine."""
    plastic, cells, dopamine = since(0.0, threads, 0.5)
    sim.run(500.0)
    reward(dopamine, cells)
    sim.run(1.0)
    found = matrix(plastic)
    trains = [np.asarray(train) for train in cells.get_data().segments[0].spiketrains]
    expected = np.full(found.shape, 0.5)
    for i, j in np.ndindex(found.shape):
        # as they reach the synapse, behind a delay of 2 ms
        intervals = (trains[j] + 2.0)[:, np.newaxis] - SENT[i][SENT[i] < 500]
        expected[i, j] += 0.01 * np.exp(-intervals[intervals > 0] / TAU_PLUS).sum()
        expected[i, j] -= 0.012 * np.exp(intervals[intervals < 0] / 25.0).sum()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    sim.run(399.0)
    after = matrix(plastic)
    assert np.abs(after - found).max() > 1e-4
    plastic, cells, dopamine = since(500.0, threads, found)
    reward(dopamine, cells)
    sim.run(400.0)
    np.testing.assert_allclose(after, matrix(plastic), rtol=0, atol=1e-12)
