"""Clocks, memory, and the one line of JSON that every benchmark script ends with."""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workloads import NAMES, Workload

MARK = "JSON "  # begins the line that holds the result
MIB = 2**20


def arguments(description: str, *more: tuple[str, dict[str, Any]]) -> argparse.Namespace:
    """Parse the command line: what all scripts understand, and further options as (name, words of add_argument)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workload", choices=NAMES)
    parser.add_argument("--dt", type=float, default=0.1, help="time step (ms)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--T", type=float, dest="duration", help="time to simulate (ms); by default the workload's own")
    parser.add_argument("--scale", type=float, default=1.0, help="size relative to the workload")
    parser.add_argument(
        "--seed", type=int, default=int(os.environ.get("BSEED", "12345")), help="default: $BSEED or 12345"
    )
    for name, words in more:
        parser.add_argument(name, **words)
    return parser.parse_args()


def cpu_seconds() -> float:
    """User and system time of this process, all of its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> int:
    """Memory of this process (bytes)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_mib() -> float:
    """The most memory this process ever had (MiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass
class Stages:
    """Wall and processor time of the stages of a script, and its memory before the first synapse."""

    seconds: dict[str, float] = field(default_factory=dict)
    base: int = 0

    @contextmanager
    def stage(self, name: str, cpu: str = "") -> Iterator[None]:
        """Time what is done inside under ``name``, and its processor time under ``cpu``."""
        wall, used = time.perf_counter(), cpu_seconds()
        yield
        self.seconds[name] = time.perf_counter() - wall
        if cpu:
            self.seconds[cpu] = cpu_seconds() - used

    def before_synapses(self) -> None:
        """Say that nothing but neurons has been created so far."""
        self.base = resident()


def report(
    sim: str,
    load: Workload,
    seconds: dict[str, float],
    spikes: Sequence[int],
    grown: float,
    peak: float,
    **more: float,
) -> None:
    """Print the result as one line.

    Args:
        sim: who ran it, such as ``nest1`` for NEST with one thread.
        seconds: ``build_s``, ``build_cpu_s``, ``run_s`` and ``cpu_s`` (processor time of the run), and others.
        spikes: number of spikes of each recorded group; the rate is that of the groups that ``load.neurons`` counts.
        grown: bytes by which the process grew from before the first projection to after the run.
        peak: MiB.
    """
    counted = spikes[:1] if load.name == "W5" else spikes
    rate = sum(counted) / load.neurons / load.duration * 1000
    events = load.events(spikes)
    result = {
        "sim": sim,
        "workload": load.name,
        "dt": load.dt,
        "T": load.duration,
        **{name: round(value, 4) for name, value in seconds.items()},
        "spikes": int(sum(counted)),
        "rate_hz": round(rate, 3),
        "syn_events": round(events),
        "n_syn": load.synapses,
        "rss_mb": round(peak, 1),
        "bytes_per_syn": round(grown / load.synapses, 2),
        "mev_per_s": round(events / seconds["run_s"] / 1e6, 2),
        **more,
    }
    print(MARK + json.dumps(result), flush=True)
