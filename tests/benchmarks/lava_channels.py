"""How near a network on Lava comes to what Lava's channels alone cost: the same graph with processes that send zeros.

    python tests/benchmarks/lava_channels.py [--n N] [--steps STEPS] [--rounds ROUNDS]

Nothing is recorded. There are two floors: that of the network as it is described, with a process for each projection,
and that of the graph that evsim builds, in which projections from one population onto another share a process. All
three stay open and run a while in turn, so that a busy machine slows them alike. Printed are the medians over the
rounds: of wall time, of processor time (of all processes and threads), and of evsim's ratio to each floor in a round.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
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


class Floor:
    """A graph of a source and cells without any work in it.

    Args:
        sources: for each process between populations, whether it stands behind the source; else behind the cells.
    """

    def __init__(self, n: int, sources: list[bool]) -> None:
        source, self._cells = Source(N_SOURCES), Relay(n, n, sends_first=False)
        for from_source in sources:
            synapses = Relay(N_SOURCES if from_source else n, n, sends_first=True)
            (source if from_source else self._cells).s_out.connect(synapses.into)
            synapses.s_out.connect(self._cells.into)

    def run(self, steps: int) -> None:
        """Advance by a number of time steps."""
        self._cells.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))

    def close(self) -> None:
        """Stop Lava's processes."""
        self._cells.stop()


def processor_seconds() -> float:
    """Of this process, of those that it started and so on, in all of their threads; Linux counts it in ns."""
    return (
        sum(
            int((thread / "schedstat").read_text().split()[0])
            for task in _tasks(os.getpid())
            for thread in task.iterdir()
        )
        * 1e-9
    )


def _tasks(process: int) -> Iterator[Path]:
    task = Path(f"/proc/{process}/task")
    yield task
    for thread in task.iterdir():
        for child in (thread / "children").read_text().split():
            yield from _tasks(int(child))


def measured(run: Callable[[int], None], steps: int) -> tuple[float, float]:
    """Wall and processor time of a run, in ms a step."""
    wall, processor = time.perf_counter(), processor_seconds()
    run(steps)
    return 1000 * (time.perf_counter() - wall) / steps, 1000 * (processor_seconds() - processor) / steps


def main() -> None:
    """Run all in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=500, help="cells")
    parser.add_argument("--steps", type=int, default=200, help="of one turn")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    net = network(options.n)
    described = [projection.pre == 0 for projection in net.projections]
    with ExitStack() as stack:
        contenders = {
            "evsim": stack.enter_context(closing(LavaSession(net, load_chip("loihi2")))),
            "floor of the network": stack.enter_context(closing(Floor(options.n, described))),
            "floor of evsim's graph": stack.enter_context(closing(Floor(options.n, [True, False]))),
        }
        for contender in contenders.values():
            contender.run(WARM_UP)
        rounds = np.array(
            [
                [measured(contender.run, options.steps) for contender in contenders.values()]
                for _ in range(options.rounds)
            ]
        )
    ratios = rounds[:, :1] / rounds
    for name, (wall, processor), ratio in zip(
        contenders, np.median(rounds, axis=0), np.median(ratios, axis=0), strict=True
    ):
        times = f"{wall:.3f} ms a step, {processor:.3f} ms of processor time"
        print(f"{name:24}{times}; evsim to it: {ratio[0]:.2f}, {ratio[1]:.2f}")


if __name__ == "__main__":
    main()
