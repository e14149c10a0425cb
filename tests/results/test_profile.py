"""The table of stages, from made-up measurements."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evsim import registry
from evsim.backend import Target
from evsim.chip import load_chip
from evsim.cli import main
from evsim.recording import NEURON_UPDATES, SYNAPTIC_EVENTS, Recordings, Stage
from evsim.reference import ReferenceBackend
from evsim.results.machine import limits_of, seconds_per_addition
from evsim.results.outcome import Outcome
from evsim.results.profile import profile_record, profile_rows, share_of_limit, stages_of

DELIVERY = Stage("delivery", 2.0, 4_000_000_000, SYNAPTIC_EVENTS)
UPDATE = Stage("update of IF_curr_exp", 1.0, 1_000_000_000, NEURON_UPDATES)
WAIT = Stage("wait", 1.0)
LIMITS = {SYNAPTIC_EVENTS: 0.25e-9, NEURON_UPDATES: 0.1e-9}


def outcome(*stretches):
    """An outcome of (segment, stages)."""
    made: Any = [SimpleNamespace(segment=s, recordings=Recordings(profile=tuple(stages))) for s, stages in stretches]
    return Outcome("here", Target("reference", "ideal"), load_chip("ideal"), made)


def test_rates_and_shares_of_the_limit():
    heading, delivery, update, wait, total = profile_rows([DELIVERY, UPDATE, WAIT], LIMITS)
    assert len(heading) == len(delivery) == len(total)
    assert delivery == ["delivery", "2.000", "50 %", "4,000,000,000 synaptic events", "2000", "50 %"]
    assert update[2:] == ["25 %", "1,000,000,000 neuron updates", "1000", "10 %"]
    assert wait == ["wait", "1.000", "25 %", "", "", ""]
    assert total == ["all stages", "4.000", "100 %", "", "", ""]


def test_a_stage_that_took_no_time_has_no_rate():
    nothing = Stage("delivery", 0.0, 0, SYNAPTIC_EVENTS)
    assert share_of_limit(nothing, LIMITS) is None
    assert profile_rows([nothing], LIMITS)[1] == ["delivery", "0.000", "", "0 synaptic events", "", ""]
    (record,) = profile_record([nothing], LIMITS)
    assert record["rate"] is None and record["share_of_limit"] is None


def test_runs_from_zero_add_up_and_stretches_of_one_do_not():
    half = Stage("delivery", 1.0, 2_000_000_000, SYNAPTIC_EVENTS)
    found = stages_of(outcome((0, [half]), (0, [DELIVERY, WAIT]), (1, [DELIVERY]), (2, [])))
    assert found == [Stage("delivery", 4.0, 8_000_000_000, SYNAPTIC_EVENTS), WAIT]


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1"])
def test_the_machine_is_measured_with_the_networks_own_numbers(nets, chip, monkeypatch):
    asked = []
    monkeypatch.setattr("evsim.results.machine.seconds_per_addition", lambda n, number: asked.append((n, number)))
    monkeypatch.setattr("evsim.results.machine.seconds_per_update", lambda n, number: asked.append((n, number)))
    network = nets.Network(1.0, (nets.cells(30), nets.poisson(7, 5.0), nets.cells(12, "others")))
    limits_of(network, load_chip(chip))
    number = np.float64 if chip == "ideal" else np.int32
    assert asked == [(84, number), (42, number)]  # IF_curr_exp has two receptors


def test_an_addition_takes_a_time_that_a_machine_may_have():
    assert 1e-11 < seconds_per_addition(1000, np.int32) < 1e-6


SCRIPT = """
import evsim.pynn as sim
sim.setup(timestep=1.0)
cells = sim.Population(5, sim.IF_curr_exp(i_offset=2.0))
cells.record("spikes")
sim.run(20.0)
sim.end()
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "small.py"
    path.write_text(SCRIPT)
    return str(path)


@pytest.fixture
def reporting(monkeypatch):
    """``reporting(stages)`` lets the reference report them, and returns the list of the options that it is given."""
    given = []

    def measure(stages):
        class Measured(ReferenceBackend):
            def start(self, network, target):
                given.append(dict(target.options))
                session = super().start(network, target)
                plain = session.recordings
                monkeypatch.setattr(session, "recordings", lambda: replace(plain(), profile=stages))
                return session

        backend = registry.backend
        monkeypatch.setattr(registry, "backend", lambda name: Measured() if name == "reference" else backend(name))
        return given

    return measure


def test_the_command_shows_the_table(script, tmp_path, reporting, capsys):
    given = reporting((DELIVERY, UPDATE, WAIT))
    assert main(["run", script, "--profile", "--json", str(tmp_path / "run.json")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert given == [{"profile": True}]
    begin = next(k for k, line in enumerate(lines) if line.startswith("stage "))
    assert [line.split("  ")[0] for line in lines[begin + 2 : begin + 6]] == [
        "delivery",
        "update of IF_curr_exp",
        "wait",
        "all stages",
    ]
    (run,) = json.loads((tmp_path / "run.json").read_text())["runs"]
    assert [entry["stage"] for entry in run["profile"]] == ["delivery", "update of IF_curr_exp", "wait"]
    assert run["profile"][0]["rate"] == 2e9 and run["profile"][0]["share_of_limit"] > 0


def test_a_backend_without_stages_says_so(script, reporting, capsys):
    reporting(())
    assert main(["run", script, "--profile"]) == 0
    assert "there is no profile" in capsys.readouterr().err


def test_nothing_is_measured_unless_asked(script, reporting, capsys):
    given = reporting((DELIVERY,))
    assert main(["run", script]) == 0
    assert given == [{}] and "delivery" not in capsys.readouterr().err
