"""How near a network on Lava comes to what Lava's channels alone cost: the same graph with processes that send zeros.

    python tests/benchmarks/lava_channels.py [--n N] [--steps STEPS] [--rounds ROUNDS]

Nothing is recorded. Both are run in turn, each in processes of its own; the ratio of each pair is printed, and their
median.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from lava_floor.processes import Relay, Source

import builders as nets
from evsim.chip import load_chip
from evsim.network import Network
from evsim_lava.sdk import Loihi2SimCfg, RunSteps
from evsim_lava.session import LavaSession

N_SOURCES, WARM_UP = 200, 10


def network(n: int) -> Network:
    """Noise onto cells that excite and inhibit each other, over delays of up to 8 steps."""
    rng = np.random.default_rng(1)
    populations = (nets.poisson(N_SOURCES, 20.0), nets.cells(n, tau_refrac=0.0, i_offset=0.5))
    projections = (
        nets.connect(0, 1, nets.random_rows(rng, N_SOURCES, n, N_SOURCES * n // 10, (0.2, 0.6), 8)),
        nets.connect(1, 1, nets.random_rows(rng, n, n, n * n // 20, (0.05, 0.2), 8)),
        nets.connect(1, 1, nets.random_rows(rng, n, n, n * n // 40, (-0.4, -0.1), 8), "inhibitory"),
    )
    return Network(1.0, populations, projections)


def evsim_seconds(net: Network, steps: int) -> float:
    """Of a run after a warm-up."""
    session = LavaSession(net, load_chip("loihi2"))
    try:
        session.run(WARM_UP)
        began = time.perf_counter()
        session.run(steps)
        return time.perf_counter() - began
    finally:
        session.close()


def floor_seconds(n: int, steps: int) -> float:
    """Of the same graph without any work in it."""
    source, cells = Source(N_SOURCES), Relay(n, n, sends_first=False)
    for before, size in ((source, N_SOURCES), (cells, n), (cells, n)):
        synapses = Relay(size, n, sends_first=True)
        before.s_out.connect(synapses.into)
        synapses.s_out.connect(cells.into)
    config = Loihi2SimCfg(select_tag="fixed_pt")
    try:
        cells.run(condition=RunSteps(num_steps=WARM_UP), run_cfg=config)
        began = time.perf_counter()
        cells.run(condition=RunSteps(num_steps=steps), run_cfg=config)
        return time.perf_counter() - began
    finally:
        cells.stop()


def main() -> None:
    """Run both in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=500, help="cells")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    net = network(options.n)
    ratios = []
    for _ in range(options.rounds):
        ours, floor = evsim_seconds(net, options.steps), floor_seconds(options.n, options.steps)
        ratios.append(ours / floor)
        per_step = (1000 * seconds / options.steps for seconds in (ours, floor))
        print("evsim {:.3f} ms a step, Lava's channels {:.3f}: {:.2f}".format(*per_step, ratios[-1]), flush=True)
    print(f"median of {options.rounds}: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
