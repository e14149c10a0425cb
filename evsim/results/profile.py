"""Where the time of a run went: its stages with their rates, beside what the machine could do at best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evsim.recording import Stage
from evsim.results.outcome import Outcome


def stages_of(outcome: Outcome) -> list[Stage]:
    """The stages of everything that a target ran, each once, in the order in which the backend names them."""
    # The stretches of a segment count on from its start, so the last one has them all.
    last = {stretch.segment: stretch.recordings.profile for stretch in outcome.stretches}
    total: dict[str, Stage] = {}
    for stage in (stage for profile in last.values() for stage in profile):
        before = total.get(stage.name, Stage(stage.name, 0.0))
        total[stage.name] = Stage(stage.name, before.seconds + stage.seconds, before.events + stage.events, stage.unit)
    return list(total.values())


def share_of_limit(stage: Stage, limits: Mapping[str, float]) -> float | None:
    """The least time in which the machine could do a stage's events, as a part of the time that they took.

    Args:
        limits: what is counted -> seconds for each event; a stage that counts something else has no share.
    """
    least = limits.get(stage.unit)
    return None if least is None or not stage.seconds else stage.events * least / stage.seconds


def profile_rows(stages: Sequence[Stage], limits: Mapping[str, float]) -> list[list[str]]:
    """The table that users see, its heading first and the sum last."""
    whole = sum(stage.seconds for stage in stages)
    rows = [["stage", "seconds", "of the time", "events", "million/s", "of the machine's limit"]]
    for stage in stages:
        share = share_of_limit(stage, limits)
        rows.append(
            [
                stage.name,
                f"{stage.seconds:.3f}",
                _percent(stage.seconds / whole if whole else None),
                f"{stage.events:,} {stage.unit}" if stage.unit else "",
                f"{stage.events / stage.seconds / 1e6:.4g}" if stage.events and stage.seconds else "",
                _percent(share),
            ]
        )
    return [*rows, ["all stages", f"{whole:.3f}", _percent(1.0 if whole else None), "", "", ""]]


def profile_record(stages: Sequence[Stage], limits: Mapping[str, float]) -> list[dict[str, Any]]:
    """The same as plain data; ``rate`` is in events a second."""
    return [
        {
            "stage": stage.name,
            "seconds": stage.seconds,
            "events": stage.events,
            "unit": stage.unit,
            "rate": stage.events / stage.seconds if stage.events and stage.seconds else None,
            "share_of_limit": share_of_limit(stage, limits),
        }
        for stage in stages
    ]


def _percent(part: float | None) -> str:
    return "" if part is None else f"{100 * part:.0f} %"
