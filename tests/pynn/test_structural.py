"""Synapses that come and go through PyNN's API, in sPyNNaker's form."""

from __future__ import annotations

import importlib
from collections import Counter
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.engine import structural_memory
from evsim.errors import CheckError, EvsimError
from evsim.network_file import fingerprint, load, save
from evsim.pynn import estimate, graph, simulator
from evsim.redirect import redirected

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

N = 16


def mechanism(api: Any = sim, kind: str = "Static", **changed: Any):
    """Of all rules, busy enough that in 100 ms many synapses come and go."""
    rules: dict[str, Any] = {
        "partner_selection": api.RandomSelection(),
        "formation": api.DistanceDependentFormation(grid=(4, 4), p_form_forward=0.8, sigma_form_forward=2.0),
        "elimination": api.RandomByWeightElimination(0.5, prob_elim_depressed=0.4, prob_elim_potentiated=0.1),
    }
    if kind == "STDP":
        rules["timing_dependence"] = api.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.1, A_minus=0.05)
        rules["weight_dependence"] = api.AdditiveWeightDependence(w_min=0.0, w_max=2.0)
    numbers = {"f_rew": 4000.0, "initial_weight": 0.3, "initial_delay": 2.0, "s_max": 4, "weight": 1.0, "delay": 1.0}
    return getattr(api, f"StructuralMechanism{kind}")(**{**rules, **numbers, **changed})


def build(api: Any = sim, kind: str = "Static", connector: Any = None, receptor: str = "excitatory", **changed: Any):
    """Sources, of which four spike, onto neurons that another source keeps firing."""
    api.setup(timestep=1.0)
    trains = [np.arange(5.0, 95.0, 3.0) if cell < 4 else [] for cell in range(N)]
    sources = api.Population(N, api.SpikeSourceArray(spike_times=trains), label="sources")
    drive = api.Population(N, api.SpikeSourceArray(spike_times=np.arange(7.0, 95.0, 11.0)), label="drive")
    cells = api.Population(N, api.IF_curr_exp(tau_refrac=1.0), label="cells")
    api.Projection(drive, cells, api.OneToOneConnector(), api.StaticSynapse(weight=12.0, delay=1.0))
    connector = connector or api.FromListConnector([(0, 0), (1, 0), (5, 2)])
    projection = api.Projection(
        sources, cells, connector, mechanism(api, kind, **changed), receptor_type=receptor, label="coming and going"
    )
    cells.record(["spikes", "rewiring"])
    return projection, cells, sources


def rewirings(cells) -> tuple[list, list]:
    """(time, source, target) of what was made, and of what was removed."""
    made, removed = cells.get_data("rewiring").segments[-1].events
    assert (made.name, removed.name) == ("rewiring_form", "rewiring_elim")
    return _read(made, "formation"), _read(removed, "elimination")


def _read(event, word: str) -> list:
    found = []
    for time, label in zip(event.times.rescale("ms").magnitude, event.labels, strict=True):
        source, target, what = str(label).split("_")
        assert what == word
        found.append((float(time), int(source), int(target)))
    return found


def pairs_of(projection) -> Counter:
    return Counter((int(i), int(j)) for i, j, _ in projection.get("weight", format="list"))


# --- what is there ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Static", "STDP"])
def test_scripts_of_spynnaker_read_what_came_and_went_and_what_is_left(kind: str):
    with redirected(lambda text: None):
        there: Any = importlib.import_module("pyNN.spiNNaker")
        projection, cells, _ = build(there, kind)
        begun = pairs_of(projection)
        there.run(100.0)
        made, removed = rewirings(cells)
        assert len(made) > 50 and len(removed) > 20 and made == sorted(made)
        expected = begun + Counter(pair[1:] for pair in made)
        expected.subtract(pair[1:] for pair in removed)
        assert +expected == pairs_of(projection) and sum(expected.values()) == len(projection)
        weights = projection.get("weight", format="array")
        assert weights.shape == (N, N)
        assert {(int(i), int(j)) for i, j in np.argwhere(~np.isnan(weights))} == set(pairs_of(projection))
        rows = projection.get(["weight", "delay"], format="list")
        assert {row[3] for row in rows} <= {1.0, 2.0}
        assert {row[2] for row in rows} <= {1.0, 0.3} if kind == "Static" else len({row[2] for row in rows}) > 5
        first = projection[0]
        assert (first.presynaptic_index, first.postsynaptic_index, first.weight, first.delay) == rows[0]
        there.end()


CONNECTORS = {
    "all to all": (lambda: sim.AllToAllConnector(), N),
    "at random": (lambda: sim.FixedProbabilityConnector(0.2, rng=sim.NumpyRNG(4)), N),
    "at random, natively": (lambda: sim.FixedProbabilityConnector(0.2, rng=sim.NativeRNG(4)), N),
    "none": (lambda: sim.FromListConnector([]), 3),
}


@pytest.mark.parametrize("name", CONNECTORS)
def test_any_connector_makes_the_synapses_at_the_start(name: str):
    connector, places = CONNECTORS[name]
    projection, cells, _ = build(connector=connector(), s_max=places)
    begun = pairs_of(projection)
    assert (len(begun) > 0) == (name != "none")
    sim.run(50.0)
    made, removed = rewirings(cells)
    expected = begun + Counter(pair[1:] for pair in made)
    expected.subtract(pair[1:] for pair in removed)
    assert +expected == pairs_of(projection)
    assert max(Counter(j for _, j in pairs_of(projection).elements()).values()) <= places


def test_projections_onto_a_population_share_its_places():
    projection, cells, _ = build()
    lateral = sim.Projection(cells, cells, sim.FromListConnector([]), mechanism(), label="lateral")
    sim.run(100.0)
    of_each = [Counter(j for _, j in pairs_of(one).elements()) for one in (projection, lateral)]
    together = of_each[0] + of_each[1]
    assert max(together.values()) == 4 and min(map(len, of_each)) > 5
    made, _ = cells.get_data("rewiring").segments[-1].events
    assert set(made.array_annotations["projection"].tolist()) == {1, 2}


def test_the_last_neurons_that_spiked_are_chosen():
    _, cells, _ = build(partner_selection=sim.LastNeuronSelection(spike_buffer_size=3))
    sim.run(100.0)
    made, _ = rewirings(cells)
    assert made[0][0] == 6.0  # the sources spike at 5 ms for the first time
    assert {source for _, source, _ in made} == {0, 1, 2}  # of the four that spike at once, three are kept


def test_a_pair_has_one_synapse_without_replacement():
    projection, _, _ = build(with_replacement=False, connector=sim.FromListConnector([]))
    sim.run(100.0)
    assert set(pairs_of(projection).values()) == {1}
    projection, _, _ = build(connector=sim.FromListConnector([]))
    sim.run(100.0)
    assert max(pairs_of(projection).values()) > 1


def test_delays_of_new_synapses_are_drawn_below_the_greatest():
    projection, _, _ = build(initial_delay=(3.0, 6.0), connector=sim.FromListConnector([]))
    sim.run(100.0)
    assert set(projection.get("delay", format="list", with_address=False)) == {3.0, 4.0, 5.0}


def test_inhibitory_synapses_are_given_as_magnitudes():
    projection, _, _ = build(receptor="inhibitory", weight=-1.0, initial_weight=0.3)
    sim.run(100.0)
    assert set(projection.get("weight", format="list", with_address=False)) <= {-1.0, -0.3}


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_reset_repeats_everything_and_a_cut_run_is_the_same():
    projection, cells, _ = build(kind="STDP")
    sim.run(100.0)
    whole = rewirings(cells), projection.get("weight", format="list")
    sim.reset()
    assert len(projection) == 3
    for time in (1.0, 49.0, 50.0):
        sim.run(time)
    again = rewirings(cells), projection.get("weight", format="list")
    assert whole == again
    earlier, later = cells.get_data().segments
    for one, other in zip(earlier.events, later.events, strict=True):
        assert list(one.labels) == list(other.labels)


def test_data_that_was_cleared_is_not_shown_again():
    _, cells, _ = build()
    sim.run(100.0)
    whole = rewirings(cells)
    sim.reset()
    sim.run(40.0)
    cells.get_data("rewiring", clear=True)
    sim.run(60.0)
    for found, before in zip(rewirings(cells), whole, strict=True):
        assert found == [event for event in before if event[0] >= 40.0]


def test_what_is_drawn_follows_from_the_seeds():
    def events(of_all: int, **changed: Any):
        sim.setup(timestep=1.0, rng_seed=of_all)
        cells = sim.Population(N, sim.IF_curr_exp())
        sim.Projection(cells, cells, sim.FromListConnector([]), mechanism(**changed))
        cells.record("rewiring")
        sim.run(20.0)
        return rewirings(cells)

    assert events(1) == events(1) != events(2)
    assert events(1, seed=7) == events(2, seed=7) != events(2)


def test_populations_may_be_added_in_between():
    projection, cells, sources = build(kind="STDP")
    sim.run(100.0)
    whole = rewirings(cells), projection.get("weight", format="list")
    projection, cells, sources = build(kind="STDP")
    sim.run(50.0)
    more = sim.Population(3, sim.IF_curr_exp())
    sim.Projection(sources, more, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.0))
    sim.run(50.0)
    assert whole == (rewirings(cells), projection.get("weight", format="list"))


def test_another_projection_may_change_in_between():
    projection, cells, sources = build(kind="STDP")
    other = sim.Projection(sources, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.0, delay=1.0))
    sim.run(100.0)
    whole = rewirings(cells), projection.get("weight", format="list")
    sim.reset()
    sim.run(50.0)
    other.set(weight=0.0)
    cells.set(v_thresh=-50.0)
    sim.run(50.0)
    assert whole == (rewirings(cells), projection.get("weight", format="list"))


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: mechanism(f_rew=0.0), "f_rew is 0.0; it must be a finite number above 0"),
        (lambda: mechanism(s_max=2.5), "s_max is 2.5; it must be a whole number of at least 1"),
        (lambda: mechanism(initial_delay=(3.0, 1.0)), "initial_delay is .*; the first must be the smaller one"),
        (lambda: mechanism(initial_delay="1"), "initial_delay is '1'"),
        (lambda: mechanism(initial_weight=np.nan), "initial_weight is nan; it must be a finite number"),
        (lambda: mechanism(seed=-1), "seed is -1"),
        (lambda: mechanism(kind="STDP", backprop_delay=False), "backprop_delay is False"),
        (lambda: sim.LastNeuronSelection(0), "spike_buffer_size is 0"),
        (lambda: sim.DistanceDependentFormation(grid=(4, 0)), "grid is 0"),
        (lambda: sim.DistanceDependentFormation(grid=(4, 4, 4)), "grid is .*; it must be two whole numbers"),
        (lambda: sim.DistanceDependentFormation(grid=("a", 4)), "grid is 'a'"),
        (lambda: sim.DistanceDependentFormation(p_form_lateral=1.1), "p_form_lateral is 1.1"),
        (lambda: sim.DistanceDependentFormation(sigma_form_forward=0.0), "sigma_form_forward is 0.0"),
        (lambda: sim.RandomByWeightElimination(0.5, prob_elim_depressed=-1), "prob_elim_depressed is -1"),
    ],
)
def test_numbers_that_cannot_be_are_refused_by_name(make, said: str):
    sim.setup()
    with pytest.raises(errors.InvalidParameterValueError, match=said):
        make()


@pytest.mark.parametrize("name", ["partner_selection", "formation", "elimination"])
def test_other_rules_are_refused(name: str):
    with pytest.raises(errors.NoModelAvailableError, match=f"StructuralMechanismStatic: {name} is None; evsim has"):
        mechanism(sim, "Static", **{name: None})


def test_parts_of_populations_and_changes_in_a_run_are_refused():
    projection, cells, sources = build()
    with pytest.raises(errors.ConnectionError, match=r"connects populations, and .* is a PopulationView"):
        sim.Projection(sources[:3], cells, sim.AllToAllConnector(), mechanism())
    with pytest.raises(errors.InvalidParameterValueError, match="record 'rewiring' of 'cells'"):
        cells[:3].record("rewiring")
    with pytest.raises(errors.RecordingError):
        sources.record("rewiring")
    projection.set(weight=0.7)
    assert set(projection.get("weight", format="list", with_address=False)) == {0.7}
    sim.run(5.0)
    with pytest.raises(errors.InvalidParameterValueError, match="'coming and going': weight cannot be set at t = 5 ms"):
        projection.set(weight=0.5)
    sim.Projection(cells, cells, sim.AllToAllConnector(), mechanism(s_max=20), label="late")
    with pytest.raises(EvsimError, match="'late' come and go, and it was created in the middle of a run"):
        sim.run(5.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"s_max": 5}, "f_rew, s_max and selection are"),
        ({"f_rew": 100.0}, "f_rew, s_max and selection are"),
        ({"elsewhere": False}, "a further projection from 'sources' to 'cells'"),
        ({"connector": sim.AllToAllConnector()}, r"synapses onto a neuron of population 'cells' at the start .* s_max"),
    ],
)
def test_projections_that_do_not_go_together_are_refused(more: dict, said: str):
    _, cells, sources = build()
    connector = more.pop("connector", sim.FromListConnector([]))
    source = cells if more.pop("elsewhere", True) else sources
    sim.Projection(source, cells, connector, mechanism(**more), label="second")
    with pytest.raises(CheckError, match=said):
        sim.run(1.0)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"timing_dependence": sim.extra_models.SpikeNearestPairRule()}, "the rule SpikeNearestPairRule"),
        ({"dendritic_delay_fraction": 0.5}, "dendritic_delay_fraction is 0.5"),
    ],
)
def test_rules_of_plasticity_that_they_lack_are_refused(rules: dict, said: str):
    build(kind="STDP", **rules)
    with pytest.raises(CheckError, match=said):
        sim.run(1.0)


def test_places_that_do_not_fit_into_memory_are_refused(monkeypatch):
    sizes = structural_memory.SLOT.itemsize, structural_memory.HEAD.itemsize, 2 * structural_memory.SPIKE.itemsize
    assert sizes == (estimate.PLACE, estimate.SOURCE, estimate.SPIKE) and structural_memory.AGO == estimate.AGO
    monkeypatch.setenv("EVSIM_MEMORY_LIMIT", "0.002")
    with pytest.raises(EvsimError, match=r"places for 4096 synapses onto each of 16 neurons need 0\.00367 GB"):
        build(s_max=4096)


def test_more_looks_than_a_step_has_time_for_are_refused():
    build(f_rew=1e12)
    with pytest.raises(CheckError, match=r"f_rew is 1e\+12 Hz, which is 1e\+09 in a time step"):
        sim.run(1.0)


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi2"])
def test_chips_say_that_they_lack_it(chip: str):
    build()
    said = " ".join(map(str, check(graph.build(simulator.state), load_chip(chip))))
    assert "the synapse StructuralMechanismStatic" in said and "ideal can hold it" in said
    assert "recording 'rewiring'" in said and "synapses come and go on ideal alone" in said


def test_a_network_is_saved_with_its_rules(tmp_path):
    build(kind="STDP", initial_delay=(1.0, 4.0), seed=3)
    net = graph.build(simulator.state)
    save(net, tmp_path / "net.evsim")
    found = load(tmp_path / "net.evsim")
    assert found.projections[1].structure == net.projections[1].structure is not None
    assert fingerprint(found) == fingerprint(net)
