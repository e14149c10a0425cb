"""``evsim energy`` from its words to its page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evsim.cli import main
from evsim.energy.sections import joules

SCRIPT = """
import pyNN.evsim as sim
sim.setup(timestep=1.0, rng_seed=4)
noise = sim.Population(20, sim.SpikeSourcePoisson(rate=300.0), label="noise")
cells = sim.Population(5, sim.IF_curr_exp(), label="cells")
sim.Projection(noise, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.4, delay=2.0), label="drive")
sim.run(60.0)
"""
PLASTIC = SCRIPT.replace("sim.StaticSynapse(weight=0.4, delay=2.0)", "rule").replace(
    "sim.Projection(",
    "rule = sim.STDPMechanism(timing_dependence=sim.SpikePairRule(), "
    "weight_dependence=sim.AdditiveWeightDependence(w_max=1.0), weight=0.4, delay=2.0)\nsim.Projection(",
    1,
)


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(SCRIPT)
    return "net.py"


def test_all_hardware_with_costs_is_priced(script, capsys):
    assert main(["energy", script, "--json", "e.json"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "report: evsim-energy/energy.html"
    data = json.loads(Path("e.json").read_text())
    assert data == json.loads(Path("evsim-energy/energy.json").read_text())
    names = [energy["hardware"] for energy in data["energies"]]
    assert names == ["spinnaker1", "loihi1", "arm", "cpu", "gpu", "spinnaker2"]
    assert [run["target"] for run in data["runs"]] == ["reference:spinnaker1", "reference:loihi1", "reference:ideal"]
    assert len([line for line in out if line.startswith("spinnaker1, by ")]) == 2
    for energy in data["energies"]:
        for account in energy["accounts"]:
            low, high = account["joules"]
            assert 0 <= low <= high and energy["joules"][0] <= low and high <= energy["joules"][1]
            for part in account["parts"]:
                assert all(number["source"] for item in part["items"] for number in item["numbers"])


def test_the_page_has_every_number_and_source(script):
    assert main(["energy", script, "--chip", "loihi1", "spinnaker1", "--membrane", "--report", "deep/folder"]) == 0
    page = Path("deep/folder/energy.html").read_text()
    data = json.loads(Path("deep/folder/energy.json").read_text())
    for energy in data["energies"]:
        for account in energy["accounts"]:
            assert joules(account["joules"]) in page
            for item in (item for part in account["parts"] for item in part["items"]):
                assert item["what"] in page and all(number["source"] in page for number in item["numbers"])
    assert "What was left out" in page and "the host, input and output" in page
    assert page.count("data:image/png;base64,") == 4 and not re.search(r'(src|href)="(?!data:)', page)
    for name in ("energy.png", "cores.png", "placement-loihi1.png", "placement-spinnaker1.png"):
        assert Path("deep/folder", name).read_bytes().startswith(b"\x89PNG")
    (activity,) = [run["activity"] for run in data["runs"] if run["chip"] == "loihi1"]
    assert activity["active"] + sum(p["inactive"] or 0 for p in activity["populations"]) == activity["updates"] == 300


def test_counts_are_of_the_chips_own_arithmetic(script, capsys):
    assert main(["energy", script, "--chip", "spinnaker2", "loihi1", "--json", "-"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {energy["hardware"]: energy["target"] for energy in data["energies"]} == {
        "spinnaker2": "reference:ideal",
        "loihi1": "reference:loihi1",
    }
    assert "it spikes as on reference:ideal, for evsim has no rules of it" in data["energies"][0]["counted_note"]
    assert data["energies"][0]["accounts"][0]["unknown"] == ["packets", "time of chips (s)"]


def test_the_script_runs_once(script, capsys):
    Path(script).write_text(SCRIPT + "print('ran')\n")
    assert main(["energy", script, "--chip", "spinnaker2", "loihi1", "spinnaker1"]) == 0
    assert capsys.readouterr().out.count("ran\n") == 1


def test_slowdown_and_boards_change_what_is_on(script):
    def static(*words: str) -> tuple[list[float], float]:
        assert main(["energy", script, "--chip", "spinnaker1", *words, "--json", "e.json"]) == 0
        (energy,) = json.loads(Path("e.json").read_text())["energies"]
        parts = {part["name"]: part["joules"] for part in energy["accounts"][0]["parts"]}
        return [*parts["idle"], *parts["cores"]], energy["seconds"]

    assert static() == (pytest.approx([0.35 * 0.06] * 2 + [2 * 0.034 * 0.06] * 2), pytest.approx(0.06))
    assert static("--slowdown", "10") == (pytest.approx([0.35 * 0.6] * 2 + [2 * 0.034 * 0.6] * 2), pytest.approx(0.6))
    assert static("--boards", "2")[0][:2] == pytest.approx([2 * 26.84 * 0.06] * 2)


def test_chips_on_which_the_network_does_not_fit_are_left_out_and_named(script, capsys):
    Path(script).write_text(PLASTIC)
    assert main(["energy", script, "--json", "e.json"]) == 0
    data = json.loads(Path("e.json").read_text())
    assert "loihi1" not in [energy["hardware"] for energy in data["energies"]]
    (sentence,) = data["refused"]
    assert sentence.startswith("loihi1: left out, for the network does not fit: projection 'drive'")
    assert sentence in capsys.readouterr().out.splitlines()
    assert "left out, for the network does not fit" in Path("evsim-energy/energy.html").read_text()
    spinnaker = data["energies"][0]
    assert spinnaker["hardware"] == "spinnaker1"
    assert spinnaker["accounts"][1]["unknown"] == ["updates of weights"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--chip", "loihi2"], "no source says what anything costs on loihi2 (Loihi 2), so its energy is unknown; "),
        (["--chip", "ideal"], "no source says what anything costs on ideal"),
        (["--chip", "loihi3"], "there is no hardware named 'loihi3'; did you mean 'loihi2'? (known: "),
        (["--slowdown", "0"], "--slowdown is 0; it must be a number above 0, and 1 is real time"),
        (["--slowdown", "nan"], "--slowdown is nan; it must be a number above 0"),
        (["--boards", "-1"], "--boards is -1; it must be at least 0"),
        (["--threads", "0"], "--threads is 0; it must be at least 1"),
        (["--report", "net.py/x"], "cannot write the report to net.py/x: "),
    ],
)
def test_bad_words_are_one_error_each(script, capsys, words, message):
    assert main(["energy", script, *words]) == 2
    err = capsys.readouterr().err
    assert f"evsim: error: {message}" in err and "Traceback" not in err


def test_a_network_that_does_not_fit_is_refused_where_it_was_asked_for(script, capsys):
    Path(script).write_text(PLASTIC)
    assert main(["energy", script, "--chip", "loihi1"]) == 2
    assert "projection 'drive'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--chip", "loihi1"]], ids=["all", "one"])
def test_a_script_that_runs_nothing_is_refused(script, capsys, words):
    Path(script).write_text("import pyNN.evsim as sim\nsim.setup()\n")
    assert main(["energy", script, *words]) == 2
    assert "ran no network; it must call run()" in capsys.readouterr().err


def test_energies_are_shown_with_a_prefix():
    assert joules([1.5, 1.5]) == "1.5 J"
    assert joules([2e-7, 1.25e-6]) == "0.2 to 1.25 µJ"
    assert joules([0.0, 0.0]) == "0 J"
    assert "unknown" in joules(None)


def test_every_run_can_be_counted(script, capsys):
    """On any backend; here in the arithmetic of Loihi 2, of which no source has a price."""
    assert main(["run", script, "--chip", "loihi2", "--activity", "--json", "r.json"]) == 0
    (run,) = json.loads(Path("r.json").read_text())["runs"]
    activity = run["activity"]
    assert activity["updates"] == 300 and 0 < activity["active"] <= 300
    assert activity["events"] == sum(part["events"] for part in activity["projections"]) > 0
    assert re.search(rf"^synaptic events +{activity['events']:,}$", capsys.readouterr().err, re.MULTILINE)


def test_a_run_is_not_counted_unless_asked(script):
    assert main(["run", script, "--json", "r.json"]) == 0
    (run,) = json.loads(Path("r.json").read_text())["runs"]
    assert "activity" not in run and run["n_spikes"] is None


@pytest.mark.slow
def test_what_a_machine_gives_no_data_of_is_unknown(script):
    pytest.importorskip("spynnaker")
    assert main(["run", script, "--on", "spinnaker:virtual", "--activity", "--json", "r.json"]) == 0
    (run,) = json.loads(Path("r.json").read_text())["runs"]
    found = run["activity"]
    assert (found["spikes"], found["active"], found["activation_sparsity"]) == (None, None, None)
    assert found["source_spikes"] > 0 and found["events"] > 0  # the sources' spikes are known before any run


@pytest.mark.slow
def test_the_worked_case_of_the_documentation_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    root = Path(__file__).parent.parent.parent
    blocks = re.findall(r"((?:^    .+\n)+)", (root / "docs" / "energy.md").read_text(), re.MULTILINE)
    words, printed = ([line.strip() for line in block.splitlines()] for block in blocks[:2])
    (command,) = words
    monkeypatch.chdir(root)
    assert main([*command.split()[1:], "--report", str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-len(printed) - 1 : -1] == printed
    data = json.loads((tmp_path / "energy.json").read_text())
    (ideal,) = [run["activity"] for run in data["runs"] if run["chip"] == "ideal"]
    text = (root / "docs" / "energy.md").read_text()
    assert f"{ideal['events']:,} spikes arrive" in text
    assert f"{(ideal['dense'] + ideal['updates']) / 1e6:.1f} million times" in text
