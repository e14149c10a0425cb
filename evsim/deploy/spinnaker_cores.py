"""How many neurons of a population share a core of SpiNNaker, and how many time steps its ring buffers reach.

A ring buffer's index has 14 bits for neuron, receptor and delay, so a core of n neurons has 2^(13 - b) slots for
delays, where n - 1 has b bits. sPyNNaker gives a population as many slots as its longest delay needs, as far as they
go, and lets spikes that are due later wait in a delay extension, once or several times for a whole ring.

Version 7.4.1 gets that wrong in two ways: synapses that it is given as a list, as evsim gives all of them, are lost
from the second stage of an extension on (``get_synapses`` in ``synapse_io.py`` takes the neurons on a core of the
target for those on a core of the source); and a source whose targets have rings of different sizes is refused
(``DelayExtensionException``). What waits where makes a difference to plastic synapses alone. So these have an extension
of one stage where sPyNNaker makes one, and otherwise cores are small enough for the longest delay.

Source: ``PopulationVertex.max_delay_steps_incoming`` and ``get_max_atoms_per_core`` of sPyNNaker 7.4.1.
"""

from __future__ import annotations

from typing import NamedTuple

from evsim.model import NeuronModel
from evsim.network import Network, Population
from evsim.registry import cell_model

FULL_CORE = 256  # neurons: POP_TABLE_MAX_ROW_LENGTH of sPyNNaker
RING_BITS = 14  # of a ring buffer's index: neuron, receptor and delay (MAX_RING_BUFFER_BITS)
# What sPyNNaker does not count: ring buffers, neurons and the histories of plastic ones share the 64 KB of DTCM with
# program data and buffers, and a core on which they do not fit stops as it starts. These numbers tell the executed
# binaries that fit from those that do not: of plastic neurons 256 with 4 slots and 64 with 128 fit, 256 with 16 and 128
# with 64 do not; of static ones 256 IF_curr_exp with 32 slots fit, 256 IF_curr_alpha do not.
CORE_BYTES = 51_500
SLOT_BYTES, NUMBER_BYTES, HISTORY_BYTES = 2, 4, 100


class Cores(NamedTuple):
    """The cores of a population.

    Attributes:
        neurons: the most on a core; each core but the last has so many, if there are several.
        ring: slots of a ring buffer, a power of two.
        most_slots: as many as it could have.
    """

    neurons: int
    ring: int
    most_slots: int


def cores_of(network: Network, index: int) -> Cores:
    """The cores of population ``index``; full ones if it is a source."""
    population, longest = network.populations[index], longest_delay(network, index)
    plastic, neurons = learns(network, index), FULL_CORE
    while True:
        most = most_slots(population, neurons)
        cores = Cores(neurons, min(1 << bits_for(longest), most), most)
        reaches = longest <= most or (neurons == FULL_CORE and _is_extended(network, index))
        if neurons == 1 or (reaches and _bytes(population, cores, plastic) <= CORE_BYTES):
            return cores
        neurons //= 2


def longest_delay(network: Network, index: int) -> int:
    """The longest delay (steps) of the synapses onto a population; 0 where there are none."""
    onto = [projection for projection in network.projections if projection.post == index and len(projection)]
    return max((int(projection.synapses.delays.most) for projection in onto), default=0)


def most_slots(population: Population, neurons: int) -> int:
    """The slots that ring buffers can have on cores of at most so many neurons of a population."""
    return 1 << (RING_BITS - bits_for(_receptors(population)) - bits_for(min(population.size, neurons)))


def bits_for(count: int) -> int:
    """Bits for so many different values; 1 for one, none for none (``get_n_bits``)."""
    return max((count - 1).bit_length(), 1) if count else 0


def _receptors(population: Population) -> int:
    model = cell_model(population.model)
    return len(model.receptors) if isinstance(model, NeuronModel) else 1


def _bytes(population: Population, cores: Cores, plastic: bool) -> int:
    """What neurons and ring buffers of a core take of its memory."""
    neurons, receptors = min(population.size, cores.neurons), _receptors(population)
    ring = cores.ring << (bits_for(neurons) + bits_for(receptors))
    return SLOT_BYTES * ring + neurons * (NUMBER_BYTES * _numbers(population) + HISTORY_BYTES * plastic)


def _numbers(population: Population) -> int:
    """How many numbers a neuron holds, about."""
    model = cell_model(population.model)
    rule = model.rules.get("spinnaker1") if isinstance(model, NeuronModel) else None
    return len(rule.states) + len(rule.parameters) if rule else 0


def learns(network: Network, index: int) -> bool:
    """Whether there are plastic synapses onto a population."""
    return any(p.plasticity is not None and len(p) for p in network.projections if p.post == index)


def _is_extended(network: Network, index: int) -> bool:
    """Whether the plastic synapses onto a population of full cores can have a delay extension of one stage.

    Populations whose rings have different sizes would have to share their sources' extensions.
    """
    most = {
        k: most_slots(population, FULL_CORE) for k, population in enumerate(network.populations) if learns(network, k)
    }
    beyond = [k for k in most if longest_delay(network, k) > most[k]]
    return index in beyond and len({most[k] for k in beyond}) == 1 and longest_delay(network, index) <= 2 * most[index]
