"""A balanced network of excitatory and inhibitory neurons, driven by Poisson spikes.

Leaky integrate-and-fire neurons with current synapses fire irregularly because excitation and inhibition nearly cancel
(after Brunel 2000, J. Comput. Neurosci. 8:183-208). Excitation and inhibition decay with one time constant, and time
goes in steps of 1 ms, so that the network fits Loihi as well as SpiNNaker.

    python examples/balanced_network.py evsim
    evsim compare examples/balanced_network.py --on reference:ideal reference:loihi2 lava reference:spinnaker1
"""

import itertools

from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("--n", "number of neurons", {"type": int, "default": 320}),
    ("--time", "time to simulate (ms)", {"type": float, "default": 400.0}),
    ("--seed", "seed of connections, weights and drive", {"type": int, "default": 1}),
)

n_exc = round(0.8 * options.n)
n_inh = options.n - n_exc
n_drive = 100
rate = 60.0  # Hz, of each source
drive_weight = 0.025  # nA
exc_weight = 0.035  # nA
inh_weight = -0.20  # nA
neuron = {
    "v_rest": -65.0,  # mV
    "v_reset": -65.0,
    "v_thresh": -50.0,
    "tau_m": 20.0,  # ms
    "tau_refrac": 2.0,
    "tau_syn_E": 5.0,
    "tau_syn_I": 5.0,
    "cm": 0.2,  # nF
    "i_offset": 0.0,  # nA
}

sim.setup(timestep=1.0, min_delay=1.0, max_delay=10.0, rng_seed=options.seed)

exc = sim.Population(n_exc, sim.IF_curr_exp(**neuron), label="excitatory")
inh = sim.Population(n_inh, sim.IF_curr_exp(**neuron), label="inhibitory")
drive = sim.Population(n_drive, sim.SpikeSourcePoisson(rate=rate), label="drive")

# PyNN copies a generator for each use, so two that share one get equal numbers: give each its own.
seeds = itertools.count(1000 * options.seed)
for population in (exc, inh):
    bounds = (neuron["v_rest"], neuron["v_thresh"])
    population.initialize(v=RandomDistribution("uniform", bounds, rng=NumpyRNG(seed=next(seeds))))


def synapse(weight):
    """Weights scattered by a fifth around their mean, and delays of 1 to 5 ms."""
    bounds = (0.0, 2 * weight) if weight > 0 else (2 * weight, 0.0)
    return sim.StaticSynapse(
        weight=RandomDistribution("normal_clipped", (weight, abs(weight) / 5, *bounds), rng=NumpyRNG(seed=next(seeds))),
        delay=RandomDistribution("uniform_int", (1, 5), rng=NumpyRNG(seed=next(seeds))),
    )


for target, name in ((exc, "excitatory"), (inh, "inhibitory")):
    for source, weight, probability, receptor in (
        (drive, drive_weight, 0.2, "excitatory"),
        (exc, exc_weight, 0.1, "excitatory"),
        (inh, inh_weight, 0.1, "inhibitory"),
    ):
        sim.Projection(
            source,
            target,
            sim.FixedProbabilityConnector(probability, rng=NumpyRNG(seed=next(seeds))),
            synapse(weight),
            receptor_type=receptor,
            label=f"{source.label} to {name}",
        )

exc.record("spikes")
inh.record("spikes")
exc[:4].record("v")
inh[:2].record("v")

sim.run(options.time)

for population in (exc, inh):
    spikes = population.mean_spike_count()
    print(f"{population.label}: {spikes / options.time * 1000:.1f} spikes/s per neuron")

sim.end()
