"""NIR, the Neuromorphic Intermediate Representation: networks to its files, and its files run as networks.

NIR (Pedersen et al. 2024, package ``nir``) says a network in equations and prescribes no unit. Here time is in seconds,
as in its tools, v in mV, currents in nA and resistances in MOhm. The signal of a neuron is 1 for the time step in which
it spikes and 0 otherwise, so a spike of weight w is a pulse of area w * timestep. docs/nir.md tells the rest.
"""
