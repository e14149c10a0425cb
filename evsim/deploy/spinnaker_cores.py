"""How many neurons of a population share a core of SpiNNaker, and how many time steps its ring buffers reach.

A ring buffer's index has 14 bits for neuron, receptor and delay, so a core of n neurons has 2^(13 - b) slots for
delays, where n - 1 has b bits. sPyNNaker gives a population as many slots as its longest delay needs, as far as they
go, and lets spikes that are due later wait in a delay extension, once or several times for a whole ring.

Version 7.4.1 gets that wrong in two ways: synapses that it is given as a list, as evsim gives all of them, are lost
from the second stage of an extension on (``get_synapses`` in ``synapse_io.py`` takes the neurons on a core of the
target for those on a core of the source); and a source whose targets have rings of different sizes is refused
(``DelayExtensionException``). What waits where makes a difference to plastic synapses alone. So these have an extension
of one stage where sPyNNaker makes one, and otherwise cores are small enough for the longest delay. They are also small
enough for all that they hold to fit into a core's memory (``spinnaker_dtcm``).

Source: ``PopulationVertex.max_delay_steps_incoming`` and ``get_max_atoms_per_core`` of sPyNNaker 7.4.1.
"""

from __future__ import annotations

from typing import NamedTuple

from evsim.deploy.spinnaker_dtcm import FULL_CORE, bits_for, bytes_of, heap_of, receptors_of, rule_of
from evsim.network import Network, Population

RING_BITS = 14  # of a ring buffer's index: neuron, receptor and delay (MAX_RING_BUFFER_BITS)


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
    neurons = FULL_CORE
    while True:
        most = most_slots(population, neurons)
        cores = Cores(neurons, min(1 << bits_for(longest), most), most)
        reaches = longest <= most or (neurons == FULL_CORE and _is_extended(network, index))
        fits = bytes_of(network, index, cores.neurons, cores.ring) <= heap_of(network, index)
        if neurons == 1 or (reaches and fits):
            return cores
        neurons //= 2


def longest_delay(network: Network, index: int) -> int:
    """The longest delay (steps) of the synapses onto a population; 0 where there are none."""
    onto = [projection for projection in network.projections if projection.post == index and len(projection)]
    return max((int(projection.synapses.delays.most) for projection in onto), default=0)


def most_slots(population: Population, neurons: int) -> int:
    """The slots that ring buffers can have on cores of at most so many neurons of a population."""
    return 1 << (RING_BITS - bits_for(receptors_of(population)) - bits_for(min(population.size, neurons)))


def learns(network: Network, index: int) -> bool:
    """Whether there are plastic synapses onto a population."""
    return rule_of(network, index) is not None


def _is_extended(network: Network, index: int) -> bool:
    """Whether the plastic synapses onto a population of full cores can have a delay extension of one stage.

    Populations whose rings have different sizes would have to share their sources' extensions.
    """
    most = {
        k: most_slots(population, FULL_CORE) for k, population in enumerate(network.populations) if learns(network, k)
    }
    beyond = [k for k in most if longest_delay(network, k) > most[k]]
    return index in beyond and len({most[k] for k in beyond}) == 1 and longest_delay(network, index) <= 2 * most[index]
