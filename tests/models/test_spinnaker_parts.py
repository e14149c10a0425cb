"""What the neurons of SpiNNaker 1 share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim_models.spinnaker_parts import current_range, firmware_defects, synapse_rows

LEAST, MOST = -(1 << 31), (1 << 31) - 1
registers = st.integers(LEAST, MOST)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.one_of(st.integers(0, 5), st.integers(0, MOST)), registers, st.integers(-3, 3), registers)
def test_alpha_is_a_register_just_for_the_currents_in_the_range(resistance, v_rest, near, elsewhere):
    least, most = (int(bound[0]) for bound in current_range(np.array([resistance]), np.array([v_rest])))
    assert LEAST <= least <= most <= MOST
    for current in (least + near, most + near, elsewhere):
        if LEAST <= current <= MOST:
            alpha = (current * resistance >> 15) + v_rest
            assert (LEAST <= alpha <= MOST) == (least <= current <= most)


# --- factors of inputs that are wrapped ------------------------------------------------------------------------------

# time step (ms), in s16.15; the numbers of 2^-15 that dt/tau may be held in
STEPS = st.sampled_from([328, 3277, 4096, 8192, 16384, 32768, 65536])
UNITS = st.integers(1, 60)


def defects_of(dt: float, tau: float) -> list[str]:
    taus = {"tau_syn_E": np.array([20.0, tau]), "tau_syn_I": np.array([5.0, 5.0])}
    return [str(problem) for problem in firmware_defects("population 'cells'", taus, dt)]


def factor_held(dt: float, tau: float) -> float:
    """What the first input of the excitatory synapse is multiplied by."""
    taus = {"tau_syn_E": np.array([tau]), "tau_syn_I": np.array([5.0])}
    return float(synapse_rows(taus, dt, SpinnakerScale((0, 0), 1.0))[1][0]) / 2**32


@settings(derandomize=True, deadline=None, max_examples=400)
@given(STEPS, UNITS, st.integers(-3, 3))
def test_just_the_synapses_whose_factor_is_far_from_its_formula_are_told(step, units, beside):
    """tau/dt (1 - exp(-dt/tau)), with a dt/tau that is rounded down, is at least k / (k + 1) less some parts of it."""
    tau = min((step << 15) // units + beside, (1 << 31) - 1, step << 15)
    dt = step / 2**15
    weak = factor_held(dt, tau / 2**15) < 0.3
    assert bool(defects_of(dt, tau / 2**15)) == weak


@pytest.mark.parametrize(
    ("dt", "tau", "parts"),
    [
        (1.0, 4090.0, ["is 4090 ms in 1 of 2 cells", "has 0.0031 of its strength", "from 4077.359 to 4096 ms"]),
        (1.0, 1024.0, ["from 1023.558 to 1024 ms", "end at 32768 ms / k"]),
        (1.0, 32768.0, ["has 0.038 of its strength", "from 31507.43 to 32768 ms"]),
        (0.1, 102.4, ["from 102.3621 to 102.4062 ms", "end at 3277 ms / k"]),
        (0.01, 8.0, ["has 2.2e-05 of its strength", "from 7.999847 to 8 ms"]),
    ],
)
def test_a_factor_that_is_wrapped_is_told(dt, tau, parts):
    (told,) = defects_of(dt, tau)
    for part in ["population 'cells': tau_syn_E", *parts, f"a time step of {dt:g} ms", "Give a tau_syn_E outside"]:
        assert part in told


@pytest.mark.parametrize(
    ("model", "tau", "receptor"),
    [
        ("IF_curr_exp", "tau_syn_I", "inhibitory"),
        ("IFCurrExpCa2Adaptive", "tau_syn_E", "excitatory"),
        ("IF_cond_exp", "tau_syn_E", "excitatory"),
        ("IF_curr_dual_exp", "tau_syn_E2", "excitatory2"),
    ],
)
def test_cells_with_exponential_synapses_have_the_defect_and_tell_it(nets, model, tau, receptor):
    """The cell at 4090 ms gets next to nothing, its neighbours get what they are sent."""
    changed = {"IF_cond_exp": {"e_rev_E": 0.0, "e_rev_I": -70.0}, "IF_curr_dual_exp": {"tau_syn_E2": 5.0}}
    changed["IFCurrExpCa2Adaptive"] = {"tau_ca2": 50.0, "i_alpha": 0.1}
    values = {**changed.get(model, {}), tau: np.array([4077.0, 4090.0, 4100.0])}
    cells = nets.cells(3, "cells", model, v_thresh=1000.0, **values)
    weight = {"IF_cond_exp": 0.01, "IF_curr_exp": -1.0}.get(model, 1.0)
    synapses = nets.connect(0, 1, [(0, k, weight, 1) for k in range(3)], receptor)
    populations = (nets.array_source([[1.0]]), cells)
    network = nets.Network(1.0, populations, (synapses,), probes=nets.record_all(populations, "v"))
    (told,) = quantise(network, load_chip("spinnaker1")).defects
    assert f"{tau} is 4090 ms in 1 of 3 cells, so their {receptor} input" in str(told)
    (signal,) = nets.run(network, 10, "spinnaker1").signals
    moved = abs(signal.values[-1] + 65.0)
    assert moved[1] < 0.01 * moved[0] and moved[1] < 0.01 * moved[2] and moved.max() > 0.5
