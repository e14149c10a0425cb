"""What ``docs/loihi.md`` says that Lava's learning does otherwise than one would think, executed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihi_emulators as emulators

emulators.need("lava.proc")

PAGE = (Path(__file__).parents[2] / "docs" / "loihi.md").read_text()


@pytest.fixture(scope="module", autouse=True)
def imported() -> Any:
    return import_module("evsim_lava.sdk")  # before anything else of Lava's


def of_learning(name: str) -> Any:
    return import_module(f"lava.magma.core.learning.{name}")


def test_the_seed_of_a_rule_does_not_reach_the_rounding_of_weights(imported):
    def first(seed: int) -> float:
        model = object.__new__(imported.LearningConnectionModelBitApproximate)
        model._learning_rule = imported.Loihi2FLearningRule(dw="y0 * x1", rng_seed=seed)
        model._init_randoms()
        return model._conn_var_random.random_stochastic_round

    assert first(1) == first(2)
    assert f"the same first number: {first(1):.8f}" in PAGE


def test_all_traces_of_a_step_are_rounded_by_one_number(imported):
    random = of_learning("random").TraceRandom(0, 1).random_trace_decay
    traces = imported.LearningConnectionModelBitApproximate._decay_trace(np.full(1000, 100), 1, 10, random)
    assert len(np.unique(traces)) == 1 and 100 * np.exp(-0.1) % 1 > 0.1


def test_impulses_with_a_fraction_are_rounded_up_too_often(imported):
    model, draws = imported.LearningConnectionModelBitApproximate, of_learning("random").TraceRandom(0, 1)
    whole, fraction = model._decompose_impulses(np.array([16.25]))
    sums = []
    for _ in range(20_000):
        draws.advance()
        sums.append(model._add_impulse(np.zeros(1, int), draws.random_impulse_addition, whole, fraction)[0])
    assert np.mean(sums) == pytest.approx(16.5, abs=0.02)  # the standard error is 0.0035


def test_amplitudes_of_stdploihi_are_held_coarsely():
    rule = import_module("lava.proc.learning_rules.stdp_learning_rule").STDPLoihi(
        learning_rate=1, A_plus=0.35, A_minus=-1, tau_plus=10, tau_minus=10
    )
    (potentiation,) = (product for product in rule.dw.products if product.dependency == "y0")
    assert potentiation.s_mantissa * 2.0 ** (potentiation.s_exp - 7) == 0.25


def test_odd_weights_lose_a_bit_unless_their_sign_is_given(imported):
    truncate = import_module("lava.utils.weightutils").truncate_weights
    rule = imported.Loihi2FLearningRule(dw="y0 * x1", rng_seed=1)
    dense = import_module("lava.proc.dense.process").LearningDense(weights=np.array([[101]]), learning_rule=rule)
    mode = dense.proc_params.get("sign_mode", imported.SignMode.MIXED)  # as LearningConnectionModel reads it
    assert truncate(np.array([101]), mode, 8).tolist() == [100]
    assert truncate(np.array([101]), imported.SignMode.EXCITATORY, 8).tolist() == [101]
