"""The rule set ``loihi1`` against brian2-loihi, in every spike, u and v of random networks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from evsim.arithmetic.loihi import ALIGN, DECAY_ONE
from evsim.arithmetic.loihi_lif import KEPT_U, KEPT_V, REFRACTORY_STEPS, THRESHOLD
from evsim.chip import load_chip
from evsim.deploy import loihi
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.engine.simulation import Simulation
from evsim.network import Network

brian2 = pytest.importorskip("brian2")
brian2_loihi = pytest.importorskip("brian2_loihi")

STEPS = 120


def run_brian2_loihi(net: ChipNetwork) -> dict[str, np.ndarray]:
    """One source onto one population, with projections 0 -> 1 and 1 -> 1, in brian2-loihi's own words.

    Its time step t is our step t, which leads to label t + 1; a spike at t over a delay d is felt in step t + d if a
    generator sent it, and in step t + 1 + d if a neuron did.
    """
    brian2.prefs.codegen.target = "numpy"
    brian2.start_scope()
    neurons = net.populations[1]
    assert isinstance(neurons, ChipPopulation)
    registers = neurons.cells.parameters[:, 0]
    trains = net.network.populations[0].trains
    assert trains is not None
    label = np.floor(trains.times / net.network.timestep + 0.5).astype(int)
    source = brian2_loihi.LoihiSpikeGeneratorGroup(net.network.populations[0].size, trains.cells(), label)
    group = brian2_loihi.LoihiNeuronGroup(
        len(neurons.cells.drive),
        refractory=int(registers[REFRACTORY_STEPS]) + 1,
        threshold_v_mant=int(registers[THRESHOLD]) >> ALIGN,
        decay_v=DECAY_ONE - int(registers[KEPT_V]),
        decay_I=DECAY_ONE - int(registers[KEPT_U]),
    )
    objects = [source, group, *_synapses(net, source, group)]
    u, v = brian2_loihi.LoihiStateMonitor(group, "I"), brian2_loihi.LoihiStateMonitor(group, "v")
    spikes = brian2_loihi.LoihiSpikeMonitor(group)
    brian2_loihi.LoihiNetwork(*objects, u, v, spikes).run(STEPS)
    found = np.stack([np.array(spikes.t).astype(int) + 1, np.array(spikes.i[:])], axis=1)
    return {"u": np.array(u.I).T, "v": np.array(v.v).T, "spikes": found[np.lexsort(found.T[::-1])]}


def _synapses(net: ChipNetwork, source, group):
    for projection, held in zip(net.network.projections, net.projections, strict=True):
        within = loihi.weight_range(projection)
        neurons = net.populations[projection.post]
        assert isinstance(neurons, ChipPopulation)
        exponent = max(within.exponent(neurons.scale.lsb_per_weight), 0)
        mode = 1 if within.mixed else (3 if projection.weight.max() <= 0 else 2)
        for delay in np.unique(projection.delay):
            mine = projection.delay == delay
            pre = source if projection.pre == 0 else group
            synapses = brian2_loihi.LoihiSynapses(pre, group, delay=int(delay), w_exp=exponent, sign_mode=mode)
            synapses.connect(i=projection.source[mine], j=projection.target[mine])
            synapses.w = held.weight[mine] >> exponent
            yield synapses


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = run_brian2_loihi(net)
    spikes = np.stack([np.rint(found.spikes[1].times / dt).astype(int), found.spikes[1].neurons], axis=1)
    assert len(spikes) > 0
    np.testing.assert_array_equal(spikes, theirs["spikes"])
    for signal, name in zip(found.signals, ("v", "u"), strict=False):
        assert signal.raw is not None
        np.testing.assert_array_equal(signal.raw[1:], theirs[name], err_msg=name)
