"""The sections of the report: each says in a sentence what it shows, and shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from evsim.results.html import Html, fixed, number, paragraph, swatch, table, tag, text

Data = Mapping[str, Any]
Colours = Mapping[str, str]  # target -> colour


def heading(data: Data) -> Html:
    """What was run, and when."""
    date = datetime.fromisoformat(data["date"])
    targets = " ".join(run["target"] for run in data["runs"])
    arguments = " -- " + " ".join(data["arguments"]) if data["arguments"] else ""
    command = f"evsim compare {data['script']} --on {targets}{arguments}"
    return tag(
        "header",
        tag("h1", f"{data['script'].rsplit('/', 1)[-1]} on {len(data['runs'])} targets"),
        paragraph(
            f"One network, built once, run on each target with the same synapses and the same source spikes. "
            f"{date.day} {date:%B %Y, %H:%M}, evsim {data['evsim']}.",
            kind="lead",
        ),
        paragraph(tag("code", command)),
    )


# --- agreement -------------------------------------------------------------------------------------------------------


def agreement(data: Data, colours: Colours) -> Html:
    """A sentence for each pair, and a matrix of correlations."""
    compared = [pair for pair in data["pairs"] if pair["spikes_equal"] is not None]
    reasons = dict.fromkeys(note for pair in data["pairs"] if pair["spikes_equal"] is None for note in pair["notes"])
    missing = [tag("li", note, ".", class_="unknown", data_mark="?") for note in reasons]
    parts: list[object] = [tag("h2", "Agreement"), tag("ul", *map(_verdict, compared), *missing, class_="verdicts")]
    if len(data["runs"]) > 2 and any(pair["correlation"] is not None for pair in data["pairs"]):
        width = next(pair["correlation_bin"] for pair in data["pairs"] if pair["correlation_bin"])
        parts += [
            tag("h3", "Correlation of spike trains"),
            paragraph(
                f"Pearson's r of the spike counts of every neuron in bins of {width:g} ms. "
                "1 means equal counts everywhere; two independent runs of a network come near 0.",
                kind="explain",
            ),
            _matrix(data, colours),
        ]
    return Html("".join(map(text, parts)))


def _verdict(pair: Data) -> Html:
    both = Html(f"{tag('b', pair['a'])} and {tag('b', pair['b'])}: ")
    if pair["spikes_equal"]:
        equal = [Html(f"every spike is equal ({number(pair['n_spikes'][0])})")]
        if pair["raw_equal"]:
            equal.append(Html(f"all {number(pair['raw_samples'])} recorded integers are equal bit for bit"))
        equal += _learned(pair)
        said = Html(", and ".join(filter(None, [", ".join(equal[:-1]), equal[-1]])))
        return tag("li", both, said, ".", class_="same", data_mark="=")
    first, dv = pair["first_difference"], pair["dv"]
    before = "" if dv is None else Html(f"; until then |dv| stays within {number(dv['before_difference'], 3, 'mV')}")
    return tag(
        "li", both, number(pair["n_spikes"][0]), " and ", number(pair["n_spikes"][1]), " spikes, mean rates ",
        number(abs(pair["rate_difference"] or 0.0), 2, "Hz"), " apart; the first spike that differs is at ",
        number(first["time"], 6, "ms"), f" in neuron {first['neuron']} of {first['population']}", before,
        *(Html(f"; {said}") for said in _learned(pair)), ".",
        class_="other", data_mark="≠",
    )  # fmt: skip


def _learned(pair: Data) -> list[Html]:
    """How the weights of plastic synapses agree, where there are any."""
    if (weights := pair["weights"]) is None:
        return []
    if not weights["different"]:
        return [Html(f"all {number(weights['synapses'])} learned weights are equal")]
    apart = f"{number(weights['largest'], 3)} in {text(weights['projection'])}"
    differ = f"{number(weights['different'])} of {number(weights['synapses'])} learned weights differ"
    return [Html(f"{differ}, by at most {apart}")]


def _matrix(data: Data, colours: Colours) -> Html:
    names = [run["target"] for run in data["runs"]]
    values = {frozenset((pair["a"], pair["b"])): pair["correlation"] for pair in data["pairs"]}
    head = tag("tr", tag("th"), *(tag("th", swatch(name, colours[name])) for name in names))
    rows = [head]
    for one in names:
        cells = [tag("th", swatch(one, colours[one]), class_="row")]
        for other in names:
            value = values.get(frozenset((one, other)))
            cells.append(tag("td", fixed(value, 3) if one != other else "", style=_shade(value)))
        rows.append(tag("tr", *cells))
    return tag("div", tag("table", *rows, class_="matrix"), class_="scroll")


def _shade(value: float | None) -> str:
    """A light blue that deepens with the correlation; the text on it stays readable."""
    if value is None:
        return "background:#f6f7f8"
    depth = max(min(value, 1.0), 0.0)
    red, green, blue = (round(255 - depth * (255 - end)) for end in (158, 195, 226))
    return f"background:rgb({red},{green},{blue})"


# --- what ran --------------------------------------------------------------------------------------------------------


def what_ran(data: Data, colours: Colours) -> Html:
    """Targets, versions, seeds and wall times."""
    rows = []
    for run in data["runs"]:
        versions = ", ".join(f"{package} {version}" for package, version in run["versions"].items())
        seeds = ", ".join(map(str, dict.fromkeys(run["seeds"])))
        rows.append(
            [
                swatch(run["target"], colours[run["target"]]),
                run["rules"],
                number(run["n_spikes"]),
                fixed(run["seconds"], 2),
                seeds,
                versions,
            ]
        )
    first = data["runs"][0]
    prints = ", ".join(dict.fromkeys(network[:12] for network in first["networks"]))
    sizes = (
        f"{first['populations']} populations, {first['synapses']:,} synapses, time step {first['timestep']:g} ms, "
        f"{first['duration']:g} ms in all. Fingerprint of the network: "
    )
    machine = f"Python {data['python']}, {data['machine']}. The time includes setting up and compiling."
    notes = [f"{run['target']}: {note}" for run in data["runs"] for note in run["notes"]]
    return Html(
        tag("h2", "What ran where")
        + paragraph(sizes, tag("code", prints), f". {machine}", kind="explain")
        + table(["target", "arithmetic", "spikes", "wall time (s)", "seed", "versions"], rows, right=(2, 3))
        + (tag("ul", *(tag("li", note) for note in notes), class_="notes") if notes else "")
    )


# --- rates -----------------------------------------------------------------------------------------------------------


def rates(data: Data, colours: Colours) -> Html:
    """Spikes, rates and regularity of each population on each target."""
    rows, starts = [], []
    populations = dict.fromkeys(name for run in data["runs"] for name in run["rates"])
    for population in populations:
        starts.append(len(rows))
        for run in data["runs"]:
            if entry := run["rates"].get(population):
                rows.append(
                    [
                        population if len(rows) == starts[-1] else "",
                        swatch(run["target"], colours[run["target"]]),
                        number(entry["n_spikes"]),
                        fixed(entry["rate"], 2),
                        fixed(entry["isi_cv"], 3),
                        number(entry["isi_cv_neurons"]),
                    ]
                )
    heads = ["population", "target", "spikes", "mean rate (Hz)", "mean CV of ISI", "neurons in the CV"]
    explain = (
        "The coefficient of variation of a neuron's inter-spike intervals is CV = std(ISI) / mean(ISI), taken over "
        "neurons with at least three spikes: 0 for a clock, 1 for a Poisson process."
    )
    return Html(
        tag("h2", "Rates and regularity")
        + paragraph(explain, kind="explain")
        + table(heads, rows, right=(2, 3, 4, 5), starts=starts[1:])
    )


# --- pairs -----------------------------------------------------------------------------------------------------------


def pairs(data: Data) -> Html:
    """Every pair in figures."""
    explain = (
        "Spikes are brought onto one time axis by what the rule sets state, and nothing is fitted: a spike that "
        "spinnaker1 labels k is the one that ideal and Loihi label k + 1. The shift is what was added to the labels of "
        "b's neurons. From one neuron to another, spinnaker1 needs a step less than the others over the same delay; "
        "that is the chip's own timing and is left as it is. Rates are a less b. |dv| is over all recorded samples of "
        "v; after the first spike that differs, it mostly shows that one neuron was reset and the other was not."
    )
    rows = []
    for pair in data["pairs"]:
        first, dv = pair["first_difference"], pair["dv"] or {}
        where = None if first is None else f"{first['time']:g} ms, {first['population']}[{first['neuron']}]"
        if pair["spikes_equal"]:
            where = Html('<span class="good">none</span>')
        raw = None
        if pair["raw_equal"] is not None:
            raw = (
                Html(f'<span class="good">all {number(pair["raw_samples"])} equal</span>')
                if pair["raw_equal"]
                else Html(f"{number(pair['raw_different'])} of {number(pair['raw_samples'])} differ")
            )
        rows.append(
            [
                f"{pair['a']} / {pair['b']}",
                Html(f"{number(pair['n_spikes'][0])} / {number(pair['n_spikes'][1])}"),
                where,
                number(pair["label_shift"]["neurons"]),
                number(dv.get("before_difference")),
                number(dv.get("largest")),
                fixed(pair["rate_difference"], 2),
                fixed(pair["correlation"], 3),
                raw,
            ]
        )
    heads = [
        "a / b", "spikes", "first difference", "shift (steps)", "|dv| before it (mV)", "largest |dv| (mV)",
        "rate (Hz)", "r", "integers",
    ]  # fmt: skip
    return Html(
        tag("h2", "Pair by pair") + paragraph(explain, kind="explain") + table(heads, rows, right=(1, 3, 4, 5, 6, 7))
    )


# --- losses ----------------------------------------------------------------------------------------------------------


def losses(data: Data) -> Html:
    """What quantisation costs each projection and each parameter, by chip."""
    chips = {run["losses"]["chip"]: run["losses"] for run in data["runs"] if run["losses"]}
    if not chips:
        return Html("")
    explain = (
        "What each chip's number format makes of the weights and parameters, known before the run. The step is the "
        "least difference between two weights that the chip can hold; errors are |held - asked|."
    )
    parts = [tag("h2", "Quantisation"), paragraph(explain, kind="explain")]
    for name, entry in chips.items():
        parts += [tag("h3", name), _weight_table(entry["weights"])]
        if entry["parameters"]:
            parts.append(_parameter_table(entry["parameters"]))
        if entry["notes"]:
            parts.append(tag("ul", *(tag("li", note) for note in entry["notes"]), class_="notes"))
    return Html("".join(parts))


def _weight_table(weights: Sequence[Data]) -> Html:
    rows = []
    for loss in weights:
        share = 100 * loss["max_error"] / loss["max_weight"] if loss["max_weight"] else None
        rows.append(
            [
                loss["projection"],
                number(loss["count"]),
                number(loss["max_weight"], 3, loss["unit"]),
                number(loss["lsb"], 3, loss["unit"]),
                number(loss["rms_error"], 3, loss["unit"]),
                number(loss["max_error"], 3, loss["unit"]),
                number(share, 2, "" if share is None else "%"),
                _lost(loss["zeroed"]),
                _lost(loss["saturated"]),
            ]
        )
    heads = [
        "projection", "synapses", "largest weight", "step", "rms error", "largest error", "of the largest weight",
        "became 0", "saturated",
    ]  # fmt: skip
    return table(heads, rows, right=(1, 2, 3, 4, 5, 6, 7, 8))


def _lost(count: int) -> Html:
    return Html(f'<span class="bad">{number(count)}</span>') if count else number(0)


def _parameter_table(parameters: Sequence[Data]) -> Html:
    rows = [
        [
            f"{loss['population']}: {loss['parameter']}",
            number(loss["asked"], 6, loss["unit"]),
            number(loss["held"], 6, loss["unit"]),
            number(100 * abs(loss["held"] - loss["asked"]) / abs(loss["asked"]), 2, "%") if loss["asked"] else None,
        ]
        for loss in parameters
    ]
    return table(["parameter, where it is held worst", "asked for", "held", "error"], rows, right=(1, 2, 3))


def tallies(data: Data) -> Html:
    """What the arithmetic lost while it ran."""
    rows = [
        [run["target"], population, event, number(count)]
        for run in data["runs"]
        for population, events in run["tallies"].items()
        for event, count in events.items()
    ]
    if not rows:
        return Html("")
    explain = (
        "How often a number left its range while the network ran: each time, the chip departed from the mathematics."
    )
    return Html(
        tag("h2", "Overflows") + paragraph(explain, kind="explain")
        + table(["target", "population", "event", "times"], rows, right=(3,))
    )  # fmt: skip
