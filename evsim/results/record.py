"""``compare.json``: what ran where, what came of it, and how each pair of targets agrees, as plain data."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evsim.network_file import fingerprint
from evsim.results.align import Segment, segments
from evsim.results.compare import n_spikes
from evsim.results.losses import ChipLosses
from evsim.results.outcome import Outcome
from evsim.results.pair import PairResult
from evsim.results.statistics import isi_cvs


@dataclass(frozen=True)
class Occasion:
    """What was run and when.

    Attributes:
        script: path as the user gave it.
        arguments: the script's own.
        date: ISO 8601, with the zone.
    """

    script: str
    arguments: tuple[str, ...]
    date: str
    version: str

    def record(self) -> dict[str, Any]:
        """As plain data, with what it ran on."""
        return {
            "evsim": self.version,
            "script": self.script,
            "arguments": list(self.arguments),
            "date": self.date,
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
        }


def comparison(
    occasion: Occasion, outcomes: Sequence[Outcome], pairs: Sequence[PairResult], losses: Sequence[ChipLosses]
) -> dict[str, Any]:
    """Everything as one JSON object."""
    return {
        **occasion.record(),
        "runs": [run_record(outcome, losses) for outcome in outcomes],
        "pairs": [pair_record(pair) for pair in pairs],
    }


def run_record(outcome: Outcome, losses: Sequence[ChipLosses]) -> dict[str, Any]:
    """What one target ran and recorded."""
    runs = segments(outcome)
    networks = outcome.networks
    mine = next((entry for entry in losses if entry.chip == outcome.chip.name), None)
    return {
        "target": outcome.name,
        "backend": outcome.target.backend,
        "chip": outcome.chip.name,
        "rules": outcome.chip.rules.name,
        "versions": dict(outcome.versions),
        "seeds": [network.seed for network in networks],
        "networks": [fingerprint(network) for network in networks],
        "populations": len(networks[-1].populations) if networks else 0,
        "synapses": networks[-1].n_synapses if networks else 0,
        "timestep": networks[-1].timestep if networks else None,
        "duration": sum(segment.duration for segment in runs),
        "seconds": round(outcome.seconds, 3),
        "n_spikes": n_spikes(runs),
        "rates": population_statistics(runs),
        "tallies": _tallies(outcome),
        "notes": list(outcome.notes),
        "losses": None if mine is None else asdict(mine),
    }


def population_statistics(runs: Sequence[Segment]) -> dict[str, dict[str, Any]]:
    """Population of neurons -> number of spikes, mean rate (Hz), and mean CV of the inter-spike intervals."""
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(
        name for segment in runs for name, table in segment.spikes.items() if not table.is_source
    ):
        mine = [(segment, segment.spikes[name]) for segment in runs if name in segment.spikes]
        n_spikes = sum(len(table.steps) for _, table in mine)
        cell_time = sum(segment.duration * len(table.cells) for segment, table in mine)
        cvs = np.concatenate([isi_cvs(table) for _, table in mine])
        found[name] = {
            "n_spikes": n_spikes,
            "rate": 1000.0 * n_spikes / cell_time if cell_time else None,
            "isi_cv": float(cvs.mean()) if len(cvs) else None,
            "isi_cv_neurons": len(cvs),
        }
    return found


def _tallies(outcome: Outcome) -> dict[str, dict[str, int]]:
    """Population -> event -> the count at the end of each run, summed over runs."""
    total: dict[str, dict[str, int]] = {}
    for tallies in _last_of_each_segment(outcome):
        for population, events in tallies.items():
            mine = total.setdefault(population, {})
            for event, count in events.items():
                mine[event] = mine.get(event, 0) + count
    return total


def _last_of_each_segment(outcome: Outcome) -> list[Mapping[str, Mapping[str, int]]]:
    return list({stretch.segment: stretch.recordings.tallies for stretch in outcome.stretches}.values())


def pair_record(pair: PairResult) -> dict[str, Any]:
    """How two targets agree."""
    voltage, raw = pair.voltage, pair.raw
    return {
        "a": pair.a,
        "b": pair.b,
        "spikes_equal": pair.spikes_equal,
        "n_spikes": list(pair.n_spikes),
        "first_difference": None if pair.first_difference is None else asdict(pair.first_difference),
        "max_abs_dv": None if voltage is None else voltage.largest,
        "dv": None if voltage is None else asdict(voltage),
        "raw_samples": 0 if raw is None else raw.samples,
        "raw_equal": None if raw is None else raw.different == 0,
        "raw_different": None if raw is None else raw.different,
        "weights": None if pair.weights is None else asdict(pair.weights),
        "label_shift": {"neurons": pair.label_shift, "sources": 0, "unit": "time steps added to b's spike labels"},
        "rate_difference": pair.rate_difference,
        "correlation": pair.correlation,
        "correlation_bin": pair.bin,
        "populations": [asdict(population) for population in pair.populations],
        "notes": list(pair.notes),
    }
