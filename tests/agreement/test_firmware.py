"""reference:spinnaker1 against the executed firmware of sPyNNaker 7.4.1: every sample, spike and weight, zero LSB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.deploy.chip_network import ChipPopulation
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.network import Current, Network, Plasticity, Population, Projection, Trains
from evsim.synapses import Listed

FILES = sorted((Path(__file__).parent / "firmware").glob("*.npz"))
PLASTIC_FILES = [path for path in FILES if "_stdp_" in path.stem]
NEURONS = 1


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def case(request):
    return read(request.param)


def starting_with(case, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): values for name, values in case.items() if name.startswith(prefix)}


def network_of(case, nets) -> Network:
    timestep = float(case["timestep"])
    n_sources = int(case["train_cell"].max()) + 1
    trains = [case["train_label"][case["train_cell"] == cell] * timestep for cell in range(n_sources)]
    populations = (
        Population("sources", "SpikeSourceArray", n_sources, {}, trains=Trains.from_lists(trains)),
        Population(
            "neurons",
            str(case["model"]),
            int(case["size"]),
            starting_with(case, "parameter_"),
            starting_with(case, "initial_"),
        ),
    )
    probes = nets.record_all(populations, "spikes", *starting_with(case, "recorded_"))
    return Network(timestep, populations, tuple(projections_of(case)), tuple(currents_of(case)), probes)


def projections_of(case):
    for index, (receptor, pre) in enumerate(case["projections"]):
        rows = case["synapses"][case["synapses"][:, 0] == index]
        source, target, delay = (rows[:, column].astype(np.int32) for column in (1, 2, 4))
        synapses = Listed(source, target, rows[:, 3], delay)
        rule = rule_of(case) if f"weights_{index}" in case else None
        kind = "STDPMechanism" if rule else "StaticSynapse"
        yield Projection(f"projection {index}", int(pre), NEURONS, str(receptor), kind, synapses, rule)


def rule_of(case) -> Plasticity:
    timing, weight = (str(name) for name in case["rule"])
    parameters = {name: float(value) for name, value in starting_with(case, "rule_").items()}
    return Plasticity(timing, weight, parameters)


def currents_of(case):
    for index in np.unique(case["currents"][:, 0]):
        rows = case["currents"][case["currents"][:, 0] == index]
        cells = case["current_cells"][case["current_cells"][:, 0] == index, 1].astype(np.int32)
        yield Current(f"current {index:g}", NEURONS, cells, rows[:, 1], rows[:, 2])


def test_there_are_vectors_of_every_model():
    assert {path.stem.rsplit("_1ms")[0] for path in FILES if path.stem.endswith("_1ms")} == {
        "IFCurrExpCa2Adaptive",
        "IF_cond_exp",
        "IF_curr_alpha",
        "IF_curr_delta",
        "IF_curr_dual_exp",
        "IF_curr_exp",
        "Izhikevich",
        "IFCurrExpCa2Adaptive_stdp",
        "IF_cond_exp_stdp",
        "IF_cond_exp_stdp_nearest",
        "IF_curr_alpha_stdp",
        "IF_curr_delta_stdp",
        "IF_curr_delta_stdp_nearest",
        "IF_curr_dual_exp_stdp",
        "IF_curr_exp_stdp",
        "IF_curr_exp_stdp_nearest",
        "IF_curr_exp_stdp_triplet",
        "IF_curr_exp_stdp_vogels",
        "Izhikevich_stdp",
    }


def test_the_reference_equals_the_firmware(case, nets):
    network, steps = network_of(case, nets), int(case["steps"])
    recordings = nets.run(network, steps, "spinnaker1")
    wanted = starting_with(case, "recorded_")
    assert {signal.variable for signal in recordings.signals} == set(wanted)
    for signal in recordings.signals:
        np.testing.assert_array_equal(signal.raw[:steps], wanted[signal.variable], err_msg=signal.variable)
    spikes = next(spikes for spikes in recordings.spikes if spikes.population == NEURONS)
    found = np.column_stack([np.rint(spikes.times / network.timestep), spikes.neurons])
    order = np.lexsort((case["spike_neuron"], case["spike_step"]))
    assert len(found) > 0
    np.testing.assert_array_equal(found, np.column_stack([case["spike_step"], case["spike_neuron"]])[order])


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("path", PLASTIC_FILES, ids=[path.stem for path in PLASTIC_FILES])
def test_weights_are_those_of_the_synaptic_matrix(path, nets, pieces):
    case = read(path)
    wanted = {int(index): weights for index, weights in starting_with(case, "weights_").items()}
    assert wanted
    network, steps = network_of(case, nets), int(case["steps"])
    quantised = quantise(network, load_chip("spinnaker1"))
    simulation = Simulation(quantised, threads=pieces)
    for piece in np.diff(np.linspace(0, steps, pieces + 1).astype(int)):
        simulation.run(int(piece))
    for index, weights in wanted.items():
        held = quantised.projections[index]
        np.testing.assert_array_equal(held.hold.stored(simulation.weights(index)), weights)
        assert (weights != held.weight).any()


def test_the_ring_buffers_are_shifted_as_spynnaker_shifts_them(case, nets):
    quantised = quantise(network_of(case, nets), load_chip("spinnaker1"))
    neurons = quantised.populations[NEURONS]
    assert isinstance(neurons, ChipPopulation)
    assert list(neurons.scale.shifts) == case["shifts"].tolist()
