"""The parts of an energy: counts times prices, each a range, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from evsim.chip import Hardware, Number
from evsim.errors import UnknownNameError

BY_EVENTS, BY_CORES, DENSE, BY_TIME = "by events", "by active cores", "as a dense network", "by time"
PARTS = ("synapses", "learning", "neurons", "multiply-accumulates", "communication", "cores", "idle")


class Range(NamedTuple):
    """From the least to the most that can be (counts, or J)."""

    low: float
    high: float


@dataclass(frozen=True)
class Item:
    """One count with every source that says what one costs.

    Attributes:
        what: what is counted, for users: ``"synaptic events"``.
        costs: table and names in the hardware's file: ``"energy.synaptic_event"``.
        count: as a range where it is not known exactly; of a power, units times seconds. None where it is unknown.
        numbers: one for each source; empty where no source says what it costs.
        included: whether some source has it within the price of something else, so that it may cost nothing more.
    """

    what: str
    costs: tuple[str, ...]
    count: Range | None
    numbers: tuple[Number, ...]
    included: bool = False

    @property
    def joules(self) -> Range | None:
        """Count times cost (J); None where one of them is unknown."""
        if self.count is None or not self.numbers:
            return Range(0.0, 0.0) if self.count == (0, 0) else None
        values = [number.value for number in self.numbers]
        return Range(0.0 if self.included else self.count.low * min(values), self.count.high * max(values))


@dataclass(frozen=True)
class Part:
    """One component of the energy, one of ``PARTS``."""

    name: str
    items: tuple[Item, ...]

    @property
    def joules(self) -> Range | None:
        """The sum of its known items (J); None where none is known."""
        return added(item.joules for item in self.items)

    @property
    def unknown(self) -> tuple[Item, ...]:
        """The items whose number or price is not known."""
        return tuple(item for item in self.items if item.joules is None)


@dataclass(frozen=True)
class Account:
    """One way to add up what hardware takes: ``BY_EVENTS``, ``BY_CORES``, ``DENSE`` or ``BY_TIME``."""

    name: str
    parts: tuple[Part, ...]

    @property
    def joules(self) -> Range:
        """The sum of what is known of its parts (J)."""
        return added(part.joules for part in self.parts) or Range(0.0, 0.0)

    @property
    def dynamic(self) -> Range:
        """The sum of what is known of its parts without what is on and idle (J)."""
        return added(part.joules for part in self.parts if part.name != "idle") or Range(0.0, 0.0)

    @property
    def unknown(self) -> tuple[Item, ...]:
        """The items of which it is not known what they cost; the sum is without them."""
        return tuple(item for part in self.parts for item in part.unknown)

    def part(self, name: str) -> Range | None:
        """What a part takes (J); None where it is unknown or not in this account."""
        return next((part.joules for part in self.parts if part.name == name), None)


@dataclass(frozen=True)
class Energy:
    """What an activity costs on one piece of hardware.

    Attributes:
        accounts: at least one; ways to add up, which must not be added.
        seconds: how long it is on.
        left_out: what is in no account.
        assumed: what was taken for granted.
        placement: of the network that ran last.
    """

    hardware: Hardware
    accounts: tuple[Account, ...]
    seconds: float
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    placement: Placement = field(default_factory=lambda: Placement())

    @property
    def joules(self) -> Range:
        """From the least to the most of all accounts (J)."""
        ranges = [account.joules for account in self.accounts]
        return Range(min(r.low for r in ranges), max(r.high for r in ranges))

    def account(self, name: str) -> Account:
        """The account of that name; raises UnknownNameError if this hardware has no such account."""
        for account in self.accounts:
            if account.name == name:
                return account
        raise UnknownNameError(f"account of {self.hardware.name}", name, [account.name for account in self.accounts])


class Mesh(NamedTuple):
    """How the cores of a chip lie, for a picture: tiles of so many cores, in columns and rows."""

    cores_of_tile: int
    columns: int
    rows: int


@dataclass(frozen=True)
class Placement:
    """Where a network lies on hardware, as far as energy asks.

    Attributes:
        cores: that compute; None where that is unknown.
        chips: that are on; None likewise.
        boards: whole boards of 48 chips that are on, in the place of chips alone; 0 for none.
        packets: passes of a packet through a router of a chip (SpiNNaker), or messages to a core (Loihi).
        hops_east_west, hops_north_south: tiles that messages cross (Loihi).
        left_out: what of the network is not counted here.
        assumed: what was taken for granted.
        order: labels of the populations with their numbers of cores, in the order in which they take cores.
        mesh: how the cores of each chip lie; None where that is unknown.
    """

    cores: int | None = None
    chips: int | None = None
    boards: int = 0
    packets: Range | None = None
    hops_east_west: Range | None = None
    hops_north_south: Range | None = None
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    order: tuple[tuple[str, int], ...] = ()
    mesh: Mesh | None = None


def exactly(count: float) -> Range:
    """A count that is known."""
    return Range(count, count)


def added(ranges: Iterable[Range | None]) -> Range | None:
    """The sum of the ranges that are known; None where none is."""
    known = [found for found in ranges if found is not None]
    return Range(sum(r.low for r in known), sum(r.high for r in known)) if known else None
