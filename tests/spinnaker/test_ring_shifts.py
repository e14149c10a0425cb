"""The scale of weights, the slots of ring buffers and the tables of traces against what sPyNNaker itself computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from evsim import network_file
from evsim.deploy.spinnaker import scale_of
from evsim.deploy.spinnaker_cores import cores_of
from evsim.deploy.spinnaker_traces import decay_table
from evsim.network import Network, Plasticity
from evsim_spinnaker.scratch import MachineSettings, prepare

ASK = """
import json, sys
from evsim import network_file
from evsim_spinnaker.machine import MachineSession
from spynnaker.pyNN.models.neuron.plasticity.stdp.common import get_exp_lut_array
shifts, slots = [], []
for path in sys.argv[2:]:
    session = MachineSession(network_file.load(path), virtual=True)
    session._build()
    vertices = [p._vertex for p in session._populations[2:]]
    shifts.append([[int(s) for s in vertex.get_ring_buffer_shifts()] for vertex in vertices])
    slots.append([int(vertex.max_delay_steps_incoming) for vertex in vertices])
    session.close()
tables = [get_exp_lut_array(step, tau).view("uint16")[2:].tolist() for step, tau in TABLES]
open(sys.argv[1], "w").write(json.dumps([shifts, slots, tables]))
"""
TABLES = [(1.0, 20.0), (1.0, 0.4), (0.1, 33.3), (0.5, 12.5), (2.0, 7.0)]  # time step, time constant
CELLS = {
    "tau_syn_E2": 9.0,
    "tau_ca2": 50.0,
    "i_alpha": 0.1,
    "e_rev_E": 0.0,
    "e_rev_I": -70.0,
    "a": 0.02,
    "b": 0.2,
    "c": -65.0,
    "d": 8.0,
}
MODELS = [
    "IF_curr_exp",
    "IF_curr_alpha",
    "IF_curr_dual_exp",
    "IFCurrExpCa2Adaptive",
    "IF_cond_exp",
    "IF_curr_delta",
    "Izhikevich",
]


def rule(w_max: float) -> Plasticity:
    """A rule of pairs whose weights can grow to a magnitude."""
    parameters = {"tau_plus": 20.0, "tau_minus": 30.0, "A_plus": 0.01, "A_minus": 0.012, "w_min": 0.0, "w_max": w_max}
    return Plasticity("SpikePairRule", "AdditiveWeightDependence", parameters)


RULES = {2: rule(0.3), 3: rule(4.0), 4: rule(30.0)}  # of a population's plastic projections


def random_network(nets, seed: int) -> Network:
    """Two sources, three populations, and projections of equal or random weights and delays among them."""
    rng = np.random.default_rng(seed)
    models = [str(model) for model in rng.choice(MODELS, 3)]
    populations = [nets.array_source([[1.0]] * 40), nets.poisson(60, 50.0)]
    populations += [nets.cells(int(rng.integers(5, 60)), f"{k}", model, **CELLS) for k, model in enumerate(models)]
    projections = []
    for k in range(int(rng.integers(4, 12))):
        pre, post, n = int(rng.integers(0, 5)), int(rng.integers(2, 5)), int(rng.choice([1, 30, 800, 3000]))
        receptor = str(rng.choice(["excitatory", "inhibitory"]))
        random = rng.lognormal(rng.uniform(-3, 3), rng.uniform(0, 1.5), n)
        weight = random if rng.random() < 0.7 else np.full(n, float(rng.choice([0.1, 0.25, 0.5, 1.0, 2.0])))
        weight *= 0.01 if models[post - 2] == "IF_cond_exp" else -1 if receptor == "inhibitory" else 1
        delay = rng.integers(1, 17, n) if rng.random() < 0.6 else np.full(n, int(rng.integers(1, 17)))
        ends = rng.integers(0, populations[pre].size, n), rng.integers(0, populations[post].size, n)
        rows = list(zip(*ends, weight, delay, strict=True))
        projection = nets.connect(pre, post, rows, receptor, f"projection {k}")
        if rng.random() < 0.4:
            projection = replace(projection, synapse="STDPMechanism", plasticity=RULES[post])
        projections.append(projection)
    return Network(float(rng.choice([0.1, 0.5, 1.0, 2.0])), tuple(populations), tuple(projections))


@pytest.mark.slow
def test_shifts_slots_and_tables_are_those_of_spynnaker(nets, tmp_path):
    networks = [random_network(nets, seed) for seed in range(1000, 1012)]
    files = [tmp_path / f"{k}.npz" for k in range(len(networks))]
    for network, path in zip(networks, files, strict=True):
        network_file.save(network, path)
    home, work = prepare(tmp_path, MachineSettings("virtual"))
    answer = tmp_path / "shifts.json"
    subprocess.run(
        [sys.executable, "-c", f"TABLES = {TABLES}\n{ASK}", str(answer), *map(str, files)],
        cwd=work,
        env={**os.environ, "HOME": str(home)},
        timeout=240,
        check=True,
        capture_output=True,
    )
    shifts, slots, tables = json.loads(answer.read_text())
    assert [[list(scale_of(network, index).shifts) for index in (2, 3, 4)] for network in networks] == shifts
    assert [[cores_of(network, index).ring for index in (2, 3, 4)] for network in networks] == slots
    assert [decay_table(tau, step).tolist() for step, tau in TABLES] == tables
