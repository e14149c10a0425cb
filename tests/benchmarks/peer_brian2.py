"""The workloads as Brian2 C++ standalone projects; prints one line of JSON.

    python tests/benchmarks/peer_brian2.py W1 --dt 0.1

Generating and compiling the C++ code is not counted as building; ``compile_s`` gives it. The program notes its own
clocks and memory at three points: when it has started, before the run and after it.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brian2 as b2
import numpy as np
import workloads
from brian2 import Hz, ms, mV, nA, nF, uS
from measuring import Stages, arguments, report
from microcircuit import LAYERS, Microcircuit
from workload import Workload

FLAGS = ["-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-march=native", "-std=c++11"]

# One row of the file: processor time (s), wall time (s), memory and the most memory so far (kB).
NOTE = """{
    long now = 0, most = 0;
    char line[256];
    FILE* status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status)) {
        sscanf(line, "VmRSS: %ld", &now);
        sscanf(line, "VmHWM: %ld", &most);
    }
    fclose(status);
    FILE* notes = fopen("results/notes.txt", "a");
    fprintf(notes, "%.6f %.6f %ld %ld\\n", (double)clock() / CLOCKS_PER_SEC,
        std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(), now, most);
    fclose(notes);
}"""
HEADERS = ["<chrono>", "<cstdio>", "<ctime>"]

CURRENTS = """
dv/dt = (v_rest - v) / tau_m + (g_exc + g_inh) / C_m : volt (unless refractory)
dg_exc/dt = -g_exc / tau_exc : amp
dg_inh/dt = -g_inh / tau_inh : amp
"""
CONDUCTANCES = """
dv/dt = (g_leak * (v_rest - v) + g_exc * (e_exc - v) + g_inh * (e_inh - v)) / C_m : volt (unless refractory)
dg_exc/dt = -g_exc / tau_exc : siemens
dg_inh/dt = -g_inh / tau_inh : siemens
"""
# Excitatory and inhibitory input share one time constant, so one current is enough.
ONE_CURRENT = """
dv/dt = (v_rest - v) / tau_m + g / C_m : volt (unless refractory)
dg/dt = -g / tau_exc : amp
"""
WITH_OFFSET = ONE_CURRENT.replace("g / C_m", "(g + offset) / C_m") + "offset : amp\n"
STDP = """
w : amp
dpre_trace/dt = -pre_trace / tau_plus : amp (event-driven)
dpost_trace/dt = -post_trace / tau_minus : amp (event-driven)
"""


@dataclass
class Parts:
    """The objects of a network, and the monitors of its recorded groups in the order that the workload expects."""

    objects: list[Any] = field(default_factory=list)
    monitors: list[Any] = field(default_factory=list)

    def add(self, made: Any) -> Any:
        """Put an object into the network."""
        self.objects.append(made)
        return made

    def record(self, group: Any, times: bool = True) -> None:
        """Record a group's spikes, or only count them."""
        self.monitors.append(self.add(b2.SpikeMonitor(group, record=times)))


def neuron_group(parts: Parts, load: Any, equations: str, constants: dict[str, Any], method: str = "exact") -> Any:
    """Neurons with the parameters that all workloads name alike, and further constants."""
    values: dict[str, Any] = {
        "tau_m": load.tau_m * ms,
        "C_m": load.cm * nF,  # cm is the centimetre to Brian2
        "v_rest": load.v_rest * mV,
        "v_thresh": load.v_thresh * mV,
        "v_reset": load.v_reset * mV,
        **constants,
    }
    refractory: Any = load.tau_refrac * ms
    neurons = b2.NeuronGroup(
        load.neurons,
        equations,
        threshold="v > v_thresh",
        reset="v = v_reset",
        refractory=refractory,
        method=method,
        namespace=values,
    )
    neurons.v = load.v_rest * mV
    return parts.add(neurons)


def synapses(parts: Parts, pre: Any, post: Any, target: str, weight: Any, delay: Any = None, **connect: Any) -> Any:
    """Synapses of one weight that add it to a variable of the target."""
    made = b2.Synapses(pre, post, on_pre=f"{target} += weight", namespace={"weight": weight}, delay=delay)
    made.connect(**connect)
    return parts.add(made)


def brunel(load: workloads.Brunel, parts: Parts) -> None:
    neurons = neuron_group(parts, load, "dv/dt = (v_rest - v) / tau_m : volt (unless refractory)", {})
    trains = load.inputs_exc  # Brian2 draws one binomial number per neuron and step for all of them together
    rate = load.external_rate / trains * Hz
    parts.add(b2.PoissonInput(neurons, "v", N=trains, rate=rate, weight=load.weight_exc * mV))
    delay = load.delay * ms
    exc, inh = neurons[: load.n_exc], neurons[load.n_exc :]
    synapses(parts, exc, neurons, "v", load.weight_exc * mV, delay, p=load.inputs_exc / load.n_exc)
    synapses(parts, inh, neurons, "v", load.weight_inh * mV, delay, p=load.inputs_inh / load.n_inh)
    parts.record(neurons)


def vogels_abbott(load: workloads.VogelsAbbott, parts: Parts) -> None:
    constants: dict[str, Any] = {"tau_exc": load.tau_syn_exc * ms, "tau_inh": load.tau_syn_inh * ms}
    if load.conductances:
        leak = load.cm * nF / (load.tau_m * ms)
        constants |= {"g_leak": leak, "e_exc": load.e_rev_exc * mV, "e_inh": load.e_rev_inh * mV}
        neurons = neuron_group(parts, load, CONDUCTANCES, constants, "exponential_euler")
    else:
        neurons = neuron_group(parts, load, CURRENTS, constants)
    neurons.v = "v_reset + rand() * (v_thresh - v_reset)"
    unit = uS if load.conductances else nA
    delay = load.delay * ms
    exc, inh = neurons[: load.n_exc], neurons[load.n_exc :]
    synapses(parts, exc, neurons, "g_exc", load.weight_exc * unit, delay, p=load.probability)
    synapses(parts, inh, neurons, "g_inh", load.weight_inh * unit, delay, p=load.probability)
    if load.conductances:
        rates = f"{load.kick_rate} * Hz * int(t < {load.kick_duration} * ms)"
        kick = parts.add(b2.PoissonGroup(load.kick_sources, rates=rates))
        synapses(parts, kick, neurons, "g_exc", load.kick_weight * uS, delay, p=load.kick_probability)
    parts.record(neurons)


def microcircuit(load: Microcircuit, parts: Parts) -> None:
    starts = np.r_[0, np.cumsum(load.sizes)]
    layers = [slice(int(first), int(end)) for first, end in itertools.pairwise(starts)]
    neurons = neuron_group(parts, load, WITH_OFFSET, {"tau_exc": load.tau_syn * ms})
    neurons.v = (load.v_mean + load.v_sd * np.random.randn(load.neurons)) * mV
    neurons.offset = np.repeat([load.offset(layer) for layer in LAYERS], load.sizes) * nA
    weight = load.external_weight * nA
    for layer, cells in enumerate(layers):
        trains = int(load.external_inputs(layer))
        parts.add(b2.PoissonInput(neurons[cells], "g", N=trains, rate=load.external_rate * Hz, weight=weight))
    for first in (0, 1):  # excitatory projections, then inhibitory ones
        made = parts.add(b2.Synapses(neurons, neurons, "w : amp", on_pre="g_post += w"))
        rows = [layer_synapses(load, starts, i, j) for i in LAYERS for j in LAYERS[first::2]]
        source, target, weights, delays = (np.concatenate(column) for column in zip(*rows, strict=True))
        made.connect(i=source, j=target)
        made.w = weights * nA
        made.delay = delays * ms
    for cells in layers:
        parts.record(neurons[cells])


def layer_synapses(load: Microcircuit, starts: np.ndarray, target: int, source: int) -> tuple:
    """Source, target, weight (nA) and delay (ms) of the synapses from one population to another."""
    number = load.numbers[target][source]
    mean, delay = load.weight(target, source), load.delay(source)
    return (
        np.random.randint(starts[source], starts[source + 1], number),
        np.random.randint(starts[target], starts[target + 1], number),
        mean + abs(mean) * load.weight_rel_sd * np.random.randn(number),
        np.clip(delay * (1 + load.delay_rel_sd * np.random.randn(number)), load.dt, load.max_delay),
    )


def sparse(load: workloads.Sparse, parts: Parts) -> None:
    constants = {"tau_exc": load.tau_syn * ms, "tau_inh": load.tau_syn * ms}
    neurons = neuron_group(parts, load, CURRENTS, constants)
    sources = parts.add(b2.PoissonGroup(load.sources, rates=load.source_rate * Hz))
    targets = f"int(rand() * N_post) for _ in range({load.targets})"
    synapses(parts, sources, neurons, "g_exc", load.source_weight * nA, load.source_delay * ms, j=targets)
    exc, inh = neurons[: load.n_exc], neurons[load.n_exc :]
    for made in (
        synapses(parts, exc, neurons, "g_exc", load.weight_exc * nA, j=targets),
        synapses(parts, inh, neurons, "g_inh", load.weight_inh * nA, j=targets),
    ):
        made.delay = f"(1 + int(rand() * {load.max_delay})) * ms"
    parts.record(neurons)


def plastic(load: workloads.Plastic, parts: Parts) -> None:
    neurons = neuron_group(parts, load, ONE_CURRENT, {"tau_exc": load.tau_syn * ms})
    sources = parts.add(b2.PoissonGroup(load.sources, rates=load.rate * Hz))
    constants = {
        "tau_plus": load.tau_plus * ms,
        "tau_minus": load.tau_minus * ms,
        "plus": load.A_plus * load.w_max * nA,
        "minus": load.A_minus * load.w_max * nA,
        "w_max": load.w_max * nA,
    }
    made = b2.Synapses(
        sources,
        neurons,
        STDP,
        on_pre="g_post += w; pre_trace += plus; w = clip(w - post_trace, 0 * amp, w_max)",
        on_post="post_trace += minus; w = clip(w + pre_trace, 0 * amp, w_max)",
        namespace=constants,
    )
    parts.add(made).connect()
    made.w = load.weight * nA
    made.pre.delay = load.delay * ms
    parts.record(neurons)
    parts.record(sources, times=False)


NETWORKS = {
    workloads.Brunel: brunel,
    workloads.VogelsAbbott: vogels_abbott,
    Microcircuit: microcircuit,
    workloads.Sparse: sparse,
    workloads.Plastic: plastic,
}


def prepare(folder: str, threads: int, seed: int, dt: float) -> Any:
    """Brian2's standalone device, with the notes of clocks and memory put into its program."""
    b2.BrianLogger.log_level_error()
    b2.prefs.codegen.cpp.extra_compile_args_gcc = FLAGS
    b2.prefs.codegen.cpp.headers += HEADERS
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    if threads > 1:
        b2.prefs.devices.cpp_standalone.openmp_threads = threads
    b2.seed(seed)
    np.random.seed(seed)
    b2.defaultclock.dt = dt * ms
    device: Any = b2.get_device()
    for place in ("after_start", "before_network_run", "after_network_run"):
        device.insert_code(place, NOTE)
    return device


def build(folder: Path, load: Workload, threads: int, seed: int) -> None:
    """Generate and compile the program of a workload, and note beside it where it will write its counts of spikes."""
    device = prepare(str(folder), threads, seed, load.dt)
    parts = Parts()
    NETWORKS[type(load)](load, parts)
    b2.Network(parts.objects).run(load.duration * ms, namespace={})
    device.build(compile=True, run=False, directory=str(folder))
    counters = [monitor.variables["N"] for monitor in parts.monitors]
    files = [(device.get_array_filename(counter), np.dtype(counter.dtype).name) for counter in counters]
    (folder / "counters.json").write_text(json.dumps(files))


def execute(folder: Path) -> tuple[np.ndarray, list[int]]:
    """Run the compiled program; its three notes, and the number of spikes of each recorded group."""
    notes = folder / "results" / "notes.txt"
    notes.unlink(missing_ok=True)
    done = subprocess.run(["./main"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Brian2's program ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    counters = json.loads((folder / "counters.json").read_text())
    return np.loadtxt(notes), [int(np.fromfile(folder / "results" / name, kind)[0]) for name, kind in counters]


def main() -> None:
    """Generate and compile one workload, unless that was done before, and run it."""
    options = arguments(
        "Runs a workload as a Brian2 C++ standalone project.",
        ("--project", {"type": Path, "help": "folder that keeps the compiled program for the next time"}),
    )
    load = workloads.workload(options.workload, options.dt, options.scale, options.duration)
    stages = Stages()
    with tempfile.TemporaryDirectory(prefix="bench_brian2_") as scratch:
        folder = options.project or Path(scratch)
        with stages.stage("compile_s"):
            if not (folder / "counters.json").exists():
                build(folder, load, options.threads, options.seed)
        (started, built, ran), spikes = execute(folder)
    seconds = {
        **stages.seconds,
        "build_s": built[1] - started[1],
        "build_cpu_s": built[0],
        "run_s": ran[1] - built[1],
        "cpu_s": ran[0] - built[0],
    }
    report(f"b2sa{options.threads}", load, seconds, spikes, (ran[2] - started[2]) * 1024, ran[3] / 1024)


if __name__ == "__main__":
    main()
