"""The workloads on NEST, through its own Python interface; prints one line of JSON.

    python tests/benchmarks/peer_nest.py W1 --dt 0.1 --threads 2

NEST measures in pF, pA and nS: currents, capacitances and conductances are multiplied by 1000.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import workloads
from measuring import Stages, arguments, peak_mib, report, resident
from microcircuit import Microcircuit

nest: Any = importlib.import_module("nest")  # its members are made when it is imported, so no type checker knows them

Mark = Callable[[], None]  # called when all neurons have been created and the first connection has not


def recorder(cells: Any) -> Any:
    """A recorder of the spikes of all cells."""
    made = nest.Create("spike_recorder")
    nest.Connect(cells, made)
    return made


def poisson_sources(number: int, rate: float, **more: float) -> Any:
    """Poisson sources that give the same spikes to all their targets."""
    generator = nest.Create("poisson_generator", params={"rate": rate, **more})
    sources = nest.Create("parrot_neuron", number)
    nest.Connect(generator, sources)
    return sources


def common(load: Any) -> dict[str, float]:
    """The parameters of a leaky neuron that all workloads name alike, without its leak."""
    return {
        "C_m": load.cm * 1e3,
        "t_ref": load.tau_refrac,
        "E_L": load.v_rest,
        "V_m": load.v_rest,
        "V_reset": load.v_reset,
        "V_th": load.v_thresh,
    }


def current_neurons(number: int, load: Any, **more: float) -> Any:
    """Neurons with exponential synaptic currents of one time constant."""
    synapse = {"tau_syn_ex": load.tau_syn, "tau_syn_in": load.tau_syn}
    return nest.Create("iaf_psc_exp", number, {**common(load), **synapse, "tau_m": load.tau_m, **more})


def brunel(load: workloads.Brunel, mark: Mark) -> list:
    neurons = nest.Create("iaf_psc_delta", load.neurons, {**common(load), "tau_m": load.tau_m})
    external = nest.Create("poisson_generator", params={"rate": load.external_rate})
    mark()
    exciting = {"weight": load.weight_exc, "delay": load.delay}
    inhibiting = {"weight": load.weight_inh, "delay": load.delay}
    nest.Connect(external, neurons, syn_spec=exciting)
    nest.Connect(neurons[: load.n_exc], neurons, {"rule": "fixed_indegree", "indegree": load.inputs_exc}, exciting)
    nest.Connect(neurons[load.n_exc :], neurons, {"rule": "fixed_indegree", "indegree": load.inputs_inh}, inhibiting)
    return [recorder(neurons)]


def vogels_abbott(load: workloads.VogelsAbbott, mark: Mark) -> list:
    synapse = {"tau_syn_ex": load.tau_syn_exc, "tau_syn_in": load.tau_syn_inh}
    if load.conductances:
        leak = load.cm * 1e3 / load.tau_m
        synapse |= {"E_ex": load.e_rev_exc, "E_in": load.e_rev_inh}
        neurons = nest.Create("iaf_cond_exp", load.neurons, {**common(load), **synapse, "g_L": leak})
    else:
        neurons = nest.Create("iaf_psc_exp", load.neurons, {**common(load), **synapse, "tau_m": load.tau_m})
    neurons.V_m = nest.random.uniform(load.v_reset, load.v_thresh)
    mark()
    pairs = {"rule": "pairwise_bernoulli", "p": load.probability}
    inhibition = -load.weight_inh if load.conductances else load.weight_inh  # NEST wants it negative in both cases
    nest.Connect(neurons[: load.n_exc], neurons, pairs, {"weight": load.weight_exc * 1e3, "delay": load.delay})
    nest.Connect(neurons[load.n_exc :], neurons, pairs, {"weight": inhibition * 1e3, "delay": load.delay})
    if load.conductances:
        kick = poisson_sources(load.kick_sources, load.kick_rate, stop=load.kick_duration)
        chosen = {"rule": "pairwise_bernoulli", "p": load.kick_probability}
        nest.Connect(kick, neurons, chosen, {"weight": load.kick_weight * 1e3, "delay": load.delay})
    return [recorder(neurons)]


def microcircuit(load: Microcircuit, mark: Mark) -> list:
    populations = []
    for layer, size in enumerate(load.sizes):
        cells = current_neurons(size, load, I_e=load.offset(layer) * 1e3)
        cells.V_m = nest.random.normal(load.v_mean, load.v_sd)
        populations.append(cells)
    mark()
    endless = float("inf")
    for target, post in enumerate(populations):
        rate = load.external_rate * load.external_inputs(target)
        external = nest.Create("poisson_generator", params={"rate": rate})
        drive = {"weight": load.external_weight * 1e3, "delay": load.external_delay}
        nest.Connect(external, post, syn_spec=drive)
        for source, pre in enumerate(populations):
            if not load.numbers[target][source]:
                continue
            mean, delay = load.weight(target, source) * 1e3, load.delay(source)
            low, high = (0.0, endless) if mean > 0 else (-endless, 0.0)
            weights = nest.random.normal(mean, abs(mean) * load.weight_rel_sd)
            delays = nest.random.normal(delay, delay * load.delay_rel_sd)
            synapse = {
                "weight": nest.math.redraw(weights, min=low, max=high),
                "delay": nest.math.redraw(delays, min=load.dt, max=load.max_delay),
            }
            nest.Connect(pre, post, {"rule": "fixed_total_number", "N": load.numbers[target][source]}, synapse)
    return [recorder(cells) for cells in populations]


def sparse(load: workloads.Sparse, mark: Mark) -> list:
    neurons = current_neurons(load.neurons, load)
    sources = poisson_sources(load.sources, load.source_rate)
    mark()
    rule = {"rule": "fixed_outdegree", "outdegree": load.targets}
    delays = nest.random.uniform_int(load.max_delay) + 1.0
    nest.Connect(sources, neurons, rule, {"weight": load.source_weight * 1e3, "delay": load.source_delay})
    nest.Connect(neurons[: load.n_exc], neurons, rule, {"weight": load.weight_exc * 1e3, "delay": delays})
    nest.Connect(neurons[load.n_exc :], neurons, rule, {"weight": load.weight_inh * 1e3, "delay": delays})
    return [recorder(neurons)]


def plastic(load: workloads.Plastic, mark: Mark) -> list:
    neurons = current_neurons(load.neurons, load, tau_minus=load.tau_minus)
    sources = poisson_sources(load.sources, load.rate)
    mark()
    stdp = {
        "synapse_model": "stdp_synapse",
        "weight": load.weight * 1e3,
        "delay": load.delay,
        "Wmax": load.w_max * 1e3,
        "lambda": load.A_plus,
        "alpha": load.A_minus / load.A_plus,
        "mu_plus": 0.0,
        "mu_minus": 0.0,
        "tau_plus": load.tau_plus,
    }
    nest.Connect(sources, neurons, "all_to_all", stdp)
    return [recorder(neurons), recorder(sources)]


NETWORKS = {
    workloads.Brunel: brunel,
    workloads.VogelsAbbott: vogels_abbott,
    Microcircuit: microcircuit,
    workloads.Sparse: sparse,
    workloads.Plastic: plastic,
}


def main() -> None:
    """Build and run one workload; building includes NEST's own preparation of a run."""
    options = arguments("Runs a workload on NEST.")
    load = workloads.workload(options.workload, options.dt, options.scale, options.duration)
    stages = Stages()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.local_num_threads = options.threads
    nest.resolution = load.dt
    nest.rng_seed = options.seed
    with stages.stage("build_s", cpu="build_cpu_s"):
        recorders = NETWORKS[type(load)](load, stages.before_synapses)
        nest.Prepare()
    with stages.stage("run_s", cpu="cpu_s"):
        nest.Run(load.duration)
    grown = resident() - stages.base
    spikes = [made.n_events for made in recorders]
    report(f"nest{options.threads}", load, stages.seconds, spikes, grown, peak_mib())


if __name__ == "__main__":
    main()
