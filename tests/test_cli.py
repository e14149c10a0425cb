from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evsim.chip import chip_names
from evsim.cli import main

EXAMPLES = Path(__file__).parent.parent / "examples"

SCRIPT = """
from pyNN.utility import get_simulator
sim, options = get_simulator(("--rate", "Hz", {"type": float, "default": 300.0}))
sim.setup(timestep=1.0, rng_seed=4)
noise = sim.Population(20, sim.SpikeSourcePoisson(rate=options.rate), label="noise")
cells = sim.Population(5, sim.IF_curr_exp(), label="cells")
sim.Projection(noise, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.2, delay=2.0), label="drive")
cells.record(["spikes", "v"])
sim.run(60.0)
print("rate", options.rate)
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(SCRIPT)
    return "net.py"


def test_run_writes_what_ran(script, capsys):
    assert (
        main(["run", script, "--on", "reference", "--chip", "loihi2", "--json", "r.json", "--", "--rate", "400"]) == 0
    )
    out, err = capsys.readouterr()
    assert out == "rate 400.0\n"
    assert "reference:loihi2: 2 populations, 100 synapses, 60 ms" in err
    (run,) = json.loads(Path("r.json").read_text())["runs"]
    assert (run["backend"], run["chip"], run["seeds"]) == ("reference", "loihi2", [4])
    assert run["n_spikes"] > 0 and len(run["networks"][0]) == 64
    assert run["losses"]["weights"][0]["projection"] == "drive"


def test_numbers_that_left_their_range_are_told(script, capsys):
    Path(script).write_text(SCRIPT.replace("options.rate)", "1000.0)").replace("weight=0.2", "weight=500.0"))
    assert main(["run", script, "--chip", "loihi2"]) == 0
    assert "warning: reference:loihi2: numbers of population 'cells' left their range: " in capsys.readouterr().err


def test_run_is_on_the_ideal_reference_unless_told(script, capsys):
    assert main(["run", script]) == 0
    assert "reference:ideal" in capsys.readouterr().err


def test_compare_ends_with_the_report(script, capsys):
    on = ["reference:ideal", "reference:loihi2", "reference:loihi2"]
    assert main(["compare", script, "--on", *on, "--report", "deep/folder", "--json", "c.json"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "report: deep/folder/report.html"
    assert out.count("rate 300.0") == 1  # the script ran once
    data = json.loads(Path("c.json").read_text())
    assert data == json.loads(Path("deep/folder/compare.json").read_text())
    assert [run["target"] for run in data["runs"]] == [*on[:2], "reference:loihi2 (2)"]
    assert len({run["networks"][0] for run in data["runs"]}) == 1
    same = data["pairs"][2]
    assert (same["a"], same["b"]) == ("reference:loihi2", "reference:loihi2 (2)")
    assert same["spikes_equal"] and same["raw_equal"] and same["max_abs_dv"] == 0
    assert same["n_spikes"][0] == same["n_spikes"][1] == data["runs"][1]["n_spikes"] > 0
    assert (Path("deep/folder") / "rasters.png").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "net.py", "--on", "referense"], "did you mean 'reference'?"),
        (["run", "net.py", "--on", "reference:loihi"], "did you mean 'loihi"),
        (["run", "net.py", "--chip", "loihi3"], "did you mean 'loihi"),
        (["run", "net.py", "--on", "lava", "--chip", "spinnaker1"], "computes as loihi2, not as spinnaker1"),
        (["run", "nett.py"], "there is no script 'nett.py'"),
        (["run", "net.py", "--time-out", "-1"], "must be above 0"),
        (["compare", "net.py", "--on", "reference"], "at least two targets"),
    ],
)
def test_refusals_have_a_remedy_and_no_traceback(script, capsys, words, message):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_a_script_without_a_run_has_nothing_to_compare(script, capsys):
    Path(script).write_text("import pyNN.evsim")
    assert main(["compare", script, "--on", "reference:ideal", "reference:loihi2"]) == 2
    assert "ran no network" in capsys.readouterr().err


def test_a_scripts_own_failure_is_exit_1_with_its_traceback(script, capsys):
    Path(script).write_text("import numpy\nnumpy.zeros(3)[5]\n")
    assert main(["run", script]) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback") and "IndexError" in err and 'net.py", line 2' in err


def test_a_scripts_own_usage_message_is_kept(script, capsys):
    assert main(["run", script, "--", "--ratte", "1"]) == 2
    assert "unrecognized arguments: --ratte" in capsys.readouterr().err


def test_check_says_what_is_lost_and_runs_nothing(script, capsys):
    weights = "weight=numpy.array([[0.2] * 5, [1e-9] * 5] * 10)"
    Path(script).write_text("import numpy\n" + SCRIPT.replace("weight=0.2", weights))
    assert main(["check", script, "--chip", "spinnaker1", "loihi2", "--json", "c.json", "--", "--rate", "400"]) == 0
    out = capsys.readouterr().out
    assert "rate 400" not in out  # what comes after run() in the script
    assert [line for line in out.splitlines() if line.endswith(": fits")] == ["spinnaker1: fits", "loihi2: fits"]
    chips = json.loads(Path("c.json").read_text())["chips"]
    assert [chips[chip]["weights"][0]["zeroed"] for chip in ("spinnaker1", "loihi2")] == [50, 50]


def test_check_names_defects_of_the_firmware(script, capsys):
    Path(script).write_text(SCRIPT.replace("sim.IF_curr_exp()", "sim.IF_curr_alpha(tau_syn_E=0.5)"))
    assert main(["check", script, "--chip", "spinnaker1"]) == 0
    assert "tau_syn_E is 0.5 ms" in capsys.readouterr().out


PLANTED = """
import pyNN.evsim as sim
sim.setup(timestep=1.0)
many = sim.Population(5000, sim.SpikeSourceArray(spike_times=[1.0]), label="many")
def cells(label, kind=sim.IF_curr_exp, **parameters):
    return sim.Population(2, kind(**parameters), label=label)
cells("conductances", sim.IF_cond_exp)
cells("two currents", tau_syn_E=2.0, tau_syn_I=5.0)
cells("slow", tau_m=9000.0)
cells("long refractory", tau_refrac=70.0)
cells("upside down", v_thresh=-70.0, v_reset=-60.0)
late, mixed, crowded = cells("late"), cells("mixed"), cells("crowded")
synapse = sim.StaticSynapse(weight=0.01, delay=1.0)
sim.Projection(late, late, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=64.0), label="far")
sim.Projection(late, mixed, sim.AllToAllConnector(), synapse, receptor_type="excitatory")
sim.Projection(late, mixed, sim.AllToAllConnector(), sim.StaticSynapse(weight=-0.01), receptor_type="inhibitory")
mixed.record("isyn_exc")
sim.Projection(many, crowded, sim.AllToAllConnector(), synapse)
sim.run(10.0)
"""


def test_check_lists_all_problems_at_once(script, capsys):
    Path(script).write_text(PLANTED)
    assert main(["check", script, "--chip", "loihi1"]) == 2
    err = capsys.readouterr().err
    for words in (
        "'conductances': the cell IF_cond_exp",
        "'two currents': tau_syn_E of 2 ms and tau_syn_I of 5 ms",
        "'slow': tau_m of 9000 ms",
        "'long refractory': tau_refrac of 70 ms",
        "'upside down': v_thresh is not above v_reset",
        "'far': ",
        "'mixed': recording isyn_exc",
        "'crowded': one of its cells, alone on a core, needs 5000 input axons",
    ):
        assert words in err
    assert "8 problems" in err


def test_check_refuses_with_the_problems_of_every_chip(script, capsys):
    Path(script).write_text(SCRIPT.replace("IF_curr_exp", "IF_cond_exp"))
    assert main(["check", script, "--json", "-"]) == 2
    out, err = capsys.readouterr()
    assert "cannot run on loihi1" in err and "cannot run on loihi2" in err
    fits = {chip: entry["fits"] for chip, entry in json.loads(out)["chips"].items()}
    assert fits == {
        "loihi1": False,
        "loihi2": False,
        "loihi2_learning": False,
        "loihi2_microcode": False,
        "spinnaker1": True,
    }


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("import pyNN.evsim as sim\nsim.setup()\nsim.Population(1, sim.IF_curr_exp())\n", [], "ran no network"),
        (SCRIPT, ["--chip", "ideal"], "nothing to lose"),
        (SCRIPT, ["--chip", "loihi3"], "did you mean"),
    ],
)
def test_check_refuses_what_cannot_be_checked(script, capsys, text, words, message):
    Path(script).write_text(text)
    assert main(["check", script, *words]) == 2
    assert message in capsys.readouterr().err


def test_models_say_who_has_what(capsys, tmp_path):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "IF_curr_exp" in out and "SpikeSourcePoisson" in out and "PointNeuron" in out and "lava" in out
    file = tmp_path / "models.json"
    assert main(["models", "--json", str(file)]) == 0
    models = json.loads(file.read_text())["models"]
    has = {rules for rules, supported in models["IF_cond_exp"]["rules"].items() if supported}
    assert has == {"ideal", "spinnaker1"} and "loihi2_microcode" in models["IF_cond_exp"]["rules"]
    assert models["IF_cond_exp"]["backends"]["lava"] is False
    assert models["IF_curr_exp"]["backends"]["lava"] is True
    assert models["SpikeSourceArray"]["kind"] == "source"


def test_chips_give_a_source_for_every_number(capsys):
    assert main(["chips"]) == 0
    assert "Davies et al. 2018" in capsys.readouterr().out
    assert main(["chips", "--json", "-"]) == 0
    chips = json.loads(capsys.readouterr().out)["chips"]
    assert list(chips) == chip_names()
    assert all(limit["source"] for chip in chips.values() for limit in chip["limits"].values())


def test_no_progress_bar_in_a_pipe(script):
    words = [sys.executable, "-m", "evsim", "compare", script, "--on", "reference:ideal", "reference:loihi2"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=True)
    if "compiling the kernels" in done.stderr:
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.endswith("report: evsim-report/report.html\n")
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("balanced_network.py", ["--n", "100", "--time", "100"]),
        ("vogels_abbott.py", ["cond", "--n", "200", "--time", "50"]),
        ("vogels_abbott.py", ["curr", "--n", "200", "--time", "50"]),
        ("izhikevich.py", ["--n", "50", "--time", "100"]),
        ("spinnaker_rules.py", ["--time", "50"]),
        ("scattered_ring.py", []),
        ("dopamine.py", ["--n", "5", "--time", "6000"]),
        ("refining_map.py", ["--n", "20", "--time", "500"]),
        ("microcircuit.py", ["--scale", "0.02", "--duration", "50", "--transient", "10"]),
    ],
)
def test_examples_run_as_they_stand(name, arguments, capsys):
    assert main(["run", str(EXAMPLES / name), "--", *arguments]) == 0
    assert "spikes/s per neuron" in capsys.readouterr().out
