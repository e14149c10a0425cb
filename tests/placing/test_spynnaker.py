"""Cores, memory, places and keys against sPyNNaker's own mapping of the same scripts, in virtual mode."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from pathlib import Path

import pytest

import spinnaker_mapping
from evsim.chip import load_chip
from evsim.placing import spinnaker
from evsim.placing.record import spinnaker_record
from evsim.placing.spinnaker_cores import DELAY
from evsim.placing.traffic import spikes_of
from evsim.script import first_run

SPINNAKER = load_chip("spinnaker1")
WITHIN = 0.001  # of the bytes


def _networks():
    spec = importlib.util.spec_from_file_location("spynnaker_networks", Path(__file__).parent / "spynnaker_networks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = _networks()


@pytest.fixture(scope="module", params=[*CASES.NETWORKS, *CASES.HELD_OUT])
def both(request, tmp_path_factory):
    """What sPyNNaker maps, and what evsim places."""
    pytest.importorskip("spynnaker")
    folder = tmp_path_factory.mktemp("mapping")
    script = folder / "network.py"
    script.write_text(CASES.HEAD + {**CASES.NETWORKS, **CASES.HELD_OUT}[request.param])
    network, steps = first_run(script, [], tell=lambda _: None)
    found = spinnaker.place(network, SPINNAKER, spikes_of(network, None), steps)
    theirs = spinnaker_mapping.mapped(script, folder / "theirs")
    assert steps == theirs["steps"]
    return found, theirs


def vertices(found: spinnaker.OnSpinnaker) -> dict[str, dict]:
    """The same of evsim's, by sPyNNaker's labels."""
    parts: dict[str, dict] = defaultdict(lambda: {"cores": 0, "sdram": 0, "places": []})
    for core, place in zip(found.cores.cores, found.places, strict=True):
        part = parts[found.network.populations[core.population].label + ("_delayed" if core.kind == DELAY else "")]
        part["cores"] += 1
        part["sdram"] += core.memory.after(found.steps)
        part["places"].append(list(place))
    return dict(parts)


@pytest.mark.slow
def test_cores_are_those_of_spynnaker(both):
    found, theirs = both
    assert {label: part["cores"] for label, part in vertices(found).items()} == {
        label: part["cores"] for label, part in theirs["vertices"].items()
    }


@pytest.mark.slow
def test_memory_is_that_of_spynnaker(both):
    found, theirs = both
    for label, part in vertices(found).items():
        assert part["sdram"] == pytest.approx(theirs["vertices"][label]["sdram"], rel=WITHIN), label
    total = sum(part["sdram"] for part in theirs["vertices"].values())
    assert sum(part["sdram"] for part in vertices(found).values()) == pytest.approx(total, rel=WITHIN)


@pytest.mark.slow
def test_chips_are_those_of_spynnaker(both):
    found, theirs = both
    for label, part in vertices(found).items():
        assert sorted(part["places"]) == theirs["vertices"][label]["places"], label


@pytest.mark.slow
def test_keys_are_those_of_spynnaker(both):
    found, theirs = both
    for (index, kind), share in spinnaker.keys(found).items():
        label = found.network.populations[index].label + ("_delayed" if kind == DELAY else "")
        assert [[key, share.mask] for key in share.keys] == theirs["vertices"][label]["keys"], label


@pytest.mark.slow
def test_routing_entries_are_near_those_of_spynnaker(both):
    """Another router takes other ways, so the numbers of entries differ by chip; their sum does little."""
    found, theirs = both
    ours, sum_of_theirs = sum(found.routes.entries.values()), sum(theirs["entries"].values())
    assert ours == pytest.approx(sum_of_theirs, rel=0.3)
    if len(set(found.places)) == 1:
        assert ours == sum_of_theirs


def test_a_record_says_what_was_planned(nets):
    """Here without sPyNNaker; the numbers are those of the slow tests."""
    network = nets.Network(1.0, (nets.cells(300, "cells"),))
    record = spinnaker_record(spinnaker.place(network, SPINNAKER, spikes_of(network, None), 10), SPINNAKER)
    (population,) = record["populations"]
    assert (population["cores"], population["chips"], population["keys"]) == (2, 1, [])
    assert population["sdram"] == sum(core["sdram"] for core in record["cores"])
