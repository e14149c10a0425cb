"""Compares evsim with other simulators side by side, and writes what it finds as tables.

    python tests/benchmarks/compare.py                                  # all, three times: half an hour or more
    python tests/benchmarks/compare.py W1:0.1 W5:1 --sims evsim1 nest1  # some of them
    python tests/benchmarks/compare.py --small                          # a reduced set in under a minute
    python tests/benchmarks/compare.py --json runs.jsonl --write docs/performance.md

Every run is a process of its own. The jobs take turns, so that a drift of the machine meets all alike; medians and
ratios are what is shown. NEST and Brian2 take part where they are installed in the same environment, and ``--also``
adds any other program that takes ``WORKLOAD --dt D`` and prints the same line, as in ``--also "fast1=./fast -v"``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comparison_tables as tables
from measuring import MARK
from workloads import NAMES

HERE = Path(__file__).parent
CHIPS = {"": "ideal", "-s16": "spinnaker1"}
SIMS = {
    **{
        f"evsim{threads}{suffix}": ["bench_evsim.py", "--threads", str(threads), "--chip", chip]
        for suffix, chip in CHIPS.items()
        for threads in (1, 2)
    },
    "evsim1-native": ["bench_evsim.py", "--threads", "1", "--rng", "native"],
    "nest1": ["peer_nest.py", "--threads", "1"],
    "nest2": ["peer_nest.py", "--threads", "2"],
    "b2sa1": ["peer_brian2.py", "--threads", "1"],
    "b2sa2": ["peer_brian2.py", "--threads", "2"],
}
PACKAGES = {"nest": "nest", "b2sa": "brian2"}
# Brian2's two threads are slower than one on nearly every workload; NativeRNG changes nothing but the building.
DEFAULT_SIMS = [name for name in SIMS if name not in ("b2sa2", "evsim1-native")]
WORKLOADS = ["W1:0.1", "W1:1", "W2CUBA:0.1", "W2COBA:0.1", "W2CUBA20k:0.1", "W3:0.1", "W4:1", "W5:1", "W5:0.1"]

SMALL_SIMS = ["evsim1", "evsim2", "evsim1-s16", "nest1"]  # compiling a program of Brian2 takes too long
SMALL_WORKLOADS = ["W1:0.1", "W2CUBA:0.1", "W5:1"]
SMALL = ["--scale", "0.25", "--T", "500"]


@dataclass(frozen=True)
class Job:
    """One simulator on one workload.

    Attributes:
        words: of the command, without the interpreter where it is one of the scripts here.
        memory: a run that measures the bytes of a synapse and whose times do not count.
    """

    sim: str
    workload: str
    dt: str
    words: tuple[str, ...]
    memory: bool = False

    @property
    def title(self) -> str:
        return f"{self.sim} {self.workload} {self.dt} ms" + (" (memory)" if self.memory else "")


def installed(sim: str) -> bool:
    """Whether the package of a peer can be imported."""
    return all(importlib.util.find_spec(name) for prefix, name in PACKAGES.items() if sim.startswith(prefix))


def plan(options: argparse.Namespace, projects: Path) -> list[Job]:
    """The jobs of one round, and after them one run for the memory of each workload on evsim."""
    also = dict(entry.split("=", 1) for entry in options.also)
    wanted = [name for name in options.sims if name != "none"]
    sims = [name for name in wanted if installed(name)]
    for name in sorted({*wanted} - {*sims}):
        print(f"{name} is left out: its package is not installed here")
    jobs = []
    for workload, _, dt in (entry.partition(":") for entry in options.workloads):
        for sim in sims:
            if workload == "W5" and "-s16" in sim:
                continue  # synapses that learn are in ideal only
            script, *words = SIMS[sim]
            words += SMALL if options.small else []
            if sim.startswith("b2sa"):
                words += ["--project", str(projects / f"{sim}-{workload}-{dt}")]
            jobs.append(Job(sim, workload, dt, (str(HERE / script), workload, "--dt", dt, *words)))
        for sim, command in also.items():
            jobs.append(Job(sim, workload, dt, (*shlex.split(command), workload, "--dt", dt)))
    measured = [] if options.small else [job for job in jobs if job.sim in ("evsim1", "evsim1-s16")]
    return jobs + [Job(j.sim, j.workload, j.dt, (*j.words, "--memory"), memory=True) for j in measured]


def environment(seed: int, bytecode: Path) -> dict[str, str]:
    """The environment of a run: Python's byte code is kept, and OpenMP's threads do not spin while they wait."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return inherited | {
        "BSEED": str(seed),
        "OMP_WAIT_POLICY": "passive",
        "GOMP_SPINCOUNT": "0",
        "PYTHONPYCACHEPREFIX": str(bytecode),
    }


def measure(job: Job, env: dict[str, str], timeout: float) -> dict[str, Any]:
    """Run one job: its result, or why there is none under ``error``."""
    script = job.words[0].endswith(".py")
    command = [sys.executable, *job.words] if script else list(job.words)
    started = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=env, check=False)
    except subprocess.TimeoutExpired:
        found = {"error": f"did not end within {timeout:g} s"}
    else:
        lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
        if lines and done.returncode == 0:
            found = json.loads(lines[-1][len(MARK) :])
        else:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing was printed").splitlines()[-1]
            found = {"error": f"ended with {done.returncode}: {said}"}
    identity = {"sim": job.sim, "workload": job.workload, "dt": float(job.dt), "memory": job.memory}
    return found | identity | {"load": os.getloadavg()[0], "took_s": round(time.perf_counter() - started, 1)}


def take_turns(jobs: list[Job], repeats: int, seed: int, timeout: float) -> Iterator[dict[str, Any]]:
    """Results of all jobs, round by round; the seed changes with the round. A job that failed is not tried again."""
    given_up = set()
    with tempfile.TemporaryDirectory(prefix="evsim_bench_") as bytecode:
        if any(job.sim.startswith("evsim") for job in jobs):  # compile Python's byte code before anything is timed
            subprocess.run(
                [sys.executable, "-c", "import pyNN.evsim"], env=environment(seed, Path(bytecode)), check=False
            )
        for turn in range(repeats):
            env = environment(seed + turn, Path(bytecode))
            for job in jobs:
                if job in given_up or (job.memory and turn):
                    continue
                result = measure(job, env, timeout)
                if "error" in result:
                    given_up.add(job)
                print(f"{turn + 1}/{repeats} {job.title}: {tables.one_line(result)}", flush=True)
                yield result


def read(path: Path) -> list[dict[str, Any]]:
    """The results in a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD:DT", help="such as W1:0.1; by default all of them")
    parser.add_argument(
        "--sims", nargs="+", choices=[*SIMS, "none"], help="who takes part; by default all but b2sa2 and evsim1-native"
    )
    parser.add_argument("--also", nargs="+", default=[], metavar="NAME=COMMAND", help="other programs to compare with")
    parser.add_argument("--repeats", type=int, help="rounds; by default 3, or 1 with --small")
    parser.add_argument("--seed", type=int, default=12345, help="of the first round")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds that one run may take")
    parser.add_argument("--small", action="store_true", help="a reduced set in under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file of JSON lines that every run is added to")
    parser.add_argument("--tables-only", action="store_true", help="run nothing: show the tables of FILE's runs")
    parser.add_argument("--write", type=Path, help="file whose tables are replaced, such as docs/performance.md")
    options = parser.parse_args()
    if options.tables_only and not options.json:
        parser.error("--tables-only shows the tables of a file; name it with --json FILE")
    options.workloads = options.workloads or (SMALL_WORKLOADS if options.small else WORKLOADS)
    options.sims = options.sims or (SMALL_SIMS if options.small else DEFAULT_SIMS)
    options.repeats = options.repeats or (1 if options.small else 3)
    for entry in options.workloads:
        name, _, dt = entry.partition(":")
        if name not in NAMES or not dt.replace(".", "", 1).isdigit():
            parser.error(f"{entry!r} is no workload with a time step; give NAME:DT with a name of {', '.join(NAMES)}")
    for entry in options.also:
        if "=" not in entry:
            parser.error(f"--also was given {entry!r}; give NAME=COMMAND")
    return options


def keep(result: dict[str, Any], path: Path | None) -> dict[str, Any]:
    """Add a result to the file, if there is one, at once: a comparison that is interrupted loses nothing."""
    if path:
        with path.open("a") as file:
            file.write(json.dumps(result) + "\n")
    return result


def run_all(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All runs, and the description of the machine before them."""
    results = [keep({"machine": tables.machine()}, options.json)]
    with tempfile.TemporaryDirectory(prefix="evsim_bench_brian2_") as projects:
        jobs = plan(options, Path(projects))
        for result in take_turns(jobs, options.repeats, options.seed, options.timeout):
            results.append(keep(result, options.json))
    return results


def main() -> int:
    """Run and tabulate; 1 if a run failed."""
    options = command_line()
    results = [] if options.tables_only else run_all(options)
    if options.json:
        results = read(options.json)
    text = tables.render(results)
    print(text)
    if options.write:
        tables.replace(options.write, text)
    return 1 if any("error" in result for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
