"""Regular and fast spiking neurons of Izhikevich (2003), IEEE Transactions on Neural Networks 14(6):1569-1572.

A population of regular spiking excitatory neurons and one of fast spiking inhibitory neurons, in the proportion and
with the parameters of that paper. Random input comes as Poisson spikes, each of which moves the membrane potential.
SpiNNaker's neuron takes a spike as a current that decays instead, and fires more: a comparison shows how much.

    python examples/izhikevich.py evsim
    evsim compare examples/izhikevich.py --on reference:ideal reference:spinnaker1
"""

import itertools

from pyNN.random import NumpyRNG
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("--n", "number of neurons", {"type": int, "default": 100}),
    ("--time", "time to simulate (ms)", {"type": float, "default": 500.0}),
)

seeds = itertools.count(1)


def connect(source, target, probability, weight, receptor):
    """Random connections with a generator of their own."""
    sim.Projection(
        source,
        target,
        sim.FixedProbabilityConnector(probability, rng=NumpyRNG(seed=next(seeds))),
        sim.StaticSynapse(weight=weight, delay=1.0),
        receptor_type=receptor,
        label=f"{source.label} to {target.label}",
    )


sim.setup(timestep=1.0, rng_seed=7)

n_exc = round(0.8 * options.n)
regular = sim.Population(n_exc, sim.Izhikevich(a=0.02, b=0.2, c=-65.0, d=8.0), label="regular spiking")
fast = sim.Population(options.n - n_exc, sim.Izhikevich(a=0.1, b=0.2, c=-65.0, d=2.0), label="fast spiking")
noise = sim.Population(100, sim.SpikeSourcePoisson(rate=40.0), label="noise")
for population in (regular, fast):
    population.initialize(v=-65.0, u=-13.0)

connect(noise, regular, 0.2, 6.0, "excitatory")  # mV
connect(noise, fast, 0.2, 4.0, "excitatory")
connect(regular, fast, 0.2, 2.0, "excitatory")
connect(fast, regular, 0.2, -3.0, "inhibitory")

for population in (regular, fast):
    population.record("spikes")
    population[:2].record("v")

sim.run(options.time)

for population in (regular, fast):
    print(f"{population.label}: {population.mean_spike_count() / options.time * 1000:.1f} spikes/s per neuron")

sim.end()
