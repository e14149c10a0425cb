"""The distal reward problem (Izhikevich 2007, Cerebral Cortex 17:2443-2452): who is to be rewarded a second later?

Many sources spike at random onto one neuron. Now and then the first of them spikes just before the neuron is made to
spike, and a second after that comes a dose of dopamine. The synapses in question are long forgotten by then, but not by
their own traces of eligibility: the first one grows, the others hardly move.

    python examples/dopamine.py evsim
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("--n", "number of sources", {"type": int, "default": 50}),
    ("--time", "time to simulate (ms)", {"type": float, "default": 120_000.0}),
)

rng = np.random.default_rng(5)
paired = np.arange(500.0, options.time - 2000.0, 3000.0)
chance = [np.sort(rng.choice(np.arange(1.0, options.time), round(options.time / 1000))) for _ in range(options.n)]
trains = [np.union1d(train, paired) if i == 0 else train for i, train in enumerate(chance)]

sim.setup(timestep=1.0)
sources = sim.Population(options.n, sim.SpikeSourceArray(spike_times=trains), label="sources")
teacher = sim.Population(1, sim.SpikeSourceArray(spike_times=paired + 5.0), label="teacher")
dopamine = sim.Population(1, sim.SpikeSourceArray(spike_times=paired + 1000.0), label="dopamine")
neuron = sim.Population(1, sim.IF_curr_exp(tau_syn_E=1.0, tau_refrac=10.0), label="neuron")
neuron.record("spikes")

rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.01, A_minus=0.012),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
    weight=0.2,
    delay=1.0,
)
reward = sim.extra_models.Neuromodulation(weight=0.05, tau_c=1000.0, tau_d=200.0, w_min=0.0, w_max=1.0)
plastic = sim.Projection(sources, neuron, sim.AllToAllConnector(), rule, label="plastic")
sim.Projection(teacher, neuron, sim.AllToAllConnector(), sim.StaticSynapse(weight=40.0, delay=1.0), label="teaching")
sim.Projection(dopamine, neuron, sim.AllToAllConnector(), reward, receptor_type="reward", label="reward")

sim.run(options.time)

weights = np.array(plastic.get("weight", format="list", with_address=False))
rate = neuron.mean_spike_count() / options.time * 1000
print(f"{neuron.label}: {rate:.2f} spikes/s per neuron; {len(paired)} pairs were rewarded")
others = f"{weights[1:].mean():.3f} nA in the mean, {weights[1:].max():.3f} nA at most"
print(f"weight of the first source: {weights[0]:.3f} nA; of the others: {others}")
sim.end()
