"""Chips are data: every number has a source, and those that the arithmetic is written for are the same in both."""

from __future__ import annotations

from pathlib import Path

import pytest

from evsim.arithmetic import loihi, loihi_learning, s1615
from evsim.chip import COSTS, chip_names, hardware_names, load_chip, load_hardware, read_chip, read_hardware
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
    with pytest.raises(UnknownNameError, match="no hardware named 'loihi3'"):
        read_chip(file)


def test_what_things_cost_is_said_by_as_many_sources_as_there_are(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'title = "Mine"\n[[energy.spike]]\nvalue = 2e-12\nsource = "A"\n[[energy.spike]]\nvalue = 3e-12\nsource = "B"'
    )
    mine = read_hardware(file)
    assert [(number.value, number.unit, number.source) for number in mine.energy["spike"]] == [
        (2e-12, "J", "A"),
        (3e-12, "J", "B"),
    ]
    assert (mine.power, mine.time) == ({}, {})
    with pytest.raises(EvsimError, match=r"mine.toml: no network can be run as Mine; a chip's file names its rules"):
        read_chip(file)
    file.write_text('title = "Mine"\nbase = "loihi1"\n[[energy.spike]]\nvalue = 1e-12\nsource = "A"')
    mine, base = read_hardware(file), load_hardware("loihi1")
    assert [number.value for number in mine.energy["spike"]] == [1e-12]
    assert mine.energy["message"] == base.energy["message"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("value = 1.0", r"energy 'spike' lacks its source; every number needs a source"),
        ('source = "A"', r"energy 'spike' lacks its value; every number needs a source"),
        ('value = 1.0\nsource = "A"\nunit = "pJ"', r"energy 'spike' is 1.0 pJ; a cost is a number of J, at least 0"),
        ('value = -1.0\nsource = "A"', r"energy 'spike' is -1.0 J; a cost is a number of J, at least 0"),
        ('value = nan\nsource = "A"', r"energy 'spike' is nan J; a cost is a number of J, at least 0"),
    ],
)
def test_a_cost_without_a_source_or_a_meaning_is_refused(tmp_path, entry, message):
    file = tmp_path / "mine.toml"
    file.write_text(f'title = "Mine"\n[[energy.spike]]\n{entry}')
    with pytest.raises(EvsimError, match=message):
        read_hardware(file)


@pytest.mark.parametrize("name", hardware_names())
def test_shipped_costs_are_plausible(name):
    """No slip of a power of ten: sources of one number agree within a factor of 4."""
    hardware = load_hardware(name)
    for table in COSTS:
        for key, numbers in getattr(hardware, table).items():
            values = [number.value for number in numbers]
            assert key == "barrier" or 0 < max(values) <= 4 * min(values), (table, key)


def test_hardware_without_arithmetic_is_no_chip():
    assert set(hardware_names()) - set(chip_names()) == {"arm", "cpu", "gpu", "spinnaker2"}
    with pytest.raises(UnknownNameError, match="no chip named 'cpu'"):
        load_chip("cpu")
    assert load_hardware("loihi2").energy == {}  # nothing published; unknown is not 0


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
