"""How many neurons of a population share a core, and how far their ring buffers reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evsim.chip import load_chip
from evsim.deploy.spinnaker_cores import cores_of, most_slots
from evsim.deploy.spinnaker_dtcm import FULL_CORE
from evsim.network import Network, Plasticity, Projection

RULE = Plasticity("SpikePairRule", "AdditiveWeightDependence", {})
INDEX = 2**14  # of a ring buffer: neurons, two receptors and slots


def projection(nets, post: int, longest: int, plastic: bool) -> Projection:
    made = nets.connect(0, post, [(0, 0, 1.0, 1), (0, 0, 1.0, longest)])
    return replace(made, plasticity=RULE) if plastic else made


def network(nets, size: int, longest: int, plastic: bool = False) -> Network:
    return Network(1.0, (nets.array_source([[1.0]]), nets.cells(size)), (projection(nets, 1, longest, plastic),))


@pytest.mark.parametrize(
    ("size", "longest", "neurons", "ring"),
    [
        (4, 1, 256, 2),
        (4, 2, 256, 2),
        (4, 3, 256, 4),
        (1000, 32, 256, 32),
        (1000, 33, 128, 64),
        (128, 33, 256, 64),
        (1000, 144, 32, 256),
        (8, 5000, 1, 8192 // 2),
    ],
)
def test_a_core_holds_the_longest_delay_of_static_synapses(nets, size, longest, neurons, ring):
    cores = cores_of(network(nets, size, longest), 1)
    assert cores.neurons == neurons and cores.ring == ring
    assert 2 * min(size, cores.neurons) * cores.ring <= INDEX


@pytest.mark.parametrize(
    ("size", "longest", "neurons", "ring"),
    [
        (1000, 4, 256, 4),
        (1000, 16, 128, 16),  # histories and ring buffers of 256 neurons do not fit into a core
        (1000, 64, 64, 64),
        (65, 127, 256, 64),  # through one stage of a delay extension, as sPyNNaker has it
        (65, 129, 32, 256),  # two stages lose synapses
    ],
)
def test_plastic_synapses_have_smaller_cores_or_one_stage_of_an_extension(nets, size, longest, neurons, ring):
    assert cores_of(network(nets, size, longest, plastic=True), 1)[:2] == (neurons, ring)


def test_rings_of_different_sizes_share_no_extension(nets):
    """sPyNNaker refuses a source whose targets have rings of different sizes, both with delay extensions."""
    populations = (nets.array_source([[1.0]]), nets.cells(65, "a"), nets.cells(129, "b"))
    projections = projection(nets, 1, 127, True), projection(nets, 2, 63, True)
    both = Network(1.0, populations, projections)
    for index, longest in ((1, 127), (2, 63)):
        assert cores_of(both, index).ring >= longest


def test_slots_are_those_that_the_index_has_bits_for(nets):
    def slots(model: str) -> list[int]:
        return [most_slots(nets.cells(1000, model=model), neurons) for neurons in (1, 2, 3, 128, 129, 256)]

    assert slots("IF_curr_exp") == [4096, 4096, 2048, 64, 32, 32]
    assert slots("IF_curr_dual_exp") == [2048, 2048, 1024, 32, 16, 16]  # three receptors have two bits


def test_a_full_core_is_that_of_the_chips_file():
    assert load_chip("spinnaker1").limit("neurons_per_core") == FULL_CORE
