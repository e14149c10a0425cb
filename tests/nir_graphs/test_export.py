from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.cli import main
from evsim.network import Network
from evsim.nir.request import GraphRun

nir = pytest.importorskip("nir")

SCRIPT = """
import numpy as np
import pyNN.evsim as sim
sim.setup(timestep=0.5)
draw = np.random.RandomState(3)
trains = [np.sort(draw.choice(np.arange(1, 190), 25, replace=False)) * 0.5 for _ in range(20)]
source = sim.Population(20, sim.SpikeSourceArray(spike_times=trains), label="in/put")
one = dict(tau_refrac=0.0, tau_syn_E=4.0, tau_syn_I=4.0, i_offset=0.1, cm=draw.uniform(0.5, 1.5, 15))
a = sim.Population(15, sim.IF_curr_exp(**one), label="a")
two = dict(tau_refrac=0.0, tau_syn_E=4.0, tau_syn_I=9.0, v_reset=-70.0)
b = sim.Population(7, sim.IF_curr_exp(**two), initial_values={"v": -70.0}, label="b")
c = sim.Population(4, sim.IF_curr_delta(tau_refrac=0.0, i_offset=0.2, cm=0.3), label="c")
def connect(pre, post, connector, weight, delay, label):
    receptor = "excitatory" if np.min(weight) > 0 else "inhibitory"
    synapse = sim.StaticSynapse(weight=weight, delay=delay)
    sim.Projection(pre, post, connector, synapse, receptor_type=receptor, label=label)
some, every = sim.FixedProbabilityConnector(0.5, rng=sim.NumpyRNG(1)), sim.AllToAllConnector()
connect(source, a, some, 0.9, 1.0, "drive")
connect(a, a, some, -0.2, 0.5, "recurrent")
connect(a, b, every, draw.uniform(0.3, 0.9, (15, 7)), 2.0, "a to b")
connect(b, b, every, -0.1, 1.5, "b to b")
connect(b, c, every, 2.5, 0.5, "b to c")
connect(a, c, every, -0.5, draw.randint(2, 6, (15, 1)) * 0.5 * np.ones(4), "a to c")
for population in (a, b, c):
    population.record(["spikes", "v"])
sim.run(100.0)
"""

PLANTED = """
import pyNN.evsim as sim
sim.setup(timestep=1.0)
noise = sim.Population(5, sim.SpikeSourcePoisson(rate=200.0), label="noise")
array = sim.Population(2, sim.SpikeSourceArray(spike_times=[[1.0], [2.0, 7.0]]), label="array")
late = sim.Population(6, sim.IF_curr_exp(tau_refrac=2.0, tau_syn_I=5.0), label="refractory")
high = sim.Population(6, sim.IF_curr_exp(tau_refrac=0.0), initial_values={"v": -60.0}, label="started")
cond = sim.Population(3, sim.IF_cond_exp(), label="conductances")
delays = sim.RandomDistribution("uniform", (1.0, 9.0), rng=sim.NumpyRNG(1))
every = sim.AllToAllConnector()
sim.Projection(noise, late, every, sim.StaticSynapse(weight=0.1, delay=delays), label="delays")
sim.Projection(array, cond, every, sim.StaticSynapse(weight=0.1), label="to conductances")
rule = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=1.0), weight=0.2, delay=1.0)
sim.Projection(late, high, every, rule, label="plastic")
late.inject(sim.DCSource(amplitude=0.3, start=5.0))
sim.run(10.0)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(SCRIPT)
    (tmp_path / "planted.py").write_text(PLANTED)
    return tmp_path


def first(path: str) -> Network:
    from evsim.script import first_network

    return first_network(path, [], tell=print, graph_run=GraphRun() if path.endswith(".nir") else None)


def dense(network: Network, source: str, target: str) -> dict[tuple[str, int], np.ndarray]:
    """(sign, delay) -> the sum of the weights from one population to another."""
    labels = [population.label.replace("/", "_") for population in network.populations]
    found: dict = {}
    for projection in network.projections:
        if (labels[projection.pre], labels[projection.post]) == (source, target):
            for row in zip(projection.source, projection.target, projection.weight, projection.delay, strict=True):
                sizes = [network.populations[end].size for end in (projection.pre, projection.post)]
                matrix = found.setdefault((projection.receptor, int(row[3])), np.zeros(sizes))
                matrix[row[0], row[1]] += row[2]
    return found


def same(value: float | np.ndarray):
    return pytest.approx(value, rel=1e-12, abs=1e-12)


def test_a_graph_holds_the_parameters_and_weights_of_its_script(folder):
    assert main(["export", "net.py", "net.nir", "--spikes", "in.npz"]) == 0
    before, after = first("net.py"), first("net.nir")
    assert after.timestep == 0.5
    again = {population.label: population for population in after.populations}
    assert sorted(again) == ["a", "b", "c", "in_put"]
    for population in before.populations[1:]:
        found, value = again[population.label], population.parameters
        assert found.model == population.model
        cm = 1.0 if population.label == "c" else value["cm"]  # weights of IF_curr_delta are in mV, whatever its cm
        rest = value["v_rest"] + value["tau_m"] / value["cm"] * value["i_offset"]
        assert found.parameters["v_rest"] == same(rest)
        assert found.parameters["cm"] == same(cm)
        for name in set(value) - {"v_rest", "i_offset", "cm"}:
            assert found.parameters[name] == same(value[name]), name
        assert np.array_equal(found.initial["v"], population.initial["v"])
    pairs = [("in_put", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("b", "c"), ("a", "c")]
    for pair in pairs:
        given, found = dense(before, *pair), dense(after, *pair)
        assert given and given.keys() == found.keys()
        assert all(found[key] == same(given[key]) for key in given)
    assert len(dense(before, "a", "c")) > 1  # delays by source


def test_a_graph_spikes_as_its_script(folder, nets):
    assert main(["export", "net.py", "net.nir", "--spikes", "in.npz"]) == 0
    assert main(["run", "net.nir", "--input", "in.npz", "--duration", "100", "--output", "out.npz"]) == 0
    made, before = np.load("out.npz"), first("net.py")
    counts = []
    for spikes in nets.run(before, 200).spikes:
        label = before.populations[spikes.population].label
        steps, cells = np.nonzero(made[f"{label} output"])
        assert np.array_equal(np.rint(spikes.times / 0.5).astype(int) - 1, steps)
        assert np.array_equal(spikes.neurons, cells)
        counts.append(len(steps))
    assert len(counts) == 3 and min(counts) > 100


def test_the_file_is_what_nir_reads_with_its_types_checked(folder):
    assert main(["export", "net.py", "net.nir", "--spikes", "in.npz"]) == 0
    graph = nir.read("net.nir")
    kinds = {name: type(node).__name__ for name, node in graph.nodes.items()}
    assert kinds["a"] == "CubaLIF" and kinds["b"] == kinds["c"] == "LIF" and kinds["in_put"] == "Input"
    assert kinds["b excitatory"] == kinds["b inhibitory"] == "LI"
    assert graph.nodes["a"].tau_mem == pytest.approx(np.full(15, 0.02))
    assert graph.nodes["a"].w_in == pytest.approx(np.full(15, 8.0))  # a spike of weight 1 adds 1 to the current
    assert {a for a, b in graph.edges if b.endswith(" output")} == {"a", "b", "c"}


def test_everything_that_nir_cannot_say_is_listed_at_once(folder, capsys):
    assert main(["export", "planted.py", "planted.nir"]) == 2
    err = capsys.readouterr().err
    for said in (
        "NIR cannot say this network: 8 problems",
        "population 'noise': random spikes at 200 to 200 Hz",
        "population 'array': 3 spike times",
        "population 'refractory': tau_refrac of 2 ms; NIR has no refractoriness",
        "population 'started': initial v is not v_reset in 6 of 6 cells",
        "population 'conductances': 3 cells of IF_cond_exp",
        "projection 'delays': delays from 1 to ",
        "projection 'plastic': SpikePairRule with AdditiveWeightDependence",
        "a current into 6 cells of 'refractory'",
    ):
        assert said in err
    assert not Path("planted.nir").exists()


def test_lossy_writes_the_rest_and_names_what_it_left_out(folder, capsys):
    assert main(["export", "planted.py", "planted.nir", "--lossy"]) == 0
    err = capsys.readouterr().err
    assert err.count("left out: ") == 8 and "left out: population 'refractory': tau_refrac of 2 ms" in err
    nodes = nir.read("planted.nir").nodes
    assert not [name for name in nodes if "conductances" in name]
    assert type(nodes["delays"]).__name__ == "Linear" and nodes["plastic"].weight == pytest.approx(np.full((6, 6), 0.2))
    assert len(set(nodes["delays delay"].delay)) == 1
    assert main(["run", "planted.nir", "--duration", "20"]) == 0


def test_spikes_beside_the_graph_are_not_lost(folder, capsys):
    words = ["export", "planted.py", "planted.nir", "--lossy", "--spikes", "in.npz"]
    assert main(words) == 2
    assert "population 'noise' draws spikes without end; say how many to keep" in capsys.readouterr().err
    assert main([*words, "--duration", "50"]) == 0
    assert "Poisson" not in capsys.readouterr().err
    spikes = np.load("in.npz")
    assert spikes["array"].shape == (50, 2) and np.argwhere(spikes["array"]).tolist() == [[1, 0], [2, 1], [7, 1]]
    assert 0 < spikes["noise"].sum() < 100


def test_a_network_without_a_cell_of_nirs_is_refused(folder, capsys):
    (folder / "cond.py").write_text(
        "import pyNN.evsim as sim\nsim.setup()\nsim.Population(3, sim.IF_cond_exp(), label='x')\nsim.run(1.0)\n"
    )
    assert main(["export", "cond.py", "cond.nir", "--lossy"]) == 2
    assert "population 'x': 3 cells of IF_cond_exp" in capsys.readouterr().err
    assert main(["export", "cond.py", "cond.h5"]) == 2
    assert "cond.h5 does not end in .nir" in capsys.readouterr().err


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.data())
def test_delays_of_channels_say_every_delay_or_are_not_exact(data):
    import builders
    from evsim.nir.delays import delays_of_channels

    seed, kind = data.draw(st.integers(0, 10**6)), data.draw(st.sampled_from(["source", "target", "any"]))
    rng = np.random.default_rng(seed)
    by = rng.integers(1, 5, 6)
    source, target = rng.integers(0, 6, 20), rng.integers(0, 6, 20)
    delay = {"source": by[source], "target": by[target], "any": rng.integers(1, 5, 20)}[kind]
    populations = (builders.cells(6, "a"), builders.cells(6, "b"))
    projection = builders.connect(0, 1, list(zip(source, target, np.ones(20), delay, strict=True)))
    found = delays_of_channels(Network(1.0, populations, (projection,)), projection)
    said = np.zeros(20)
    for steps, cells in ((found.of_sources, source), (found.of_targets, target)):
        said += 0 if steps is None else steps[cells]
    if found.exact:
        assert np.array_equal(np.maximum(said, 1), delay)
    else:
        assert kind == "any" and set(said) == {np.rint(delay.mean())}
