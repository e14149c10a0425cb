"""A chip as data: its limits, each with the source of the number, read from one TOML file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evsim import shipped
from evsim.errors import EvsimError, UnknownNameError
from evsim.rulesets import RULE_SETS, RuleSet, rule_set

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Limit:
    """A number of the chip, with where it comes from."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class Chip:
    """A chip that networks can be run as.

    Attributes:
        name: what the user calls it; the file's name.
        rules: how it computes.
        limits: name -> number; a limit that no source gives is absent, which means unknown.
    """

    name: str
    title: str
    rules: RuleSet
    limits: Mapping[str, Limit]

    def limit(self, name: str) -> float | None:
        """The value of a limit, or None where it is unknown or there is none."""
        return self.limits[name].value if name in self.limits else None


def chip_names() -> list[str]:
    """The chips that exist, the rule set ``ideal`` among them, in the order of the rule sets."""
    names = [path.stem for path in shipped.folder("hardware").glob("*.toml")]
    order = list(RULE_SETS)
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def load_chip(name: str) -> Chip:
    """Read a chip's file.

    Raises:
        UnknownNameError: there is no such chip.
        EvsimError: its file has a number without a source.
    """
    path = shipped.folder("hardware") / f"{name}.toml"
    if not path.is_file():
        raise UnknownNameError("chip", name, chip_names())
    return read_chip(path)


def read_chip(path: Path) -> Chip:
    """Read a chip from a file of the user's own; raises as ``load_chip`` does.

    Limits that the file does not give are those of the chip that it names as its ``base``, if it names one.
    """
    with path.open("rb") as file:
        data = tomllib.load(file)
    limits = dict(load_chip(data["base"]).limits) if "base" in data else {}
    for key, entry in data.get("limits", {}).items():
        if missing := [field for field in ("value", "unit", "source") if not str(entry.get(field, "")).strip()]:
            raise EvsimError(
                f"{path.name}: limit {key!r} lacks its {' and '.join(missing)}; every number needs a source"
            )
        limits[key] = Limit(entry["value"], entry["unit"], entry["source"])
    return Chip(path.stem, data["title"], rule_set(data["rules"]), limits)
