"""``evsim place`` from its words to its tables, files and errors."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from evsim.cli import main

SCRIPT = """
import pyNN.evsim as sim
sim.setup(timestep=1.0, rng_seed=4)
noise = sim.Population(20, sim.SpikeSourcePoisson(rate=300.0), label="noise")
cells = sim.Population(300, sim.IF_curr_exp(), label="cells")
after = sim.Population(30, sim.IF_curr_exp(), label="after")
sim.Projection(noise, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.4, delay=2.0), label="drive")
sim.Projection(cells, after, sim.FixedProbabilityConnector(0.2), sim.StaticSynapse(weight=0.4, delay=2.0))
cells.record("spikes")
sim.run(60.0)
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(SCRIPT)
    return "net.py"


def read(*words: str) -> dict:
    assert main(["place", "net.py", *words, "--json", "p.json"]) == 0
    return json.loads(Path("p.json").read_text())


def test_populations_cores_and_chips_are_told(script, capsys):
    data = read("--chip", "spinnaker1", "--cores")
    assert [part["cores"] for part in data["populations"]] == [1, 2, 1] and data["steps"] == 60
    out = capsys.readouterr().out
    assert "0x" in out and "routing entries" in out and "packets x links, in order: 0" in out
    assert f"{sum(part['sdram'] for part in data['populations']):,} bytes of SDRAM for 60 time steps" in out
    assert "cells       256 to 299" in out


def test_cores_of_loihi_are_told(script, capsys):
    data = read("--chip", "loihi1")
    assert [(part["label"], part["cores"]) for part in data["populations"]] == [
        ("noise", 0),
        ("cells", 1),
        ("after", 1),
    ]
    assert data["cores"][0]["core_axons_in"] == 20
    assert "words of synaptic memory" in capsys.readouterr().out


def test_memory_is_planned_for_the_steps_of_the_first_run(script):
    short, long = (read("--chip", "spinnaker1", "--steps", steps)["populations"][1]["sdram"] for steps in ("0", "1000"))
    assert long - short == 2 * 1000 * (4 + 32)


def test_spikes_are_those_of_a_run(script, capsys):
    each = [read("--chip", "spinnaker1", *words)["cores"] for words in ((), ("--run",))]
    assert [core["sent"] for core in each[0]] == [20, 256, 44, 0]
    assert sum(core["sent"] for core in each[1][1:3]) > 300
    assert main(["run", "net.py", "--chip", "spinnaker1", "--activity", "--json", "a.json"]) == 0
    shared = read("--chip", "spinnaker1", "--activity", "a.json")["cores"]
    of_cells = [sum(core["sent"] for core in cores[1:3]) for cores in (each[1], shared)]
    assert of_cells[0] == of_cells[1]
    assert [core["sdram"] for core in each[1]] == [core["sdram"] for core in each[0]]


def test_metis_and_the_simple_order_are_compared(script, capsys):
    pytest.importorskip("pymetis")
    data = read("--chip", "loihi1", "--partition", "metis")
    assert data["hops"]["metis"] <= data["hops"]["simple"]
    assert "placed by METIS" in capsys.readouterr().out


def test_a_picture_and_a_page_are_written(script):
    assert main(["place", "net.py", "--chip", "loihi1", "--png", "p.png", "--html", "p.html"]) == 0
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")
    assert "<h2>Populations</h2>" in Path("p.html").read_text()


def test_nothing_runs_unless_asked(script, capsys):
    Path("net.py").write_text(SCRIPT + "print('ran')\n")
    assert main(["place", "net.py", "--chip", "loihi1"]) == 0
    assert "ran" not in capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--chip", "ideal"], "ideal computes in"),
        (["--chip", "loihi2"], "no source says how many compartments"),
        (["--chip", "loihi3"], "there is no chip named 'loihi3'; did you mean"),
        (["--chip", "loihi1", "--steps", "-1"], "--steps is -1; it must be at least 0"),
        (["--chip", "loihi1", "--activity", "none.json"], "cannot read none.json: No such file"),
        (["--chip", "loihi1", "--activity", "net.py"], "net.py has no activity; make it with `evsim run SCRIPT"),
        (["--chip", "loihi1", "--png", "no/such.png"], "cannot write no/such.png"),
    ],
)
def test_bad_words_are_one_error_each(script, capsys, words, message):
    assert main(["place", script, *words]) == 2
    err = capsys.readouterr().err
    assert f"evsim: error: {message}" in err and "Traceback" not in err


def test_an_activity_of_another_network_is_refused(script, capsys):
    activity = {"populations": [{"label": "noise", "spikes": 3}]}
    Path("a.json").write_text(json.dumps({"runs": [{"activity": activity}]}))
    assert main(["place", "net.py", "--chip", "loihi1", "--activity", "a.json"]) == 2
    assert "does not say how often population 'cells' spiked; use --run" in capsys.readouterr().err


def test_without_metis_the_extra_is_named(script, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymetis", None)
    assert main(["place", "net.py", "--chip", "loihi1", "--partition", "metis"]) == 2
    assert "pip install 'evsim[partition]'" in capsys.readouterr().err


def test_what_does_not_fit_is_said_with_its_amount_and_limit(script, capsys):
    Path("net.py").write_text(SCRIPT.replace("(20, sim.Spike", "(5000, sim.Spike").replace("All()", "All()"))
    assert main(["place", "net.py", "--chip", "loihi1"]) == 2
    err = capsys.readouterr().err
    assert "population 'cells'" in err and "5000 input axons" in err and "has 4096" in err


def test_a_script_that_runs_nothing_is_refused(script, capsys):
    Path("net.py").write_text("import pyNN.evsim as sim\nsim.setup()\n")
    assert main(["place", "net.py", "--chip", "loihi1"]) == 2
    assert "ran no network; it must call run()" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1"])
def test_the_worked_case_of_the_documentation_is_what_the_command_prints(chip, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pymetis")
    root = Path(__file__).parent.parent.parent
    blocks = re.findall(r"((?:^    .+\n)+)", (root / "docs" / "placement.md").read_text(), re.MULTILINE)
    (command,), *printed = ([line.strip() for line in block.splitlines()] for block in blocks[:3])
    monkeypatch.chdir(root)
    words = command.replace("spinnaker1", chip).replace("ring.png", str(tmp_path / "ring.png")).split()[1:]
    assert main(words) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-len(printed[chip == "loihi1"]) :] == printed[chip == "loihi1"]
