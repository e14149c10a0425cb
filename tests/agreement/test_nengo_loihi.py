"""Both rule sets against nengo-loihi's emulator of blocks, in every spike, u and v of random networks.

Where they differ by rule is in ``docs/loihi.md``, whose examples ``test_loihi_differences.py`` executes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import loihi_emulators as emulators
from evsim.arithmetic.loihi import STATE_LIMIT

emulators.need("nengo_loihi")

quickly = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much],
)
networks = given(seed=st.integers(0, 2**31), size=st.integers(2, 40), refractory=st.integers(0, 5), bias=st.booleans())


class Comparison(NamedTuple):
    """What evsim and nengo-loihi make of the same registers.

    Attributes:
        alike: whether the rules are, as far as these registers go.
        differing: numbers that are not equal; none are looked for where rules are not alike.
        tallies: what left a register of evsim's, and how often.
    """

    alike: bool
    differing: dict[str, int]
    tallies: dict[str, int]


def compare(registers: emulators.Registers, rules: str) -> Comparison:
    """Run both; ``loihi1`` is like nengo-loihi within 24 bits, ``loihi2`` where u + bias is, and u is not 2^23."""
    reference = emulators.Reference(registers, rules)
    ours, tallies = reference.run(), reference.tallies
    with_bias = ours.u.astype(np.int64) + registers.bias
    fits = (ours.u < STATE_LIMIT).all() and ((with_bias >= -STATE_LIMIT) & (with_bias < STATE_LIMIT)).all()
    alike = not tallies if rules == "loihi1" else bool(fits)
    differing = emulators.differing(ours, emulators.nengo_loihi(registers)) if alike else {}
    return Comparison(alike, differing, tallies)


@quickly
@networks
def test_every_bit_of_loihi2_is_that_of_nengo_loihi(seed, size, refractory, bias):
    drawn = emulators.drawn(seed, size, 12, 120, exponents=(0, 7), bias=bias, refractory=refractory)
    found = compare(drawn, "loihi2")
    assume(found.alike)
    assert found.differing == {}


@quickly
@networks
def test_every_bit_of_loihi1_is_that_of_nengo_loihi(seed, size, refractory, bias):
    drawn = emulators.drawn(seed, size, 12, 120, bias=bias, refractory=refractory, least_du=100)
    found = compare(drawn, "loihi1")
    assume(found.alike)
    assert found.differing == {}


def test_wraps_and_clips_are_those_of_nengo_loihi():
    """Little decay and strong synapses: u goes round, and v is held at the ends of its register."""
    found = compare(emulators.drawn(2, 20, 10, 100, exponents=(7, 7), most_decay=7, bias=False), "loihi2")
    assert found.alike and found.differing == {}
    assert found.tallies["wrapped"] > 0 and found.tallies["clipped"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["loihi1", "loihi2"])
def test_every_bit_of_a_large_network_is_that_of_nengo_loihi(rules):
    drawn = emulators.drawn(5, 2000, 200, 2000, exponents=(0, 0), least_du=400, bias=False, refractory=3)
    found = compare(drawn, rules)
    assert found.alike and found.differing == {}
