"""The page of ``evsim energy --ann``: a folder with a page that needs no other file, its figures, and the data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from evsim.ann.figures import accuracy_figure, colours, dynamic_joules, energy_figure, ran
from evsim.ann.spiking import TIMESTEP
from evsim.energy.sections import joules
from evsim.results.html import Html, fixed, number, paragraph, swatch, table, tag
from evsim.results.page import document, image, quiet

PAGE = "ann.html"
IDEAL_POINTS, CHIP_POINTS = 1.0, 2.0  # what a conversion may lose, in ideal arithmetic and on a chip

Data = Mapping[str, Any]


def write_page(folder: Path, data: Data) -> Path:
    """Write the page and its figures; ``data`` is what ``ann.json`` holds. Returns the path of the page."""
    body = [_heading(data)]
    with quiet():
        for index, network in enumerate(data["networks"]):
            name = f"{network['name']}: "
            accuracy = image(accuracy_figure(network), folder / f"accuracy{index}.png", name + "accuracy")
            energy = image(energy_figure(network), folder / f"energy{index}.png", name + "energy")
            body += [_network(network), _runs(network), accuracy, _bits(network), _energies(network), energy,
                     _break_even(network), _lava(network), _notes(network)]  # fmt: skip
    body.append(tag("footer", paragraph("All numbers of this page are in ", tag("code", "ann.json"), " beside it.")))
    page = folder / PAGE
    page.write_text(document("evsim energy --ann", body), encoding="utf-8")
    return page


def _heading(data: Data) -> Html:
    date = datetime.fromisoformat(data["date"])
    names = " and ".join(network["name"] for network in data["networks"])
    return tag(
        "header",
        tag("h1", f"{names}, as an ANN and in spikes"),
        paragraph(
            "Each network was converted to spikes, and shown the same images in the arithmetic of each chip. Energies "
            "are counts times every number that a source gives, so ranges over sources and no measurements. "
            f"{date.day} {date:%B %Y, %H:%M}, evsim {data['evsim']}.",
            kind="lead",
        ),
        paragraph(tag("code", data["command"])),
    )


def _network(network: Data) -> Html:
    ann = network["ann"]
    seconds = ann["seconds"]
    rows = [
        ["right", Html(f"{fixed(100 * ann['accuracy'], 2)}% of {number(network['images'])} ({network['task']})")],
        ["layers", ", ".join(network["layers"])],
        ["multiply-accumulates of an image", number(ann["macs"])],
        ["of them with neither input nor weight 0", number(ann["effective_macs"])],
        ["rectified numbers that are 0", _percent(ann["activation_sparsity"])],
        ["weights that are 0", _percent(ann["connection_sparsity"])],
        ["measured here, in numpy", Html(f"{number(1e6 * seconds['alone'])} µs for one image alone, "
                                         f"{number(1e6 * seconds['together'])} µs each of all at once")],
        *([f"energy of an image on {name}", joules(found)] for name, found in ann["joules"].items()),
    ]  # fmt: skip
    explain = (
        "The energy of the ANN is a multiply-accumulate for each weight and for each neuron, at the price that "
        "keras-spiking gives; memory and all else that such a machine draws are not in it."
    )
    return Html(
        tag("h2", network["name"]) + paragraph(explain, kind="explain") + table(["the ANN", ""], rows)
    )  # fmt: skip


def _runs(network: Data) -> Html:
    of_chip, rows = colours(network), []
    for run in network["runs"]:
        chip = swatch(run["chip"], of_chip[run["chip"]])
        if "refused" in run:
            rows.append([run["code"], chip, Html('<span class="bad">does not fit</span>'), *[None] * 9])
            continue
        lost = 100 * (network["ann"]["accuracy"] - run["accuracy"])
        allowed = IDEAL_POINTS if run["chip"] == "ideal" else CHIP_POINTS
        kind = "good" if lost <= allowed + 1e-9 else "bad"
        rows.append(
            [
                run["code"],
                chip,
                tag("span", Html(f"{fixed(100 * run['accuracy'], 2)}%"), class_=kind),
                Html(f"{fixed(100 * run['agreement'], 2)}%"),
                number(run["steps"]),
                number(run["latency"]),
                number(run["source_spikes"]),
                number(run["spikes"]),
                number(run["operations"]),
                number(run["operations"] / network["ann"]["macs"]),
                number(run["updates"]),
                _percent(run["activation_sparsity"]),
            ]
        )
    heads = ["code", "chip", "right", "as the ANN", "steps", "there at", "input spikes", "spikes", "operations",
             "per MAC", "updates", "silent"]  # fmt: skip
    explain = (
        f"Right is green where no more than {IDEAL_POINTS:g} point of accuracy is lost in ideal arithmetic and "
        f"{CHIP_POINTS:g} on a chip; as the ANN, how often both say the same. There at: the step from which on the "
        "accuracy stays within 1 point of the last. The other counts are means of an image. An operation is a spike "
        "over a synapse; per MAC, how many there are for each multiply-accumulate of the ANN. Silent: neurons and "
        "steps without a spike. No synapse has a weight of 0, which is none."
    )
    refused = [paragraph(f"{run['code']} code, {run['chip']}: {run['refused']}", kind="caption")
               for run in network["runs"] if "refused" in run]  # fmt: skip
    return Html(
        tag("h3", "In spikes") + paragraph(explain, kind="explain")
        + table(heads, rows, right=tuple(range(2, 12))) + "".join(refused)
    )  # fmt: skip


def _bits(network: Data) -> Html:
    if not network["bits"]:
        return Html("")
    names = [name for name in network["bits"][0] if name != "bits"]
    rows = [
        [
            "ANN" if name == "ann" else f"{name} code, ideal",
            *(Html(f"{fixed(100 * e[name], 1)}%") for e in network["bits"]),
        ]
        for name in names
    ]
    heads = ["right, with weights of", *(f"{entry['bits']} bits" for entry in network["bits"])]
    return table(heads, rows, right=tuple(range(1, len(heads))))


def _energies(network: Data) -> Html:
    rows = []
    for run in ran(network):
        for energy in run["energies"]:
            if "refused" in energy:
                rows.append([run["code"], energy["hardware"], energy["refused"], None, None, None])
            for account in energy.get("accounts", ()):
                unknown = ", ".join(account["unknown"]) or None
                rows.append([run["code"], energy["hardware"], account["name"], joules(account["joules"]),
                             joules(found) if (found := dynamic_joules(account)) else None, unknown])  # fmt: skip
    missing = sorted({run["chip"] for run in ran(network) if not run["energies"] and run["chip"] != "ideal"})
    explain = (
        "For an image. Accounts of the same hardware are ways to add up, and must not be added. Of spikes alone: the "
        "energy of synaptic events and of messages; the rest is paid while nothing spikes. Hardware without an "
        "arithmetic of its own here is given the counts of the ideal one."
    )
    if missing:
        explain += f" No source says what anything costs on {', '.join(missing)}."
    heads = ["code", "hardware", "account", "energy", "of spikes alone", "not known"]
    return Html(tag("h3", "Energy") + paragraph(explain, kind="explain") + table(heads, rows, right=(3, 4)))


def _break_even(network: Data) -> Html:
    rows = []
    for run in ran(network):
        for energy in run["energies"]:
            for name, found in energy.get("break_even", {}).items():
                rows.append([run["code"], energy["hardware"], name, _rate([run["mean_spikes"]] * 2, run),
                             _rate(found["all"], run), _rate(found["spikes_alone"], run)])  # fmt: skip
    if not rows:
        return Html("")
    explain = (
        "How many spikes a cell, input or neuron, may have in an image before the ANN takes less energy, and how many "
        "it had; in brackets as rates, in a network with time steps of 1 ms. Energy grows with spikes as it was "
        "counted in the run, from what is paid without any. Never: that alone is more than the ANN takes. What is "
        "not known is not in it, so the true one is lower. Of spikes "
        "alone leaves it out, as if a chip that waits for spikes cost nothing."
    )
    heads = ["code", "hardware", "against the ANN on", "spikes it had", "break-even", "of spikes alone"]
    return Html(tag("h3", "Break-even") + paragraph(explain, kind="explain") + table(heads, rows, right=(3, 4, 5)))


def _rate(found: list[float], run: Data) -> Html:
    """Spikes of an image, and as a rate."""
    if found[1] <= 0:
        return Html('<span class="none">never</span>')
    hertz = 1000.0 / (run["steps"] * TIMESTEP)
    return Html(f"{_span(found)} ({_span([value * hertz for value in found])} Hz)")


def _span(found: list[float]) -> str:
    low, high = (str(number(value)) if value > 0 else "0" for value in found)
    return low if low == high else f"{low} to {high}"


def _lava(network: Data) -> Html:
    if not network["lava"]:
        return Html("")
    lines = []
    for found in network["lava"]:
        what = f"{found['code']} code, {found['images']} images on Lava: "
        if not found["ran"]:
            lines.append(tag("li", f"{what}left out: {found['why']}", class_="unknown", data_mark="?"))
            continue
        equal = not (found["different_spikes"] or found["different_samples"])
        said = (
            f"every spike ({found['spikes']:,}) and every voltage of an output ({found['samples']:,}) is equal to the "
            "reference's loihi2"
            if equal
            else f"{found['different_spikes']:,} of {found['spikes']:,} spikes and {found['different_samples']:,} of "
            f"{found['samples']:,} voltages differ from the reference's loihi2"
        )
        kind, mark = ("same", "=") if equal else ("other", "≠")
        lines.append(tag("li", what + said, class_=kind, data_mark=mark))
    return Html(tag("h3", "Lava") + tag("ul", *lines, class_="verdicts"))


def _notes(network: Data) -> Html:
    """What is in no energy, and what was taken for granted, each once."""
    said: dict[str, None] = {}
    for run in ran(network):
        for energy in run["energies"]:
            for kind, word in (("left_out", "without"), ("assumed", "taken for granted:")):
                said.update(dict.fromkeys(f"{energy['hardware']}: {word} {line}" for line in energy.get(kind, ())))
    lost = [
        f"{run['code']} code, {run['chip']}: {number(count)} times an image a number left its range ({event})"
        for run in ran(network)
        for event, count in run["tallies"].items()
    ]
    lines = [tag("li", Html(line)) for line in lost] + [tag("li", line) for line in said]
    return tag("ul", *lines, class_="notes") if lines else Html("")


def _percent(share: float | None) -> Html:
    return number(None) if share is None else Html(f"{fixed(100 * share, 1)}%")
