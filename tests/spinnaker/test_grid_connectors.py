"""ConvolutionConnector and PoolDenseConnector: one script, by sPyNNaker's executed firmware and by evsim; zero LSB.

Weights are multiples of 1/64, which both hold exactly: sPyNNaker allows for as many spikes at once as the kernel has
elements, and not for those that there can be, so it rounds others to fewer bits than evsim's static synapses.
Kernels of odd sizes with strides of 1, and pools of one stride that fill the grid: docs/firmware.md says what the
firmware makes of others.
"""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

from evsim.backend import Target
from evsim.redirect import redirected

SCRIPT = """
rng = np.random.default_rng(4)
sim.setup(timestep=1.0)
data = {}

def weights(mean, size):
    return np.rint(rng.normal(mean, 1.0, size) * 64) / 64

def grid(shape, cells):
    population = sim.Population(shape[0] * shape[1], cells, structure=sim.Grid2D(shape[0] / shape[1]))
    population.set_max_atoms_per_core(shape)
    return population

def source(shape):
    count = shape[0] * shape[1]
    times = [sorted(rng.choice(np.arange(1.0, 40.0), 3, replace=False).tolist()) for _ in range(count)]
    return grid(shape, sim.SpikeSourceArray(spike_times=times))

cell = sim.IF_curr_exp(tau_syn_E=2.0, tau_syn_I=3.0, v_thresh=-62.0, i_offset=0.3)
targets = []
for shape, size, words, delay in [
    ((6, 4), (3, 3), {}, 1.0),
    ((5, 4), (3, 1), {"padding": (1, 0)}, 2.0),
    ((4, 5), (1, 3), {"padding": 1}, 3.0),
    ((6, 4), (3, 3), {"pool_shape": 2, "padding": 1}, 1.0),
    ((4, 6), (3, 5), {"padding": (1, 2)}, 5.0),
]:
    connector = sim.ConvolutionConnector(weights(0.3, size), **words)
    targets.append(grid(connector.get_post_shape(shape), cell))
    sim.Projection(source(shape), targets[-1], connector, sim.Convolution(delay=delay))
for shape, words, count, delay in [((4, 3), {}, 3, 2.0), ((4, 6), {"pool_shape": 2}, 4, 1.0)]:
    pools = shape[0] * shape[1] // (4 if words else 1)
    targets.append(sim.Population(count, cell))
    connector = sim.PoolDenseConnector(weights(0.2, pools * count), **words)
    sim.Projection(source(shape), targets[-1], connector, sim.PoolDense(delay=delay))
for target in targets:
    target.record(["v", "gsyn_exc", "gsyn_inh"])
sim.run(60)
for number, target in enumerate(targets):
    for name in ("v", "gsyn_exc", "gsyn_inh"):
        signal = target.get_data(name).segments[0].filter(name=name)[0]
        data[f"{number} {name}"] = np.asarray(signal.magnitude, float).tolist()
print(json.dumps(data))
sim.end()
"""


@pytest.mark.slow
def test_voltages_and_currents_are_those_of_the_executed_firmware(run):
    pytest.importorskip("spynnaker")
    theirs = run(SCRIPT).data()
    state = importlib.import_module("pyNN.evsim").simulator.state
    state.release()
    try:
        state.choose([Target("reference", "spinnaker1")])
        with redirected(lambda sentence: None):
            names = {"np": np, "json": json, "sim": importlib.import_module("pyNN.spiNNaker")}
            exec(SCRIPT, names)
    finally:
        state.release()
        state.clear()
    ours = names["data"]
    assert isinstance(ours, dict) and ours.keys() == theirs.keys() and len(ours) == 21
    assert {len(values) for values in theirs.values()} == {60}
    for name, values in ours.items():
        assert np.ptp(values) > 0.05, name
        assert values[: len(theirs[name])] == theirs[name], name  # PyNN records the end of a run, too
