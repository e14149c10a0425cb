"""``evsim models`` and ``evsim chips``: what exists, and who supports what."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import Any

from evsim import registry
from evsim.chip import chip_names, load_chip
from evsim.commands.options import add_json, table, write_json
from evsim.model import Model, NeuronModel, SourceModel, in_rules
from evsim.rulesets import RULE_SETS

WIDTH = 110  # characters of a line of text


def add_models(commands) -> None:
    """Describe ``evsim models``."""
    text = "List the models, and the rule sets and backends that have each."
    parser = commands.add_parser("models", help="list the models and who supports them", description=text)
    add_json(parser, "the list")
    parser.set_defaults(command=models)


def add_chips(commands) -> None:
    """Describe ``evsim chips``."""
    text = "List the chips, with their limits and the source of each number."
    parser = commands.add_parser("chips", help="list the chips and their limits", description=text)
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
    found = {name: _model_data(model) for name, model in sorted(registry.models().items(), key=_by_kind)}
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
    """Print the chips, or write them to a file."""
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
            print(f"  {limit} = {number['value']:g} {number['unit']}")
            print(textwrap.fill(number["source"], WIDTH, initial_indent="      ", subsequent_indent="      "))
        print()


def chip_data() -> dict[str, Any]:
    """Chips as plain data."""
    found = {}
    for name in chip_names():
        chip = load_chip(name)
        found[name] = {
            "title": chip.title,
            "rules": chip.rules.name,
            "arithmetic": chip.rules.title,
            "limits": {
                key: {"value": limit.value, "unit": limit.unit, "source": limit.source}
                for key, limit in chip.limits.items()
            },
        }
    return {"chips": found}
