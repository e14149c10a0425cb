from __future__ import annotations

import pytest

from evsim.chip import load_chip
from evsim.errors import CheckError
from evsim.results.losses import chip_losses, warning


def network(nets, weights, **cell):
    source, cells = nets.array_source([[1.0]] * len(weights)), nets.cells(1, **cell)
    rows = [(index, 0, weight, 1) for index, weight in enumerate(weights)]
    return nets.Network(1.0, (source, cells), (nets.connect(0, 1, rows, label="input to cells"),))


def test_a_weight_below_half_a_step_is_told_with_its_remedy(nets):
    text = warning(chip_losses(network(nets, [1.0, 1e-4]), [load_chip("loihi2"), load_chip("loihi2")]))
    assert text is not None
    assert text.count("'input to cells'") == 1
    assert "1 of 2 weights become 0" in text and "loihi2" in text and "split the projection" in text


def test_nothing_is_told_where_nothing_is_lost(nets):
    chips = [load_chip(name) for name in ("ideal", "loihi2")]
    losses = chip_losses(network(nets, [1.0, 0.9]), chips)
    assert [entry.chip for entry in losses] == ["loihi2"]
    assert warning(losses) is None


def test_the_problems_of_all_chips_come_at_once(nets):
    net = network(nets, [1.0], tau_syn_I=3.0)
    with pytest.raises(CheckError) as caught:
        chip_losses(net, [load_chip("loihi1"), load_chip("loihi2")])
    assert "loihi1" in str(caught.value) and "loihi2" in str(caught.value)
    assert len(caught.value.problems) == 2
