"""Synapse types that a script declares, and networks to try them in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from evsim.network import Network
from evsim.pynn import graph
from evsim.pynn.own_synapses import parameter, source_trace, state, synapse_type, target_trace

DT = 0.5


# --- that release -----------------------------------------------------------------------------------------------------


@synapse_type
class Resources:
    """Tsodyks and Markram's synapse, with the time constant of the response as a parameter."""

    U = parameter(0.5, "dimensionless", not_negative=True)
    tau_rec = parameter(100.0, "ms", above_zero=True)
    tau_facil = parameter(0.0, "ms", not_negative=True)
    tau_psc = parameter(4.0, "ms", above_zero=True)
    u = state(0.0, "dimensionless")
    y = state(0.0, "dimensionless")
    z = state(0.0, "dimensionless")

    @staticmethod
    def release(weight, u, y, z, U, tau_rec, tau_facil, tau_psc, interval):
        left_y, left_z = math.exp(-interval / tau_psc), math.exp(-interval / tau_rec)
        z = z * left_z + y * tau_rec / (tau_rec - tau_psc) * (left_z - left_y)
        y *= left_y
        u = u * math.exp(-interval / tau_facil) if tau_facil > 0 else 0.0
        u += U * (1 - u)
        part = u * (1 - y - z)
        return weight * part, u, y + part, z


@synapse_type
class Coin:
    """All or nothing."""

    p = parameter(0.5, "dimensionless", not_negative=True)

    @staticmethod
    def release(weight, p, chance):
        return weight if chance < p else 0.0


@synapse_type
class Told:
    """Delivers what it is told, in mV, and keeps it."""

    interval_before = state(-1.0, "ms")
    drawn = state(-1.0, "dimensionless")
    count = state(0.0, "dimensionless")

    @staticmethod
    def release(weight, interval, dt, count, drawn, interval_before, chance, chance_4):
        return weight * dt, interval, chance - chance_4, count + 1


# --- that learn -------------------------------------------------------------------------------------------------------


@synapse_type
class Pairs:
    """PyNN's pair rule: spikes that meet make no pair."""

    tau_plus = parameter(20.0, "ms", above_zero=True)
    tau_minus = parameter(30.0, "ms", above_zero=True)
    a_plus = parameter(0.01, "mV")
    a_minus = parameter(0.012, "mV")
    w_max = parameter(1.0, "mV")
    pre = source_trace(tau_plus)
    post = target_trace(tau_minus)

    @staticmethod
    def on_pre(weight, post, a_minus):
        return max(weight - a_minus * post, 0.0)

    @staticmethod
    def on_post(weight, pre, a_plus, w_max, since_pre):
        return min(weight + a_plus * (pre - (since_pre == 0)), w_max)


@synapse_type
class Everything:
    """Asks for all that there is, and releases what it is told."""

    tau = parameter(11.0, "ms", above_zero=True)
    tau_slow = parameter(47.0, "ms", above_zero=True)
    gain = parameter(0.3, "mV")
    fast = source_trace(tau)
    slow = source_trace(tau_slow)
    back = target_trace(tau)
    long = target_trace(tau_slow)
    calls = state(0.0, "dimensionless")
    told = state(-1.0, "ms")

    @staticmethod
    def on_pre(weight, calls, told, gain, fast, slow, back, long, since_pre, since_post, interval, dt):
        left = np.exp(-interval / 100.0)
        weight = 0.9 * weight + gain * (fast - 2 * slow + 3 * back - 0.5 * long) + 0.1 * left
        return weight * dt + calls, weight, calls + 1, since_post

    @staticmethod
    def on_post(weight, told, calls, gain, fast, slow, back, long, since_pre, since_post, interval):
        left = np.exp(-interval / 70.0) + np.exp(-since_post / 30.0)
        return 0.95 * weight - gain * (fast - slow + 0.2 * back * long) + 0.2 * left, calls + 0.5, told + since_pre


own: dict[str, Any] = {kind.__name__: kind for kind in (Resources, Coin, Told, Pairs, Everything)}


# --- networks ---------------------------------------------------------------------------------------------------------


def pushed(sim, size: int, end: float, seed: int, threads: int = 1, timestep: float = DT):
    """Cells that spike when they are pushed, at random and now and then twice in a row."""
    sim.setup(timestep=timestep, rng_seed=seed, threads=threads)
    random = np.random.default_rng(seed)
    times = [np.sort(random.choice(np.arange(4, end - 40), 14, replace=False)) for _ in range(size)]
    pushes = sim.Population(size, sim.SpikeSourceArray(spike_times=[*times]))
    cells = sim.Population(size, sim.IF_curr_delta(tau_m=1.0, tau_refrac=0.0), label="pushed")
    sim.Projection(pushes, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=100.0, delay=timestep))
    cells.record("spikes")
    return cells, random


def described(sim, kind) -> Network:
    """One synapse of a type to each of two cells, by the projection 'mine'."""
    sim.setup(timestep=DT)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(2, sim.IF_cond_exp())
    sim.Projection(source, cells, sim.AllToAllConnector(), kind(weight=0.1, delay=1.0), label="mine")
    return graph.build(sim.simulator.state)


def matrix(projection, name: str = "weight") -> np.ndarray:
    """(pre, post)"""
    return np.asarray(projection.get(name, format="array", multiple_synapses="last"))


def signal(cells) -> np.ndarray:
    """(samples, cells)"""
    return np.array(cells.get_data().segments[-1].analogsignals[0].magnitude)


def trains(cells) -> list[np.ndarray]:
    """In steps, cell by cell."""
    segment = cells.get_data("spikes").segments[-1]
    return [np.rint(np.asarray(train) / DT).astype(int) for train in segment.spiketrains]
