"""``evsim energy --ann``: from nothing to the page."""

from __future__ import annotations

import json

import pytest

from evsim.cli import main

pytest.importorskip("sklearn")

IDEAL_POINTS, CHIP_POINTS = 0.01, 0.02

OWN = """
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
digits = load_digits()
x, y = digits.data / 16, digits.target
model = MLPClassifier((24,), max_iter=40, random_state=0).fit(x[:800], y[:800])
x_train, x_test, y_test = x[:800], x[800:840], y[800:840]
"""


@pytest.mark.filterwarnings("ignore")
def test_a_users_own_network_is_compared(tmp_path, capsys):
    file = tmp_path / "own.py"
    file.write_text(OWN)
    folder = tmp_path / "report"
    words = ["energy", "--ann", str(file), "--chip", "loihi2", "loihi1", "gpu", "--lava-images", "0", "--images", "30"]
    assert main([*words, "--report", str(folder)]) == 0
    data = json.loads((folder / "ann.json").read_text())
    (network,) = data["networks"]
    assert network["images"] == 30 and network["name"] == "own"
    assert network["ann"]["macs"] == 64 * 24 + 24 * 10
    assert [(run["code"], run["chip"]) for run in network["runs"]] == [
        (code, chip) for code in ("rate", "latency") for chip in ("ideal", "loihi2", "loihi1")
    ]
    for run in network["runs"]:
        assert len(run["accuracies"]) == run["steps"] + 1 and run["accuracies"][-1] == run["accuracy"]
    page = (folder / "ann.html").read_text()
    assert "Break-even" in page and page.count("<img") == 2
    said = capsys.readouterr().out
    assert "rate code, loihi2" in said and str(folder / "ann.html") in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--steps", "0"], "--steps is 0; it must be at least 1"),
        (["--window", "1"], "--window is 1; it must be at least 2"),
        (["--percentile", "0"], "--percentile is 0"),
        (["--threshold", "nan"], "--threshold is nan mV"),
        (["--chip", "loihi9"], "there is no hardware named 'loihi9'"),
    ],
)
def test_numbers_that_cannot_be(words, said, tmp_path, capsys):
    assert main(["energy", "--report", str(tmp_path), "--ann", *words]) == 2
    assert said in capsys.readouterr().err


SCRIPT = """
import pyNN.evsim as sim
sim.setup(timestep=1.0)
source = sim.Population(4, sim.SpikeSourceArray(spike_times=[1.0, 2.0, 5.0]))
cells = sim.Population(6, sim.IF_curr_exp())
sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.0))
sim.run(20.0)
sim.end()
"""


@pytest.mark.filterwarnings("ignore")
def test_a_script_is_held_against_a_network(tmp_path, capsys):
    script, own = tmp_path / "script.py", tmp_path / "own.py"
    script.write_text(SCRIPT)
    own.write_text(OWN)
    words = ["energy", str(script), "--chip", "spinnaker2", "--report", str(tmp_path), "--ann", str(own)]
    assert main(words) == 2
    assert "say how many images the script shows" in capsys.readouterr().err
    assert main([*words, "--images", "3"]) == 0
    (network,) = json.loads((tmp_path / "ann.json").read_text())["networks"]
    (run,) = network["runs"]
    assert run["operations"] == 4 * 3 * 6 / 3
    assert run["per_mac"] == pytest.approx(24 / (64 * 24 + 24 * 10))
    assert "24 synaptic operations an image" in capsys.readouterr().out
    assert (tmp_path / "ann.html").exists() and (tmp_path / "energy.html").exists()


def test_a_command_without_anything_to_do(capsys):
    assert main(["energy"]) == 2
    assert "needs a SCRIPT, or --ann" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_converted_networks_keep_the_anns_accuracy(tmp_path):
    """Within a point in ideal arithmetic, and within two as on Loihi 2; Lava, where it is, spikes bit for bit."""
    assert main(["energy", "--ann", "--chip", "loihi2", "--report", str(tmp_path)]) == 0
    data = json.loads((tmp_path / "ann.json").read_text())
    assert [network["name"] for network in data["networks"]] == ["MLP", "CNN"]
    for network in data["networks"]:
        assert network["ann"]["accuracy"] > 0.95
        for run in network["runs"]:
            allowed = IDEAL_POINTS if run["chip"] == "ideal" else CHIP_POINTS
            assert run["accuracy"] >= network["ann"]["accuracy"] - allowed
        for found in network["lava"]:
            assert not found["ran"] or (found["different_spikes"], found["different_samples"]) == (0, 0)
