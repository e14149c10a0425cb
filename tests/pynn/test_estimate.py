"""A network that is larger than the memory is refused before it is built, with what would fit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from evsim.backend import Target
from evsim.engine.release_memory import LAW, STATE
from evsim.errors import EvsimError
from evsim.pynn import estimate, free_memory

# One process for each network: its growth while the network is made, and what was estimated for it before.
MEASURE = '''
import ctypes, gc, json, sys
import pyNN.evsim as sim
from evsim.pynn import estimate
from evsim.pynn.graph import build

libc = ctypes.CDLL(None)
libc.prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: the system's own thread would fill half-used regions with huge pages

def resident():
    """Bytes that are in use, by the page tables; /proc/self/statm counts by processor, and is some MB behind."""
    gc.collect()
    libc.malloc_trim(0)  # what was freed goes back, or the network would fit into what compiling left behind
    with open("/proc/self/smaps") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss:"))

def make(n, p, weight, delay):
    cells = sim.Population(n, sim.IF_curr_exp())
    parts = cells[: n * 4 // 5], cells[n * 4 // 5 :]
    return cells, [
        sim.Projection(part, cells, connector, sim.StaticSynapse(weight=weight, delay=delay))
        for part in parts
        for connector in [sim.FixedProbabilityConnector(p) if p < 1 else sim.FixedTotalNumberConnector(int(p))]
    ]

def network(name):
    uniform = lambda low, high: sim.RandomDistribution("uniform", low=low, high=high, rng=sim.NumpyRNG(1))
    if name == "W1":
        return 12_500, 0.1, 0.1, 1.5
    if name == "CUBA":
        return 20_000, 0.04, 0.1, 0.2
    if name == "random":
        return 10_000, 0.05, uniform(0.1, 0.2), uniform(0.5, 3.0)
    return 100_000, 1_000_000, uniform(0.1, 0.2), 1.5

sim.setup(timestep=0.1)
n, p, weight, delay = network(sys.argv[1])
make(200 if n <= 65536 else n, 0.1 if p < 1 else 1000, weight, delay)  # so that all that is needed is loaded
build(sim.simulator.state)
before = resident()
cells, projections = made = make(*network(sys.argv[1]))
kept = build(sim.simulator.state)
grown = resident() - before
needs = [estimate.cells(cells.size, sim.simulator.state), *(projection.need for projection in projections)]
print(json.dumps({"grown": grown, "estimated": sum(need.graph for need in needs)}))
'''


def grow(name: str) -> dict[str, float]:
    """What a process of its own grows by, in bytes, and what was estimated for it.

    One that had to compile kernels is started again: the room that this leaves in Python's own heap takes small objects
    in.
    """
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "100000"}  # large arrays lie outside of the heap
    command = [sys.executable, "-c", MEASURE, name]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
        assert done.returncode == 0, done.stderr
        if "compiling the kernels" not in done.stderr:
            break
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["W1", "CUBA", "random", "many cells"])
def test_the_estimate_is_within_a_tenth_of_what_a_process_grows_by(name):
    found = grow(name)
    assert found["estimated"] == pytest.approx(found["grown"], rel=0.1)


@pytest.fixture
def limited(sim, monkeypatch):
    """100 MB for networks, on a machine with enough."""
    monkeypatch.setenv(estimate.LIMIT, "0.1")
    monkeypatch.setattr(estimate, "available_memory", lambda: 1e12)
    return sim


def test_a_population_that_does_not_fit_names_what_would(limited):
    with pytest.raises(
        EvsimError, match=r"population 'huge': 10000000 cells need .* GB.* at most (\d+) cells"
    ) as raised:
        limited.Population(10_000_000, limited.IF_curr_exp(), label="huge")
    fits = int(re.findall(r"at most (\d+) cells", str(raised.value))[0])
    limited.Population(fits // 100, limited.IF_curr_exp())


@pytest.mark.parametrize(
    ("name", "arguments", "word"),
    [
        ("FixedProbability", {"p_connect": 0.5}, "p_connect"),
        ("FixedNumberPre", {"n": 5000}, "n"),
        ("FixedNumberPost", {"n": 5000}, "n"),
        ("FixedTotalNumber", {"n": 50_000_000}, "n"),
    ],
)
def test_a_projection_that_does_not_fit_names_what_would(limited, name, arguments, word):
    cells = limited.Population(10_000, limited.IF_curr_exp())
    connector = getattr(limited, f"{name}Connector")
    with pytest.raises(
        EvsimError, match=r"projection 'too large': about 5e\+07 synapses need 0.2 GB .* GB are left"
    ) as raised:
        limited.Projection(cells, cells, connector(**arguments), limited.StaticSynapse(weight=0.1), label="too large")
    fits = float(re.findall(rf"{word} (?:of|=) ([\d.]+)", str(raised.value))[0])
    assert 0 < fits < arguments[word]
    fitting = connector(**{word: type(arguments[word])(0.98 * fits)})  # the projection below takes a little, too
    assert estimate.refuse_synapses(
        limited.Projection(cells, cells, limited.OneToOneConnector()), fitting, limited.simulator.state
    )


def test_what_was_created_before_counts(limited):
    cells = limited.Population(10_000, limited.IF_curr_exp())
    synapse, connector = limited.StaticSynapse(weight=0.1), limited.FixedProbabilityConnector(0.1)
    limited.Projection(cells, cells, connector, synapse)
    limited.Projection(cells, cells, connector, synapse)
    with pytest.raises(EvsimError, match="beside what was created before"):
        limited.Projection(cells, cells, connector, synapse)
    limited.setup()
    cells = limited.Population(10_000, limited.IF_curr_exp())
    limited.Projection(cells, cells, connector, synapse)


def test_the_memory_of_the_machine_is_a_limit_too(sim, monkeypatch):
    monkeypatch.setattr(estimate, "available_memory", lambda: 1e6)
    with pytest.raises(EvsimError, match=r"0.001 GB are left"):
        sim.Population(100_000, sim.IF_curr_exp())


def test_projections_run_on_several_targets_count_for_each(sim):
    cells = sim.Population(100, sim.IF_curr_exp())
    projection = sim.Projection(
        cells,
        cells,
        sim.AllToAllConnector(),
        sim.StaticSynapse(weight=sim.RandomDistribution("uniform", low=0, high=1)),
    )
    state = sim.simulator.state
    one = estimate.synapses(projection, sim.AllToAllConnector(), state)
    state.targets = Target("reference", "ideal"), Target("reference", "loihi2"), Target("lava")
    two = estimate.synapses(projection, sim.AllToAllConnector(), state)
    assert one and two
    assert one.graph == two.graph == 10 * 100**2 + 8 * 100
    drawn = estimate.synapses(projection, sim.AllToAllConnector(), state, stored=False)
    assert drawn and (drawn.graph, drawn.engine) == (0, two.engine)
    assert two.engine / one.engine == pytest.approx(1.5, rel=0.05)  # 8 bytes a synapse, then 8 + 4


def test_limits_of_control_groups(monkeypatch, tmp_path):
    group = tmp_path / "outer" / "inner"
    group.mkdir(parents=True)
    for folder, most, used, cached in (
        (group, "max", 10, 0),
        (group.parent, "1000", 700, 50),
        (tmp_path, "5000", 9, 0),
    ):
        (folder / "memory.max").write_text(f"{most}\n")
        (folder / "memory.current").write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")
    monkeypatch.setattr(free_memory, "GROUPS", tmp_path)
    assert free_memory.left_in_groups(["0::/outer/inner"]) == 350
    assert free_memory.left_in_groups(["0::/"]) == 4991
    assert free_memory.left_in_groups(["0::/elsewhere"]) == 4991
    assert free_memory.left_in_groups([]) == float("inf")
    assert free_memory.available_memory() > 0


def test_synapses_that_release_count_with_their_state_and_parameters(sim):
    cells = sim.Population(100, sim.IF_curr_exp())
    use = sim.RandomDistribution("uniform", low=0, high=1)
    kinds = [sim.TsodyksMarkramSynapse(U=given) for given in (0.5, use)]
    alike, varied = (sim.Projection(cells, cells, sim.AllToAllConnector(), kind) for kind in kinds)
    assert STATE.itemsize + np.dtype(np.uint32).itemsize == estimate.RELEASE_STATE
    assert LAW.itemsize == estimate.RELEASE_LAW
    assert alike.need.engine == pytest.approx(1e4 * (estimate.IDEAL_ENTRY + estimate.RELEASE_STATE), rel=0.01)
    assert varied.need.engine - alike.need.engine == 1e4 * estimate.RELEASE_LAW
    assert varied.need.graph - alike.need.graph == 1e4 * estimate.OTHER
