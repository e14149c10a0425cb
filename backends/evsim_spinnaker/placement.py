"""How many neurons a core may have for no synapse to be lost.

A core of n neurons has 2^(13 - b) slots for delays, where n - 1 has b bits (14 bits address neuron, receptor and slot).
sPyNNaker lets spikes that are due later wait in a delay extension, which version 7.4.1 gets wrong in two ways:

- Synapses that it is given as a list, as evsim gives all of them, are stored in wrong rows from the second stage of an
  extension on, where the firmware never finds them: ``get_synapses`` in ``synapse_io.py`` takes the neurons on a core
  of the target for those on a core of the source.
- A source whose targets have cores with different numbers of slots is refused (``DelayExtensionException``).

So here cores are made small enough to hold the longest delay themselves.
"""

from __future__ import annotations

from evsim.network import Network

RING_BITS = 13  # without the receptor's
FULL_CORE = 256  # neurons, the most that sPyNNaker puts on a core


def neurons_per_core(network: Network, index: int) -> int | None:
    """The most neurons that a core may have of a population; None leaves it to sPyNNaker."""
    longest = max((int(p.delay.max()) for p in network.projections if p.post == index and len(p)), default=1)
    most = 1 << max(0, RING_BITS - (longest - 1).bit_length())
    return most if most < min(FULL_CORE, network.populations[index].size) else None
