from __future__ import annotations

import json
import sys
from itertools import pairwise

import numpy as np
import pytest

from evsim.cli import main
from evsim.errors import CheckError

nir = pytest.importorskip("nir")
N = 4


def ends(size=N):
    return {"in": nir.Input(np.array([size])), "out": nir.Output(np.array([size]))}


def full(*values):
    return [np.full(N, float(value)) for value in values]


def chain(*nodes):
    """Nodes in a row between an Input and an Output."""
    names = ["in", *(f"n{k}" for k in range(len(nodes))), "out"]
    return ends() | dict(zip(names[1:-1], nodes, strict=True)), list(pairwise(names))


def random_input(steps, seed=0, rate=0.3):
    return (np.random.default_rng(seed).random((steps, N)) < rate).astype(np.uint8)


# --- neurons, against their equations --------------------------------------------------------------------------------


def test_lif_obeys_its_equation(run_nodes):
    """A pulse of one step moves v by r w dt / tau, which then decays, beside what the bias adds."""
    tau, r, v_leak, bias, dt = 0.02, 3.0, -2.0, 0.4, 0.001
    spikes = np.zeros((30, N))
    spikes[4] = 1
    nodes, edges = chain(nir.Affine(5 * np.eye(N), np.full(N, bias)), nir.LIF(*full(tau, r, v_leak, 50, 0)))
    v = run_nodes(nodes, edges, {"in": spikes})["out.v"]
    t = dt * np.arange(1, 31)
    settled = v_leak + r * bias
    expected = settled * (1 - np.exp(-t / tau))
    expected[4:] += r * 5 * dt / tau * np.exp(-(t[4:] - t[4]) / tau)
    assert v == pytest.approx(np.tile(expected[:, None], N), rel=1e-9)


def test_cubalif_obeys_its_equations(run_nodes):
    """The response to a pulse is a difference of exponentials; a bias goes through both of its low passes."""
    tau_s, tau_m, r, w_in, bias, dt = 0.005, 0.02, 3.0, 7.0, 0.4, 0.001
    spikes = np.zeros((40, N))
    spikes[3] = 1
    neuron = nir.CubaLIF(*full(tau_s, tau_m, r, -1, 50, 0), w_in=np.full(N, w_in))
    nodes, edges = chain(nir.Affine(5 * np.eye(N), np.full(N, bias)), neuron)
    v = run_nodes(nodes, edges, {"in": spikes})["out.v"]
    t = dt * np.arange(1, 41)
    slow, quick = np.exp(-t / tau_m), np.exp(-t / tau_s)
    response = r * tau_s / (tau_m - tau_s) * (slow - quick)  # of v to a current of 1 that decays
    expected = (-1 + r * w_in * bias) * (1 - slow) - w_in * bias * response
    expected[4:] += w_in * 5 * dt / tau_s * response[: len(t) - 4]  # it joins the current at the end of step 3
    assert v == pytest.approx(np.tile(expected[:, None], N), rel=1e-9)


def test_if_adds_up_and_spikes_above_its_threshold_only(run_nodes):
    nodes, edges = chain(nir.IF(*full(1000, 3, -1)))
    made = run_nodes(nodes, edges, {"in": np.ones((10, N))})
    assert made["out"][:, 0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]  # from -1: 0 1 2 3, and 4 is above 3
    assert made["out.v"][:4, 0] == pytest.approx([0, 1, 2, 3], abs=1e-6)


@pytest.mark.parametrize("backend", ["reference", "lava"])
def test_if_neurons_spike_on_loihi_as_they_should(run_nodes, backend):
    """All weights are thirds of the largest, whose mantissa is 255, so they are exact; each layer is one step later."""
    if backend == "lava":
        pytest.importorskip("lava.proc")
    rng = np.random.default_rng(4)
    weights = rng.integers(-1, 4, (2, N, N)) / 4
    weights[:, 0, 0] = 0.75
    first = nir.IF(np.full(N, 1000.0), rng.integers(2, 7, N) / 4, np.zeros(N))
    second = nir.IF(np.full(N, 1000.0), np.full(N, 1.0), np.full(N, -0.5))
    nodes, edges = chain(nir.Linear(weights[0]), first, nir.Linear(weights[1]), second)
    x = random_input(80, rate=0.6)
    ideal = run_nodes(nodes, edges, {"in": x})["out"]
    found = run_nodes(nodes, edges, {"in": x}, backend, "loihi2")["out"]
    assert ideal.sum() > 80
    assert found[2:].tolist() == ideal[:-2].tolist()


@pytest.mark.parametrize("kind", ["LIF", "CubaLIF"])
def test_the_euler_method_makes_eulers_steps(run_nodes, kind):
    """Against the loop itself, cells all different, with bias and resets."""
    rng = np.random.default_rng(2)
    dt, steps, x = 0.001, 200, random_input(200)
    tau_m, tau_s = rng.uniform(0.003, 0.03, N), rng.uniform(0.0015, 0.02, N)
    tau_s[0] = tau_m[0]
    r, v_leak, v_reset, w_in = (rng.uniform(*range_, N) for range_ in ((2, 8), (-1, 0), (-2, -1), (1, 9)))
    weight, bias = rng.uniform(-0.5, 3, (N, N)), rng.uniform(0, 0.4, N)
    v_threshold = np.full(N, 1.5)
    if kind == "LIF":
        neuron = nir.LIF(tau_m, r, v_leak, v_threshold, v_reset)
    else:
        neuron = nir.CubaLIF(tau_s, tau_m, r, v_leak, v_threshold, v_reset, w_in)
    nodes, edges = chain(nir.Affine(weight, bias), neuron)
    made = run_nodes(nodes, edges, {"in": x}, method="euler")

    v, i = v_reset.copy(), np.zeros(N)
    for step in range(steps):
        given = x[step] @ weight.T + bias
        now = given if kind == "LIF" else i
        v = v + dt / tau_m * (v_leak - v + r * now)
        i = i + dt / tau_s * (-i + w_in * given)
        fired = v > v_threshold
        v = np.where(fired, v_reset, v)
        assert made["out"][step].tolist() == fired.tolist()
        assert made["out.v"][step] == pytest.approx(v, rel=1e-9, abs=1e-9)
    assert made["out"].sum() > 20


# --- graphs ----------------------------------------------------------------------------------------------------------


def thresholds(size=N):
    """Neurons that hand on each spike of weight 1 in the step in which it arrives."""
    return nir.IF(np.full(size, 1000.0), np.full(size, 0.5), np.zeros(size))


def test_delays_are_those_of_channels_and_at_least_one_step(run_nodes):
    x = np.zeros((12, N))
    x[2] = 1
    delay = np.array([0, 0.001, 0.002, 0.005])
    nodes, edges = chain(nir.Delay(delay), thresholds())
    made = run_nodes(nodes, edges, {"in": x})
    assert made["out"].argmax(axis=0).tolist() == [2, 2, 3, 6]
    nodes, edges = chain(nir.Delay(delay), nir.Linear(np.ones((N, N))), nir.Delay(delay[::-1]), thresholds())
    first = run_nodes(nodes, edges, {"in": x})["out"].argmax(axis=0)
    assert first.tolist() == [6, 3, 2, 2]


def test_paths_side_by_side_and_subgraphs_add_up(run_nodes):
    """Two paths into one neuron, through a subgraph in a subgraph and a Scale, are the sum of their matrices."""
    rng = np.random.default_rng(7)
    a, b, scale, x = rng.normal(size=(N, N)), rng.normal(size=(N, N)), rng.normal(size=N), random_input(60)
    neuron = nir.LIF(*full(0.01, 10, 0, 1, 0))
    inner = nir.NIRGraph(ends() | {"w": nir.Linear(b)}, [("in", "w"), ("w", "out")], type_check=False)
    outer = nir.NIRGraph(
        ends() | {"inner": inner, "s": nir.Scale(scale)},
        [("in", "inner"), ("inner", "s"), ("s", "out")],
        type_check=False,
    )
    nodes = ends() | {"w": nir.Linear(a), "n": neuron, "sub": outer}
    edges = [("in", "w"), ("w", "n"), ("in", "sub"), ("sub", "n"), ("n", "out")]
    joined = run_nodes(*chain(nir.Linear(a + scale[:, None] * b), neuron), {"in": x})
    apart = run_nodes(nodes, edges, {"in": x})
    assert np.array_equal(apart["out"], joined["out"]) and joined["out"].sum() > 10
    assert apart["out.v"] == pytest.approx(joined["out.v"], abs=1e-9)


def test_a_neuron_of_single_numbers_has_the_size_of_its_input(run_nodes):
    nodes, edges = chain(nir.Linear(np.eye(N)), nir.IF(np.array([1000.0]), np.array([0.5]), np.array([0.0])))
    assert np.array_equal(run_nodes(nodes, edges, {"in": random_input(9)})["out"], random_input(9))


def test_li_nodes_before_a_lif_are_its_currents(run_nodes):
    """With one LI it is a CubaLIF; with two, the sum of the responses."""
    x = random_input(80)
    lif = nir.LIF(*full(0.02, 5, 0, 100, 0))
    quick, slow = nir.LI(*full(0.004, 6, 0)), nir.LI(*full(0.01, 3, 0))
    plus, minus = nir.Linear(4 * np.eye(N)), nir.Linear(-5 * np.eye(N))
    both = ((0.004, 6.0), (0.01, 3.0))
    cuba = [nir.CubaLIF(*full(tau, 0.02, 5, 0, 100, 0), w_in=np.full(N, gain)) for tau, gain in both]
    one = run_nodes(*chain(plus, quick, lif), {"in": x})["out.v"]
    other = run_nodes(*chain(minus, slow, lif), {"in": x})["out.v"]
    assert one == pytest.approx(run_nodes(*chain(plus, cuba[0]), {"in": x})["out.v"], abs=1e-12)
    assert other == pytest.approx(run_nodes(*chain(minus, cuba[1]), {"in": x})["out.v"], abs=1e-12)
    nodes = ends() | {"p": plus, "m": minus, "q": quick, "s": slow, "n": lif}
    edges = [("in", "p"), ("in", "m"), ("p", "q"), ("m", "s"), ("q", "n"), ("s", "n"), ("n", "out")]
    assert run_nodes(nodes, edges, {"in": x})["out.v"] == pytest.approx(one + other, abs=1e-9)


def test_a_channel_may_spike_more_than_once_in_a_step(run_nodes):
    lif = nir.LIF(*full(0.01, 10, 0, 100, 0))
    x = random_input(20)
    twice = run_nodes(*chain(nir.Linear(2 * np.eye(N)), lif), {"in": x})["out.v"]
    assert run_nodes(*chain(lif), {"in": 2 * x})["out.v"] == pytest.approx(twice, abs=1e-12)
    assert twice.max() > 1


def test_an_input_without_spikes_is_silent(run_nodes):
    nodes, edges = chain(thresholds())
    assert run_nodes(nodes, edges, duration=5.0)["out"].shape == (5, N)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "messages"),
    [
        ([nir.Threshold(np.ones(N)), nir.I(np.ones(N))], ["'n0': a Threshold node; evsim has Input", "'n1': a I node"]),
        ([nir.Linear(np.ones((3, N))), nir.LIF(*full(1, 1, 0, 1, 0))], ["'n1': 4 cells, and an input of shape (3,)"]),
        (
            [nir.LIF(*full(0, 1, 0, 1, 0)), nir.IF(*full(-1, 1))],
            ["'n0': tau of 0; it must be above 0", "'n1': r of -1"],
        ),
        ([nir.Delay(np.full(N, 0.0015)), thresholds()], ["4 of 4 delays, such as 0.0015 s; whole multiples"]),
        ([thresholds(), nir.Linear(2 * np.eye(N))], ["output 'out'", "'n1'; evsim shows the spikes"]),
        ([nir.LI(*full(1, 1, 0)), nir.CubaLIF(*full(1, 1, 1, 0, 1))], ["'n0': an LI node that leads to 'n1'"]),
    ],
)
def test_what_evsim_lacks_is_named(run_nodes, nodes, messages):
    with pytest.raises(CheckError) as refusal:
        run_nodes(*chain(*nodes), {"in": random_input(5)})
    for message in messages:
        assert message in str(refusal.value)


def test_a_loop_of_linear_nodes_is_refused(run_nodes):
    nodes = ends() | {"a": nir.Scale(np.ones(N)), "b": nir.Scale(np.ones(N)), "n": thresholds()}
    edges = [("in", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "out")]
    with pytest.raises(CheckError, match="a loop must go through a neuron"):
        run_nodes(nodes, edges, {"in": random_input(5)})


def test_two_currents_of_mixed_signs_are_refused(run_nodes):
    mixed = nir.Linear(np.diag([1.0, -1, 1, -1]))
    nodes = ends() | {"w": mixed, "q": nir.LI(*full(0.004, 6, 0)), "s": nir.LI(*full(0.01, 3, 0))}
    nodes["n"] = nir.LIF(*full(0.02, 5, 0, 100, 0))
    edges = [("in", "w"), ("w", "q"), ("w", "s"), ("q", "n"), ("s", "n"), ("n", "out")]
    with pytest.raises(CheckError, match="one whose weights are all positive"):
        run_nodes(nodes, edges, {"in": random_input(5)})


@pytest.mark.parametrize(
    ("spikes", "message"),
    [
        ({"inn": np.zeros((5, N))}, "there is no Input of this name; the graph has 'in'"),
        ({"in": np.zeros((5, 3))}, r"shape \(5, 3\); \(time steps, 4\)"),
        ({"in": np.full((5, N), 0.5)}, r"20 values such as 0.5 \(step 0\); whole numbers of spikes"),
    ],
)
def test_input_that_does_not_fit_is_named(run_nodes, spikes, message):
    with pytest.raises(CheckError, match=message):
        run_nodes(*chain(thresholds()), spikes)


def test_options_that_are_missing_are_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    nodes, edges = chain(thresholds())
    nir.write("net.nir", nir.NIRGraph(nodes, edges, type_check=False))
    (tmp_path / "script.py").write_text("")
    (tmp_path / "bad.nir").write_text("no HDF5")
    for words, message in (
        (["net.nir"], "says no time step; give it, e.g. --timestep"),
        (["net.nir", "--timestep", "1"], "give --input FILE with spikes, or --duration MS"),
        (["net.nir", "--timestep", "-1", "--duration", "5"], "--timestep is -1 ms; it must be above 0"),
        (["net.nir", "--timestep", "1", "--input", "gone.npz"], "gone.npz: cannot be read"),
        (["net.nir", "--timestep", "1", "--input", "script.py"], "neither a .npy nor a .npz file"),
        (["script.py", "--timestep", "1"], "script.py is no .nir file"),
        (["bad.nir", "--timestep", "1"], "not a graph that nir"),
    ):
        assert main(["run", *words]) == 2
        assert message in capsys.readouterr().err


def test_check_needs_no_input(tmp_path, capsys):
    nodes, edges = chain(nir.Linear(np.eye(N)), nir.CubaLIF(*full(0.005, 0.02, 1, 0, 1, 0)))
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, edges, type_check=False))
    assert main(["check", str(tmp_path / "net.nir"), "--timestep", "1", "--chip", "loihi2"]) == 0
    assert "loihi2: fits" in capsys.readouterr().out


def test_a_graph_is_compared_as_a_script_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    nodes, edges = chain(nir.Linear(np.eye(N)), nir.CubaLIF(*full(0.005, 0.02, 40, 0, 1, 0)))
    nir.write("net.nir", nir.NIRGraph(nodes, edges, type_check=False))
    np.save("in.npy", random_input(60))
    words = ["compare", "net.nir", "--timestep", "1", "--input", "in.npy", "--report", "report"]
    assert main([*words, "--on", "reference:ideal", "reference:loihi2"]) == 0
    assert "reference:ideal and reference:loihi2: " in capsys.readouterr().out
    record = json.loads((tmp_path / "report" / "compare.json").read_text())
    assert record["arguments"] == ["--timestep", "1.0", "--input", "in.npy"]


def test_without_the_package_its_extra_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "net.nir").write_text("")
    monkeypatch.setitem(sys.modules, "nir", None)
    assert main(["run", str(tmp_path / "net.nir"), "--timestep", "1"]) == 2
    assert "pip install 'evsim[nir]'" in capsys.readouterr().err
