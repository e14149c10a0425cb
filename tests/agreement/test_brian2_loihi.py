"""The rule set ``loihi1`` against brian2-loihi, in every spike, u and v of random networks.

Where they differ by rule is in ``docs/loihi.md``, whose examples ``test_loihi_differences.py`` executes.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import loihi_emulators as emulators
from evsim.arithmetic.loihi import ALIGN, DECAY_ONE
from evsim.arithmetic.loihi_lif import KEPT_U, KEPT_V, REFRACTORY_STEPS, THRESHOLD, U, V
from evsim.chip import load_chip
from evsim.deploy import loihi
from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.simulation import Simulation
from evsim.network import Network

emulators.need("brian2_loihi")

STEPS = 120


def registers_of(net: ChipNetwork) -> emulators.Registers:
    """One source onto one population, with projections 0 -> 1 and 1 -> 1, in registers."""
    neurons, trains = net.neurons(1), net.network.populations[0].trains
    assert trains is not None
    inputs = np.zeros((STEPS, net.network.populations[0].size), bool)
    inputs[np.floor(trains.times / net.network.timestep + 0.5).astype(int), trains.cells()] = True
    registers = neurons.cells.parameters[:, 0]
    return emulators.Registers(
        len(neurons.cells.drive),
        du=DECAY_ONE - 1 - int(registers[KEPT_U]),
        dv=DECAY_ONE - int(registers[KEPT_V]),
        vth=int(registers[THRESHOLD]) >> ALIGN,
        inputs=inputs,
        synapses=tuple(_synapses(net, index) for index in range(len(net.projections))),
        refractory=int(registers[REFRACTORY_STEPS]),
        u=neurons.cells.state[U],
        v=neurons.cells.state[V],
    )


def _synapses(net: ChipNetwork, index: int) -> emulators.Synapses:
    projection, scale = net.network.projections[index], net.neurons(1).scale
    exponent = max(loihi.weight_range(projection.synapses).exponent(scale.per_unit(0)), 0)
    return emulators.Synapses(
        projection.source,
        projection.target,
        net.projections[index].weight.astype(int) >> exponent,
        projection.delay,
        exponent,
        recurrent=projection.pre == 1,
    )


def random_network(nets, seed: int, dt: float, refractory: int, model: str, bounds: tuple[float, float]) -> Network:
    """Random input, and a random recurrent projection with weights between bounds."""
    rng = np.random.default_rng(seed)
    # a generator of brian2-loihi sends one spike of a cell in a step
    trains = [np.sort(rng.choice(STEPS, 12, replace=False)) * dt for _ in range(10)]
    cell = {"tau_refrac": refractory * dt, "tau_m": rng.uniform(5, 30), "v_reset": -65.0, "v_rest": -65.0}
    cell |= {"tau_syn_E": (tau_syn := rng.uniform(1, 10)), "tau_syn_I": tau_syn} if model == "IF_curr_exp" else {}
    populations = (nets.array_source(trains), nets.cells(12, model=model, **cell))
    strength = 1.0 if model == "IF_curr_exp" else 3.0
    projections = (
        nets.connect(0, 1, nets.random_rows(rng, 10, 12, 60, (strength / dt, 5 * strength / dt), 10)),
        nets.connect(1, 1, nets.random_rows(rng, 12, 12, 50, tuple(b * strength for b in bounds), 20)),
    )
    variables = ("spikes", "v", "isyn_exc") if model == "IF_curr_exp" else ("spikes", "v")
    return Network(dt, populations, projections, (), nets.record_all(populations, *variables))


@settings(max_examples=8, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    seed=st.integers(0, 2**31),
    dt=st.sampled_from([1.0, 0.2]),
    refractory=st.integers(0, 6),
    model=st.sampled_from(["IF_curr_exp", "IF_curr_delta"]),
    bounds=st.sampled_from([(0.1, 2.0), (-2.0, -0.1), (-2.0, 2.0), (0.0, 0.01)]),
)
def test_every_bit_is_that_of_brian2_loihi(nets, seed, dt, refractory, model, bounds):
    net = loihi.quantise(random_network(nets, seed, dt, refractory, model, bounds), load_chip("loihi1"))
    simulation = Simulation(net)
    simulation.run(STEPS)
    found = simulation.recordings()
    theirs = emulators.brian2_loihi(registers_of(net))
    spikes = np.stack([np.rint(found.spikes[1].times / dt).astype(int) - 1, found.spikes[1].neurons], axis=1)
    assert len(spikes) > 0
    np.testing.assert_array_equal(spikes, np.argwhere(theirs.spikes))
    for signal, expected in zip(found.signals, (theirs.v, theirs.u), strict=False):
        assert signal.raw is not None
        np.testing.assert_array_equal(signal.raw[1:], expected)


def agree(registers: emulators.Registers) -> None:
    """Assert that brian2-loihi and ``loihi1`` do the same."""
    assert emulators.differing(emulators.evsim(registers, "loihi1"), emulators.brian2_loihi(registers)) == {}


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 2**31), refractory=st.integers(0, 6), delays=st.sampled_from([0, 3]))
def test_every_bit_of_random_registers_is_that_of_brian2_loihi(seed, refractory, delays):
    agree(emulators.drawn(seed, 20, 10, 100, delays=delays, together=1 << 12, bias=False, refractory=refractory))


def test_what_leaves_24_bits_is_that_of_brian2_loihi():
    registers = emulators.drawn(2, 20, 10, 100, exponents=(7, 7), most_decay=7, bias=False)
    reference = emulators.Reference(registers, "loihi1")
    assert emulators.differing(reference.run(), emulators.brian2_loihi(registers)) == {}
    assert reference.tallies["overflowed_u"] > 0 and reference.tallies["overflowed_v"] > 0


@pytest.mark.slow
def test_every_bit_of_a_large_network_is_that_of_brian2_loihi():
    agree(emulators.drawn(5, 2000, 200, 2000, exponents=(-2, 1), delays=2, least_du=400, bias=False, refractory=3))
