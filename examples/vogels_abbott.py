"""Self-sustained activity in a balanced network, with synaptic currents or conductances.

The network of Vogels and Abbott (2005), J. Neurosci. 25:10786-10795, with the parameters of benchmarks 1 (``cond``) and
2 (``curr``) of Brette et al. (2007), J. Comput. Neurosci. 23:349-398. A short burst of Poisson spikes sets it going.
The number of inputs to a neuron does not depend on the network's size.

    python examples/vogels_abbott.py evsim cond
    evsim compare examples/vogels_abbott.py --on reference:ideal reference:spinnaker1 -- curr --n 800
"""

import itertools

from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("benchmark", "synapses: cond (conductances) or curr (currents)", {"choices": ("cond", "curr")}),
    ("--n", "number of neurons", {"type": int, "default": 1000}),
    ("--time", "time to simulate (ms)", {"type": float, "default": 200.0}),
    ("--timestep", "time step (ms)", {"type": float, "default": 0.1}),
)

inputs = 80  # to each neuron from the network
tau_exc, tau_inh = 5.0, 10.0  # ms
neuron = {
    "tau_m": 20.0,  # ms
    "cm": 0.2,  # nF
    "v_thresh": -50.0,  # mV
    "v_reset": -60.0,
    "tau_refrac": 5.0,  # ms
    "tau_syn_E": tau_exc,
    "tau_syn_I": tau_inh,
}
e_exc, e_inh, v_mean = 0.0, -80.0, -60.0  # mV

if options.benchmark == "cond":
    cell = sim.IF_cond_exp(**neuron, v_rest=-60.0, e_rev_E=e_exc, e_rev_I=e_inh)
    exc_weight, inh_weight, kick_weight = 0.004, 0.051, 0.1  # uS
else:
    cell = sim.IF_curr_exp(**neuron, v_rest=-49.0)
    # nA: the conductances of the benchmark times the driving force at the mean potential
    exc_weight, inh_weight, kick_weight = (
        0.00027 * (e_exc - v_mean),
        0.0045 * (e_inh - v_mean),
        0.006 * (e_exc - v_mean),
    )

seeds = itertools.count(1)
sim.setup(timestep=options.timestep, min_delay=options.timestep, max_delay=1.0, rng_seed=1)

n_exc = round(0.8 * options.n)
exc = sim.Population(n_exc, cell, label="excitatory")
inh = sim.Population(options.n - n_exc, cell, label="inhibitory")
kick = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0, duration=50.0), label="kick")
for population in (exc, inh):
    rng = NumpyRNG(seed=next(seeds))
    population.initialize(v=RandomDistribution("uniform", (neuron["v_reset"], neuron["v_thresh"]), rng=rng))

for source, weight, receptor in ((exc, exc_weight, "excitatory"), (inh, inh_weight, "inhibitory")):
    for target in (exc, inh):
        sim.Projection(
            source,
            target,
            sim.FixedProbabilityConnector(
                min(inputs / options.n, 1.0), allow_self_connections=False, rng=NumpyRNG(seed=next(seeds))
            ),
            sim.StaticSynapse(weight=weight, delay=max(0.2, options.timestep)),
            receptor_type=receptor,
            label=f"{source.label} to {target.label}",
        )
for target in (exc, inh):
    sim.Projection(
        kick,
        target,
        sim.FixedProbabilityConnector(0.05, rng=NumpyRNG(seed=next(seeds))),
        sim.StaticSynapse(weight=kick_weight, delay=max(0.2, options.timestep)),
        label=f"kick to {target.label}",
    )

exc.record("spikes")
inh.record("spikes")
exc[:2].record("v")

sim.run(options.time)

for population in (exc, inh):
    print(f"{population.label}: {population.mean_spike_count() / options.time * 1000:.1f} spikes/s per neuron")

sim.end()
