"""Chips are data: every number has a source, and those that the arithmetic is written for are the same in both."""

from __future__ import annotations

from pathlib import Path

import pytest

from evsim.arithmetic import loihi, loihi_learning, s1615
from evsim.chip import load_chip, read_chip
from evsim.errors import EvsimError, UnknownNameError

CHIP = """
title = "A chip"
rules = "loihi2"

[limits.max_delay]
value = 63
unit = "steps"
"""


def test_every_chip_is_shipped():
    """``hardware/`` holds a package as well, so its files go into the wheel one by one."""
    root = Path(__file__).parent.parent
    shipped = (root / "pyproject.toml").read_text()
    for path in (root / "hardware").glob("*.toml"):
        assert f'"hardware/{path.name}" = "evsim/_shipped/hardware/{path.name}"' in shipped


def test_a_number_without_a_source_is_refused(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(CHIP)
    with pytest.raises(EvsimError, match=r"mine.toml: limit 'max_delay' lacks its source"):
        read_chip(file)
    file.write_text(CHIP + 'source = "its manual"')
    chip = read_chip(file)
    assert (chip.name, chip.rules.name, chip.limit("max_delay")) == ("mine", "loihi2", 63)
    assert chip.limit("max_refractory") is None


def test_a_chip_has_the_limits_of_its_base_and_its_own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        CHIP.replace("value = 63", 'value = 31\nsource = "its manual"').replace("rules", 'base = "loihi1"\nrules')
    )
    chip, base = read_chip(file), load_chip("loihi1")
    assert (chip.rules.name, chip.limit("max_delay"), base.limit("max_delay")) == ("loihi2", 31, 63)
    assert chip.limits["core_axons_in"] == base.limits["core_axons_in"]
    file.write_text(CHIP.replace("rules", 'base = "loihi3"\nrules'))
    with pytest.raises(UnknownNameError, match="no chip named 'loihi3'"):
        read_chip(file)


def test_rules_and_chips_that_do_not_exist_are_refused(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(CHIP.replace("loihi2", "loihi3") + 'source = "its manual"')
    with pytest.raises(UnknownNameError, match="rule set named 'loihi3'"):
        read_chip(file)
    with pytest.raises(UnknownNameError, match="did you mean 'spinnaker1'"):
        load_chip("spinnaker")


@pytest.mark.parametrize("name", ["loihi1", "loihi2", "loihi2_microcode", "loihi2_learning"])
def test_registers_of_loihi_are_those_of_the_arithmetic(name):
    chip = load_chip(name)
    assert chip.limit("weight_bits") == loihi.WEIGHT_MAX.bit_length()
    assert chip.limit("state_bits") == (2 * loihi.STATE_LIMIT - 1).bit_length()
    assert chip.limit("threshold_bits") == loihi.THRESHOLD_MAX.bit_length()


def test_traces_of_loihi_are_those_of_the_arithmetic():
    assert load_chip("loihi2_learning").limit("trace_bits") == loihi_learning.TRACE_MAX.bit_length()


def test_weights_of_spinnaker_are_those_of_the_arithmetic():
    assert load_chip("spinnaker1").limit("weight_bits") == s1615.INPUT_MAX.bit_length()
