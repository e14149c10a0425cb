"""An ANN held against a PyNN script, whatever network that is, by what both do and take for an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evsim.ann.compare import dense_joules
from evsim.ann.costs import ann_activity
from evsim.ann.digits import Task
from evsim.ann.layers import Ann, accuracy
from evsim.ann.report import PAGE
from evsim.chip import Hardware
from evsim.energy.sections import joules
from evsim.results.html import Html, number, paragraph, table, tag
from evsim.results.page import document

Data = Mapping[str, Any]


def held_against(ann: Ann, task: Task, data: Data, images: int, asked: Sequence[Hardware]) -> dict[str, Any]:
    """The counts and energies of an image, of the ANN and of each target of the script.

    Args:
        data: what ``energy.json`` holds of the script, which showed so many ``images``.
    """
    inputs = ann.inputs(task.test)
    activity = ann_activity(ann, inputs)
    macs = activity.dense / len(inputs)
    runs = []
    for run in data["runs"]:
        operations = (run["activity"]["accumulates"] or 0) / images
        runs.append(
            {
                "target": run["target"],
                "operations": operations,
                "per_mac": operations / macs,
                "spikes": (run["activity"]["spikes"] or 0) / images,
            }
        )
    energies = [
        {
            "hardware": entry["hardware"],
            "account": account["name"],
            "joules": [found / images for found in account["joules"]],
            "unknown": account["unknown"],
        }
        for entry in data["energies"]
        for account in entry["accounts"]
    ]
    return {
        "name": ann.name,
        "accuracy": accuracy(ann.choose(ann.outputs(inputs)), task.labels),
        "macs": macs,
        "effective_macs": (activity.multiply_accumulates or 0) / len(inputs),
        "joules": {name: list(found) for name, found in dense_joules(activity, asked).items()},
        "runs": runs,
        "energies": energies,
    }


def write_beside(folder: Path, data: Data) -> Path:
    """Write the page; ``data`` is what ``ann.json`` holds. Returns its path."""
    body = [
        tag(
            "header",
            tag("h1", f"{data['script'].rsplit('/', 1)[-1]} beside an ANN"),
            paragraph(
                f"Counts and energies of an image, of {data['images']:,} that the script shows. Energies are counts "
                "times every number that a source gives, so ranges over sources and no measurements.",
                kind="lead",
            ),
        )
    ]
    for network in data["networks"]:
        body += [tag("h2", network["name"]), _operations(network), _energies(network)]
    page = folder / PAGE
    page.write_text(document(f"evsim energy {data['script']} --ann", body), encoding="utf-8")
    return page


def _operations(network: Data) -> Html:
    rows = [
        ["ANN", number(network["macs"]), number(1), None],
        ["ANN, neither input nor weight 0", number(network["effective_macs"]),
         number(network["effective_macs"] / network["macs"]), None],
        *([run["target"], number(run["operations"]), number(run["per_mac"]), number(run["spikes"])]
          for run in network["runs"]),
    ]  # fmt: skip
    return table(["operations of an image", "", "per MAC", "spikes"], rows, right=(1, 2, 3))


def _energies(network: Data) -> Html:
    rows = [[f"ANN on {name}", "as a dense network", joules(found), None] for name, found in network["joules"].items()]
    rows += [
        [entry["hardware"], entry["account"], joules(entry["joules"]), ", ".join(entry["unknown"]) or None]
        for entry in network["energies"]
    ]
    return table(["energy of an image", "account", "", "not known"], rows, right=(2,))
