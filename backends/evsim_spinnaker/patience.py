"""How long sPyNNaker is waited for: seconds of real time, generous, so that only what hangs runs into them."""

from __future__ import annotations

from math import ceil

from evsim.network import Network

START_TIMEOUT = 120.0  # s; importing sPyNNaker takes a few
RUN_TIMEOUT = 600.0  # s, for mapping and loading
SLOWDOWN = 20.0  # s of waiting for a second of biological time, on a machine slowed down for short time steps
EMULATED_PER_CORE = 50.0  # s for an emulated core that computes for one second; several times what is usual
MAPPING_PER_CORE = 5.0  # s
NEURONS_PER_CORE = 64  # fewer than sPyNNaker puts on a core where it can
LEAST_WORK = 0.001  # s that a core may compute for a time step, even one that is shorter


def request_timeout(network: Network, machine: str) -> float:
    """For any request, before what each of its time steps adds (s)."""
    return RUN_TIMEOUT + (MAPPING_PER_CORE * estimated_cores(network) if machine == "emulated" else 0.0)


def step_timeout(network: Network, machine: str) -> float:
    """What a time step adds (s)."""
    tick = network.timestep / 1000.0
    if machine != "emulated":
        return SLOWDOWN * tick
    return EMULATED_PER_CORE * max(tick, LEAST_WORK) * estimated_cores(network)


def estimated_cores(network: Network) -> int:
    """About as many cores as a network needs, rather more; each population has at least one."""
    return sum(ceil(population.size / NEURONS_PER_CORE) for population in network.populations) + 1
