"""Current sources: what is injected, and what they say that they injected."""

from __future__ import annotations

import numpy as np
import pytest
from pyNN import errors
from scipy import stats

from evsim.errors import EvsimError
from evsim.model import NeuronModel, in_rules
from evsim.pynn.graph import build
from evsim.registry import models


@pytest.fixture
def cells(sim):
    return sim.Population(4, sim.IF_curr_exp(v_thresh=1e6))


def injected(sim, source, n_steps):
    """The current at every step as the network has it."""
    (current,) = (c for c in build(sim.simulator.state).currents if c.label.startswith(type(source).__name__))
    steps = np.rint(current.times / 0.1).astype(int)
    at = np.searchsorted(steps, np.arange(n_steps), side="right") - 1
    return np.where(at >= 0, current.amplitudes[at], 0.0)


def test_cells_may_be_given_in_any_form(sim, cells):
    other = sim.Population(2, sim.IF_curr_exp())
    for target in (cells, cells[1:3], [cells[3], other[0]], cells[:1] + other, other[1:]):
        sim.DCSource(amplitude=1.0).inject_into(target)
    cells[2].inject(sim.DCSource())
    other.inject(sim.DCSource())
    found = [(c.population, c.cells.tolist()) for c in build(sim.simulator.state).currents]
    assert found == [
        (0, [0, 1, 2, 3]),
        (0, [1, 2]),
        (0, [3]),
        (1, [0]),
        (0, [0]),
        (1, [0, 1]),
        (1, [1]),
        (0, [2]),
        (1, [0, 1]),
    ]
    with pytest.raises(TypeError, match="SpikeSourceArray"):
        sim.DCSource().inject_into(sim.Population(1, sim.SpikeSourceArray()))


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("DCSource", {"amplitude": 0.5, "start": 1.0, "stop": 2.0}, lambda t: 0.5 * ((t >= 1) & (t < 2))),
        ("DCSource", {"amplitude": 0.5}, lambda t: 0.5 + 0 * t),
        (
            "StepCurrentSource",
            {"times": [0.5, 1.5, 2.5], "amplitudes": [0.1, -0.2, 0.3]},
            lambda t: np.select([t >= 2.5, t >= 1.5, t >= 0.5], [0.3, -0.2, 0.1], 0.0),
        ),
        (
            "ACSource",
            {"amplitude": 0.5, "offset": 0.1, "frequency": 100.0, "phase": 90.0, "start": 1.0, "stop": 3.0},
            lambda t: np.where((t >= 1) & (t < 3), 0.1 + 0.5 * np.cos(2 * np.pi * 0.1 * (t - 1.0)), 0.0),
        ),
    ],
)
def test_waveforms(sim, cells, name, parameters, expected):
    source = getattr(sim, name)(**parameters)
    source.inject_into(cells)
    source.record()
    t = np.round(np.arange(41) * 0.1, 9)
    assert injected(sim, source, 41) == pytest.approx(expected(t), abs=1e-12)
    sim.run(4.0)
    recorded = source.get_data()
    assert recorded.times.magnitude == pytest.approx(t)
    assert recorded.magnitude.ravel() == pytest.approx(expected(t), abs=1e-12)


def test_changes_hold_from_now_on_and_a_reset_forgets_the_past(sim, cells):
    source = sim.DCSource(amplitude=1.0, start=0.0)
    source.inject_into(cells)
    sim.run(1.0)
    source.amplitude += 1.0
    assert source.amplitude == 2.0
    sim.run(1.0)
    source.set_parameters(stop=2.5)
    sim.run(1.0)
    assert source.get_data().magnitude.ravel().tolist() == [1.0] * 10 + [2.0] * 15 + [0.0] * 6
    sim.reset()
    sim.run(1.0)
    assert source.get_data().magnitude.ravel().tolist() == [2.0] * 11


def test_noise_is_reproducible_and_each_source_has_its_own(sim, cells, monkeypatch):
    def samples(horizon, seed):
        monkeypatch.setattr(sim.electrodes, "HORIZON", horizon)
        sim.setup(timestep=0.1, rng_seed=seed)
        cell = sim.Population(1, sim.IF_curr_exp(v_thresh=1e6))
        sources = [sim.NoisyCurrentSource(mean=0.5, stdev=0.2, dt=0.2, start=1.0, stop=90.0) for _ in range(2)]
        for source in sources:
            source.inject_into(cell)
        sim.run(30.0)
        sim.run(70.0)
        return np.array([source.get_data().magnitude.ravel() for source in sources])

    one, other = first = samples(10_000, seed=0)
    assert (first == samples(50, seed=0)).all()  # known for 5 ms only at first, and extended as the run goes on
    assert (one != other).any() and (one != samples(10_000, seed=1)[0]).any()
    assert (one[:10] == 0).all() and (one[900:] == 0).all()
    assert (one[10:900:2] == one[11:900:2]).all()
    assert abs(one[10:900].mean() - 0.5) < 4 * 0.2 / np.sqrt(445)
    assert 0.17 < one[10:900].std() < 0.23


@pytest.mark.parametrize("kind", ["NumpyRNG", "NativeRNG"])
def test_noise_may_have_a_generator(sim, cells, kind):
    """Each source takes one number of it, so that those that share it differ."""

    def samples(seed):
        rng = getattr(sim, kind)(seed=seed)
        sources = [sim.NoisyCurrentSource(mean=0.5, stdev=0.2, dt=0.2, rng=rng) for _ in range(2)]
        sim.DCSource()  # the place among the sources does not count
        return np.array([source._sampled(0, 1000) for source in sources]), rng.next()

    (one, other), following = samples(seed=3)
    (again, _), same = samples(seed=3)
    np.testing.assert_array_equal(one, again)
    assert following == same
    assert not np.array_equal(one, other) and not np.array_equal(one, samples(seed=4)[0][0])
    assert stats.kstest((one[::2] - 0.5) / 0.2, "norm").pvalue > 1e-3


def test_noise_of_a_process_driven_membrane_has_the_variance_of_its_closed_form(sim):
    """v is an autoregressive process of variance (R stdev)^2 (1 - kept) / (1 + kept), with kept = exp(-dt / tau)."""
    sim.setup(timestep=0.5, rng_seed=5)
    cells = sim.Population(60, sim.IF_curr_exp(v_thresh=1e6, tau_m=8.0, cm=0.4))
    for cell in cells:
        sim.NoisyCurrentSource(mean=0.3, stdev=0.7, dt=2.0).inject_into([cell])
    cells.record("v", sampling_interval=2.0)
    sim.run(3000.0)
    v = np.array(cells.get_data().segments[0].filter(name="v")[0])[40:]
    kept = np.exp(-2.0 / 8.0)
    assert v.mean() == pytest.approx(-65.0 + 20.0 * 0.3, abs=0.1)
    assert v.std() == pytest.approx(20.0 * 0.7 * np.sqrt((1 - kept) / (1 + kept)), rel=0.02)


def test_changes_in_a_callback_hold_from_then_on(sim, cells):
    source = sim.ACSource(amplitude=0.0, frequency=0.0, offset=0.1)
    source.inject_into(cells[:2])
    cells.record("v")

    def louder(t):
        source.set_parameters(offset=0.1 + round(t) / 10)
        return t + 1.0

    sim.run(3.0, callbacks=[louder])
    current = source.get_data().magnitude.ravel()
    expected = 0.1 + np.floor(np.arange(30) / 10 + 1e-9) / 10
    np.testing.assert_allclose(current[:30], expected, rtol=0, atol=1e-12)
    v, kept = -65.0, np.exp(-0.1 / 20.0)
    trace = np.array(cells.get_data().segments[0].filter(name="v")[0])
    for label, amplitude in enumerate(expected, 1):
        v = -65.0 + 20.0 * amplitude + (v + 65.0 - 20.0 * amplitude) * kept
        assert trace[label, 0] == pytest.approx(v, abs=1e-9)
    assert not np.ptp(trace[:, 2])


NEURONS = [name for name, model in models().items() if isinstance(model, NeuronModel) and model.injectable]


@pytest.mark.parametrize("name", NEURONS)
def test_a_current_reaches_every_kind_of_neuron(sim, name):
    """As i_offset does, where there is one; else it at least makes a difference."""
    sim.setup(timestep=0.1, rng_seed=1, chip="ideal" if in_rules(models()[name], "ideal") else "spinnaker1")
    kind = getattr(sim, name)
    injected, plain = sim.Population(1, kind()), sim.Population(1, kind())
    sim.DCSource(amplitude=0.05).inject_into(injected)
    variable = next(x for x in kind.recordable if x in ("v", "predictor"))
    for cells in (injected, plain):
        cells.record(variable)
    sim.run(5.0)
    one, other = (cells.get_data().segments[0].analogsignals[0].magnitude[:, 0] for cells in (injected, plain))
    assert one[0] == other[0] and (one - other).max() > 1e-3


def test_a_current_drives_the_cell(sim, cells):
    source = sim.DCSource(amplitude=0.4, start=1.0, stop=6.0)
    source.inject_into(cells[:1])
    cells.record("v")
    sim.run(10.0)
    v = cells.get_data().segments[0].filter(name="v")[0].magnitude[:, 0]
    level = -65.0 + 0.4 * 20.0
    at_6 = level + (-65.0 - level) * np.exp(-5.0 / 20.0)
    assert v[10] == -65.0
    assert v[60] == pytest.approx(at_6, abs=1e-9)
    assert v[100] == pytest.approx(-65.0 + (at_6 + 65.0) * np.exp(-4.0 / 20.0), abs=1e-9)


def test_step_times_are_rounded_and_the_last_of_a_step_counts(sim, cells):
    source = sim.StepCurrentSource(times=[0.41, 0.42, 0.86], amplitudes=[0.5, -0.5, 0.7])
    assert source.times == pytest.approx([0.4, 0.9])
    assert source.amplitudes.tolist() == [-0.5, 0.7]


INVALID = errors.InvalidParameterValueError


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("StepCurrentSource", {"times": [0.4, -0.6], "amplitudes": [1.0, 1.0]}, INVALID, "negative"),
        ("StepCurrentSource", {"times": [0.4, 0.2], "amplitudes": [1.0, 1.0]}, INVALID, "monotonically"),
        ("StepCurrentSource", {"times": [0.4], "amplitudes": [1.0, 1.0]}, Exception, "1 times but 2 amplitudes"),
        ("DCSource", {"amplitude": float("nan")}, EvsimError, "amplitude is not a number"),
        ("NoisyCurrentSource", {"dt": 0.0}, INVALID, "above 0"),
        ("NoisyCurrentSource", {"dt": 0.25}, INVALID, r"0\.25 ms; it must be a multiple .* 0\.1"),
        ("NoisyCurrentSource", {"stdev": -1.0}, INVALID, "stdev of -1 nA"),
        ("ACSource", {"frequency": float("inf")}, INVALID, "frequency is infinite"),
    ],
)
def test_parameters_that_cannot_be(sim, cells, name, parameters, error, message):
    with pytest.raises(error, match=message):
        getattr(sim, name)(**parameters)
    source = getattr(sim, name)()
    source.inject_into(cells)
    before = source.get_parameters()
    with pytest.raises(error, match=message):
        source.set_parameters(**parameters)
    assert str(source.get_parameters()) == str(before)
    sim.run(1.0)


def test_sources_and_cells_of_an_earlier_setup_are_refused(sim, cells):
    source = sim.DCSource()
    sim.setup()
    with pytest.raises(EvsimError, match=r"this DCSource was created before the last setup\(\)"):
        source.inject_into(sim.Population(1, sim.IF_curr_exp()))
    with pytest.raises(EvsimError, match=r"population .* was created before the last setup\(\)"):
        sim.DCSource().inject_into(cells)


@pytest.mark.parametrize("name", ["DCSource", "StepCurrentSource", "ACSource", "NoisyCurrentSource"])
def test_a_source_may_be_created_between_runs(sim, cells, name):
    cells.record("v")
    sim.run(1.0)
    parameters = {"times": [0.5, 1.5], "amplitudes": [1.0, 2.0]} if name == "StepCurrentSource" else {}
    source = getattr(sim, name)(**parameters)
    source.record()
    source.inject_into(cells[:1])
    sim.run(1.0)
    v = np.array(cells.get_data().segments[0].analogsignals[0])
    assert np.ptp(v[:11]) == 0 and np.ptp(v[:, 1]) == 0  # no current in the past
    times, amplitudes = source._get_data()
    assert len(times) == len(amplitudes) == 21
    assert not amplitudes[:10].any() and (v[-1, 0] != v[-1, 1]) == amplitudes[10:20].any()
