"""Lava's model of Loihi's learning engine by itself: outside of a process, with random numbers of evsim's."""

from __future__ import annotations

import numpy as np

from evsim.deploy.loihi_learning import LoihiPlasticity, Product
from evsim.random_bits import uniform
from evsim_lava.sdk import (
    GradedSpikeCfg,
    LearningConnectionModelBitApproximate,
    Loihi2FLearningRule,
    SignMode,
)


def lava_rule(rule: LoihiPlasticity, **others) -> Loihi2FLearningRule:
    """A rule as Lava has it, learning in every time step."""
    return Loihi2FLearningRule(
        dw=f"{_written(rule.down, 'x0', 'y1')} + {_written(rule.up, 'y0', 'x1')}",
        x1_impulse=rule.up.impulse,
        x1_tau=rule.tau_plus,
        y1_impulse=rule.down.impulse,
        y1_tau=rule.tau_minus,
        t_epoch=1,
        **others,
    )


def sign_mode(rule: LoihiPlasticity) -> SignMode:
    """What Lava wants to know about the weights."""
    return SignMode.INHIBITORY if rule.inhibitory else SignMode.EXCITATORY


def _written(product: Product, dependency: str, trace: str) -> str:
    """A product as Lava reads it: scaling, dependency, trace, and the weight where it is a factor."""
    scaled = f"({product.mantissa}) * 2 ^ {product.exponent} * {dependency} * {trace}"
    if not product.weighed:
        return scaled
    return f"{scaled} * (w {product.offset:+d})" if product.offset else f"{scaled} * w"


class _Parameters:
    """What Lava's connection models are based on in a process."""

    def __init__(self, parameters: dict) -> None:
        """Nothing of a process is needed."""


class _Numbers:
    """The random numbers of a label, in the place of Lava's generators."""

    random_trace_decay = 0.0
    random_impulse_addition = 0  # impulses are whole
    random_stochastic_round = 0.0

    def advance(self) -> None:
        """They are set from outside."""


class LearningEngine(LearningConnectionModelBitApproximate, _Parameters):
    """Synapses that learn together, at most one between two cells.

    Args:
        shape: (targets, sources).
        target, source, weight: (n,) of each synapse.
    """

    def __init__(
        self, rule: LoihiPlasticity, shape: tuple[int, int], target: np.ndarray, source: np.ndarray, weight: np.ndarray
    ) -> None:
        targets, sources = shape
        self.x0, self.y0 = np.zeros(sources, bool), np.zeros(targets, bool)
        self.tx, self.x1, self.x2 = (np.zeros(sources, int) for _ in range(3))
        self.ty, self.y1, self.y2, self.y3 = (np.zeros(targets, int) for _ in range(4))
        self.tag_1, self.tag_2, self.weights = (np.zeros(shape, np.int32) for _ in range(3))
        self.time_step = 1  # an epoch is one step, so this does not matter
        self.weights[target, source] = weight
        self._present = np.zeros(shape, bool)
        self._present[target, source] = True
        self._keys = tuple(np.uint64(key) for key in rule.keys)
        super().__init__(
            {
                "learning_rule": lava_rule(rule, rng_seed=0),
                "shape": shape,
                "graded_spike_cfg": GradedSpikeCfg.USE_REGULAR_IMPULSE,
                "sign_mode": sign_mode(rule),
            }
        )

    def _init_randoms(self) -> None:
        self._x_random, self._y_random, self._conn_var_random = _Numbers(), _Numbers(), _Numbers()

    def learn(self, label: int, arriving: np.ndarray, fired: np.ndarray) -> None:
        """What Lava does in the learning phase of a time step.

        Args:
            label: of the step.
            arriving, fired: (sources,) and (targets,) of bool, whose spikes reach the synapses.
        """
        spikes = arriving.any() or fired.any()
        if not (spikes or self.x1.any() or self.y1.any()):
            return
        of_sources, of_targets, of_weights = self._keys
        self._x_random.random_trace_decay = uniform(of_sources, label)
        self._y_random.random_trace_decay = uniform(of_targets, label)
        self._conn_var_random.random_stochastic_round = uniform(of_weights, label)
        self._process_pre_spikes(arriving)
        self._process_post_spikes(fired)
        self.run_lrn()

    def _apply_learning_rules(self, x_traces_history: np.ndarray, y_traces_history: np.ndarray) -> None:
        """Lava's, which without spikes would find nothing to do, and weights where there are no synapses."""
        if self.x0.any() or self.y0.any():
            super()._apply_learning_rules(x_traces_history, y_traces_history)
            self.weights = np.where(self._present, self.weights, 0)
