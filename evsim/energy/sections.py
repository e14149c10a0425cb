"""The sections of the page of ``evsim energy``: each says in a sentence what it shows, and shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from evsim.energy.figure import PART_COLOURS
from evsim.energy.parts import BY_CORES, BY_EVENTS, BY_TIME, DENSE
from evsim.energy.record import COUNTS, is_timed, with_prefix
from evsim.results.html import Html, fixed, number, paragraph, swatch, table, tag

Data = Mapping[str, Any]

ACCOUNTS = {
    BY_EVENTS: "what synaptic events, updates and messages cost each, and what idle chips draw",
    BY_CORES: "what chips draw, what cores add that compute, and what packets cost: the model of SpiNNaker's own tools",
    DENSE: "each weight and each neuron is a multiply-accumulate in each time step, whatever spikes (keras-spiking)",
    BY_TIME: "what the machine draws as long as it is on",
}


def joules(found: Sequence[float] | None, unit: str = "J") -> Html:
    """An energy from its least to its most, with a prefix of the unit."""
    return Html('<span class="none">unknown</span>' if found is None else with_prefix(found, unit))


def heading(data: Data) -> Html:
    """What was run, and when."""
    date = datetime.fromisoformat(data["date"])
    names = list(dict.fromkeys(energy["hardware"] for energy in data["energies"]))
    arguments = " -- " + " ".join(data["arguments"]) if data["arguments"] else ""
    command = f"evsim energy {data['script']} --chip {' '.join(names)}{data['options']}{arguments}"
    return tag(
        "header",
        tag("h1", f"Energy of {data['script'].rsplit('/', 1)[-1]}"),
        paragraph(
            "What the network did was counted, and each count multiplied by every number that a source gives for its "
            "cost. So each energy is a range over the sources, not a measurement. "
            f"{date.day} {date:%B %Y, %H:%M}, evsim {data['evsim']}.",
            kind="lead",
        ),
        paragraph(tag("code", command)),
    )


def verdicts(data: Data) -> Html:
    """A sentence for each account."""
    lines = []
    for energy in data["energies"]:
        for account in energy["accounts"]:
            said = [tag("b", energy["title"]), f", {account['name']}: ", joules(account["joules"])]
            if is_timed(account) and energy["seconds"]:
                watts = [value / energy["seconds"] for value in account["joules"]]
                said += [f" in {energy['seconds']:g} s (", joules(watts, "W"), " on average)"]
                said += [", of which ", joules(account["dynamic"]), " are not idle"]
            if events := _activity(data, energy)["events"]:
                said += ["; for each synaptic event ", joules([value / events for value in account["joules"]])]
                if is_timed(account):
                    said += [", of which ", joules([value / events for value in account["dynamic"]]), " not idle"]
            if account["unknown"]:
                said.append(f". At least, for it is unknown what these cost: {', '.join(account['unknown'])}")
            lines.append(tag("li", *said, ".", class_="unknown", data_mark="?" if account["unknown"] else "·"))
    lines += [tag("li", sentence, class_="unknown", data_mark="x") for sentence in data["refused"]]
    used = dict.fromkeys(account["name"] for energy in data["energies"] for account in energy["accounts"])
    how = [tag("li", tag("b", name), f": {ACCOUNTS[name]}.") for name in used]
    return Html(tag("h2", "Energy") + tag("ul", *lines, class_="verdicts") + tag("ul", *how, class_="notes"))


def caption(data: Data) -> Html:
    """What the figure shows."""
    return paragraph(
        "Bars end at the middle of each range; the line is the sum, from its least to its most. Accounts of the same "
        "chip are two ways to add up the same energy and must not be added. What is unknown is missing in both.",
        kind="caption",
    )


def parts(data: Data) -> Html:
    """Every count with its cost."""
    rows, starts = [], []
    for energy in data["energies"]:
        for account in energy["accounts"]:
            starts.append(len(rows))
            for part in account["parts"]:
                for item in part["items"]:
                    new = len(rows) == starts[-1]
                    rows.append(
                        [
                            f"{energy['hardware']}, {account['name']}" if new else "",
                            swatch(part["name"], PART_COLOURS[part["name"]]),
                            item["what"],
                            _span(item["count"]),
                            _prices(item),
                            joules(item["joules"]),
                        ]
                    )
    heads = ["chip and account", "part", "what is counted", "count", "cost of one", "energy"]
    explain = "A count that is a range is not known exactly; a cost that is a range differs between sources."
    return Html(
        tag("h2", "Parts") + paragraph(explain, kind="explain") + table(heads, rows, right=(3, 4, 5), starts=starts[1:])
    )


def _span(count: Sequence[float] | None) -> Html:
    if count is None:
        return Html('<span class="none">unknown</span>')
    low, high = (_whole(value) for value in count)
    return low if low == high else Html(f"{low} to {high}")


def _whole(value: float) -> Html:
    return number(int(value)) if float(value).is_integer() and value < 1e9 else number(value, 4)


def _prices(item: Data) -> Html:
    if not item["numbers"]:
        return Html('<span class="none">unknown</span>')
    values = [entry["value"] for entry in item["numbers"]]
    shown = joules([min(values), max(values)], item["numbers"][0]["unit"])
    return Html(f"{shown}, or within another") if item["included"] else shown


def cores(data: Data) -> Html:
    """What the picture of the cores shows."""
    sizes = [
        f"{energy['cores']:,} cores on {energy['chips']:,} chip{'s' * (energy['chips'] != 1)} of {energy['title']}"
        for energy in data["energies"]
        if energy["placement"]
    ]
    explain = (
        f"{'; '.join(sizes)}. Cores are counted, and taken in the order of the populations; a chip's own tools may "
        "place them otherwise. Sources lie beside Loihi's mesh, and on cores of SpiNNaker."
    )
    return Html(tag("h2", "Cores") + paragraph(explain, kind="explain"))


# --- activity --------------------------------------------------------------------------------------------------------


def activity(data: Data) -> Html:
    """What was counted, on each arithmetic that the chips asked for."""
    explain = (
        "Counted from spikes and synapses by the definitions of NeuroBench 2.3.0. A synaptic event is a spike that "
        "arrived over a synapse; an operation is an event over a weight that is not 0. An update is one neuron in one "
        "time step, active if it changed the membrane potential. Sparsity is the part of neurons and steps without a "
        "spike, and the part of weights that are 0."
    )
    parts: list[Html] = [tag("h2", "Activity"), paragraph(explain, kind="explain"), _summary(data)]
    for run in data["runs"]:
        parts += [tag("h3", f"Counted on {run['target']}"), _populations(run), _projections(run)]
    return Html("".join(parts))


def _summary(data: Data) -> Html:
    rows = []
    for name, what in COUNTS.items():
        values = [run["activity"][name] for run in data["runs"]]
        rows.append([what, *(fixed(value, 4) if "sparsity" in name else number(value) for value in values)])
    heads = ["", *(run["target"] for run in data["runs"])]
    return table(heads, rows, right=range(1, len(heads)))


def _populations(run: Data) -> Html:
    rows = [
        [
            part["label"],
            "source" if part["is_source"] else "",
            *(number(part[name]) for name in ("size", "spikes")),
            *(None if part["is_source"] else number(part[name]) for name in ("updates", "active", "inactive")),
        ]
        for part in run["activity"]["populations"]
    ]
    heads = ["population", "", "cells", "spikes", "updates", "active", "inactive"]
    return table(heads, rows, right=(2, 3, 4, 5, 6))


def _projections(run: Data) -> Html:
    rows = [
        [
            part["label"],
            *(number(part[name]) for name in ("synapses", "zero_weights", "events", "operations")),
            "MAC" if part["multiplies"] else "AC",
            *(number(part[name]) for name in ("dense", "weight_updates")),
        ]
        for part in run["activity"]["projections"]
    ]
    heads = ["projection", "synapses", "weights of 0", "events", "operations", "kind", "dense", "weight updates"]
    return table(heads, rows, right=(1, 2, 3, 4, 6, 7))


# --- what is not in it, and where it comes from ----------------------------------------------------------------------


def left_out(data: Data) -> Html:
    """What no account holds, and what was taken for granted."""
    rows = []
    for energy in data["energies"]:
        chosen = {"left out": energy["left_out"], "taken for granted": [*energy["assumed"], *energy["counted_note"]]}
        for kind, sentences in chosen.items():
            for place, sentence in enumerate(sentences):
                name = energy["hardware"] if kind == "left out" and place == 0 else ""
                rows.append([name, kind if place == 0 else "", sentence])
    starts = [index for index, row in enumerate(rows) if row[0] and index]
    return Html(tag("h2", "What was left out") + table(["chip", "", ""], rows, starts=starts))


def sources(data: Data) -> Html:
    """Where every cost comes from."""
    rows = []
    for energy in data["energies"]:
        seen: dict[tuple, list[object]] = {}
        for account in energy["accounts"]:
            for item in (item for part in account["parts"] for item in part["items"]):
                for entry in item["numbers"]:
                    shown = joules([entry["value"]] * 2, entry["unit"])
                    seen[item["what"], entry["value"], entry["source"]] = [item["what"], shown, entry["source"]]
        rows += [[energy["hardware"] if place == 0 else "", *row] for place, row in enumerate(seen.values())]
    starts = [index for index, row in enumerate(rows) if row[0] and index]
    return Html(tag("h2", "Sources") + table(["chip", "cost of", "", "source"], rows, right=(2,), starts=starts))


def _activity(data: Data, energy: Data) -> Data:
    return next(run["activity"] for run in data["runs"] if run["target"] == energy["target"])
