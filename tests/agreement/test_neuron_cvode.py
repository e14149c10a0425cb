"""A variable time step against NEURON's CVODE, through pyNN.neuron: one script, run by both.

NEURON finds a spike by a straight line between two of its steps, so these are kept short, and holds v in the refractory
time by a large conductance. HH_cond_exp is not among the cells: NEURON's spikes where it passes a threshold, evsim's at
its peak, as NEST's does.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

neuron = pytest.importorskip("neuron")
pytestmark = pytest.mark.slow

# cell -> parameters, weights (excitatory, inhibitory), current from 20 ms on (nA), agreement of spike times (ms)
CELLS = {
    "IF_curr_exp": ({"tau_syn_E": 2.0, "tau_refrac": 2.0, "i_offset": 0.1}, 6.0, -1.0, 1.0, 3e-4),
    "IF_curr_alpha": ({"tau_syn_E": 2.0, "tau_refrac": 2.0, "i_offset": 0.1}, 4.0, -1.0, 1.0, 3e-4),
    "IF_cond_exp": ({"tau_refrac": 2.0, "i_offset": 0.1}, 0.2, 0.05, 1.0, 3e-4),
    "IF_cond_alpha": ({"tau_refrac": 2.0, "i_offset": 0.1}, 0.1, 0.05, 1.0, 1e-3),
    "EIF_cond_exp_isfa_ista": ({"i_offset": 0.1}, 0.1, 0.02, 1.0, 1e-3),
    "EIF_cond_alpha_isfa_ista": ({"i_offset": 0.1, "tau_refrac": 1.0}, 0.1, 0.02, 1.0, 1e-3),
    "Izhikevich": ({"i_offset": 0.002, "a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0}, 8.0, -1.0, 0.008, 3e-4),
}

SCRIPT = """
    import json, sys
    which, mechanisms, out, cells = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    if which == "neuron":
        import neuron
        neuron.load_mechanisms(mechanisms)
        neuron.load_mechanisms = lambda path: True  # pyNN.neuron would compile them beside itself
        import pyNN.neuron as sim
    else:
        import pyNN.evsim as sim
    times, found = [3.33, 10.123, 12.47, 40.0, 71.7], {}
    for name, (parameters, excitatory, inhibitory, current, _) in cells.items():
        sim.setup(timestep=0.01, use_cvode=True, rtol=1e-8, atol=1e-8)
        if which == "neuron":
            sim.simulator.state.cvode.condition_order(2)
            sim.simulator.state.cvode.maxstep(2e-3)
        cell = sim.Population(1, getattr(sim, name)(**parameters))
        for k, receptor in enumerate(("excitatory", "inhibitory")):
            shift, weight, delay = (0.0, excitatory, 0.5) if k == 0 else (4.05, inhibitory, 1.2)
            source = sim.Population(1, sim.SpikeSourceArray(spike_times=[time + shift for time in times]))
            synapse = sim.StaticSynapse(weight=weight, delay=delay)
            sim.Projection(source, cell, sim.AllToAllConnector(), synapse, receptor_type=receptor)
        sim.StepCurrentSource(times=[20.0, 60.5], amplitudes=[current, 0.0]).inject_into(cell)
        cell.record(["spikes", "v"])
        sim.run(100.0)
        segment = cell.get_data().segments[0]
        v = segment.irregularlysampledsignals[0]
        spikes = segment.spiketrains[0].magnitude.tolist()
        found[name] = [spikes, len(v.times)]
        sim.end()
    json.dump(found, open(out, "w"))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> dict[str, dict]:
    """Simulator -> cell -> spikes, and how many samples there are of v."""
    folder = tmp_path_factory.mktemp("nmodl")
    import pyNN

    for path in (Path(pyNN.__path__[0]) / "neuron" / "nmodl").glob("*.mod"):
        shutil.copy(path, folder)
    compiler = Path(sys.executable).with_name("nrnivmodl")
    try:
        subprocess.run([compiler, "."], cwd=folder, check=True, capture_output=True, timeout=240)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"NEURON's mechanisms cannot be compiled here: {error}")
    elsewhere = tmp_path_factory.mktemp("script")  # NEURON loads what lies where it starts, and would do so twice
    (elsewhere / "script.py").write_text(textwrap.dedent(SCRIPT))
    found = {}
    for which in ("evsim", "neuron"):
        out = elsewhere / f"{which}.json"
        words = [which, str(folder), str(out), json.dumps(CELLS)]
        subprocess.run(
            [sys.executable, "script.py", *words], cwd=elsewhere, check=True, capture_output=True, timeout=280
        )
        found[which] = json.loads(out.read_text())
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CELLS)
def test_spike_times(ran, name: str):
    ours, theirs = np.array(ran["evsim"][name][0]), np.array(ran["neuron"][name][0])
    assert len(ours) == len(theirs) >= 2
    assert abs(ours[0] - theirs[0]) < 2e-4
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=CELLS[name][-1])
