"""Hardware as data: what it costs and, of a chip, its limits; each number with its source, read from one TOML file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from evsim import shipped
from evsim.errors import EvsimError, UnknownNameError
from evsim.rulesets import RULE_SETS, RuleSet, rule_set

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Number:
    """A number of the hardware, with where it comes from."""

    value: float
    unit: str
    source: str


COSTS = {"energy": "J", "power": "W", "time": "s"}  # the tables of costs in a file, and the unit of their numbers

Costs = Mapping[str, tuple[Number, ...]]


@dataclass(frozen=True)
class Hardware:
    """What spiking or other networks can be computed on.

    What a thing costs has as many numbers as there are sources that give one, since they disagree; a thing that no
    source gives is absent, which means unknown.

    Attributes:
        name: what the user calls it; the file's name.
        energy: event -> what one costs (J).
        power: part -> what it draws as long as it is on (W).
        time: event -> how long one takes (s).
    """

    name: str
    title: str
    energy: Costs = field(default_factory=dict, kw_only=True)
    power: Costs = field(default_factory=dict, kw_only=True)
    time: Costs = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class Chip(Hardware):
    """A chip that networks can be run as.

    Attributes:
        rules: how it computes.
        limits: name -> number; a limit that no source gives is absent, which means unknown.
    """

    rules: RuleSet
    limits: Mapping[str, Number]

    def limit(self, name: str) -> float | None:
        """The value of a limit, or None where it is unknown or there is none."""
        return self.limits[name].value if name in self.limits else None


def hardware_names() -> list[str]:
    """All hardware: the chips in the order of the rule sets, then what has costs only."""
    names = [path.stem for path in shipped.folder("hardware").glob("*.toml")]
    order = list(RULE_SETS)
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


@cache
def chip_names() -> list[str]:
    """The chips that networks can be run as, the rule set ``ideal`` among them, in the order of the rule sets."""
    return [name for name in hardware_names() if isinstance(load_hardware(name), Chip)]


def load_hardware(name: str) -> Hardware:
    """Read what is known of a chip or of other hardware.

    Raises:
        UnknownNameError: there is none of that name.
        EvsimError: its file has a number without a source.
    """
    path = shipped.folder("hardware") / f"{name}.toml"
    if not path.is_file():
        raise UnknownNameError("hardware", name, hardware_names())
    return read_hardware(path)


def load_chip(name: str) -> Chip:
    """Read a chip's file.

    Raises:
        UnknownNameError: there is no such chip.
        EvsimError: its file has a number without a source.
    """
    if name not in chip_names():
        raise UnknownNameError("chip", name, chip_names())
    return read_chip(shipped.folder("hardware") / f"{name}.toml")


def read_chip(path: Path) -> Chip:
    """Read a chip from a file of the user's own; raises as ``load_chip`` does."""
    if isinstance(found := read_hardware(path), Chip):
        return found
    raise EvsimError(f"{path.name}: no network can be run as {found.title}; a chip's file names its rules")


def read_hardware(path: Path) -> Hardware:
    """Read hardware from a file of the user's own; raises as ``load_hardware`` does.

    Limits and costs that the file does not give are those of the hardware that it names as its ``base``, if it does.
    """
    with path.open("rb") as file:
        data = tomllib.load(file)
    base = load_hardware(data["base"]) if "base" in data else None
    costs = {}
    for table, unit in COSTS.items():
        costs[table] = dict(getattr(base, table)) if base else {}
        for key, entries in data.get(table, {}).items():
            costs[table][key] = tuple(_number(entry, f"{path.name}: {table} {key!r}", unit) for entry in entries)
    if "rules" not in data:
        return Hardware(path.stem, data["title"], **costs)
    limits = dict(base.limits) if isinstance(base, Chip) else {}
    for key, entry in data.get("limits", {}).items():
        limits[key] = _number(entry, f"{path.name}: limit {key!r}")
    return Chip(path.stem, data["title"], rule_set(data["rules"]), limits, **costs)


def _number(entry: Mapping[str, Any], where: str, unit: str | None = None) -> Number:
    entry = {"unit": unit, **entry} if unit else entry
    if missing := [part for part in ("value", "unit", "source") if not str(entry.get(part, "")).strip()]:
        raise EvsimError(f"{where} lacks its {' and '.join(missing)}; every number needs a source")
    if unit and (entry["unit"] != unit or not entry["value"] >= 0):
        raise EvsimError(f"{where} is {entry['value']} {entry['unit']}; a cost is a number of {unit}, at least 0")
    return Number(entry["value"], entry["unit"], entry["source"])
