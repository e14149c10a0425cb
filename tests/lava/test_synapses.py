"""evsim's own synapse process by itself, and which projections share one."""

# Lava's processes carry their ports as attributes that no annotation names.
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.network import Network
from evsim_lava.lower import plan
from evsim_lava.plan import SynapsePlan

pytest.importorskip("lava.proc")

N_TARGETS, N_SOURCES, STEPS = 7, 5, 60


class Channel:
    """Both ends of the channels of a process: what it is to receive, and what it sent."""

    def __init__(self, spikes: np.ndarray) -> None:
        self._to_come = iter(spikes)
        self.sent: list[np.ndarray] = []

    def recv(self) -> np.ndarray:
        return next(self._to_come)

    def send(self, charges: np.ndarray) -> None:
        self.sent.append(charges.astype(np.int32))


def projection(rng: np.random.Generator, exponent: int) -> SynapsePlan:
    """Random synapses, of which several may join two cells."""
    n = 40
    source, target = rng.integers(0, N_SOURCES, n), rng.integers(0, N_TARGETS, n)
    weight, delay = rng.integers(-254, 255, n).astype(np.int32), rng.integers(0, 9, n)
    shape = (N_TARGETS, N_SOURCES)
    return SynapsePlan(0, 1, 0, shape, source, target, weight, delay, exponent, mixed=True, counts=True, layers=None)


def as_defined(projections: list[SynapsePlan], spikes: np.ndarray) -> np.ndarray:
    """Charges by step: each projection's sum for an emission step, a delay and a target is shifted by its exponent."""
    arrived = np.zeros((len(spikes) + 10, N_TARGETS), np.int64)
    for one in projections:
        sums: dict[tuple[int, int, int], int] = defaultdict(int)
        for source, target, weight, delay in zip(one.source, one.target, one.weight, one.delay, strict=True):
            for step in np.flatnonzero(spikes[:, source]):
                sums[step, delay, target] += int(weight) * int(spikes[step, source])
        for (step, delay, target), total in sums.items():
            arrived[step + 1 + delay, target] += int(np.floor(total * 2.0**one.exponent))
    return arrived[: len(spikes)]


@pytest.mark.parametrize("exponents", [(0,), (-3,), (7, 0, 2), (-8, 3, -1, -1)])
def test_charges_are_those_of_the_definition(exponents):
    from evsim_lava.processes.synapses import PyDelayedSynapses

    rng = np.random.default_rng(len(exponents))
    projections = [projection(rng, exponent) for exponent in exponents]
    spikes = rng.integers(0, 3, (STEPS, N_SOURCES), dtype=np.int32) * (rng.random((STEPS, N_SOURCES)) < 0.3)
    process = PyDelayedSynapses({"projections": projections})
    process.s_in = process.a_out = channel = Channel(spikes)
    for _ in range(STEPS):
        process.run_spk()
    assert np.array_equal(channel.sent, as_defined(projections, spikes))


def test_projections_between_two_populations_share_a_process(nets):
    from evsim_lava.graph import LavaGraph

    populations = (nets.cells(3, "a"), nets.cells(4, "b"))
    excitation = [(0, 1, 1.0, 1), (2, 0, 0.5, 3)]
    inhibition = [(i, j, -weight, delay) for i, j, weight, delay in excitation]
    projections = (nets.connect(0, 1, excitation), nets.connect(0, 1, inhibition, "inhibitory"))
    lowered = plan(quantise(Network(1.0, populations, projections), load_chip("loihi2")), Path(), stock_elements=0)
    (targets,) = LavaGraph(lowered)._parts
    (charges,) = targets.a_in.get_src_ports()
    assert type(charges.process).__name__ == "DelayedSynapses"
