"""``energy.json``: what was counted and what it costs, as plain data, which the page is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evsim.energy.activity import Activity, PopulationActivity, ProjectionActivity
from evsim.energy.parts import Account, Energy, Item, Part, Range
from evsim.results.outcome import Outcome

COUNTS = {  # attribute of an activity -> what it is, for users
    "neurons": "neurons",
    "synapses": "synapses",
    "spikes": "spikes of neurons",
    "source_spikes": "spikes of sources",
    "packets": "packets, of cells that have synapses",
    "events": "synaptic events",
    "accumulates": "synaptic operations: accumulations (AC)",
    "multiply_accumulates": "synaptic operations: multiply-accumulates (MAC)",
    "dense": "operations of all weights in all time steps (dense)",
    "weight_updates": "events over synapses that learn",
    "updates": "updates of neurons",
    "active": "updates of active neurons",
    "membrane_updates": "membrane updates",
    "activation_sparsity": "sparsity of activations",
    "connection_sparsity": "sparsity of connections",
}
PREFIXES = ("", "m", "µ", "n", "p", "f")  # of units, for a thousandth each


def with_prefix(found: Sequence[float], unit: str = "J") -> str:
    """A range in words, with such a prefix of its unit that its end is at least 1: ``20 to 35.5 pJ``."""
    low, high = found
    step = next((step for step in range(len(PREFIXES)) if high * 1000.0**step >= 1.0), 0)
    shown = [_digits(value * 1000.0**step) for value in (low, high)]
    return f"{shown[0] if shown[0] == shown[1] else ' to '.join(shown)} {PREFIXES[step]}{unit}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def is_timed(account: Mapping[str, Any]) -> bool:
    """Whether something in the record of an account is known to be on and idle."""
    return any(part["name"] == "idle" and part["joules"] for part in account["parts"])


def counts_record(outcome: Outcome, activity: Activity) -> dict[str, Any]:
    """What one target ran, and what its network did there."""
    return {
        "target": outcome.name,
        "chip": outcome.chip.name,
        "rules": outcome.chip.rules.name,
        "seconds": round(outcome.seconds, 3),
        "notes": list(outcome.notes),
        "activity": activity_record(activity),
    }


def activity_record(activity: Activity) -> dict[str, Any]:
    """An activity; what is not known is None."""
    return {
        "duration": activity.duration,
        "timestep": activity.timestep,
        "samples": activity.samples,
        **{name: getattr(activity, name) for name in COUNTS},
        "populations": [_population(part) for part in activity.populations],
        "projections": [_projection(part) for part in activity.projections],
    }


def activity_rows(activity: Activity) -> list[list[str]]:
    """The counts as a table for users, its heading first."""
    rows = [["what", "count"]]
    for name, what in COUNTS.items():
        value = getattr(activity, name)
        shown = f"{value:.6g}" if isinstance(value, float) else f"{value:,}" if value is not None else "unknown"
        rows.append([what, shown])
    return rows


def _population(part: PopulationActivity) -> dict[str, Any]:
    plain = {name: value for name, value in vars(part).items() if name != "cell_spikes"}
    return {**plain, "updates": part.updates, "inactive": part.inactive}


def _projection(part: ProjectionActivity) -> dict[str, Any]:
    return dict(vars(part))


def energy_record(energy: Energy, target: str, events: int | None) -> dict[str, Any]:
    """What one piece of hardware takes.

    Args:
        target: where the counts come from.
        events: synaptic events of the activity.
    """
    return {
        "hardware": energy.hardware.name,
        "title": energy.hardware.title,
        "target": target,
        "seconds": energy.seconds,
        "cores": energy.placement.cores,
        "chips": energy.placement.chips,
        "placement": [list(entry) for entry in energy.placement.order],
        "mesh": None if energy.placement.mesh is None else list(energy.placement.mesh),
        "joules": list(energy.joules),
        "per_synaptic_event": [joules / events for joules in energy.joules] if events else None,
        "accounts": [_account(account) for account in energy.accounts],
        "left_out": list(energy.left_out),
        "assumed": list(energy.assumed),
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "joules": list(account.joules),
        "dynamic": list(account.dynamic),
        "unknown": [item.what for item in account.unknown],
        "parts": [_part(part) for part in account.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    return {"name": part.name, "joules": _plain(part.joules), "items": [_item(item) for item in part.items]}


def _item(item: Item) -> dict[str, Any]:
    return {
        "what": item.what,
        "costs": list(item.costs),
        "count": _plain(item.count),
        "joules": _plain(item.joules),
        "included": item.included,
        "numbers": [asdict(number) for number in item.numbers],
    }


def _plain(found: Range | None) -> list[float] | None:
    return None if found is None else list(found)
