"""``evsim models`` and ``evsim chips``: what exists, and who supports what."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evsim import registry
from evsim.chip import COSTS, Chip, hardware_names, load_hardware
from evsim.commands.options import add_json, table, write_json
from evsim.model import Model, NeuronModel, SourceModel, in_rules
from evsim.rulesets import RULE_SETS

WIDTH = 110  # characters of a line of text
PREFIXES = ("", "m", "µ", "n", "p", "f")  # of units, for a thousandth each


def add_models(commands) -> None:
    """Describe ``evsim models``."""
    text = "List the models, and the rule sets and backends that have each."
    parser = commands.add_parser("models", help="list the models and who supports them", description=text)
    add_json(parser, "the list")
    parser.set_defaults(command=models)


def add_chips(commands) -> None:
    """Describe ``evsim chips``."""
    text = "List the chips and what else networks are computed on: limits, costs, and the source of each number."
    parser = commands.add_parser("chips", help="list the chips, their limits and what they cost", description=text)
    add_json(parser, "the list")
    parser.set_defaults(command=chips)


# --- models ----------------------------------------------------------------------------------------------------------


def models(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Print the models, or write them to a file."""
    data = model_data()
    if options.json:
        write_json(data, options.json)
        return
    backends = list(data["backends"])
    rows = [["model", "kind", *RULE_SETS, *backends]]
    for name, model in data["models"].items():
        support = [model["rules"][rules] for rules in RULE_SETS] + [model["backends"][backend] for backend in backends]
        rows.append([name, model["kind"], *("yes" if has else "-" for has in support)])
    print(table(rows))
    print()
    for name, backend in data["backends"].items():
        chips = ", ".join(backend["chips"])
        print(f"{name}: {backend['summary']}; computes as {chips}")


def model_data() -> dict[str, Any]:
    """Models and backends as plain data."""
    backends = {name: _backend_data(name) for name in registry.backend_names()}
    listed = {**registry.models(), **registry.examples()}
    found = {name: _model_data(model) for name, model in sorted(listed.items(), key=_by_kind)}
    return {"models": found, "backends": backends}


def _backend_data(name: str) -> dict[str, Any]:
    backend = registry.backend(name)
    return {"summary": backend.summary, "chips": list(backend.chips())}


def _model_data(model: Model) -> dict[str, Any]:
    rules = {name: in_rules(model, name) for name in RULE_SETS}
    supported = {name: registry.backend(name).has(model) for name in registry.backend_names()}
    data: dict[str, Any] = {"kind": _kind(model), "rules": rules, "backends": supported}
    if isinstance(model, NeuronModel):
        data |= {"parameters": dict(model.parameters), "recordables": dict(model.recordables)}
        data["recordables_in"] = {
            name: model.recordables_in(name) for name in model.rules if model.rules[name].recordables
        }
        data |= {"weight_unit": model.weight_unit, "receptors": list(model.receptors)}
    elif isinstance(model, SourceModel):
        data |= {"parameters": dict(model.parameters)}
    return data


def _kind(model: Model) -> str:
    if isinstance(model, NeuronModel):
        return "neuron"
    return "source" if isinstance(model, SourceModel) else "synapse"


def _by_kind(entry: tuple[str, Model]) -> tuple[int, str]:
    return ["neuron", "source", "synapse"].index(_kind(entry[1])), entry[0]


# --- chips -----------------------------------------------------------------------------------------------------------


def chips(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Print the chips and other hardware, or write them to a file."""
    data = chip_data()
    if options.json:
        write_json(data, options.json)
        return
    for name, chip in data["chips"].items():
        print(f"{name}: {chip['title']}")
        print(f"  arithmetic: {chip['rules']} ({chip['arithmetic']})")
        if not chip["limits"]:
            print("  limits: none of its own")
        for limit, number in chip["limits"].items():
            _print_number(limit, number)
        _print_costs(chip)
    for name, hardware in data["other"].items():
        print(f"{name}: {hardware['title']}")
        print("  arithmetic: none here; its costs are known for comparisons")
        _print_costs(hardware)


def _print_costs(hardware: Mapping[str, Any]) -> None:
    for kind in COSTS:
        if not hardware[kind]:
            print(f"  {kind}: unknown")
        for key, numbers in hardware[kind].items():
            for number in numbers:
                _print_number(f"{kind} of {key}", _prefixed(number))
    print()


def _prefixed(number: Mapping[str, Any]) -> dict[str, Any]:
    """A number with such a prefix of its unit that it is at least 1."""
    step = next((step for step in range(len(PREFIXES)) if number["value"] * 1000.0**step >= 1.0), 0)
    return {**number, "value": number["value"] * 1000.0**step, "unit": PREFIXES[step] + number["unit"]}


def _print_number(name: str, number: Mapping[str, Any]) -> None:
    print(f"  {name} = {number['value']:.10g} {number['unit']}")
    print(textwrap.fill(number["source"], WIDTH, initial_indent="      ", subsequent_indent="      "))


def chip_data() -> dict[str, Any]:
    """Chips and other hardware as plain data."""
    found: dict[str, Any] = {"chips": {}, "other": {}}
    for name in hardware_names():
        hardware = load_hardware(name)
        data: dict[str, Any] = {"title": hardware.title}
        if isinstance(hardware, Chip):
            data |= {"rules": hardware.rules.name, "arithmetic": hardware.rules.title}
            data["limits"] = {key: asdict(limit) for key, limit in hardware.limits.items()}
        for kind in COSTS:
            costs = getattr(hardware, kind)
            data[kind] = {key: [asdict(number) for number in numbers] for key, numbers in costs.items()}
        found["chips" if isinstance(hardware, Chip) else "other"][name] = data
    return found
