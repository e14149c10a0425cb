"""Scripts that sPyNNaker can map in virtual mode, of everything that its memory depends on."""

HEAD = "import pyNN.spiNNaker as sim\nfrom pyNN.random import RandomDistribution\n"

# the rules were derived with these
NETWORKS = {
    "current": """
sim.setup(timestep=1.0)
noise = sim.Population(300, sim.SpikeSourcePoisson(rate=20.0), label="noise")
exc = sim.Population(600, sim.IF_curr_exp(), label="exc")
inh = sim.Population(150, sim.IF_curr_exp(), label="inh")
sim.Projection(noise, exc, sim.FixedProbabilityConnector(0.1), sim.StaticSynapse(weight=0.5, delay=2.0))
sim.Projection(exc, inh, sim.FixedProbabilityConnector(0.2), sim.StaticSynapse(weight=0.2, delay=1.0))
sim.Projection(inh, exc, sim.AllToAllConnector(), sim.StaticSynapse(weight=-0.2, delay=3.0),
    receptor_type="inhibitory")
sim.Projection(exc, exc, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.2, delay=40.0))
exc.record(["spikes", "v"])
inh.record("spikes")
noise.record("spikes")
sim.run(200.0)
""",
    "learning": """
sim.setup(timestep=1.0)
pre = sim.Population(700, sim.SpikeSourcePoisson(rate=8.0), label="pre")
post = sim.Population(300, sim.IF_curr_exp(tau_m=15.0), label="post")
teach = sim.Population(300, sim.SpikeSourceArray(spike_times=[[10.0 + k % 7, 50.0] for k in range(300)]), label="teach")
rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=18.0, tau_minus=25.0, A_plus=0.01, A_minus=0.012),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0), weight=0.2, delay=1.0)
sim.Projection(pre, post, sim.FixedProbabilityConnector(0.3), rule)
sim.Projection(teach, post, sim.OneToOneConnector(), sim.StaticSynapse(weight=2.0, delay=1.0))
post.record(["v", "spikes"])
teach.record("spikes")
sim.run(300.0)
""",
    "conductances": """
sim.setup(timestep=1.0)
exc = sim.Population(1100, sim.IF_cond_exp(), label="exc")
inh = sim.Population(260, sim.IF_cond_exp(), label="inh")
delays = RandomDistribution("uniform", low=1.0, high=14.0)
for a, b, r in ((exc, exc, "excitatory"), (exc, inh, "excitatory"), (inh, exc, "inhibitory"), (inh, inh, "inhibitory")):
    sim.Projection(a, b, sim.FixedProbabilityConnector(0.04), sim.StaticSynapse(weight=0.004, delay=delays),
        receptor_type=r)
exc[:100].record("v")
exc.record("spikes")
inh.record(["gsyn_exc", "spikes"])
sim.run(1000.0)
""",
    "long delays": """
sim.setup(timestep=1.0)
a = sim.Population(500, sim.Izhikevich(), label="a")
b = sim.Population(300, sim.Izhikevich(), label="b")
noise = sim.Population(1200, sim.SpikeSourcePoisson(rate=3.0), label="noise")
late = RandomDistribution("uniform", low=1.0, high=70.0)
sim.Projection(noise, a, sim.FixedNumberPreConnector(20), sim.StaticSynapse(weight=1.0, delay=late))
sim.Projection(a, b, sim.FixedNumberPostConnector(30), sim.StaticSynapse(weight=1.0, delay=20.0))
sim.Projection(b, a, sim.FixedProbabilityConnector(0.1), sim.StaticSynapse(weight=-1.0, delay=100.0),
    receptor_type="inhibitory")
rows = [(k, (7 * k) % 300, 0.5, 1.0 + k % 60) for k in range(300)]
sim.Projection(b, b, sim.FromListConnector(rows), sim.StaticSynapse())
a.record("spikes")
noise.record("spikes")
sim.run(500.0)
""",
    "short steps": """
sim.setup(timestep=0.1)
noise = sim.Population(400, sim.SpikeSourcePoisson(rate=800.0), label="noise")
cells = sim.Population(400, sim.IF_curr_exp(), label="cells")
other = sim.Population(600, sim.IF_curr_exp(), label="other")
sim.Projection(noise, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.5, delay=0.1))
sim.Projection(cells, other, sim.FixedProbabilityConnector(0.1), sim.StaticSynapse(weight=0.2, delay=1.5))
sim.Projection(other, cells, sim.FixedProbabilityConnector(0.1), sim.StaticSynapse(weight=-0.2, delay=0.8),
    receptor_type="inhibitory")
cells.record("spikes")
sim.run(50.0)
""",
    "layers": """
sim.setup(timestep=1.0)
layers = [sim.Population(900, sim.IF_curr_alpha(tau_syn_E=2.0), label=f"layer {k}") for k in range(8)]
source = sim.Population(50, sim.SpikeSourceArray(spike_times=[5.0, 20.0, 35.0]), label="source")
sim.Projection(source, layers[0], sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.0))
for x, y in zip(layers, layers[1:]):
    sim.Projection(x, y, sim.FixedProbabilityConnector(0.05), sim.StaticSynapse(weight=0.3, delay=2.0))
current = sim.DCSource(amplitude=0.5, start=10.0, stop=50.0)
current.inject_into(layers[3])
for layer in layers[:3]:
    layer.record("spikes")
sim.run(100.0)
""",
}

# these were looked at only when the rules were done
HELD_OUT = {
    "several rules": """
sim.setup(timestep=1.0)
noise = sim.Population(900, sim.SpikeSourcePoisson(rate=45.0), label="noise")
cells = sim.Population(520, sim.IF_cond_exp(), label="cells")
quiet = sim.Population(40, sim.IF_curr_delta(), label="quiet")
rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=30.0, tau_minus=12.0, A_plus=0.02, A_minus=0.01),
    weight_dependence=sim.MultiplicativeWeightDependence(w_min=0.0, w_max=0.02), weight=0.01, delay=2.0)
sim.Projection(noise, cells, sim.FixedNumberPreConnector(60), rule)
sim.Projection(cells, quiet, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=7.0))
sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.02), sim.StaticSynapse(weight=0.01, delay=60.0))
cells.record("v", sampling_interval=5.0)
quiet.record("spikes")
noise.record("spikes")
sim.run(750.0)
""",
    "learning in short steps": """
sim.setup(timestep=0.5)
inputs = sim.Population(128, sim.SpikeSourceArray(spike_times=[[0.5 * k, 100.0] for k in range(128)]), label="inputs")
cells = sim.Population(700, sim.IF_curr_exp(), label="cells")
after = sim.Population(257, sim.IF_curr_exp(), label="after")
rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.01, A_minus=0.01),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=2.0), weight=0.5, delay=1.0)
sim.Projection(inputs, cells, sim.FixedProbabilityConnector(0.5), sim.StaticSynapse(weight=1.0, delay=0.5))
sim.Projection(cells, after, sim.FixedProbabilityConnector(0.15), rule)
after.record(["spikes", "gsyn_exc"])
cells.record("spikes")
sim.run(120.0)
""",
    "boards": """
sim.setup(timestep=1.0)
groups = [sim.Population(256 * (1 + k % 5) + k, sim.IF_curr_exp(), label=f"group {k}") for k in range(60)]
for k, group in enumerate(groups):
    for step in (1, 7, 23):
        sim.Projection(group, groups[(k * step + 5) % 60], sim.FixedProbabilityConnector(0.004),
            sim.StaticSynapse(weight=0.1, delay=1.0 + step))
groups[17].record("spikes")
sim.run(20.0)
""",
}
