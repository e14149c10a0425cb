"""Small versions of the workloads run and fire as they should, and every script ends with the line that it promises."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parent
FIELDS = {
    *("sim", "workload", "dt", "T", "build_s", "build_cpu_s", "run_s", "cpu_s", "spikes", "rate_hz"),
    *("syn_events", "n_syn", "rss_mb", "bytes_per_syn", "mev_per_s"),
}
OURS = {"import_s", "import_cpu_s", "get_data_s", "get_data_cpu_s", "compile_s"}
OPTIONS = {"threads": 1, "seed": 12345, "rng": "numpy"}


def result(name: str, *words: str) -> dict:
    """What a script of this folder prints as its result."""
    command = [sys.executable, str(FOLDER / name), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    line = done.stdout.splitlines()[-1]
    assert line.startswith("JSON ")
    return json.loads(line[len("JSON ") :])


@pytest.mark.parametrize(
    ("name", "dt", "scale", "duration", "rate"),
    [  # rate (Hz) of the same small network in NEST 3.10: the mean of five seeds, which differ by up to 17 %
        ("W1", 0.1, 0.1, 200.0, 39.0),
        ("W2CUBA", 0.1, 0.2, 300.0, 5.8),
        ("W2COBA", 0.1, 0.2, 100.0, 23.5),
        ("W3", 0.1, 0.1, 300.0, 1.27),
        ("W4-3", 1.0, 0.02, 2000.0, 3.2),
        ("W5", 1.0, 0.2, 2000.0, 10.9),
    ],
)
@pytest.mark.parametrize("chip", ["ideal", "spinnaker1"])
def test_small_networks_fire_as_in_nest(sim, script, name, dt, scale, duration, rate, chip):
    if name == "W5" and chip == "spinnaker1":
        pytest.skip("STDP is in ideal only")
    bench = script("bench_evsim")
    load = bench.workloads.workload(name, dt, scale, duration)
    stages = bench.Stages()
    recorded = bench.simulate(sim, load, SimpleNamespace(**OPTIONS, chip=chip), stages)
    spikes = bench.count_spikes(recorded[0]) if name == "W5" else sum(map(bench.count_spikes, recorded))
    assert spikes / load.neurons / duration * 1000 == pytest.approx(rate, rel=0.25)
    assert stages.base > 0
    assert set(stages.seconds) == {"build_s", "build_cpu_s", "run_s", "cpu_s"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["W2CUBA", "W5"])
def test_the_line_of_a_script_says_the_same_as_its_peer(name):
    pytest.importorskip("nest")
    words = [name, "--dt", "1", "--scale", "0.2", "--T", "1000"]
    ours, theirs = result("bench_evsim.py", *words, "--memory"), result("peer_nest.py", *words)
    assert set(theirs) == FIELDS
    assert set(ours) == FIELDS | OURS
    for found in (ours, theirs):
        assert all(math.isfinite(value) for value in found.values() if not isinstance(value, str))
        assert found["rss_mb"] > 10
        assert found["mev_per_s"] == pytest.approx(found["syn_events"] / found["run_s"] / 1e6, rel=0.1, abs=0.01)
    assert ours["n_syn"] == theirs["n_syn"]
    assert ours["rate_hz"] == pytest.approx(theirs["rate_hz"], rel=0.25)


@pytest.mark.slow
def test_memory_of_a_synapse_is_measured_without_that_of_the_kernels():
    words = ["W2CUBA", "--dt", "1", "--scale", "0.5", "--T", "10"]
    with_kernels, without = result("bench_evsim.py", *words), result("bench_evsim.py", *words, "--memory")
    assert 2 <= without["bytes_per_syn"] < with_kernels["bytes_per_syn"]


def test_the_microcircuit_is_the_published_one(script):
    microcircuit = script("microcircuit")
    whole = microcircuit.Microcircuit("W3", 0.1, 1000.0, scale=10.0)
    assert whole.neurons == 77169
    assert whole.synapses == pytest.approx(298.9e6, rel=1e-3)
    assert all(whole.offset(layer) == 0.0 for layer in range(8))
    assert whole.weight(1, 0) == pytest.approx(0.0878)
    assert whole.weight(0, 1) == pytest.approx(-4 * 0.0878)
    assert whole.weight(0, 2) == pytest.approx(2 * 0.0878)


def test_a_smaller_microcircuit_is_given_the_mean_input_that_it_lacks(script):
    microcircuit = script("microcircuit")
    whole, tenth = (microcircuit.Microcircuit("W3", 0.1, 1000.0, scale=scale) for scale in (10.0, 1.0))
    for target in microcircuit.LAYERS:
        means = [
            load.offset(target)
            + sum(
                load.weight(target, source)
                * load.tau_syn
                * 1e-3
                * rate
                * load.numbers[target][source]
                / load.sizes[target]
                for source, rate in enumerate(microcircuit.FULL_RATES)
            )
            + load.external_weight * load.tau_syn * 1e-3 * load.external_rate * load.external_inputs(target)
            for load in (whole, tenth)
        ]  # nA
        assert means[1] == pytest.approx(means[0], rel=5e-3)


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_the_external_drive_of_the_random_network_is_twice_its_threshold(script, scale):
    load = script("workloads").workload("W1", 0.1, scale)
    mean = load.external_rate / 1000 * load.weight_exc * load.tau_m
    assert mean == pytest.approx(2 * load.v_thresh)


def test_an_unknown_workload_names_those_that_there_are(script):
    with pytest.raises(ValueError, match="W2CUBA20k"):
        script("workloads").workload("W9", 0.1)
