"""A map that finds itself (after Bogdan, Rowley, Rhodes and Furber 2018, Front. Neurosci. 12:434, made much smaller).

Two rings of neurons begin with synapses between any two cells. While something moves over the first ring, synapses that
learn come and go: those that grow weak are removed, and new ones are made with a partner that has just spiked, the more
likely the nearer it is. What is left leads from each place to the same place on the other ring.

    python examples/refining_map.py evsim
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("--n", "neurons of a ring", {"type": int, "default": 64}),
    ("--time", "time to simulate (ms)", {"type": float, "default": 20_000.0}),
)
n, time = options.n, options.time

rng = np.random.default_rng(4)
places = np.repeat(rng.integers(0, n, round(time / 20.0)), 20)  # what is shown stays for 20 ms at a place
steps = np.arange(len(places))
apart = (np.arange(n)[:, None] - places + n // 2) % n - n // 2
spikes = rng.random((n, len(places))) < 0.005 + 0.15 * np.exp(-(apart**2) / (2 * 2.0**2))

sim.setup(timestep=1.0)
first = sim.Population(n, sim.SpikeSourceArray(spike_times=[steps[row] + 1.0 for row in spikes]), label="first ring")
second = sim.Population(n, sim.IF_curr_exp(tau_refrac=5.0), label="second ring")
second.record(["spikes", "rewiring"])
mechanism = sim.StructuralMechanismSTDP(
    partner_selection=sim.LastNeuronSelection(),
    formation=sim.DistanceDependentFormation(grid=(1, n), p_form_forward=0.5, sigma_form_forward=4.0),
    elimination=sim.RandomByWeightElimination(threshold=0.6, prob_elim_depressed=0.1, prob_elim_potentiated=0.001),
    timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=40.0, A_plus=0.03, A_minus=0.02),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=1.2),
    f_rew=10_000.0,
    initial_weight=0.8,
    initial_delay=1.0,
    s_max=16,
    weight=0.8,
    delay=1.0,
)
begin = [(int(i), j) for j in range(n) for i in rng.choice(n, 12, replace=False)]
projection = sim.Projection(first, second, sim.FromListConnector(begin), mechanism, label="map")


def spread(pairs: np.ndarray) -> float:
    """The mean distance of source and target around the ring."""
    return float(np.abs((pairs[:, 0] - pairs[:, 1] + n // 2) % n - n // 2).mean())


before = np.array(begin)
sim.run(time)
after = np.array([row[:2] for row in projection.get("weight", format="list")])
made, removed = second.get_data("rewiring").segments[0].events
rate = second.mean_spike_count() / time * 1000
print(f"{second.label}: {rate:.1f} spikes/s per neuron")
print(f"{len(made)} synapses were made and {len(removed)} removed; {len(before)} became {len(after)}")
print(f"distance of source and target: {spread(before):.1f} at the start, {spread(after):.1f} at the end")
sim.end()
