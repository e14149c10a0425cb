"""The workloads through PyNN on evsim, written as a user would write them; prints one line of JSON.

    python tests/benchmarks/bench_evsim.py W1 --dt 0.1 --threads 2
    python tests/benchmarks/bench_evsim.py W2CUBA --dt 1 --chip spinnaker1 --rng native

Building includes the first time step, in which the network is checked, laid out in memory and its kernels are loaded;
``compile_s`` is the part of it in which kernels that were not in the cache were compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import workloads
from measuring import Stages, arguments, peak_mib, report, resident
from microcircuit import Microcircuit

Mark = Callable[[], None]  # called when all neurons have been created and the first projection has not


def leaky(load: Any) -> dict[str, float]:
    """The parameters of a leaky neuron that all workloads name alike."""
    return {
        "tau_m": load.tau_m,
        "v_rest": load.v_rest,
        "v_reset": load.v_reset,
        "v_thresh": load.v_thresh,
        "tau_refrac": load.tau_refrac,
        "cm": load.cm,
    }


def one_time_constant(load: Any) -> dict[str, float]:
    """The parameters of a neuron whose synaptic currents all have the same time constant."""
    return {**leaky(load), "tau_syn_E": load.tau_syn, "tau_syn_I": load.tau_syn}


def brunel(sim: Any, load: workloads.Brunel, rng: Any, mark: Mark) -> list:
    """W1: random inputs of fixed number, and one Poisson source for each neuron."""
    neurons = sim.Population(load.neurons, sim.IF_curr_delta(**leaky(load)), initial_values={"v": load.v_rest})
    exc, inh = neurons[: load.n_exc], neurons[load.n_exc :]
    external = sim.Population(load.neurons, sim.SpikeSourcePoisson(rate=load.external_rate))
    mark()
    exciting = sim.StaticSynapse(weight=load.weight_exc, delay=load.delay)
    inhibiting = sim.StaticSynapse(weight=load.weight_inh, delay=load.delay)
    inputs = partial(sim.FixedNumberPreConnector, with_replacement=True, rng=rng)
    sim.Projection(external, neurons, sim.OneToOneConnector(), exciting)
    sim.Projection(exc, neurons, inputs(load.inputs_exc), exciting)
    sim.Projection(inh, neurons, inputs(load.inputs_inh), inhibiting, receptor_type="inhibitory")
    neurons.record("spikes")
    return [neurons]


def vogels_abbott(sim: Any, load: workloads.VogelsAbbott, rng: Any, mark: Mark) -> list:
    """W2: every pair with the same probability; the network of conductances is kicked by a few sources."""
    parameters = {**leaky(load), "tau_syn_E": load.tau_syn_exc, "tau_syn_I": load.tau_syn_inh}
    if load.conductances:
        cell = sim.IF_cond_exp(**parameters, e_rev_E=load.e_rev_exc, e_rev_I=load.e_rev_inh)
    else:
        cell = sim.IF_curr_exp(**parameters)
    neurons = sim.Population(load.neurons, cell)
    neurons.initialize(v=sim.RandomDistribution("uniform", low=load.v_reset, high=load.v_thresh, rng=rng))
    exc, inh = neurons[: load.n_exc], neurons[load.n_exc :]
    synapse = partial(sim.StaticSynapse, delay=load.delay)
    mark()
    pairs = sim.FixedProbabilityConnector(load.probability, rng=rng)
    sim.Projection(exc, neurons, pairs, synapse(weight=load.weight_exc))
    sim.Projection(inh, neurons, pairs, synapse(weight=load.weight_inh), receptor_type="inhibitory")
    if load.conductances:
        source = sim.SpikeSourcePoisson(rate=load.kick_rate, duration=load.kick_duration)
        kick = sim.Population(load.kick_sources, source)
        chosen = sim.FixedProbabilityConnector(load.kick_probability, rng=rng)
        sim.Projection(kick, neurons, chosen, synapse(weight=load.kick_weight))
    neurons.record("spikes")
    return [neurons]


def microcircuit(sim: Any, load: Microcircuit, rng: Any, mark: Mark) -> list:
    """W3: eight populations, joined by fixed numbers of synapses with random weights and delays."""
    normal = partial(sim.RandomDistribution, "normal_clipped", rng=rng)
    populations, externals = [], []
    for layer, size in enumerate(load.sizes):
        cell = sim.IF_curr_exp(**one_time_constant(load), i_offset=load.offset(layer))
        potentials = sim.RandomDistribution("normal", mu=load.v_mean, sigma=load.v_sd, rng=rng)
        populations.append(sim.Population(size, cell, initial_values={"v": potentials}))
        rate = load.external_rate * load.external_inputs(layer)
        externals.append(sim.Population(size, sim.SpikeSourcePoisson(rate=rate)))
    mark()
    drive = sim.StaticSynapse(weight=load.external_weight, delay=load.external_delay)
    for target, post in enumerate(populations):
        sim.Projection(externals[target], post, sim.OneToOneConnector(), drive)
        for source, pre in enumerate(populations):
            if not load.numbers[target][source]:
                continue
            mean, delay = load.weight(target, source), load.delay(source)
            low, high = (0.0, float("inf")) if mean > 0 else (float("-inf"), 0.0)
            synapse = sim.StaticSynapse(
                weight=normal(mu=mean, sigma=load.weight_rel_sd * abs(mean), low=low, high=high),
                delay=normal(mu=delay, sigma=load.delay_rel_sd * delay, low=load.dt, high=load.max_delay),
            )
            number = sim.FixedTotalNumberConnector(load.numbers[target][source], rng=rng)
            receptor = "excitatory" if mean > 0 else "inhibitory"
            sim.Projection(pre, post, number, synapse, receptor_type=receptor)
    for population in populations:
        population.record("spikes")
    return populations


def sparse(sim: Any, load: workloads.Sparse, rng: Any, mark: Mark) -> list:
    """W4: a fixed number of random targets for every source and every neuron."""
    cell = sim.IF_curr_exp(**one_time_constant(load))
    neurons = sim.Population(load.neurons, cell, initial_values={"v": load.v_rest})
    exc, inh = neurons[: load.n_exc], neurons[load.n_exc :]
    sources = sim.Population(load.sources, sim.SpikeSourcePoisson(rate=load.source_rate))
    mark()
    targets = sim.FixedNumberPostConnector(load.targets, with_replacement=True, rng=rng)
    delays = sim.RandomDistribution("uniform_int", low=1, high=load.max_delay + 1, rng=rng)  # the end is left out
    sim.Projection(sources, neurons, targets, sim.StaticSynapse(weight=load.source_weight, delay=load.source_delay))
    sim.Projection(exc, neurons, targets, sim.StaticSynapse(weight=load.weight_exc, delay=delays))
    inhibiting = sim.StaticSynapse(weight=load.weight_inh, delay=delays)
    sim.Projection(inh, neurons, targets, inhibiting, receptor_type="inhibitory")
    neurons.record("spikes")
    return [neurons]


def plastic(sim: Any, load: workloads.Plastic, rng: Any, mark: Mark) -> list:
    """W5: STDP from every Poisson source onto every neuron."""
    cell = sim.IF_curr_exp(**one_time_constant(load))
    neurons = sim.Population(load.neurons, cell, initial_values={"v": load.v_rest})
    sources = sim.Population(load.sources, sim.SpikeSourcePoisson(rate=load.rate))
    mark()
    stdp = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=load.tau_plus, tau_minus=load.tau_minus, A_plus=load.A_plus, A_minus=load.A_minus
        ),
        weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=load.w_max),
        weight=load.weight,
        delay=load.delay,
    )
    sim.Projection(sources, neurons, sim.AllToAllConnector(), stdp)
    neurons.record("spikes")
    sources.record("spikes")
    return [neurons, sources]


SMALL = 0.05  # size of the network that loads the kernels before memory is measured

NETWORKS = {
    workloads.Brunel: brunel,
    workloads.VogelsAbbott: vogels_abbott,
    Microcircuit: microcircuit,
    workloads.Sparse: sparse,
    workloads.Plastic: plastic,
}


def delay_limits(load: Any) -> dict[str, float]:
    """The shortest and the longest delay of a workload (ms), as words of setup()."""
    longest = float(getattr(load, "max_delay", 0.0)) or load.delay
    shortest = {Microcircuit: load.dt, workloads.Sparse: 1.0}.get(type(load)) or load.delay
    return {"min_delay": shortest, "max_delay": longest}


def count_spikes(population: Any) -> int:
    """Spikes of all neurons, read as a user reads them: one train for each neuron."""
    return sum(len(train) for train in population.get_data("spikes").segments[-1].spiketrains)


def simulate(sim: Any, load: Any, options: Any, stages: Stages) -> list:
    """Build a workload and run it; its recorded groups."""
    with stages.stage("build_s", cpu="build_cpu_s"):
        words = {"threads": options.threads, "chip": options.chip, "rng_seed": options.seed}
        sim.setup(timestep=load.dt, **delay_limits(load), **words)
        rng = (sim.NumpyRNG if options.rng == "numpy" else sim.NativeRNG)(seed=options.seed)
        recorded = NETWORKS[type(load)](sim, load, rng, stages.before_synapses)
        sim.run(load.dt)
    with stages.stage("run_s", cpu="cpu_s"):
        sim.run(load.duration)
    return recorded


def main() -> None:
    """Build, run and read the data of one workload."""
    options = arguments(
        "Runs a workload on evsim.",
        ("--chip", {"default": "ideal", "help": "in whose arithmetic"}),
        ("--rng", {"choices": ("numpy", "native"), "default": "numpy", "help": "generator that draws the network"}),
        ("--memory", {"action": "store_true", "help": "run a small version first, so that only data makes it grow"}),
    )
    load = workloads.workload(options.workload, options.dt, options.scale, options.duration)
    stages = Stages()
    with stages.stage("import_s", cpu="import_cpu_s"):
        import pyNN.evsim as sim
    from numba.core.event import install_timer

    if options.memory:
        small = workloads.workload(options.workload, options.dt, SMALL * options.scale, duration=10 * options.dt)
        simulate(sim, small, options, stages)
    compiled: list[float] = []
    with install_timer("numba:compile", compiled.append):
        recorded = simulate(sim, load, options, stages)
    grown = resident() - stages.base
    with stages.stage("get_data_s", cpu="get_data_cpu_s"):
        spikes = [count_spikes(population) for population in recorded]
    sim.end()
    suffix = {"ideal": "", "spinnaker1": "-s16"}.get(options.chip, f"-{options.chip}")
    name = f"evsim{options.threads}{suffix}"
    report(name, load, stages.seconds, spikes, grown, peak_mib(), compile_s=round(sum(compiled), 3))


if __name__ == "__main__":
    main()
