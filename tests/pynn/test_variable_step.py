"""setup(use_cvode=True): cells that choose their own time steps, against closed forms and against fine steps."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pyNN import errors
from pyNN.random import NumpyRNG
from scipy.optimize import brentq

from evsim.errors import CheckError

TIMES = [3.33, 10.123, 12.47, 40.0, 71.7]
# cell -> parameters beside i_offset, excitatory and inhibitory weight, an injected current (nA)
CELLS = {
    "IF_curr_exp": ({"tau_syn_E": 2.0, "tau_refrac": 2.0, "i_offset": 0.1}, 6.0, -1.0, 1.0),
    "IF_curr_alpha": ({"tau_syn_E": 2.0, "tau_refrac": 2.0, "i_offset": 0.1}, 4.0, -1.0, 1.0),
    "IF_curr_delta": ({"tau_refrac": 2.0, "i_offset": 0.1}, 12.0, -1.0, 1.0),
    "IF_cond_exp": ({"tau_refrac": 2.0, "i_offset": 0.1}, 0.15, 0.05, 0.6),
    "IF_cond_alpha": ({"tau_refrac": 2.0, "i_offset": 0.1}, 0.1, 0.05, 1.0),
    "EIF_cond_exp_isfa_ista": ({"tau_refrac": 1.0, "i_offset": 0.1}, 0.1, 0.02, 1.0),
    "EIF_cond_alpha_isfa_ista": ({"tau_refrac": 1.0, "i_offset": 0.1}, 0.1, 0.02, 1.0),
    "HH_cond_exp": ({"i_offset": 0.1}, 0.05, 0.02, 1.0),
    "Izhikevich": ({"i_offset": 0.002}, 8.0, -1.0, 0.008),
}


@pytest.fixture
def exact(sim):
    """The module, set up with tight tolerances."""
    sim.setup(timestep=0.1, use_cvode=True, rtol=1e-9, atol=1e-9)
    return sim


def latest(population):
    return population.get_data().segments[-1]


def spikes(population, cell: int = 0) -> np.ndarray:
    return np.asarray(latest(population).spiketrains[cell].magnitude)


def trace(population, name: str, cell: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Times and values."""
    found = [signal for signal in latest(population).irregularlysampledsignals if signal.name == name]
    return np.asarray(found[cell].times.magnitude), np.asarray(found[cell].magnitude)[:, 0]


def driven(sim, name: str, record) -> Any:
    """A cell with two sources and a step of current."""
    parameters, excitatory, inhibitory, current = CELLS[name]
    cells = sim.Population(1, getattr(sim, name)(**parameters))
    for shift, weight, delay, receptor in ((0, excitatory, 0.5, "excitatory"), (4.05, inhibitory, 1.2, "inhibitory")):
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[time + shift for time in TIMES]))
        synapse = sim.StaticSynapse(weight=weight, delay=delay)
        sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type=receptor)
    sim.StepCurrentSource(times=[20.0, 60.5], amplitudes=[current, 0.0]).inject_into(cells)
    cells.record(record)
    return cells


# --- closed forms ----------------------------------------------------------------------------------------------------


def test_a_constant_current(exact):
    """The period of the leaky integrator: tau_refrac + tau_m ln((i - i_rheobase + ...) / ...), to 1e-7 ms."""
    currents = np.array([0.751, 0.8, 1.5, 8.0])
    cells = exact.Population(4, exact.IF_curr_exp(i_offset=currents, tau_refrac=1.7, v_reset=-67.0, cm=0.9))
    cells.record("spikes")
    exact.run(200.0)
    far = 20.0 / 0.9 * currents  # of the voltage from v_rest, at the end
    first = -20.0 * np.log(1 - 15.0 / far, where=far > 15.0, out=np.full(4, np.nan))
    period = 1.7 + 20.0 * np.log((far + 2.0) / (far - 15.0), where=far > 15.0, out=np.full(4, np.nan))
    for cell in range(4):
        expected = np.arange(first[cell], 200.0, period[cell])
        np.testing.assert_allclose(spikes(cells, cell), expected, rtol=0, atol=1e-6)


def currents_by_hand(times: list[float], weight: float, tau_m: float, tau: float, refractory: float, stop: float):
    """Spikes of IF_curr_exp with cm = 1 nF and v_rest = v_reset = 0, threshold 15: pieces of its closed form."""
    found, t, v, i, held = [], 0.0, 0.0, 0.0, -1.0
    corners = sorted([*times, stop])
    while corners:
        end = min(corners[0], held) if held > t else corners[0]

        def voltage(s: float, v=v, i=i) -> float:
            ratio = tau * tau_m / (tau - tau_m)
            return v * np.exp(-s / tau_m) + i * ratio * (np.exp(-s / tau) - np.exp(-s / tau_m))

        grid = np.linspace(0.0, end - t, 2001)
        over = np.flatnonzero([voltage(s) >= 15.0 for s in grid]) if held <= t else []
        if len(over):
            found_at: Any = brentq(lambda s: voltage(s) - 15.0, grid[over[0] - 1], grid[over[0]], xtol=1e-13)
            s = float(found_at)
            found.append(t + s)
            t, v, i, held = t + s, 0.0, i * np.exp(-s / tau), t + s + refractory
            continue
        v, i, t = (v if held > t else voltage(end - t)), i * np.exp(-(end - t) / tau), end
        if corners[0] == end:
            i += weight * (corners.pop(0) in times)
    return found


def test_exponential_currents(exact):
    times = [0.7, 1.1, 4.32, 4.33, 9.0, 9.001, 17.77, 30.0]
    source = exact.Population(1, exact.SpikeSourceArray(spike_times=times))
    parameters = {"tau_m": 12.0, "tau_syn_E": 3.0, "tau_refrac": 1.5}
    volts = {"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 15.0}
    cells = exact.Population(1, exact.IF_curr_exp(**parameters, **volts), initial_values={"v": 0.0})
    exact.Projection(source, cells, exact.AllToAllConnector(), exact.StaticSynapse(weight=6.0, delay=0.3))
    cells.record("spikes")
    exact.run(60.0)
    expected = currents_by_hand([time + 0.3 for time in times], 6.0, 12.0, 3.0, 1.5, 60.0)
    assert len(expected) >= 5
    np.testing.assert_allclose(spikes(cells), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("above", "count"), [(1e-6, 1), (-1e-6, 0)])
def test_a_peak_that_just_reaches_the_threshold(exact, above: float, count: int):
    """Of an alpha current with tau_syn = tau_m: v = (w e / (2 cm tau)) t^2 exp(-t / tau), whose peak is at 2 tau."""
    tau, weight = 5.0, 3.0
    peak = weight * np.e / (2 * tau) * (2 * tau) ** 2 * np.exp(-2)
    volts = {"v_rest": 0.0, "v_reset": -1.0, "v_thresh": peak - above}
    cells = exact.Population(1, exact.IF_curr_alpha(tau_m=tau, tau_syn_E=tau, **volts), initial_values={"v": 0.0})
    source = exact.Population(1, exact.SpikeSourceArray(spike_times=[2.0]))
    exact.Projection(source, cells, exact.AllToAllConnector(), exact.StaticSynapse(weight=weight, delay=1.0))
    cells.record("spikes")
    exact.run(40.0)
    assert len(spikes(cells)) == count
    np.testing.assert_allclose(spikes(cells), [3.0 + 2 * tau] * count, atol=0.01)


def test_conductances_between_events_are_exact(exact):
    """g at the recorded times is the sum of responses, whatever the tolerance."""
    cells = driven(exact, "IF_cond_alpha", ["v", "gsyn_exc", "gsyn_inh"])
    exact.run(100.0)
    for name, shift, weight, tau in (("gsyn_exc", 0.5, 0.1, 0.3), ("gsyn_inh", 5.25, 0.05, 0.5)):
        times, values = trace(cells, name)
        since = times[:, None] - (np.array(TIMES) + shift)
        expected = weight * np.where(since > 0, since / tau * np.exp(1 - np.abs(since) / tau), 0.0).sum(axis=1)
        np.testing.assert_allclose(values, expected, rtol=1e-11, atol=1e-15)


# --- fine steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_agrees_with_fine_steps(sim, name: str):
    """Against ``ideal`` in steps of 0.002 ms, which are found at their ends: later by a step for each spike at most,
    and what that does to those that follow; twice the steps make twice the difference."""
    late = []
    for step in (0.004, 0.002):
        sim.setup(timestep=step, spike_precision="off_grid")
        cells = driven(sim, name, "spikes")
        sim.run(60.0)
        late.append(spikes(cells))
    sim.setup(timestep=0.1, use_cvode=True, rtol=1e-8, atol=1e-8)
    cells = driven(sim, name, "spikes")
    sim.run(60.0)
    found = spikes(cells)
    assert len(found) == len(late[0]) == len(late[1]) >= 2
    assert abs(late[1][0] - found[0]) < 0.005
    np.testing.assert_allclose(found, late[1], rtol=0, atol=0.15)
    np.testing.assert_allclose(found, 2 * late[1] - late[0], rtol=0, atol=0.02)


def test_tighter_tolerances_come_closer(sim):
    found = []
    for tolerance in (1e-3, 1e-6, 1e-11):
        sim.setup(timestep=0.1, use_cvode=True, rtol=tolerance, atol=tolerance)
        cells = driven(sim, "HH_cond_exp", ["spikes", "v"])
        sim.run(40.0)
        found.append((spikes(cells), len(trace(cells, "v")[0])))
    (loose, few), (tight, more), (best, most) = found
    assert few < more < most and len(loose) == len(tight) == len(best)
    assert abs(tight - best).max() < 1e-4 and abs(tight - best).max() < 0.1 * abs(loose - best).max()


# --- networks and sessions -------------------------------------------------------------------------------------------


def network(sim, runs):
    """Cells of three kinds with recurrent synapses of many delays and drawn input."""
    sim.setup(timestep=0.1, use_cvode=True, rtol=1e-6, atol=1e-6, rng_seed=5)
    leaky = sim.Population(8, sim.IF_cond_exp(i_offset=np.linspace(0.6, 1.2, 8), tau_refrac=2.0))
    adaptive = sim.Population(4, sim.EIF_cond_exp_isfa_ista(i_offset=0.5))
    noise = sim.Population(8, sim.SpikeSourcePoisson(rate=100.0))
    delays = 0.4 + 0.3 * np.arange(8)[:, None] + 0.1 * np.arange(8)[None, :]
    sim.Projection(noise, leaky, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.02, delay=0.3))
    some = sim.FixedProbabilityConnector(0.5, rng=NumpyRNG(3))
    sim.Projection(leaky, leaky, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.005, delay=delays))
    sim.Projection(leaky, adaptive, some, sim.StaticSynapse(weight=0.02, delay=0.7))
    sim.Projection(adaptive, leaky, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.01), receptor_type="inhibitory")
    sim.ACSource(start=10.3, stop=31.0, amplitude=0.3, frequency=40.0).inject_into(adaptive)
    leaky.record(["spikes", "v"])
    adaptive.record(["spikes", "w"])
    noise.record("spikes")
    for time in runs:
        sim.run(time)
    return leaky, adaptive, noise


def everything(populations) -> list[np.ndarray]:
    data = [latest(population) for population in populations]
    trains = [np.asarray(train.magnitude) for segment in data for train in segment.spiketrains]
    signals = [s for segment in data for s in segment.irregularlysampledsignals]
    return trains + [np.asarray(values) for s in signals for values in (s.times.magnitude, s.magnitude)]


def test_cuts_and_resets_change_no_bit(sim):
    whole = everything(network(sim, [40.0]))
    assert sum(map(len, whole[:12])) > 30
    populations = network(sim, [0.1, 12.3, 5.5, 0.2, 21.9])
    for one, other in zip(whole, everything(populations), strict=True):
        np.testing.assert_array_equal(one, other)
    sim.reset()
    sim.run(40.0)
    for one, other in zip(whole, everything(populations), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [len(s.irregularlysampledsignals) for s in populations[0].get_data().segments] == [8, 8]


def test_drawn_spikes_are_those_of_equal_steps(sim):
    noise = network(sim, [40.0])[2]
    drawn = [spikes(noise, cell) for cell in range(8)]
    sim.setup(timestep=0.1, rng_seed=5)
    for population in range(2):
        sim.Population(1 + population, sim.IF_curr_exp())
    again = sim.Population(8, sim.SpikeSourcePoisson(rate=100.0))
    again.record("spikes")
    sim.run(40.0)
    for cell in range(8):
        np.testing.assert_array_equal(drawn[cell], spikes(again, cell))


def test_changes_in_the_middle(exact):
    """Parameters, states and weights that are set between runs hold from then on."""
    source = exact.Population(1, exact.SpikeSourceArray(spike_times=[4.95, 12.0]))
    cells = exact.Population(2, exact.IF_curr_exp(tau_m=10.0, tau_syn_E=4.0), initial_values={"v": -60.0})
    wires = exact.Projection(source, cells, exact.OneToOneConnector(), exact.StaticSynapse(weight=0.1, delay=0.2))
    cells.record(["v", "isyn_exc"])
    exact.run(5.0)
    cells.set(v_rest=-70.0)
    cells[1:2].initialize(v=-50.5, isyn_exc=0.3)
    wires.set(weight=0.2)
    exact.run(10.0)
    times, v = trace(cells, "v", 1)
    _, current = trace(cells, "isyn_exc", 1)
    before = times < 5.0
    np.testing.assert_allclose(v[before], -65.0 + 5.0 * np.exp(-times[before] / 10.0), rtol=0, atol=1e-7)
    after = times > 5.0
    since, ratio = times[after] - 5.0, 10.0 * 4.0 / (4.0 - 10.0)
    expected = -70.0 + 19.5 * np.exp(-since / 10.0) + 0.3 * ratio * (np.exp(-since / 4.0) - np.exp(-since / 10.0))
    np.testing.assert_allclose(v[after], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(current[after], 0.3 * np.exp(-since / 4.0), rtol=1e-12)
    times, current = trace(cells, "isyn_exc", 0)
    sent = 0.1 * np.exp(-(times - 5.15) / 4.0)  # the weight that the spike was sent with
    late = 0.2 * np.exp(-(times - 12.2) / 4.0)
    chosen = times > 12.2
    np.testing.assert_allclose(current[chosen], (sent + late)[chosen], rtol=1e-12)


def test_what_is_recorded_is_read_as_in_other_back_ends(exact, tmp_path):
    cells = driven(exact, "EIF_cond_exp_isfa_ista", ["spikes", "v", "w", "gsyn_exc", "gsyn_inh"])
    exact.run(30.0)
    segment = cells.get_data(clear=True).segments[0]
    assert len(segment.analogsignals) == 0
    names = [signal.name for signal in segment.irregularlysampledsignals]
    assert sorted(names) == ["gsyn_exc", "gsyn_inh", "v", "w"]
    (v,) = segment.filter(name="v")
    assert v.shape[1] == 1 and v.units == 1 * v.units and str(v.units.dimensionality) == "mV"
    assert v.annotations["channel_ids"].tolist() == [int(cells[0])] and v.annotations["source_population"]
    assert v.array_annotations["channel_index"].tolist() == [0]
    assert float(v.times[0]) == 0.0 and float(v.times[-1]) == 30.0 and (np.diff(v.times.magnitude) >= 0).all()
    exact.run(10.0)
    second = latest(cells)
    assert [float(second.filter(name="v")[0].times[k]) for k in (0, -1)] == [30.0, 40.0]
    assert float(second.filter(name="v")[0][0, 0]) == float(v[-1, 0])
    cells.write_data(str(tmp_path / "data.pkl"), "v")
    assert [
        s.name for s in pickle.loads((tmp_path / "data.pkl").read_bytes()).segments[0].irregularlysampledsignals
    ] == ["v"]


def test_populations_may_be_added_later(exact):
    cells = exact.Population(1, exact.IF_curr_exp(i_offset=1.0))
    cells.record("spikes")
    exact.run(30.0)
    before = spikes(cells)
    later = exact.Population(1, exact.IF_curr_exp())
    exact.Projection(cells, later, exact.AllToAllConnector(), exact.StaticSynapse(weight=5.0, delay=1.0))
    later.record("isyn_exc")
    exact.run(30.0)
    assert spikes(cells)[: len(before)].tolist() == before.tolist()
    times, current = trace(later, "isyn_exc")
    arrived = times[1:][(np.diff(current) > 1.0)]
    np.testing.assert_allclose(arrived, spikes(cells)[len(before) :][: len(arrived)] + 1.0)
    assert len(arrived) >= 1


# --- what is refused -------------------------------------------------------------------------------------------------


def test_everything_else_is_refused_at_once(exact):
    semd = exact.Population(2, exact.Izhikevich_cond() if hasattr(exact, "Izhikevich_cond") else exact.GIF_cond_exp())
    leaky = exact.Population(2, exact.IF_curr_exp(v_reset=[-65.0, -50.0]), label="leaky")
    plastic = exact.STDPMechanism(
        timing_dependence=exact.SpikePairRule(), weight_dependence=exact.AdditiveWeightDependence(), weight=0.1
    )
    exact.Projection(leaky, leaky, exact.AllToAllConnector(), plastic, label="learns")
    exact.Projection(leaky, leaky, exact.AllToAllConnector(), exact.TsodyksMarkramSynapse(weight=0.1), label="tires")
    with pytest.raises((CheckError, errors.InvalidModelError)) as caught:
        exact.run(1.0)
    said = str(caught.value)
    for part in (semd.label, "'leaky': 1 of 2 cells whose reset", "'learns': 4 synapses that learn", "'tires'"):
        assert part in said
    assert said.count("Leave use_cvode out of setup()") == 3


@pytest.mark.parametrize("words", [{"rtol": -1.0}, {"rtol": "tight"}, {"atol": 0.0}, {"atol": np.nan}])
def test_tolerances_that_cannot_be(sim, words):
    with pytest.raises(errors.InvalidParameterValueError, match=f"given {next(iter(words))}="):
        sim.setup(timestep=0.1, use_cvode=True, **words)


def test_chips_have_steps_of_one_length(sim):
    with pytest.raises(errors.InvalidParameterValueError, match=r"use_cvode=True for reference:loihi2"):
        sim.setup(timestep=1.0, use_cvode=True, chip="loihi2")


def test_a_chip_chosen_from_outside_keeps_its_steps(sim):
    from evsim.registry import parse_target

    sim.simulator.state.choose([parse_target("reference"), parse_target("reference:loihi2")])
    with pytest.warns(UserWarning, match=r"reference:loihi2 has time steps of one length, .* steps of 1 ms"):
        sim.setup(timestep=1.0, use_cvode=True)
    cells = sim.Population(1, sim.IF_curr_exp(i_offset=1.0))
    cells.record("v")
    sim.run(5.0)
    assert [signal.shape for signal in latest(cells).analogsignals] == [(6, 1)]
    sim.setup(timestep=0.1)
    assert sim.simulator.state.record_sample_times is False


def test_a_cell_that_never_comes_to_rest_ends_the_run(exact):
    cells = exact.Population(1, exact.IF_curr_exp(tau_refrac=0.0, i_offset=1e7), label="wild")
    cells.record("spikes")
    with pytest.raises(Exception, match=r"'wild', cell 0: more than 1000 spikes"):
        exact.run(10.0)


def test_zero_tolerance_stands_for_the_absolute_one_alone(sim):
    found = []
    for rtol in (0.0, 1e-12):
        sim.setup(timestep=0.1, use_cvode=True, rtol=rtol, atol=1e-7)
        cells = driven(sim, "IF_cond_exp", "spikes")
        sim.run(30.0)
        found.append(spikes(cells))
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-6)
    assert all(b > a for a, b in pairwise(found[0]))
