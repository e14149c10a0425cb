"""The cortical microcircuit: 77,169 neurons and 299 million synapses below 1 mm^2 of early sensory cortex.

Potjans and Diesmann (2014), Cerebral Cortex 24(3):785-806, https://doi.org/10.1093/cercor/bhs358. Four layers with an
excitatory and an inhibitory population each; numbers of neurons, connection probabilities, external in-degrees and
neuron parameters are those of its tables 4 and 5. The rates beside which the results are printed are those that the
authors' implementation in NEST (pynest/examples/Potjans_2014) found at full scale.

A smaller network (``--scale``) has fewer neurons and fewer synapses onto each. Weights grow with 1 / sqrt(scale), and a
constant current makes up for the mean input that is missing, so mean and variance of the input stay as they are (van
Albada, Helias and Diesmann 2015, PLoS Comput. Biol. 11:e1004490). Correlations do not.

    python examples/microcircuit.py evsim --scale 0.1
    python examples/microcircuit.py evsim --scale 1 --threads 2 --duration 10000 --plot microcircuit.png
    python examples/microcircuit.py nest --scale 0.02
"""

import itertools
import resource
import time

import numpy as np
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("--scale", "share of the neurons, and of the synapses onto each", {"type": float, "default": 0.1}),
    ("--duration", "time to simulate and to look at (ms)", {"type": float, "default": 1000.0}),
    ("--transient", "time to simulate before that (ms)", {"type": float, "default": 500.0}),
    ("--threads", "threads to run on", {"type": int, "default": 1}),
    ("--chip", "run in the arithmetic of this chip (evsim only)", {}),
    ("--seed", "seed of connections, weights, delays, initial values and background", {"type": int, "default": 1}),
    ("--plot", "write a raster plot to this file", {"metavar": "FILE"}),
)

timestep = 0.1  # ms
populations = ("L2/3E", "L2/3I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
full_size = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
probability = np.array(  # of at least one synapse, from the population of the column to that of the row
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
external_inputs = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])  # onto each neuron
external_rate = 8.0  # Hz, of each of them
published_rate = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])  # Hz

neuron = {
    "v_rest": -65.0,  # mV
    "v_reset": -65.0,
    "v_thresh": -50.0,
    "tau_m": 10.0,  # ms
    "tau_refrac": 2.0,
    "tau_syn_E": 0.5,
    "tau_syn_I": 0.5,
    "cm": 0.25,  # nF
}
v_mean, v_sd = -58.0, 10.0  # mV, at the start
weight = 0.0878  # nA, excitatory
inhibition = -4.0  # inhibitory weights relative to that
weight_sd = 0.1  # relative to the mean
delay = {"E": 1.5, "I": 0.75}  # ms, by the population before
delay_sd = 0.5  # relative to the mean
max_delay = 6.4  # ms; one in 10^10 delays would be longer and is drawn again, as those below a time step are


def numbers_of_synapses():
    """(target, source) synapses between the populations at full scale, of which a pair of neurons may have several."""
    pairs = np.outer(full_size, full_size).astype(float)
    return np.log1p(-probability) / np.log1p(-1.0 / pairs)


def mean_weights():
    """(target, source) mean weights at full scale (nA)."""
    weights = np.tile([weight, inhibition * weight], (8, 4))
    weights[0, 2] *= 2.0  # L4E to L2/3E
    return weights


def missing_current(synapses, weights):
    """(8,) current (nA) that makes up for the mean input which a smaller network lacks."""
    charge = (weights * synapses) @ published_rate / full_size + weight * external_inputs * external_rate  # nA Hz
    return (1.0 - np.sqrt(options.scale)) * charge * neuron["tau_syn_E"] * 1e-3


seeds = itertools.count(1000 * options.seed)


def rng():
    """A generator of its own for each use: evsim's fast one, or PyNN's where the simulator has none for everything."""
    return (sim.NativeRNG if sim.simulator.name == "evsim" else NumpyRNG)(seed=next(seeds))


def create_neurons(currents):
    """The eight populations."""
    cells = []
    for name, size, current in zip(populations, full_size, currents, strict=True):
        model = sim.IF_curr_exp(**neuron, i_offset=float(current))
        cells.append(sim.Population(round(size * options.scale), model, label=name))
        cells[-1].initialize(v=RandomDistribution("normal", mu=v_mean, sigma=v_sd, rng=rng()))
        cells[-1].record("spikes")
    return cells


def connect_background(cells):
    """Poisson spikes of all external inputs onto a neuron together."""
    for target, inputs in zip(cells, external_inputs, strict=True):
        rate = float(inputs * options.scale * external_rate)
        background = sim.Population(
            target.size, sim.SpikeSourcePoisson(rate=rate), label=f"background of {target.label}"
        )
        synapse = sim.StaticSynapse(weight=weight / np.sqrt(options.scale), delay=timestep)
        sim.Projection(background, target, sim.OneToOneConnector(), synapse, receptor_type="excitatory")


def connect(source, target, count, mean):
    """That many synapses between any two neurons."""
    kind = source.label[-1]
    bounds = {"low": timestep, "high": max_delay}
    synapse = sim.StaticSynapse(
        weight=RandomDistribution("normal", mu=mean, sigma=weight_sd * abs(mean), rng=rng()),
        delay=RandomDistribution("normal_clipped", mu=delay[kind], sigma=delay_sd * delay[kind], **bounds, rng=rng()),
    )
    sim.Projection(
        source,
        target,
        sim.FixedTotalNumberConnector(count, rng=rng()),
        synapse,
        receptor_type="excitatory" if kind == "E" else "inhibitory",
        label=f"{source.label} to {target.label}",
    )


def create_network():
    """Populations, background and synapses; returns the populations and the number of synapses between them."""
    full, weights = numbers_of_synapses(), mean_weights()
    cells = create_neurons(missing_current(full, weights))
    connect_background(cells)
    counts = np.rint(full * options.scale**2).astype(int)
    for (i, target), (j, source) in itertools.product(enumerate(cells), enumerate(cells)):
        if counts[i, j]:
            connect(source, target, int(counts[i, j]), float(weights[i, j] / np.sqrt(options.scale)))
    return cells, int(counts.sum())


def spikes_of(population):
    """Neurons and times (ms) of its spikes after the transient, in order of neuron, then of time."""
    trains = population.get_data("spikes").segments[0].spiketrains
    neurons, times = trains.multiplexed
    times = np.asarray(times.rescale("ms").magnitude)
    late = times > options.transient
    neurons, times = np.asarray(neurons)[late], times[late]
    order = np.lexsort((times, neurons))
    return neurons[order], times[order]


def irregularity(neurons, times, fewest=5):
    """The mean coefficient of variation of the intervals between spikes, over neurons with at least five intervals."""
    same = np.diff(neurons) == 0
    place = np.unique(neurons[1:][same], return_inverse=True)[1]
    intervals, count = np.diff(times)[same], np.bincount(place)
    mean = np.bincount(place, intervals) / count
    variance = np.bincount(place, (intervals - mean[place]) ** 2) / count
    return f"{np.mean((np.sqrt(variance) / mean)[count >= fewest]):.2f}" if (count >= fewest).any() else "-"


def plot(path, cells, spikes, rates, span=400.0):
    """Spikes by layer, of one neuron in so many that the dots can be told apart, and the rates beside the published."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    raster, bars = figure.subplots(1, 2, width_ratios=[3, 1])
    colours, bottom, middles = {"E": "#1f5a99", "I": "#c2352b"}, 0.0, []
    step = max(1, sum(population.size for population in cells) // 4000)
    for population, (neurons, times) in zip(reversed(cells), reversed(spikes), strict=True):
        rows = neurons - min(neurons, default=0)
        shown = (rows % step == 0) & (times < options.transient + span)
        colour = colours[population.label[-1]]
        raster.plot(times[shown], bottom + rows[shown] / step, ".", markersize=1.5, color=colour, rasterized=True)
        middles.append(bottom + population.size / step / 2)
        bottom += population.size / step
    raster.set(
        xlabel="time (ms)", ylim=(0, bottom), xlim=(options.transient, options.transient + min(span, options.duration))
    )
    raster.set_yticks(middles, reversed(populations))
    places = np.arange(8)[::-1]
    bars.barh(places, rates, color=[colours[name[-1]] for name in populations])
    bars.plot(published_rate, places, "kD", markersize=5, label="published")
    bars.set(xlabel="rate (spikes/s)")
    bars.set_yticks(places, populations)
    bars.legend(loc="lower right")
    figure.savefig(path, dpi=150)


began = time.perf_counter()
on_chip = {"chip": options.chip} if options.chip else {}
sim.setup(
    timestep=timestep,
    min_delay=timestep,
    max_delay=max_delay,
    threads=options.threads,
    rng_seed=options.seed,
    **on_chip,
)
cells, synapses = create_network()
sim.run(timestep)  # in which simulators build what they have put off
built = time.perf_counter()
sim.run(max(options.transient - timestep, 0.0))
settled = time.perf_counter()
sim.run(options.duration)
taken = time.perf_counter() - settled

spikes = [spikes_of(population) for population in cells]
seconds = options.duration / 1000.0
rates = np.array([len(times) / population.size / seconds for population, (_, times) in zip(cells, spikes, strict=True)])
print(f"{'':8}{'neurons':>9}{'spikes/s per neuron':>21}{'published':>11}{'CV of intervals':>17}")
for name, population, rate, published, trains in zip(populations, cells, rates, published_rate, spikes, strict=True):
    print(f"{name:8}{population.size:>9,}{rate:>21.2f}{published:>11.2f}{irregularity(*trains):>17}")
print(f"{sum(population.size for population in cells):,} neurons, {synapses:,} synapses between them")
print(f"built in {built - began:.1f} s; real-time factor {taken / seconds:.2f} (seconds to simulate a second)")
print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB of memory")
if options.plot:
    plot(options.plot, cells, spikes, rates)

sim.end()
