"""Counts against NeuroBench 2.3.0 itself, on a twin of the network in torch and snnTorch.

Weights are binary fractions and a membrane halves in each step, so both compute the same spikes whatever they round.
A synapse of evsim's takes a step at least; the twin holds the hidden layer's spikes back for one step.

torch is in no group of pyproject.toml, for its usual package brings gigabytes for GPUs. This was last run with torch
2.13.0 (built for CPUs), snnTorch 1.0.0 and NeuroBench 2.3.0, installed beside evsim; ``tests/energy/test_count.py``
counts the same by plain loops.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from evsim.energy.activity import Activity
from evsim.energy.count import COUNTED, measure
from evsim.registry import parse_target
from evsim.script import run_script

torch = pytest.importorskip("torch")
snntorch = pytest.importorskip("snntorch")
benchmarks = pytest.importorskip("neurobench.benchmarks")
static = pytest.importorskip("neurobench.metrics.static")
workload = pytest.importorskip("neurobench.metrics.workload")
models = pytest.importorskip("neurobench.models")

THRESHOLD = 1.03
SIZES = 24, 15, 6
SCRIPT = """
import numpy as np
import pyNN.evsim as sim

given = np.load({file!r})
sim.setup(timestep=1.0)
cell = dict(v_rest=0.0, v_reset=0.0, v_thresh={threshold}, tau_m=1.0 / np.log(2.0), tau_refrac=0.0)
inputs = sim.Population({inputs}, sim.SpikeSourceArray(), label="inputs")
layers = [sim.Population(n, sim.IF_curr_delta(**cell), initial_values={{"v": 0.0}}, label=str(n)) for n in {layers}]
for pre, post, name in zip([inputs, layers[0]], layers, ("first", "second")):
    for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
        target, source = np.nonzero(given[name] >= 0 if sign > 0 else given[name] < 0)
        rows = [(s, t, given[name][t, s], 1.0) for s, t in zip(source, target)]
        connector = sim.FromListConnector(rows, column_names=["weight", "delay"])
        sim.Projection(pre, post, connector, sim.StaticSynapse(), receptor_type=receptor)
for sample in given["spikes"]:
    inputs.set(spike_times=[np.flatnonzero(train).astype(float) for train in sample.T])
    sim.run(float(len(sample)))
    sim.reset()
sim.end()
"""


def twin(first: np.ndarray, second: np.ndarray):
    """The network in snnTorch, with a step between its layers."""

    def layer(weights: np.ndarray):
        made = torch.nn.Linear(weights.shape[1], weights.shape[0], bias=False)
        made.weight.data = torch.tensor(weights, dtype=torch.float32)
        return made

    def leaky():
        return snntorch.Leaky(
            beta=0.5, threshold=THRESHOLD, init_hidden=True, reset_mechanism="zero", reset_delay=False
        )

    class Twin(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.lif1, self.fc2, self.lif2 = layer(first), leaky(), layer(second), leaky()
            self.held = None

        def reset(self) -> None:
            self.lif1.reset_mem()
            self.lif2.reset_mem()
            self.held = None

        def forward(self, x):
            hidden = self.lif1(self.fc1(x))
            held = torch.zeros_like(hidden) if self.held is None else self.held
            self.held = hidden
            return self.lif2(self.fc2(held)), self.lif2.mem

    return Twin()


def neurobench(first: np.ndarray, second: np.ndarray, spikes: np.ndarray) -> dict:
    """What NeuroBench measures of the twin; ``spikes`` (samples, steps, inputs)."""
    data = torch.utils.data.TensorDataset(torch.tensor(spikes, dtype=torch.float32), torch.zeros(len(spikes)))
    loader = torch.utils.data.DataLoader(data, batch_size=len(spikes))
    dynamic = [workload.ActivationSparsity, workload.SynapticOperations, workload.MembraneUpdates]
    model = models.SNNTorchModel(twin(first, second))
    with torch.no_grad():
        return benchmarks.Benchmark(model, loader, [], [], [[static.ConnectionSparsity], dynamic]).run(quiet=True)


@pytest.fixture
def both(request, tmp_path) -> SimpleNamespace:
    """The same random network counted by both, with the number of samples."""
    rng = np.random.default_rng(request.param)
    samples, steps = int(rng.integers(1, 4)), int(rng.integers(20, 50))
    spikes = rng.random((samples, steps, SIZES[0])) < rng.uniform(0.05, 0.3)
    weights = [rng.integers(-6, 12, shape) / 16.0 for shape in ((SIZES[1], SIZES[0]), (SIZES[2], SIZES[1]))]
    for table in weights:
        table[rng.random(table.shape) < 0.3] = 0.0
    np.savez(tmp_path / "given.npz", first=weights[0], second=weights[1], spikes=spikes)
    file = str(tmp_path / "given.npz")
    script = SCRIPT.format(file=file, threshold=THRESHOLD, inputs=SIZES[0], layers=SIZES[1:])
    (tmp_path / "net.py").write_text(script)
    target = {"ours": parse_target("reference:ideal")}
    done = run_script(tmp_path / "net.py", [], target, tell=lambda _: None, record_all_spikes=True, counted=COUNTED)
    ours = measure(done.outcomes[0])
    return SimpleNamespace(ours=ours, theirs=neurobench(weights[0], weights[1], spikes), samples=samples)


@pytest.mark.parametrize("both", range(4), indirect=True)
def test_counts_are_those_of_neurobench(both):
    ours, theirs, samples = both.ours, both.theirs, both.samples
    assert isinstance(ours, Activity) and ours.spikes and ours.events
    operations = theirs["SynapticOperations"]
    assert ours.accumulates / samples == pytest.approx(float(operations["Effective_ACs"]), rel=1e-6)
    assert ours.multiply_accumulates == float(operations["Effective_MACs"]) == 0
    assert ours.dense / samples == float(operations["Dense"])
    assert ours.membrane_updates / samples == theirs["MembraneUpdates"]
    assert ours.activation_sparsity == pytest.approx(theirs["ActivationSparsity"], abs=1e-12)
    assert ours.connection_sparsity is not None and round(ours.connection_sparsity, 4) == theirs["ConnectionSparsity"]
