"""Synapses that come and go while a network runs: structural plasticity, as sPyNNaker 7.4.1 has it.

Every neuron of a population has ``s_max`` places for synapses of the projections of this kind that lead to it, which
all share them. ``f_rew`` times in a second one place of one neuron of the population is looked at, both drawn. If there
is a synapse, it is removed with the probability ``prob_elim_depressed`` where the magnitude of its weight is below the
threshold, and else with ``prob_elim_potentiated``. If the place is free, a partner is drawn: any cell of any of these
projections' sources, or one of those that spiked (``LAST``). Then a synapse is made with the probability

    p_form * exp(-distance^2 / (2 * sigma_form^2))

with the numbers for lateral synapses where a population projects onto itself, and those for forward ones else. The
distance is that of both cells on a grid whose edges meet; cell i is at (i div its first side, i mod its second).

What is drawn is a function of the seed, the population and the time label alone (``evsim.random_bits``). At a time
label, places are looked at before the spikes of that label are sent: a spike goes over the synapses that are there when
it is sent, and arrives also where its synapse is removed before that. Source: S. Bogdan, Rowley, Rhodes and Furber
2018, "Structural plasticity on the SpiNNaker many-core neuromorphic system", Front. Neurosci. 12:434, and sPyNNaker's
``topographic_map_impl.c``, ``formation_distance_dependent_impl.h``, ``last_neuron_selection_impl.h``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

RANDOM, LAST = "RandomSelection", "LastNeuronSelection"
FORMATION, ELIMINATION = "DistanceDependentFormation", "RandomByWeightElimination"
S_MOST = 1 << 12  # places of a neuron
BUFFER_MOST = 1 << 20  # spikes
LOOKS_MOST = 1e6  # at places, in a time step


@dataclass(frozen=True)
class Structure:
    """How the synapses of a projection come and go.

    Attributes:
        f_rew: how often a place is looked at, Hz; with ``s_max``, ``selection`` and ``buffer`` the same for all such
            projections onto a population.
        s_max: the places of a neuron.
        selection: how a partner is chosen: ``RANDOM``; or ``LAST``, among the latest spikes at time labels as even or
            as odd as the label before this one, which are those of the label before it if there were any.
        buffer: how many spikes of one label ``LAST`` chooses from; those of a label beyond that are not chosen.
        grid: the sides of the grid.
        p_form_forward, p_form_lateral: probabilities at distance 0.
        sigma_form_forward, sigma_form_lateral: in the unit of the grid.
        threshold: a magnitude, in the unit of the weight.
        prob_elim_depressed, prob_elim_potentiated: probabilities.
        initial_weight: of a synapse that is made, as it is in the network; in the unit of the weight.
        initial_delay: of a synapse that is made, time steps: drawn from the first number on to below the second one;
            the first, where they are equal.
        with_replacement: whether a synapse may be made where this projection already has one of the same two cells.
        seed: of what is drawn for the population; None for that of the network. The first projection's counts.
    """

    f_rew: float
    s_max: int
    selection: str
    buffer: int
    grid: tuple[int, int]
    p_form_forward: float
    sigma_form_forward: float
    p_form_lateral: float
    sigma_form_lateral: float
    threshold: float
    prob_elim_depressed: float
    prob_elim_potentiated: float
    initial_weight: float
    initial_delay: tuple[int, int]
    with_replacement: bool = True
    seed: int | None = None

    @property
    def shared(self) -> tuple[float, int, str, int]:
        """What all such projections onto a population must agree on."""
        return self.f_rew, self.s_max, self.selection, self.buffer

    @property
    def longest_delay(self) -> int:
        """Of a synapse that is made, time steps."""
        return max(self.initial_delay[1] - 1, self.initial_delay[0])

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the numbers, and what they must be."""
        if not (math.isfinite(self.f_rew) and self.f_rew > 0):
            yield f"f_rew is {self.f_rew:g} Hz", "it must be finite and above 0"
        if not 1 <= self.s_max <= S_MOST:
            yield f"s_max is {self.s_max}", f"it must be from 1 to {S_MOST}"
        if self.selection not in (RANDOM, LAST):
            yield f"the partner selection {self.selection}", f"there are {RANDOM} and {LAST}"
        if not 1 <= self.buffer <= BUFFER_MOST:
            yield f"spike_buffer_size is {self.buffer}", f"it must be from 1 to {BUFFER_MOST}"
        if len(self.grid) != 2 or min(self.grid) < 1:
            yield f"grid is {self.grid}", "it must be two whole numbers of at least 1"
        for name in ("p_form_forward", "p_form_lateral", "prob_elim_depressed", "prob_elim_potentiated"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                yield f"{name} is {value:g}", "it must be from 0 to 1"
        for name in ("sigma_form_forward", "sigma_form_lateral"):
            if not (math.isfinite(value := getattr(self, name)) and value > 0):
                yield f"{name} is {value:g}", "it must be finite and above 0"
        for name in ("threshold", "initial_weight"):
            if not math.isfinite(value := getattr(self, name)):
                yield f"{name} is {value:g}", "it must be finite"
        least, most = self.initial_delay
        if not 1 <= least <= most:
            yield f"initial_delay is from {least} to {most} time steps", "it must ascend, from 1 time step on"
