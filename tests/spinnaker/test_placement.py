"""How many neurons of a population share a core."""

from __future__ import annotations

import pytest

from evsim.network import Network
from evsim_spinnaker.placement import neurons_per_core


@pytest.mark.parametrize(
    ("longest", "size", "most"),
    [
        (1, 1000, None),
        (32, 1000, None),
        (33, 1000, 128),
        (64, 129, 128),
        (64, 128, None),
        (65, 1000, 64),
        (144, 33, 32),
    ],
)
def test_a_core_holds_the_longest_delay(nets, longest, size, most):
    source, cells = nets.array_source([[1.0]]), nets.cells(size)
    rows = [(0, 0, 1.0, 1), (0, size - 1, 1.0, longest)]
    network = Network(1.0, (source, cells), (nets.connect(0, 1, rows),))
    assert neurons_per_core(network, 1) == most
    assert neurons_per_core(network, 0) is None
    if most:
        assert most * 2 * longest <= 2**14  # neurons, receptors and slots of a core's ring buffer
