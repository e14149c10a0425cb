"""What is created in the middle of a run is from then on as if it had been there, without effect, from the start."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.backend import Target
from evsim.errors import EvsimError


def build(sim, cell: str, grows: bool):
    """Neurons that learn, and synapses to and from others, which are made at 100 ms, or at once with no weight."""
    sim.setup(timestep=0.1, rng_seed=3)
    weight, drive = (0.5, 0.5) if "curr" in cell else (0.01, 0.6)
    noise = sim.Population(5, sim.SpikeSourcePoisson(rate=500.0))
    old = sim.Population(5, getattr(sim, cell)(i_offset=drive))
    old.record(["v", "spikes"])
    sim.Projection(noise, old, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight, delay=1.5))
    rules = sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=weight)
    learns = sim.Projection(old, old, sim.AllToAllConnector(), sim.STDPMechanism(*rules, weight=weight / 5, delay=2.0))

    def more():
        new = sim.Population(4, getattr(sim, cell)(tau_refrac=3.0))
        new.record(["v", "spikes"])
        synapse = sim.StaticSynapse(weight=weight, delay=2.5)
        return new, [sim.Projection(*ends, sim.AllToAllConnector(), synapse) for ends in ((old, new), (new, old))]

    if not grows:
        new, made = more()
        for projection in made:
            projection.set(weight=0.0)
    sim.run(60.0)
    old.set(i_offset=1.2 * drive)
    sim.run(40.0)
    if grows:
        new, made = more()
    for projection in made:
        projection.set(weight=weight)
    sim.run(100.0)
    return old.get_data().segments[0], new.get_data().segments[0], learns.get("weight", "list")


@pytest.mark.parametrize("cell", ["IF_curr_exp", "IF_cond_exp"])
def test_a_network_grows_while_it_runs(sim, cell):
    (old, new, weights), (expected, silent, learned) = (build(sim, cell, grows) for grows in (True, False))
    assert (old.analogsignals[0].magnitude == expected.analogsignals[0].magnitude).all()
    assert [train.magnitude.tolist() for train in old.spiketrains] == [
        train.magnitude.tolist() for train in expected.spiketrains
    ]
    assert sum(map(len, old.spiketrains)) > 20 and weights == learned
    signal = new.analogsignals[0]
    assert (signal.shape, float(signal.t_start)) == ((1001, 4), 100.0)
    assert (signal.magnitude == silent.analogsignals[0].magnitude[1000:]).all()
    assert signal.max() > -64.0  # the new synapses are felt


def test_it_may_grow_more_than_once_and_after_a_reset(sim):
    sim.setup(timestep=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 11.0, 21.0, 31.0]))
    cells = []
    for _ in range(2):
        for _ in range(3):
            cells.append(sim.Population(1, sim.IF_curr_exp()))
            cells[-1].record("v")
            sim.Projection(source, cells[-1], sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
            sim.run(10.0)
        last = [population.get_data().segments[-1].analogsignals[0] for population in cells]
        sim.reset()
    assert [signal.shape for signal in last] == [(301, 1)] * 4 + [(201, 1), (101, 1)]
    late = last[-1].magnitude[:, 0]
    # created at 20 ms: it has no part in the spikes of 1 and 11 ms
    assert (late[:21] == -65.0).all() and late.max() > -64.5
    assert late == pytest.approx(last[0].magnitude[:101, 0], abs=1e-12)  # whose first spike was at 1 ms


def test_resources_of_synapses_made_later_are_whole(sim):
    """What their source did before they were made has used up nothing of them."""
    sim.setup(timestep=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 4.0, 7.0, 21.0, 24.0]))
    synapse = sim.TsodyksMarkramSynapse(U=0.6, tau_rec=200.0, tau_facil=50.0, weight=1.0, delay=1.0)
    rising = []
    for _ in range(2):
        cells = sim.Population(1, sim.IF_curr_exp())
        cells.record("v")
        sim.Projection(source, cells, sim.OneToOneConnector(), synapse)
        sim.run(20.0)
        v = cells.get_data().segments[0].analogsignals[0].magnitude[:, 0]
        rising.append(v[60] + 65.0)
    # 6 ms after the start the first has had the spikes of 1 and 4 ms, and the other those of 21 and 24 ms
    assert rising[1] == pytest.approx(rising[0], rel=1e-12)
    assert rising[0] > 0.01


def test_spikes_under_way_are_not_for_synapses_made_later(sim):
    sim.setup(timestep=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[9.0, 15.0]))
    cells = sim.Population(1, sim.IF_curr_exp())
    cells.record("v")
    sim.run(10.0)
    sim.Projection(source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=4.0))
    sim.run(20.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude[:, 0]
    assert (v[:191] == -65.0).all() and v[195:].max() > -64.9


def test_new_cells_begin_with_their_initial_values(sim):
    sim.run(5.0)
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=5.0), initial_values={"v": [-70.0, -60.0]})
    cells.record("v")
    sim.run(0.5)
    assert cells.get_data().segments[0].analogsignals[0].magnitude[0].tolist() == [-70.0, -60.0]


def test_a_chip_cannot_take_up_more_while_it_runs(sim):
    sim.simulator.state.choose([Target("reference", "loihi2")])
    sim.setup(timestep=1.0)
    sim.Population(1, sim.IF_curr_exp())
    sim.run(5.0)
    sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(
        EvsimError, match=r"created at t = 5 ms, .* which .*loihi2 cannot take up.*call reset\(\) first"
    ):
        sim.run(5.0)


def test_too_much_to_go_through_again(sim, monkeypatch):
    monkeypatch.setattr("evsim.pynn.growth.HELD_MOST", 1000.0)
    cells = sim.Population(10, sim.IF_curr_exp())
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    sim.run(1.0)
    projection.set(weight=0.2)
    sim.run(1.0)
    sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(EvsimError, match=r"more than 0\.001 MB of synapses were changed"):
        sim.run(1.0)


@pytest.mark.parametrize("rate", [50.0, 500.0, 20000.0])
@pytest.mark.parametrize("cell", ["IF_curr_exp", "IF_cond_alpha"])
def test_noise_under_way_comes_once_when_other_synapses_change(sim, rate, cell):
    def potentials(changes: bool) -> np.ndarray:
        sim.setup(timestep=0.1, rng_seed=3)
        noise = sim.Population(5, sim.SpikeSourcePoisson(rate=rate))
        cells, others = (sim.Population(5, getattr(sim, cell)()) for _ in range(2))
        cells.record("v")
        sim.Projection(noise, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.001, delay=1.5))
        synapses = sim.Projection(cells, others, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.001))
        for _ in range(3):
            sim.run(20.0)
            if changes:
                synapses.set(weight=0.002)
        return cells.get_data().segments[0].analogsignals[0].magnitude

    assert potentials(True) == pytest.approx(potentials(False), abs=1e-12)
