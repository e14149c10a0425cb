"""From results to Markdown tables: medians, ratios, and the machine that gave them."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

BEGIN = "<!-- tables of tests/benchmarks/compare.py: begin -->"
END = "<!-- tables of tests/benchmarks/compare.py: end -->"
NONE = "-"

LABELS = {
    "evsim": "evsim ideal",
    "evsim-s16": "evsim spinnaker1",
    "evsim-native": "evsim ideal with NativeRNG",
    "nest": "NEST",
    "b2sa": "Brian2 C++",
}

# Simulators that no package index has: run time relative to Brian2's C++ standalone mode with one thread, median of
# three interleaved runs of programs built from source (Auryn 8.3; GeNN 5.4, single-threaded CPU backend).
FIXED = {
    ("W1", 0.1): {"Auryn": 3.59 / 3.51, "GeNN CPU": 2.79 / 3.51},
    ("W2COBA", 0.1): {"Auryn": 0.0673 / 0.233, "GeNN CPU": 0.0673 / 0.233},
    ("W2CUBA", 0.1): {"GeNN CPU": 0.0567 / 0.0490},
    ("W5", 1.0): {"GeNN CPU": 0.0034 / 0.0144},
    ("W5", 0.1): {"Auryn": 0.0068 / 0.0375, "GeNN CPU": 0.0198 / 0.0375},
}
FIXED_NAMES = ("Auryn", "GeNN CPU")

Result = dict[str, Any]
Key = tuple[str, float]  # workload and time step (ms)


def machine() -> dict[str, Any]:
    """What the results depend on: the processor, its cores, and how busy it is with other work."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", info, re.MULTILINE)
    vectors = [name for name in ("avx2", "avx512f") if flags and name in flags.group(1).split()]
    return {
        "cpu": model.group(1).strip() if model else platform.machine(),
        "vectors": ", ".join(vectors) or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def threads(sim: str) -> int:
    """The number of threads in a simulator's name: ``evsim2-s16`` has 2; 1 where it has no number."""
    found = re.fullmatch(r".*?(\d*)(-\w+)?", sim)
    return int(found.group(1) or 1) if found else 1


def label(sim: str) -> str:
    """The name of a simulator in a table: ``evsim2-s16`` is *evsim spinnaker1, 2 threads*."""
    stem, dash, variant = sim.partition("-")
    name = stem.rstrip("0123456789") + dash + variant
    return LABELS.get(name, name) + (f", {threads(sim)} threads" if threads(sim) > 1 else "")


def seconds(result: Result) -> float:
    """Seconds that a second of model time costs: of the processor with one thread, else of the clock on the wall."""
    return result["cpu_s" if threads(result["sim"]) == 1 else "run_s"] / result["T"] * 1000


def one_line(result: Result) -> str:
    """A result as it is shown while the jobs run."""
    if "error" in result:
        return f"failed: {result['error']}"
    return (
        f"build {result['build_s']:.2f} s, run {result['run_s']:.3f} s (processor {result['cpu_s']:.3f} s), "
        f"{result['rate_hz']:.2f} Hz, load {result['load']:.1f}"
    )


def figure(value: float | None) -> str:
    """Three significant digits, without an exponent."""
    if not value:
        return NONE if value is None else "0"
    digits = 2 if value >= 1 else 3 if value >= 0.1 else 4
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.{digits}f}"


def times(ratio: float | None) -> str:
    """A ratio, as ``8.1 x``."""
    return NONE if ratio is None else f"{figure(ratio)} x"


class Runs:
    """The results of all runs by workload and simulator.

    Attributes:
        sims: in the order in which they first appear.
        keys: workloads and time steps, likewise.
    """

    def __init__(self, results: Iterable[Result]) -> None:
        self._runs: dict[tuple[Key, str, bool], list[Result]] = defaultdict(list)
        self.sims: list[str] = []
        self.keys: list[Key] = []
        for result in results:
            key = (result["workload"], result["dt"])
            self.keys += [key] if key not in self.keys else []
            self.sims += [result["sim"]] if result["sim"] not in self.sims else []
            if "error" not in result:
                self._runs[key, result["sim"], result.get("memory", False)].append(result)

    def values(self, key: Key, sim: str, field: str, memory: bool = False) -> list[float]:
        """A field of all runs that have it."""
        return [result[field] for result in self._runs[key, sim, memory] if result.get(field) is not None]

    def median(self, key: Key, sim: str, field: str, memory: bool = False) -> float | None:
        """The median of a field, None where no run has it."""
        found = self.values(key, sim, field, memory)
        return statistics.median(found) if found else None

    def start(self, key: Key, sim: str, field: str) -> float | None:
        """The median of a field of the runs that found all kernels compiled; of all runs if none did."""
        runs = self._runs[key, sim, False]
        found = [run[field] for run in runs if not run["compile_s"]] or [run[field] for run in runs]
        return statistics.median(found) if found else None

    def cost(self, key: Key, sim: str) -> float | None:
        """The median of ``seconds``."""
        found = [seconds(result) for result in self._runs[key, sim, False]]
        return statistics.median(found) if found else None

    def number(self) -> int:
        """The most runs that any simulator had on one workload."""
        return max((len(found) for (_, _, memory), found in self._runs.items() if not memory), default=0)


def ratio(above: float | None, below: float | None) -> float | None:
    """None unless both are known."""
    return above / below if above is not None and below else None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first two columns are text, the others numbers."""
    rule = ["---", "---", *["--:"] * (len(head) - 2)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def run_table(runs: Runs) -> str:
    """What a second of model time costs every simulator."""
    rows = [[*_place(key), *(figure(runs.cost(key, sim)) for sim in runs.sims)] for key in runs.keys]
    return table(["workload", "step", *(label(sim) for sim in runs.sims)], rows)


def ratio_table(runs: Runs, ours: str) -> str:
    """How many times longer each other simulator takes than one of ours, with as many threads."""
    theirs = [sim for sim in runs.sims if not sim.startswith("evsim") and threads(sim) == threads(ours)]
    fixed = FIXED_NAMES if "b2sa1" in theirs else ()
    rows = []
    for key in runs.keys:
        mine = runs.cost(key, ours)
        row = [times(ratio(runs.cost(key, sim), mine)) for sim in theirs]
        brian = ratio(runs.cost(key, "b2sa1"), mine)
        known = FIXED.get(key, {})
        row += [times(brian * known[name] if brian and name in known else None) for name in fixed]
        rows.append([*_place(key), *row])
    head = ["workload", "step", *(label(sim).split(",")[0] for sim in theirs), *(f"{name} *" for name in fixed)]
    return table(head, rows)


def thread_table(runs: Runs) -> str:
    """How much faster two threads are than one, by the clock on the wall."""
    pairs = [(sim, sim.replace("1", "2", 1)) for sim in runs.sims if threads(sim) == 1]
    pairs = [(one, two) for one, two in pairs if two in runs.sims and one != two]
    rows = [
        [*_place(key), *(times(ratio(runs.median(key, a, "run_s"), runs.median(key, b, "run_s"))) for a, b in pairs)]
        for key in runs.keys
    ]
    return table(["workload", "step", *(label(one) for one, _ in pairs)], rows)


def build_table(runs: Runs, ours: str) -> str:
    """Start, building (both in processor time, as with one thread everything is) and memory of one of ours."""
    columns = {
        "import (s)": "import_cpu_s",
        "build (s)": "build_cpu_s",
        "read the spikes (s)": "get_data_cpu_s",
        "peak (MiB)": "rss_mb",
    }
    rows = []
    for key in runs.keys:
        count = runs.median(key, ours, "n_syn")
        values = [runs.start(key, ours, name) for name in columns.values()]
        compiling = max(runs.values(key, ours, "compile_s"), default=None)
        size = runs.median(key, ours, "bytes_per_syn", memory=True)
        synapses = NONE if count is None else f"{count:,.0f}"
        rows.append([*_place(key), synapses, *map(figure, values), figure(compiling), figure(size)])
    return table(["workload", "step", "synapses", *columns, "compiling, at most (s)", "bytes per synapse"], rows)


def rate_table(runs: Runs) -> str:
    """Mean rates, by which one sees that all simulate the same network."""
    rows = [[*_place(key), *(figure(runs.median(key, sim, "rate_hz")) for sim in runs.sims)] for key in runs.keys]
    return table(["workload", "step", *(label(sim) for sim in runs.sims)], rows)


def _place(key: Key) -> list[str]:
    return [key[0], f"{key[1]:g} ms"]


def render(results: Sequence[Result]) -> str:
    """All tables as Markdown, from the results of runs and the descriptions of machines among them."""
    machines = [result["machine"] for result in results if "machine" in result]
    measured = [result for result in results if "machine" not in result]
    runs = Runs(measured)
    loads = [result["load"] for result in measured if "load" in result]
    parts = [_conditions(machines, loads, runs.number())]
    parts += ["#### Cost of a second of model time (s)", run_table(runs)]
    ours = [sim for sim in runs.sims if sim.startswith("evsim")]
    for sim in ours:
        if any(not other.startswith("evsim") and threads(other) == threads(sim) for other in runs.sims):
            parts += [f"#### Times faster: {label(sim)} against each with as many threads", ratio_table(runs, sim)]
    if any(threads(sim) > 1 for sim in runs.sims):
        parts += ["#### Times faster with two threads than with one", thread_table(runs)]
    for sim in ours:
        if threads(sim) == 1:
            parts += [f"#### Start, building and memory: {label(sim)}", build_table(runs, sim)]
    parts += ["#### Mean rates (Hz)", rate_table(runs)]
    failed = {
        f"- {label(r['sim'])} on {r['workload']}, {r['dt']:g} ms: {r['error']}": None for r in measured if "error" in r
    }
    if failed:
        parts += ["#### Runs that failed", "\n".join(failed)]
    return "\n\n".join(parts)


def _conditions(machines: Sequence[Result], loads: Sequence[float], repeats: int) -> str:
    described = dict.fromkeys(
        f"{m['cpu']} ({m['vectors']}), {m['cores']} cores, {m['memory_gib']} GiB, Python {m['python']}"
        for m in machines
    )
    load = f", load of the machine {min(loads):.1f} to {max(loads):.1f}" if loads else ""
    return f"{'; '.join(described) or 'Unknown machine'}; up to {repeats} runs of each{load}."


def replace(path: Path, text: str) -> None:
    """Put the tables between the two markers of a file.

    Raises:
        ValueError: the file does not have both markers, in that order.
    """
    before, found, rest = path.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{path} has no place for the tables: it needs the lines {BEGIN!r} and {END!r}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
