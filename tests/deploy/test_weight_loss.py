"""The loss of weights is that of all of them, however many chunks they come in."""

import numpy as np
import pytest

from evsim.deploy.spinnaker import SpinnakerHold
from evsim.deploy.weight_loss import weight_loss
from evsim.synapses import CHUNK, Listed

HOLD = SpinnakerHold(per_unit=1000.0, sign=1)


def synapses(weight):
    n = len(weight)
    cells = np.arange(n, dtype=np.int32) % 5
    return Listed(cells, cells, weight, np.ones(n, np.int32))


@pytest.mark.parametrize("n", [1, 7, CHUNK, 2 * CHUNK + 5])
@pytest.mark.parametrize("share", [None, np.array([1.0, 0.5, 0.25, 2.0, 1.0])])
def test_chunks_are_put_together(n, share):
    asked = np.random.default_rng(n).exponential(20.0, n)
    asked[0] = 1e-9
    loss = weight_loss("all", "nA", synapses(asked), HOLD, 0.001, share)
    divisor = 1.0 if share is None else share[np.arange(n) % 5]
    error = np.abs(np.minimum(np.rint(asked * 1000), 65535) / 1000 - asked) / divisor
    assert (loss.count, loss.zeroed) == (n, np.count_nonzero(np.rint(asked * 1000) == 0))
    assert loss.zeroed > 0
    assert loss.saturated == np.count_nonzero(np.rint(asked * 1000) > 65535)
    assert loss.max_error == pytest.approx(error.max(), rel=1e-12)
    assert loss.rms_error == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-9)
    assert loss.max_weight == (asked / divisor).max()


@pytest.mark.parametrize("share", [None, np.ones(5)])
def test_a_weight_that_all_have_counts_for_each(share):
    loss = weight_loss("all", "nA", synapses(np.broadcast_to(np.float64(0.0004), 9)), HOLD, 0.001, share)
    assert (loss.count, loss.zeroed, loss.saturated) == (9, 9, 0)
    assert loss.rms_error == pytest.approx(0.0004)


def test_no_synapse_loses_nothing():
    loss = weight_loss("none", "nA", synapses(np.empty(0)), HOLD, 0.001)
    assert (loss.count, loss.zeroed, loss.max_error, loss.rms_error) == (0, 0, 0.0, 0.0)
