"""A ring of groups of neurons that were created in another order: what placing cores by their traffic is for.

Each group talks with the two beside it; the same noise drives all, some more than others.

    python examples/scattered_ring.py evsim
    evsim place examples/scattered_ring.py --chip spinnaker1 --run --partition metis --png ring.png
"""

import numpy as np
from pyNN.utility import get_simulator

sim, _ = get_simulator()
GROUPS, CELLS, DURATION = 24, 600, 200.0  # ms

sim.setup(timestep=1.0, rng_seed=3)
order = np.random.default_rng(1).permutation(GROUPS)
noise = sim.Population(500, sim.SpikeSourcePoisson(rate=40.0), label="noise")
groups = {k: sim.Population(CELLS, sim.IF_curr_exp(), label=f"group {k}") for k in order}
for k in range(GROUPS):
    drive = sim.StaticSynapse(weight=0.1 + 0.004 * k, delay=1.0)
    sim.Projection(noise, groups[k], sim.FixedProbabilityConnector(0.1), drive)
    for beside in (k - 1, k + 1):
        neighbours = sim.StaticSynapse(weight=0.01, delay=2.0)
        sim.Projection(groups[k], groups[beside % GROUPS], sim.FixedProbabilityConnector(0.02), neighbours)
    groups[k].record("spikes")
sim.run(DURATION)
rates = [1000.0 * groups[k].mean_spike_count() / DURATION for k in range(GROUPS)]
print(f"{GROUPS} groups of {CELLS} cells, {np.mean(rates):.1f} spikes/s per neuron")
sim.end()
