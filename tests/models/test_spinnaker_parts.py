"""What the neurons of SpiNNaker 1 share."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim_models.spinnaker_parts import current_range

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
