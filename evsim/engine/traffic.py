"""The synapses of a simulation as they are laid out, and the spikes that are under way over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.deploy.gap_junctions import coupling_projections
from evsim.engine.build import build_rows
from evsim.engine.changes import rescale_charges
from evsim.engine.changing import ChangingSynapses
from evsim.engine.division import Division
from evsim.engine.feeds import fed, feeds_of, settle_feed
from evsim.engine.memory import Layout
from evsim.engine.off_grid import OffGrid
from evsim.engine.plastic_carry import Arrival, queue_again, take_arrivals
from evsim.engine.queue import Calendar, empty_calendar, grown, has_summed, slots_for
from evsim.engine.rows import PLASTIC
from evsim.engine.senders import Senders
from evsim.engine.settle import lengthened, settled
from evsim.engine.structural_lanes import with_structural
from evsim.sources import Source


class Traffic:
    """What spikes go over, and what of them is still to arrive.

    Args:
        senders: whose spikes they are; they are told which of them are counted as noise.
        n_inputs: the length of ``Memory.inputs``.
        step: the present one, from which on it is used.

    Attributes:
        off_grid: what arrives between time steps.
        rows: the synapses by whose rows spikes are queued.
        changing: those of them that change.
        feeds: the noise that is drawn when it is due.
        charges: (slots, inputs) ring of what is due as sums; (slots, 0) where nothing is.
        calendars: of each thread of this process, the rows that are due.
    """

    def __init__(
        self,
        chip_network: ChipNetwork,
        layout: Layout,
        senders: Senders,
        division: Division,
        n_inputs: int,
        step: int,
    ) -> None:
        self._net, self._layout, self._division, self._n_inputs = chip_network, layout, division, n_inputs
        owners = division.owners(layout.n_slices)
        self._stretches = fed(chip_network, senders.sources)
        self.off_grid = OffGrid(chip_network, layout, owners, step or -1)  # a spike at t = 0 is still to be sent
        elsewhere = {*(stretch.projection for stretch in self._stretches), *self.off_grid.projections}
        fixed = build_rows(chip_network, layout, [*coupling_projections(chip_network.network), *elsewhere])
        self.rows = with_structural(fixed, chip_network, layout)
        self.changing = ChangingSynapses(chip_network, layout, self.rows, owners, step)
        # spikes up to now are no business of these feeds: what is under way of them has been settled
        self.feeds = feeds_of(chip_network, layout, self._stretches, senders.sources, step + 1)
        senders.feed(elsewhere)
        delays = self.rows.most_delay, self.off_grid.most_delay, *(stretch.delay for stretch in self._stretches)
        inputs = n_inputs if has_summed(self.rows) else 0
        self.charges = np.zeros((slots_for(max(delays)), inputs), chip_network.chip.rules.number)
        self.calendars = [self._empty_calendar() for _ in owners]

    def _empty_calendar(self) -> Calendar:
        return empty_calendar(len(self.rows.kind), len(self.charges))

    def grow(self, thread: int) -> None:
        """Give the calendar of a thread twice the room."""
        self.calendars[thread] = grown(self.calendars[thread])

    def follow(self, past: Traffic, sources: Mapping[int, Source], due: int, step: int) -> None:
        """Take over what is under way over the synapses before, with the weights that these had.

        Args:
            past: of no use afterwards.
            sources: those of the noise until now.
            due: the first label whose input is still to come.
        """
        old = past._net
        under_way = past.changing.under_way(past.calendars, step)
        charges = settled(past.rows, past.calendars, past.charges, self._n_inputs)
        past.changing.settle(under_way, charges)
        past.off_grid.settle(step, charges)
        for stretch in past._stretches:
            settle_feed(old, self._layout, stretch, sources, (due, step), charges)
        arrivals = self.changing.carry(past.changing, under_way, charges, step)
        self.charges = lengthened(charges, len(self.charges), step, has_summed(self.rows))
        self.calendars = [self._empty_calendar() for _ in self.calendars]
        self._queue_again(arrivals)
        rescale_charges(old, self._net, self._layout, self.charges)

    def arrivals(self, step: int) -> list[Arrival]:
        """What is under way over plastic synapses, which stays so."""
        arrivals = take_arrivals(self.rows, PLASTIC, self.calendars, step)
        self._queue_again(arrivals)
        return arrivals

    def _queue_again(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            thread = self._division.thread_of(int(self.rows.slice[arrival.lane]))
            self.calendars[thread] = queue_again(arrival, self.calendars[thread])
