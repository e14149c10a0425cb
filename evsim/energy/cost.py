"""What an activity costs on hardware: each count times every number that a source gives, so as a range.

Sources disagree, by factors of two and more, and none of them prices everything. So a part has a least and a most, what
nobody prices is unknown and never 0, and what no chip's numbers can hold is said beside it.

SpiNNaker's own tools (``compute_energy_used.py`` of spinn_front_end_common 7.4.1) know no price of an event: a chip
draws its idle power, a core that computes draws more, and a packet costs energy in each router. Others give prices of
events on the same chip. These are two accounts of the same energy, which must not be added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from evsim.chip import Hardware, Number
from evsim.energy.activity import Activity
from evsim.energy.parts import (
    BY_CORES,
    BY_EVENTS,
    BY_TIME,
    DENSE,
    Account,
    Energy,
    Item,
    Part,
    Placement,
    Range,
    added,
    exactly,
)
from evsim.errors import EvsimError


def summed(energies: Sequence[Energy]) -> Energy:
    """What several networks cost that ran one after the other on the same hardware; at least one."""
    accounts = []
    for account in energies[0].accounts:
        items: dict[str, dict[tuple, list[Item]]] = {}
        for part in (part for other in energies for part in other.account(account.name).parts):
            for item in part.items:
                items.setdefault(part.name, {}).setdefault((item.what, item.costs), []).append(item)
        parts = (Part(name, tuple(_one(same) for same in found.values())) for name, found in items.items())
        accounts.append(Account(account.name, tuple(parts)))
    left_out = dict.fromkeys(text for other in energies for text in other.left_out)
    assumed = dict.fromkeys(text for other in energies for text in other.assumed)
    seconds = sum(other.seconds for other in energies)
    last = energies[-1].placement
    return Energy(energies[0].hardware, tuple(accounts), seconds, tuple(left_out), tuple(assumed), last)


def _one(items: Sequence[Item]) -> Item:
    """An item of the counts of several; one that is unknown makes the sum unknown."""
    counts = [item.count for item in items]
    return replace(items[0], count=None if None in counts else added(counts))


def has_costs(hardware: Hardware) -> bool:
    """Whether a source says what anything takes of energy on it."""
    return bool(hardware.energy or hardware.power)


def energy(
    activity: Activity, hardware: Hardware, placement: Placement | None = None, seconds: float | None = None
) -> Energy:
    """What an activity costs on hardware.

    Args:
        placement: cores, chips and packets there; if not given, all that depends on them is unknown.
        seconds: how long it is on; the network's own time if not given.

    Raises:
        EvsimError: no source says what anything costs on it, or ``seconds`` is negative or not finite.
    """
    if not has_costs(hardware):
        raise EvsimError(
            f"no source says what anything costs on {hardware.name} ({hardware.title}), so its energy is unknown; "
            "leave it out, or write the numbers with their sources into its file"
        )
    seconds = activity.duration / 1000.0 if seconds is None else seconds
    if not 0.0 <= seconds < float("inf"):
        raise EvsimError(f"the hardware is on for {seconds} s; it must be a finite time of at least 0 s")
    placement = placement or Placement()
    ledger = _Ledger(activity, hardware, placement, seconds)
    left_out = *ledger.left_out(), *placement.left_out
    return Energy(hardware, tuple(ledger.accounts()), seconds, left_out, placement.assumed, placement)


class _Ledger:
    """Prices an activity on one piece of hardware."""

    def __init__(self, activity: Activity, hardware: Hardware, placement: Placement, seconds: float) -> None:
        self._activity, self._hardware = activity, hardware
        self._placement, self._seconds = placement, seconds

    def accounts(self) -> Iterator[Account]:
        """Every way to add up for which the hardware has numbers."""
        if "active_core" in self._hardware.power:
            yield Account(BY_CORES, (self._cores(), self._communication(), self._idle()))
        if {"synaptic_event", "neuron_update"} & set(self._hardware.energy):
            parts = (self._synapses(), self._learning(), self._neurons(), self._communication(), self._idle())
            yield Account(BY_EVENTS, tuple(part for part in parts if part.items))
        if "multiply_accumulate" in self._hardware.energy:
            yield Account(DENSE, (self._dense(),))
        if "machine" in self._hardware.power:
            item = self._item("time of the machine (s)", exactly(self._seconds), "power.machine")
            yield Account(BY_TIME, (Part("idle", (item,)),))

    def left_out(self) -> Iterator[str]:
        """What is in no account."""
        if "multiply_accumulate" in self._hardware.energy:
            yield "memory, all else that is on, and idle time: its source prices a multiply-accumulate alone"
            return
        yield "the host, input and output, loading, and the power supply"
        if "board_of_48_chips" in self._hardware.power and not self._placement.boards:
            watts = self._hardware.power["board_of_48_chips"][0].value
            yield f"chips that the network leaves idle, and all else of a board: an idle board takes {watts:g} W"

    # --- parts -------------------------------------------------------------------------------------------------------

    def _synapses(self) -> Part:
        return Part("synapses", (self._item("synaptic events", self._activity.events, "energy.synaptic_event"),))

    def _learning(self) -> Part:
        updates = self._activity.weight_updates
        if updates == 0:
            return Part("learning", ())
        return Part("learning", (self._item("updates of weights", updates, "energy.weight_update"),))

    def _neurons(self) -> Part:
        activity = self._activity
        if "inactive_neuron_update" not in self._hardware.energy:
            return Part("neurons", (self._item("updates of neurons", activity.updates, "energy.neuron_update"),))
        return Part("neurons", (*self._updates(), *self._spikes()))

    def _updates(self) -> Iterator[Item]:
        activity = self._activity
        active, both = activity.active, ("energy.neuron_update", "energy.inactive_neuron_update")
        if active is not None:
            yield self._item("updates of active neurons", active, both[0])
            yield self._item("updates of inactive neurons", activity.updates - active, both[1])
        else:
            yield self._item("updates of neurons, active or not", activity.updates, *both)

    def _spikes(self) -> Iterator[Item]:
        if numbers := self._numbers("energy.spike"):
            # Only SANA-FE has a price of its own for it; the others' is within that of an update.
            yield Item("spikes", ("energy.spike",), _range(self._activity.spikes), numbers, included=True)

    def _communication(self) -> Part:
        place, energies = self._placement, self._hardware.energy
        if "packet" in energies:
            return Part("communication", (self._item("passes of packets", place.packets, "energy.packet"),))
        names = tuple(f"energy.{name}" for name in ("spike_within_tile", "message") if name in energies)
        if not names:
            return Part("communication", (self._item("packets", self._activity.packets, "energy.packet"),))
        hops = (
            self._item("hops east or west", place.hops_east_west, "energy.hop_east_west"),
            self._item("hops north or south", place.hops_north_south, "energy.hop_north_south"),
        )
        return Part("communication", (self._item("messages to cores", place.packets, *names), *hops))

    def _dense(self) -> Part:
        """keras-spiking's way with hardware that is not event-driven: each weight and neuron in each time step."""
        operations = self._activity.dense + self._activity.updates
        return Part(
            "multiply-accumulates",
            (self._item("weights and neurons, in each time step", operations, "energy.multiply_accumulate"),),
        )

    def _cores(self) -> Part:
        return Part("cores", (self._timed("time of active cores (s)", self._placement.cores, "power.active_core"),))

    def _idle(self) -> Part:
        if self._placement.boards:
            item = self._timed("time of boards (s)", self._placement.boards, "power.board_of_48_chips")
        else:
            item = self._timed("time of chips (s)", self._placement.chips, "power.chip")
        return Part("idle", (item,))

    # --- items -------------------------------------------------------------------------------------------------------

    def _timed(self, what: str, units: int | None, cost: str) -> Item:
        return self._item(what, None if units is None else exactly(units * self._seconds), cost)

    def _item(self, what: str, count: Range | float | None, *costs: str) -> Item:
        return Item(what, costs, _range(count), tuple(number for cost in costs for number in self._numbers(cost)))

    def _numbers(self, cost: str) -> tuple[Number, ...]:
        table, name = cost.split(".")
        return getattr(self._hardware, table).get(name, ())


def _range(count: Range | float | None) -> Range | None:
    return count if count is None or isinstance(count, Range) else exactly(count)
