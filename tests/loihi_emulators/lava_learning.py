"""Lava's learning engine with Lava's own random numbers: by itself, and as ``LearningDense`` in a child process."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.loihi_learning import LoihiPlasticity
from evsim.worker import WorkerOptions, WorkerSession

Raster = NDArray[np.bool_]


def stock_engine(rule: LoihiPlasticity, weights: NDArray[np.integer], seed: int) -> Any:
    """The engine between all sources and targets; weights (targets, sources) are mantissas."""
    engines = import_module("evsim_lava.learning_engine")
    lava = engines.LearningConnectionModelBitApproximate

    class Stock(engines.LearningEngine):
        def _init_randoms(self) -> None:
            self._learning_rule.rng_seed = seed
            lava._init_randoms(self)

        def learn(self, label: int, arriving: Raster, fired: Raster) -> None:
            """As ``recv_traces`` and ``run_lrn``."""
            self._process_pre_spikes(arriving)
            self._update_trace_randoms()
            self._process_post_spikes(fired)
            self._update_trace_randoms()
            self.run_lrn()

    target, source = np.indices(weights.shape)
    return Stock(rule, weights.shape, target.ravel(), source.ravel(), weights.ravel())


def stock_dense(
    rule: LoihiPlasticity, weights: NDArray[np.integer], seed: int, pre: Raster, post: Raster
) -> NDArray[np.integer]:
    """The weights (targets, sources) after all steps of ``pre`` (sources, steps) and ``post`` (targets, steps)."""
    session = WorkerSession(
        f"{__name__}:StockDense", (rule, weights, seed, pre, post), WorkerOptions("Lava", timeout=200.0)
    )
    try:
        session.run(pre.shape[1])
        return np.asarray(session.recordings())
    finally:
        session.close()


class StockDense:
    """In the child process: Lava's ``LearningDense`` between two sources of spikes."""

    def __init__(
        self, rule: LoihiPlasticity, weights: NDArray[np.integer], seed: int, pre: Raster, post: Raster
    ) -> None:
        self._sdk = import_module("evsim_lava.sdk")  # before anything else of Lava's
        engines, source = import_module("evsim_lava.learning_engine"), import_module("lava.proc.io.source").RingBuffer
        self._weights = weights
        self._dense = import_module("lava.proc.dense.process").LearningDense(
            weights=weights,
            learning_rule=engines.lava_rule(rule, rng_seed=seed),
            sign_mode=engines.sign_mode(rule),
        )
        self._sources = source(data=pre.astype(int)), source(data=post.astype(int))
        self._sources[0].s_out.connect(self._dense.s_in)
        self._sources[1].s_out.connect(self._dense.s_in_bap)

    def run(self, steps: int) -> None:
        """Advance, and read the weights."""
        config = self._sdk.Loihi2SimCfg(select_tag="fixed_pt")
        self._dense.run(condition=self._sdk.RunSteps(num_steps=steps), run_cfg=config)
        self._weights = self._dense.weights.get()

    def recordings(self) -> NDArray[np.integer]:
        """(targets, sources)."""
        return self._weights

    def close(self) -> None:
        """Stop Lava's processes."""
        self._dense.stop()
