"""Every cell that evsim has in SpiNNaker's arithmetic, and learning by pairs: does a machine do what evsim says?

Each cell gets excitatory and inhibitory input over short and long delays, so weak that it is mostly rounding and so
strong that it saturates; two populations learn. Run on the reference and on a machine, every spike and every recorded
integer should be equal. Whoever has a board can help us by

    evsim compare examples/spinnaker_rules.py --on reference:spinnaker1 spinnaker:board --json board.json

and sending board.json; on the machine in software it is

    evsim compare examples/spinnaker_rules.py --on reference:spinnaker1 spinnaker
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("--time", "time to simulate (ms)", {"type": float, "default": 500.0}),
    ("--seed", "of weights, delays and spikes", {"type": int, "default": 1}),
)

N_SOURCES, N_CELLS, N_SYNAPSES = 20, 8, 100
STRENGTHS = {"tiny": 0.002, "usual": 1.0, "huge": 30.0}  # nA
LONGEST = 40  # ms; more than the ring buffer of a core holds, where that is short
CONDUCTANCE = 0.02  # of a current's weight (nA), in uS

rng = np.random.default_rng(options.seed)

CELLS = {
    "IF_curr_exp": {},
    "IF_curr_delta": {},
    "IF_curr_alpha": {"tau_syn_E": 5.0, "tau_syn_I": 7.0},
    "IF_cond_exp": {},
    "Izhikevich": {},
    "IF_curr_dual_exp": {"tau_syn_E2": 12.0},
    "IFCurrExpCa2Adaptive": {"tau_ca2": 60.0, "i_alpha": 0.2},
}


def synapses(strength, sign=1.0):
    """Rows of source, target, weight and delay for a ``FromListConnector``."""
    sources, targets = rng.integers(N_SOURCES, size=N_SYNAPSES), rng.integers(N_CELLS, size=N_SYNAPSES)
    weights, delays = sign * strength * rng.uniform(0.1, 1.0, N_SYNAPSES), rng.integers(1, LONGEST + 1, N_SYNAPSES)
    return sim.FromListConnector(np.column_stack([sources, targets, weights, delays]).tolist())


def times():
    """Spike times (ms) on the grid, at about 20 Hz."""
    return np.flatnonzero(rng.random(int(options.time)) < 0.02).astype(float).tolist()


sim.setup(timestep=1.0, min_delay=1.0, rng_seed=options.seed)

trains = [times() for _ in range(N_SOURCES)]
sources = sim.Population(N_SOURCES, sim.SpikeSourceArray(spike_times=trains), label="input")
populations = []
for model, parameters in CELLS.items():
    has_conductances = model == "IF_cond_exp"
    for name, strength in STRENGTHS.items():
        cells = sim.Population(N_CELLS, getattr(sim, model)(**parameters), label=f"{model}, {name}")
        unit = CONDUCTANCE if has_conductances else 1.0
        for receptor, sign in (("excitatory", 1.0), ("inhibitory", 1.0 if has_conductances else -0.5)):
            connector = synapses(strength * unit, sign)
            sim.Projection(sources, cells, connector, sim.StaticSynapse(), receptor_type=receptor)
        populations.append(cells)

for name, dependence in (
    ("additive", sim.AdditiveWeightDependence(w_min=0.0, w_max=2.0)),
    ("multiplicative", sim.MultiplicativeWeightDependence(w_min=0.0, w_max=2.0)),
):
    learning = sim.Population(N_CELLS, sim.IF_curr_exp(), label=f"IF_curr_exp, {name} STDP")
    rule = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.02, A_minus=0.02),
        weight_dependence=dependence,
        weight=1.0,
        delay=3.0,
    )
    sim.Projection(sources, learning, sim.AllToAllConnector(), rule, receptor_type="excitatory")
    populations.append(learning)

for population in populations:
    population.record(["spikes", "v"])

sim.run(options.time)

for population in populations:
    print(f"{population.label}: {population.mean_spike_count() / options.time * 1000:.1f} spikes/s per neuron")

sim.end()
