"""The neuron of Loihi 2 with two currents: what it has of loihi2, what of the ideal rule, and what a scale costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.arithmetic.loihi import DECAY_ONE
from evsim.backend import Target
from evsim.chip import load_chip
from evsim.deploy import loihi
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.model import Cells
from evsim.network import Network
from evsim.recording import Recordings
from evsim.registry import backend
from evsim_models.common import propagator

CHIP = "loihi2_microcode"
STEPS = 120
NO_SPIKE = 85.0  # mV, a threshold that nothing here reaches


def network(nets, receptors=("excitatory", "inhibitory"), dt=1.0, size=3, seed=0, **cell) -> Network:
    """Two sources, each with projections of both signs onto the receptors."""
    rng = np.random.default_rng(seed)
    trains = [rng.choice(np.arange(STEPS), 15, replace=False) * dt for _ in range(6)]
    populations = (nets.array_source(trains), nets.cells(size, **cell))
    projections = tuple(
        nets.connect(0, 1, nets.random_rows(rng, 6, size, 20, bounds, 9), receptor, f"{receptor} {bounds}")
        for receptor in receptors
        for bounds in ((0.1, 1.0), (-0.9, -0.05))
    )
    currents = [f"isyn_{receptor[:3]}" for receptor in receptors]
    return Network(dt, populations, projections, (), nets.record_all(populations, "spikes", "v", *currents))


def chip_cells(held: ChipNetwork) -> tuple[ChipPopulation, Cells]:
    """The neurons and their registers."""
    neurons = held.neurons(1)
    return neurons, neurons.cells


def raw(recordings: Recordings) -> list[np.ndarray]:
    """The integers of every signal, with room for what is computed with them."""
    return [np.asarray(signal.raw, np.int64) for signal in recordings.signals]


# --- and loihi2 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
def test_with_input_onto_one_receptor_it_is_loihi2(nets, receptor):
    """The other current stays 0, so every bit is the same."""
    net = network(nets, [receptor], i_offset=0.7, tau_m=np.array([10.0, 20.0, 30.0]))
    one, two = (nets.run(net, STEPS, chip) for chip in ("loihi2", CHIP))
    assert len(one.spikes[1].times) > 0
    assert np.array_equal(one.spikes[1].times, two.spikes[1].times)
    for x, y in zip(raw(one), raw(two), strict=True):
        np.testing.assert_array_equal(x, y)


def test_with_equal_time_constants_it_is_loihi2_but_for_the_rounding_of_two_decays(nets):
    """A decay drops less than a unit, so a current is at most 1 / (1 - kept) units nearer to 0 than its exact sum."""
    net = network(nets, v_thresh=NO_SPIKE)
    stock = Network(1.0, net.populations, net.projections, (), net.probes[:3])  # spikes and v
    one, two = (loihi.quantise(each, load_chip(chip)) for each, chip in ((stock, "loihi2"), (net, CHIP)))
    for a, b in zip(one.projections, two.projections, strict=True):
        assert a.exponent == b.exponent and np.array_equal(a.weight, b.weight)
    np.testing.assert_array_equal(chip_cells(one)[0].scale.lsb_per_mV, chip_cells(two)[0].scale.lsb_per_mV)
    kept_u, kept_v = chip_cells(one)[1].parameters[:2, 0] / DECAY_ONE
    (v,), (v_two, u_e, u_i) = raw(nets.run(stock, STEPS, "loihi2")), raw(nets.run(net, STEPS, CHIP))
    assert (u_e != 0).any() and (u_i != 0).any()
    assert np.abs(v - v_two).max() <= (2 + 3 / (1 - kept_u)) / (1 - kept_v)


# --- and the ideal rule ----------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True, max_examples=10)
@given(
    dt=st.sampled_from([0.1, 1.0]),
    tau_e=st.floats(0.5, 30.0),
    tau_i=st.floats(0.5, 30.0),
    tau_m=st.floats(2.0, 60.0),
    reset=st.floats(-75.0, -60.0),
    refractory=st.integers(0, 5),
    seed=st.integers(0, 100),
)
def test_without_rounding_the_recursion_is_the_exact_integral(nets, dt, tau_e, tau_i, tau_m, reset, refractory, seed):
    """The four lines of ``evsim.arithmetic.loihi_lif`` in floating point, with exact decays, do what ideal does."""
    rest, threshold, cm, i_offset = -65.0, -55.0, 0.8, 0.3
    times = {"tau_m": tau_m, "tau_syn_E": tau_e, "tau_syn_I": tau_i, "tau_refrac": refractory * dt}
    volts = {"v_rest": rest, "v_reset": reset, "v_thresh": threshold, "v": rest}
    net = network(nets, dt=dt, seed=seed, cm=cm, i_offset=i_offset, **times, **volts)
    ideal = nets.run(net, STEPS)
    arriving = {receptor: np.zeros((STEPS + 20, 3)) for receptor in ("excitatory", "inhibitory")}
    trains = net.populations[0].trains
    assert trains is not None
    for projection in net.projections:
        for source, target, weight, delay in zip(
            projection.source, projection.target, projection.weight, projection.delay, strict=True
        ):
            labels = np.rint(trains.times[trains.offsets[source] : trains.offsets[source + 1]] / dt).astype(int)
            np.add.at(arriving[projection.receptor], (labels + delay, target), weight)
    kept_m, kept_e, kept_i = (np.exp(-dt / tau) for tau in (tau_m, tau_e, tau_i))
    per_e, per_i = (propagator(np.array(tau), np.array(tau_m), np.array(cm), dt) for tau in (tau_e, tau_i))
    bias = (1 - kept_m) * (rest - reset + tau_m / cm * i_offset)
    u_e, u_i, held = np.zeros((3, 3))
    v = np.full(3, rest - reset)
    for step in range(STEPS):
        u_e = kept_e * u_e + per_e * arriving["excitatory"][step]
        u_i = kept_i * u_i + per_i * arriving["inhibitory"][step]
        v = np.where(held > 0, 0.0, kept_m * v + u_e + u_i + bias)
        held = np.maximum(held - 1, 0)
        fired = v > threshold - reset
        v, held = np.where(fired, 0.0, v), np.where(fired, refractory, held)
        np.testing.assert_allclose(ideal.signals[0].values[step + 1], reset + v, rtol=0, atol=1e-9)


@settings(deadline=None, derandomize=True, max_examples=10)
@given(
    decays=st.tuples(*[st.integers(400, 2000)] * 2, st.integers(200, 800)),
    dt=st.sampled_from([0.1, 1.0]),
    seed=st.integers(0, 100),
)
def test_v_is_ideal_within_what_the_registers_round(nets, decays, dt, seed):
    """Time constants and weights are such as the chip holds, so that only the rounding of each step is left."""
    times = dict(zip(("tau_syn_E", "tau_syn_I", "tau_m"), -dt / np.log1p(-np.array(decays) / DECAY_ONE), strict=True))
    net = network(nets, dt=dt, seed=seed, cm=dt, i_offset=0.1, v_thresh=NO_SPIKE, **times)
    projections = []
    for projection, on_chip in zip(net.projections, loihi.quantise(net, load_chip(CHIP)).projections, strict=True):
        assert on_chip.exponent >= 0  # else a sum is rounded, too
        held = on_chip.hold.physical(on_chip.hold.stored(projection.weight))
        rows = np.stack([projection.source, projection.target, held, projection.delay], axis=1)
        projections.append(nets.connect(0, 1, rows, projection.receptor, projection.label))
    net = Network(dt, net.populations, tuple(projections), (), net.probes)
    neurons, cells = chip_cells(loihi.quantise(net, load_chip(CHIP)))
    lost = 1 / (np.array(decays) / DECAY_ONE)  # units by which each register can be off, for each unit lost in a step
    bias = np.abs(cells.effective["i_offset"] - 0.1) * cells.drive_per_nA
    bound = lost[2] * (1 + lost[0] + lost[1] + bias + 1) / neurons.scale.lsb_per_mV
    assert (bound < 0.1).all()
    ideal, chip = (nets.run(net, STEPS, name).signals for name in ("ideal", CHIP))
    assert np.ptp(ideal[0].values) > 5.0
    assert (np.abs(ideal[0].values - chip[0].values).max(axis=0) <= bound).all()
    for row, decay in enumerate(decays[:2]):
        exact, found = ideal[1 + row].values, chip[1 + row].values
        assert np.abs(exact).max() > 0.1
        # the input of a label is in the exact current there, and in that of Loihi at the next label, decayed by a step
        off = np.abs(found[1:] - (1 - decay / DECAY_ONE) * exact[:-1])
        assert (off <= lost[row] / neurons.scale.lsb_per_current(row)).all()


# --- scale -----------------------------------------------------------------------------------------------------------


def test_each_receptor_has_a_scale_of_its_own_and_the_largest_weight_is_exact(nets):
    populations = (nets.array_source([[0.0]]), nets.cells(1, tau_syn_E=2.0, tau_syn_I=10.0))
    weights = {"excitatory": 0.3, "inhibitory": -0.7}
    projections = tuple(nets.connect(0, 1, [(0, 0, weight, 1)], name) for name, weight in weights.items())
    held = loihi.quantise(Network(1.0, populations, projections), load_chip(CHIP))
    scale = chip_cells(held)[0].scale
    per_mV = [
        scale.per_unit(row) / propagator(np.array(tau), np.array(20.0), np.array(1.0), 1.0)
        for row, tau in enumerate((2.0, 10.0))
    ]
    np.testing.assert_allclose(per_mV, scale.lsb_per_mV[0])
    assert [projection.row for projection in held.projections] == [0, 1]
    assert held.weight_losses[1].max_error < 1e-12 and held.weight_losses[0].max_error <= held.weight_losses[0].lsb / 2


def test_where_cells_differ_a_weight_is_that_of_its_target(nets):
    """The larger excitation is exact; a weight of inhibition is another number for each tau_syn_I."""
    tau_syn_I = np.array([2.0, 5.0, 20.0])
    populations = (nets.array_source([[0.0], [40.0]]), nets.cells(3, tau_syn_I=tau_syn_I, v_thresh=NO_SPIKE))
    projections = (
        nets.connect(0, 1, [(0, k, 2.0, 1) for k in range(3)], label="exc"),
        nets.connect(0, 1, [(1, k, -1.0, 1) for k in range(3)], "inhibitory", label="inh"),
    )
    net = Network(1.0, populations, projections, (), nets.record_all(populations, "isyn_exc", "isyn_inh"))
    held = loihi.quantise(net, load_chip(CHIP))
    exc, inh = (signal.values for signal in nets.run(net, 60, CHIP).signals)
    left = np.exp(-1 / tau_syn_I)  # u at the end of the step in which a spike is felt, at its label
    felt = inh[np.abs(inh).argmax(axis=0), np.arange(3)] / left
    loss = held.weight_losses[1]
    assert 0 < loss.max_error == pytest.approx(np.abs(felt + 1).max(), rel=1e-3) and loss.max_error <= loss.lsb / 2
    np.testing.assert_allclose(exc.max(axis=0), 2.0 * np.exp(-1 / 5.0), rtol=1e-4)
    assert held.weight_losses[0].max_error < 1e-9
    assert len(np.unique(held.projections[1].weight)) == 3 and len(np.unique(held.projections[0].weight)) == 1


@settings(deadline=None, derandomize=True, max_examples=15)
@given(seed=st.integers(0, 1000), strength=st.sampled_from([0.02, 1.0, 30.0]), dt=st.sampled_from([0.1, 1.0]))
def test_every_weight_onto_differing_cells_is_held_within_half_a_step(nets, seed, strength, dt):
    rng = np.random.default_rng(seed)
    n = 12
    spread = {"tau_m": (5, 40), "cm": (0.3, 2), "tau_syn_E": (1, 5), "tau_syn_I": (3, 20)}
    cell = {name: rng.uniform(low, high, n) for name, (low, high) in spread.items()}
    populations = (nets.array_source([[0.0]] * 8), nets.cells(n, **cell))
    projections = tuple(
        nets.connect(0, 1, nets.random_rows(rng, 8, n, 60, bounds, 5), receptor)
        for receptor in ("excitatory", "inhibitory")
        for bounds in ((0.1, 1.0), (-strength, strength))
    )
    held = loihi.quantise(Network(dt, populations, projections), load_chip(CHIP))
    scale = chip_cells(held)[0].scale
    for projection, on_chip, loss in zip(projections, held.projections, held.weight_losses, strict=True):
        units = np.floor(on_chip.weight * 2.0**on_chip.exponent) * 64
        error = np.abs(units / scale.lsb_per_current(on_chip.row)[projection.target] - projection.weight)
        # a shift to the right rounds down
        assert error.max() <= loss.lsb * (0.5 if on_chip.exponent >= 0 else 1.5) * (1 + 1e-9)
        told = loss.max_error, loss.max_weight
        assert told == pytest.approx((error.max(), np.abs(projection.weight).max()))


def test_changed_cells_keep_what_is_under_way(nets):
    """Inhibition sent before its target's time constants change is, in nA, what it was."""
    populations = (nets.array_source([[0.0]]), nets.cells(2, tau_syn_I=np.array([3.0, 12.0]), v_thresh=NO_SPIKE))
    projections = (
        nets.connect(0, 1, [(0, k, 1.0, 40) for k in range(2)], label="exc"),
        nets.connect(0, 1, [(0, k, -0.7, 8) for k in range(2)], "inhibitory", label="inh"),
    )
    net = Network(1.0, populations, projections, (), nets.record_all(populations, "isyn_inh"))
    slower = nets.cells(2, tau_syn_I=np.array([12.0, 6.0]), v_thresh=NO_SPIKE)
    session = backend("reference").start(net, Target("reference", CHIP))
    session.run(4)
    session.update(replace(net, populations=(populations[0], slower)))
    session.run(10)
    (signal,) = session.recordings().signals
    sent = signal.values[np.abs(signal.values).argmax(axis=0), np.arange(2)] / np.exp(-1 / np.array([12.0, 6.0]))
    np.testing.assert_allclose(sent, -0.7, rtol=0.02)
    session.close()


def test_the_need_of_microcode_is_told_of_the_cells_that_have_it(nets):
    populations = (nets.cells(1, "two"), nets.cells(1, "delta", "IF_curr_delta"))
    notes = loihi.quantise(Network(1.0, populations), load_chip(CHIP)).notes
    (note,) = (note for note in notes if "microcode" in note)
    assert note.startswith("population 'two'") and "nobody has written" in note
