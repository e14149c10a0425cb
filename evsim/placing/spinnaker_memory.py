"""What a core of SpiNNaker takes of its chip's SDRAM, region by region, as sPyNNaker plans it.

All numbers are those of sPyNNaker 7.4.1 and spinn_front_end_common 7.4.1, whose functions are named beside them.
Some memory grows with every time step that is recorded or sent, and the plan is for as many as a run has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from evsim.deploy.spinnaker_dtcm import bits_for, tables_of
from evsim.network import Plasticity, Probe

WORD = 4
SYSTEM = 412  # SYSTEM_BYTES_REQUIREMENT: the simulation's header and buffers for output
PROVENANCE = 6  # words of every core, before its own items (get_provenance_data_size)
PROFILE = 4  # get_profile_region_size of no samples
ADDRESS = 16  # matrices begin at multiples of it (_ADDRESS_SCALE of master_pop_table.py)
ROW_HEADER = 3  # words (_N_HEADER_WORDS of synapse_io.py)
MOST_ROW_WORDS = 256  # POP_TABLE_MAX_ROW_LENGTH
ENTRY, ADDRESS_ENTRY = 20, 4  # bytes of the master population table
EXPANDER = 76  # SYNAPSES_BASE_GENERATOR_SDRAM_USAGE_IN_BYTES
RECORDED = 4  # variables of a neuron that can be recorded: v, two sums of input, spikes
RECORDED_OF_SYNAPSES = 2  # packets and rewiring
RECORD_BLOCK = 8  # _SARK_BLOCK_SIZE, for each variable that is recorded
POISSON_WORDS, POISSON_RECORDED_STEPS = 15, 5  # PARAMS_BASE_WORDS, OVERFLOW_TIMESTEPS_FOR_SDRAM
SLOW_RATE = 0.01  # SLOW_RATE_PER_TICK_CUTOFF
ARRAY_CONFIGURATION = 52  # ReverseIPTagMulticastSourceMachineVertex._CONFIGURATION_REGION_SIZE
KEYS_OF_MESSAGE, MESSAGE_HEADER = 63, 6  # of EIEIO messages (get_n_bytes)
DELAY_WORDS, DELAY_ITEMS = 9, 12  # _DELAY_PARAM_HEADER_WORDS, N_EXTRA_PROVENANCE_DATA_ENTRIES


class Cell(NamedTuple):
    """A neuron of sPyNNaker: its structs (AbstractNeuronImpl.structs).

    Attributes:
        words: that a neuron holds; all cores hold one more for all neurons together.
        structs: their number.
        fields: of all structs, each one a parameter that is generated on the machine.
        receptors: types of synapses.
    """

    words: int
    structs: int
    fields: int
    receptors: int


CELLS = {
    "IF_curr_exp": Cell(15, 5, 16, 2),
    "IF_cond_exp": Cell(17, 5, 18, 2),
    "IF_curr_alpha": Cell(19, 5, 20, 2),
    "IF_curr_delta": Cell(13, 5, 14, 2),
    "Izhikevich": Cell(15, 5, 16, 2),
    "IF_curr_dual_exp": Cell(17, 5, 18, 3),
    "IFCurrExpCa2Adaptive": Cell(19, 6, 20, 2),
    "Izhikevich_cond": Cell(17, 5, 18, 2),
    "Izhikevich_cond_dual": Cell(19, 5, 20, 3),
    "IFCurrDeltaCa2Adaptive": Cell(17, 6, 18, 2),
    "IF_curr_exp_sEMD": Cell(20, 5, 21, 3),
    "IFCurrDeltaFixedProb": Cell(18, 5, 19, 2),
}


class Memory(NamedTuple):
    """Bytes of SDRAM: those that are there whatever is run, and those of each time step."""

    fixed: int
    of_step: int = 0

    def __add__(self, other: object) -> Memory:
        assert isinstance(other, Memory)
        return Memory(self.fixed + other.fixed, self.of_step + other.of_step)

    def times(self, count: int) -> Memory:
        """Of several cores that take the same."""
        return Memory(self.fixed * count, self.of_step * count)

    def after(self, steps: int) -> int:
        """Bytes for so many time steps."""
        return self.fixed + self.of_step * steps


class Input(NamedTuple):
    """The synapses of one projection onto the cores of a population.

    Attributes:
        pre: index of the source's population.
        size: its cells.
        on_core: the most of them on a core.
        stages: of the delay extension between; 0 for none.
        near, far: bytes of the longest row within reach of the ring buffers, and of the longest one beyond; 0 for none.
    """

    pre: int
    size: int
    on_core: int
    stages: int
    near: int
    far: int


# --- neurons ---------------------------------------------------------------------------------------------------------


def common(items: int, recordable: int) -> int:
    """Bytes that every core of neurons or synapses takes (get_common_constant_sdram)."""
    recording = WORD + 12 * recordable + 8 * recordable  # header and constant parts
    return SYSTEM + recording + WORD * (PROVENANCE + items) + PROFILE


def neurons(cell: Cell, count: int, currents: Sequence[int]) -> int:
    """Bytes of so many neurons, without what all cores take (get_neuron_constant_sdram).

    Args:
        currents: words of each current source of the population, of which every neuron of the core may have each.
    """
    keys = WORD * (5 + cell.receptors + count)
    parameters = WORD * (1 + cell.words * count)  # twice: as they are, and as they were at t = 0
    index = WORD * -(-count // 2)
    metadata = 2 * WORD + 3 * (3 * WORD + index) + (2 * WORD + index)
    builder = 48 + 16 * cell.structs + 8 * cell.fields + 24 * cell.fields * count
    builder += 2 * WORD + 3 * (4 * WORD + index) + (3 * WORD + index)
    return keys + 2 * parameters + _currents(currents, count) + metadata + builder


def _currents(words: Sequence[int], count: int) -> int:
    """Bytes of injected currents (get_sdram_usage_for_current_source_params)."""
    if not words:
        return WORD
    return WORD * (1 + count + 4 + len(words) * 2 * count + sum(words))


CURRENT_WORDS = {"DCSource": 3, "ACSource": 6, "NoisyCurrentSource": 9}  # get_sdram_usage_in_bytes of each


def step_current_words(entries: int) -> int:
    """Words of a StepCurrentSource of so many entries."""
    return 2 * (entries + 1) + 2


def recorded(probes: Sequence[Probe], count: int) -> Memory:
    """What recording takes on the core that records the most (get_max_variable_sdram_usage)."""
    fixed = of_step = 0.0
    for probe in probes:
        most = int(np.bincount(np.asarray(probe.cells) // count, minlength=1).max()) if len(probe.cells) else 0
        words = -(-most // 32) if probe.variable == "spikes" else most
        bytes_each = WORD * (1 + words) if most else 0
        fixed += RECORD_BLOCK + (bytes_each - bytes_each / probe.interval)
        of_step += bytes_each / probe.interval
    return Memory(math.ceil(fixed), math.ceil(of_step))


# --- synapses --------------------------------------------------------------------------------------------------------


def row_bytes(synapses: int, plasticity: Plasticity | None) -> int:
    """Bytes of a row of so many synapses, its header included; 0 of none (get_max_row_info)."""
    words = row_words(synapses, plasticity)
    return WORD * (words + ROW_HEADER) if words else 0


def row_words(synapses: int, plasticity: Plasticity | None) -> int:
    """Words of a row without its header: one for a synapse, or a half and its plastic part behind the row's past."""
    if not synapses or plasticity is None:
        return synapses
    past = WORD + {"SpikeNearestPairRule": 0, "PfisterSpikeTriplet": 4}.get(plasticity.timing, 2)
    return -(-synapses // 2) + -(-past // WORD) + -(-2 * synapses // WORD)


def learning(plasticity: Plasticity, timestep: float, receptors: int) -> int:
    """Bytes of the rules by which weights change (get_parameters_sdram_usage_in_bytes)."""
    timing = tables_of(plasticity, timestep) + WORD * (plasticity.timing == "Vogels2011Rule")  # alpha
    each = 24 if plasticity.weight == "WeightDependenceAdditiveTriplet" else 16
    return WORD + timing + each * receptors


def matrices(inputs: Sequence[Input]) -> int:
    """Bytes of all rows onto one core (get_synapses_size); as many for each core of a source, the last included."""
    address = 2 * WORD
    for part in inputs:
        cores = -(-part.size // part.on_core)
        for row, stages in ((part.near, 1), (part.far, part.stages)):
            for _ in range(cores if row else 0):
                address = -(-address // ADDRESS) * ADDRESS + part.on_core * row * stages
    return address


def tables(inputs: Sequence[Input], receptors: int, beside: Sequence[int] = ()) -> int:
    """Bytes of what finds and filters rows: population table, expander, bit fields.

    Args:
        beside: sources that send over memory, and have a place in the population table alone.
    """
    edges = {part.pre: part for part in inputs}  # the stages of all projections between two populations are the same
    delayed = sum(part.stages > 0 for part in edges.values())
    population_table = 8 + ENTRY * (len(edges) + delayed) + ADDRESS_ENTRY * sum(1 + (p.stages > 0) for p in inputs)
    for source in beside:
        edges.pop(source, None)
    expander = EXPANDER + 8 * receptors + WORD * (len(edges) + delayed)
    fields = sum(8 + -(-part.size // 32) + -(-part.size * part.stages // 32) for part in edges.values())
    return population_table + expander + WORD * (2 + fields)


def synapse_parameters(receptors: int) -> int:
    """Bytes of the ring buffers' sizes and shifts (get_synapse_params_size)."""
    return WORD * (7 + receptors)


# --- sources and delays ----------------------------------------------------------------------------------------------


def poisson_source(count: int, rate: float, timestep: float, is_recorded: bool) -> Memory:
    """So many Poisson sources, of which the busiest has this rate in Hz (get_sdram_used_by_atoms)."""
    parameters = POISSON_WORDS + count
    rates = (2 + 6) * count
    expander = (3 + 6) * count + 2
    constant = SYSTEM + WORD * (PROVENANCE + 1) + WORD * (parameters + rates + expander) + 24 + PROFILE
    constant += 3 * WORD + 2 * count
    if not is_recorded:
        return Memory(constant)
    of_step = 2 * WORD + WORD * -(-count // 32) * _spikes_at_once(rate * timestep / 1000.0)
    return Memory(constant + of_step * POISSON_RECORDED_STEPS, of_step)


def _spikes_at_once(mean: float) -> int:
    """The most spikes of a Poisson source in a time step, as expected (max_spikes_per_ts)."""
    return 1 if mean < SLOW_RATE else math.ceil(poisson.ppf(0.999, mean)) + 1


def array_source(labels: NDArray[np.int64], is_recorded: bool) -> Memory:
    """A source of given spikes, from the time step of each (get_sdram_usage)."""
    most = int(np.bincount(labels).max()) if len(labels) else 0
    of_step = (MESSAGE_HEADER * -(-most // KEYS_OF_MESSAGE) + WORD * most) * (2 if is_recorded else 1)
    return Memory(SYSTEM + ARRAY_CONFIGURATION + 24 + WORD * PROVENANCE + of_step, of_step)


def delay_extension() -> Memory:
    """A core of a delay extension (get_sdram_used_by_atoms of SplitterDelayVertexSlice)."""
    return Memory(SYSTEM + WORD * DELAY_WORDS + WORD * (PROVENANCE + DELAY_ITEMS))


def transferred(count: int, receptors: int) -> int:
    """Bytes by which a core of synapses hands its sums to one of neurons (get_n_bytes_for_transfer)."""
    return WORD * -(-(2 << bits_for(count)) * receptors // WORD)


PROVENANCE_ITEMS: Mapping[str, int] = {"both": 22, "neurons": 5, "synapses": 24}  # ctypes structures *Provenance
