"""Synapses that learn or come and go, in unmodified sPyNNaker scripts on the emulated machine."""

from __future__ import annotations

from collections import Counter
from math import exp

import pytest

PAIRED = """
sim.setup(1.0)
before = sim.Population(1, sim.SpikeSourceArray(spike_times=[100.0, 700.0]))
drive = sim.Population(1, sim.SpikeSourceArray(spike_times=[101.0]))
dopamine = sim.Population(1, sim.SpikeSourceArray(spike_times=[200.0]))
silent = sim.Population(1, sim.SpikeSourceArray(spike_times=[]))
plastic, cells = [], []
for source, receptor in ((dopamine, "reward"), (dopamine, "punishment"), (silent, "reward")):
    cell = sim.Population(1, sim.IF_curr_exp(tau_syn_E=1.0, tau_refrac=20.0))
    cell.record("spikes")
    sim.Projection(drive, cell, sim.OneToOneConnector(), sim.StaticSynapse(weight=40, delay=1))
    rule = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(tau_plus=10, tau_minus=12, A_plus=1, A_minus=1),
        weight_dependence=sim.AdditiveWeightDependence(w_min=0, w_max=20), weight=5.0, delay=1)
    plastic.append(sim.Projection(before, cell, sim.OneToOneConnector(), rule))
    modulation = sim.extra_models.Neuromodulation(weight=0.1, tau_c=500, tau_d=100, w_max=20)
    sim.Projection(source, cell, sim.OneToOneConnector(), modulation, receptor_type=receptor)
    cells.append(cell)
sim.run(720)
times = [cell.get_data("spikes").segments[0].spiketrains[0].magnitude.tolist() for cell in cells]
print(json.dumps([times, [projection.get("weight", "list")[0][2] for projection in plastic]]))
sim.end()
"""


@pytest.mark.slow
def test_dopamine_decides_what_becomes_of_a_pairing(run):
    """Izhikevich, Cerebral Cortex 17 (2007): the weight changes by the product of eligibility and dopamine."""
    times, (rewarded, punished, neither) = run(PAIRED).data()
    ((fired,),) = {tuple(spikes) for spikes in times}  # the three do the same
    eligibility = exp(-(fired + 1 - 100) / 10) * exp(-(201 - (fired + 1)) / 500)
    both = 1 / 500 + 1 / 100
    change = 0.1 * eligibility * (1 - exp(-both * (700 - 201))) / both
    assert change > 1.0
    assert rewarded - 5.0 == pytest.approx(change, rel=0.02)
    assert punished - 5.0 == pytest.approx(-change, rel=0.02)
    assert neither == 5.0


REWIRED = """
sim.setup(1.0)
spikes = [list(range(1 + number % 3, 200, 5)) for number in range(16)]
source = sim.Population(16, sim.SpikeSourceArray(spike_times=spikes))
cells = sim.Population(16, sim.IF_curr_exp())
cells.record("rewiring")
rule = sim.StructuralMechanismStatic(
    partner_selection=sim.{selection}(), formation=sim.DistanceDependentFormation([4, 4], 0.9),
    elimination=sim.RandomByWeightElimination(1.0, 0.3, 0.3), f_rew=1000, s_max=4, seed=3,
    initial_weight=0.25, initial_delay=3, weight=0.5, delay=1)
first = sim.FromListConnector([(number, (3 * number) % 16) for number in range(16)])
synapses = sim.Projection(source, cells, first, rule)
sim.run(150)
events = cells.get_data("rewiring").segments[0].events
print(json.dumps([
    [[float(time), str(label)] for event in events for time, label in zip(event.times, event.labels)],
    [[int(pre), int(post), weight, delay] for pre, post, weight, delay in synapses.get(["weight", "delay"], "list")],
]))
sim.end()
"""


@pytest.mark.slow
@pytest.mark.parametrize("selection", ["RandomSelection", "LastNeuronSelection"])
def test_every_synapse_that_comes_or_goes_is_told_of(run, selection):
    events, synapses = run(REWIRED.format(selection=selection)).data()
    there = Counter((number, 3 * number % 16) for number in range(16))
    formed = set()
    for _, label in sorted(events, key=lambda event: event[0]):
        pre, post, kind = label.split("_")
        pair = int(pre), int(post)
        there[pair] += 1 if kind == "formation" else -1
        assert there[pair] >= 0
        if kind == "formation":
            formed.add(pair)
    assert len(formed) > 10 and len(events) > len(formed)
    assert Counter((pre, post) for pre, post, _, _ in synapses) == +there
    old, new = (0.5, 1.0), (0.25, 3.0)
    assert {(weight, delay) for _, _, weight, delay in synapses} <= {old, new}
    assert all((weight, delay) == old for pre, post, weight, delay in synapses if (pre, post) not in formed)


SPLIT = """
sim.setup(1.0)
random = np.random.default_rng(5)
times = [sorted(random.choice(150, 8, replace=False) + 1.0) for _ in range(40)]
source = sim.Population(40, sim.SpikeSourceArray(spike_times=times))
pairs = [(pre, post) for pre in range(40) for post in range(20)]
fixed = [(*pair, random.uniform(0.1, 2.0), random.integers(1, 12)) for pair in pairs if random.random() < 0.4]
learning = [pair for pair in pairs if random.random() < 0.1]
found = []
for cores in (None, 1, 3):
    cells = sim.Population(20, sim.IF_curr_exp(), n_synapse_cores=cores)
    cells.record(["v", "spikes"])
    sim.Projection(source, cells, sim.FromListConnector(fixed), sim.StaticSynapse())
    rule = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(20, 20, 0.05, 0.06),
        weight_dependence=sim.AdditiveWeightDependence(0, 2), weight=0.5, delay=3)
    found.append((cells, sim.Projection(source, cells, sim.FromListConnector(learning), rule)))
sim.run(100)
sim.run(60)
print(json.dumps([
    [cells.spinnaker_get_data("v", as_matrix=True).tolist(), cells.mean_spike_count(),
     list(map(float, projection.get("weight", "list", with_address=False)))]
    for cells, projection in found
]))
sim.end()
"""


@pytest.mark.slow
def test_neurons_do_the_same_wherever_their_synapses_are_computed(run):
    together, apart, over_three = run(SPLIT).data()
    assert together == apart == over_three
    assert together[1] > 1 and len(set(together[2])) > 10
