"""What neurons and synapses take of the 64 KB of data memory (DTCM) of a core of SpiNNaker, byte by byte.

sPyNNaker 7.4.1 does not count this memory, and a core on which a network does not fit stops as it starts (run-time
error 19, or 13). The numbers are those of the heaps of the binaries that it ships, read from the executed firmware
after it has started (``tests/agreement/test_spinnaker_dtcm.py``).
"""

from __future__ import annotations

from evsim.deploy.spinnaker_split import is_split
from evsim.deploy.spinnaker_traces import TIMINGS, table_bytes
from evsim.model import NeuronModel
from evsim.network import Network, Plasticity, Population
from evsim.registry import cell_model

FULL_CORE = 256  # neurons: POP_TABLE_MAX_ROW_LENGTH of sPyNNaker

# The heap behind a program's own data, and what every program takes of it, whatever the network: of binaries of neurons
# and synapses, and of synapses alone. The least heap, and the most that was taken.
HEAP, FIXED = 60_756, 5_400
HEAP_OF_SYNAPSES, FIXED_OF_SYNAPSES = 61_084, 5_000
SOURCE_BYTES = 28  # of each core that sends spikes: entries of the population table
SLOT_BYTES = 2  # of a ring buffer

# Of a neuron: state and parameters, synapses, what is recorded of it (as if all were).
CELL_BYTES = {
    "IF_curr_exp": 84,
    "IF_cond_exp": 92,
    "IF_curr_alpha": 100,
    "IF_curr_delta": 72,
    "IF_curr_dual_exp": 96,
    "IF_curr_exp_sEMD": 108,
    "IFCurrExpCa2Adaptive": 96,
    "IFCurrDeltaCa2Adaptive": 84,
    "IFCurrDeltaFixedProb": 92,
    "Izhikevich": 88,
    "Izhikevich_cond": 96,
    "Izhikevich_cond_dual": 108,
    "StocExp": 66,
    "StocExpStable": 74,
}
# Of a neuron's last 16 spikes, with the traces that a rule keeps of each: times, and traces of 2, no or 8 bytes.
HISTORY_BYTES = {
    "SpikePairRule": 100,
    "SpikeNearestPairRule": 68,
    "Vogels2011Rule": 100,
    "PfisterSpikeTriplet": 196,
}


def heap_of(network: Network, index: int) -> int:
    """The bytes that there are on the core that holds the synapses onto population ``index``."""
    return HEAP_OF_SYNAPSES if _on_their_own(network, index) else HEAP


def bytes_of(network: Network, index: int, neurons: int, ring: int) -> int:
    """The bytes that so many neurons of population ``index`` take there, with so many slots in their ring buffers."""
    population, rule = network.populations[index], rule_of(network, index)
    neurons = min(population.size, neurons)
    total = SLOT_BYTES * (ring << (bits_for(neurons) + bits_for(receptors_of(population))))
    total += SOURCE_BYTES * _sources(network, index)
    if rule is not None:
        total += neurons * HISTORY_BYTES.get(rule.timing, 0) + tables_of(rule, network.timestep)
    if _on_their_own(network, index):
        return total + FIXED_OF_SYNAPSES
    return total + FIXED + neurons * CELL_BYTES.get(population.model, 0)


def tables_of(rule: Plasticity, timestep: float) -> int:
    """The bytes of the tables by which the traces of a rule decay."""
    _, names = TIMINGS.get(rule.timing, (None, ()))
    return table_bytes([rule.parameters[name] for name in dict.fromkeys(names) if name in rule.parameters], timestep)


def rule_of(network: Network, index: int) -> Plasticity | None:
    """The rule of the plastic synapses onto a population, which is one on SpiNNaker; None where there are none."""
    onto = (p.plasticity for p in network.projections if p.post == index and len(p))
    return next((rule for rule in onto if rule is not None), None)


def bits_for(count: int) -> int:
    """Bits for so many different values; 1 for one, none for none (``get_n_bits``)."""
    return max((count - 1).bit_length(), 1) if count else 0


def receptors_of(population: Population) -> int:
    """How many receptors its cells have; sources count as having one."""
    model = cell_model(population.model)
    return len(model.receptors) if isinstance(model, NeuronModel) else 1


def _on_their_own(network: Network, index: int) -> bool:
    """Static synapses stay with their neurons: evsim's backend has it so in the emulator."""
    known = network.populations[index].model in CELL_BYTES
    return known and rule_of(network, index) is not None and is_split(network, index)


def _sources(network: Network, index: int) -> int:
    """The cores that send spikes to a population, if all are full."""
    onto = [p.pre for p in network.projections if p.post == index and len(p)]
    return sum(-(-network.populations[pre].size // FULL_CORE) for pre in onto)
