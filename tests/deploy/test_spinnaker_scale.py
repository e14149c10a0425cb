"""How sPyNNaker's scale of weights is computed where rounding errors decide."""

import numpy as np
import pytest

from evsim.deploy.spinnaker_scale import delay_variance
from evsim.network import Projection
from evsim.synapses import Listed

SIZES = (1, 2, 7, 8, 9, 127, 128, 129, 1000, 8191, 8193, 100_003)


@pytest.mark.parametrize("timestep", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("steps", [1, 3, 7, 15])
def test_the_variance_of_equal_delays_is_numpys_to_the_bit(steps, timestep):
    """It may be a rounding error above 0, which decides how a bound is computed."""
    for n in SIZES:
        cells = np.zeros(n, np.int32)
        delays = np.broadcast_to(np.int32(steps), n)
        projection = Projection("all", 0, 0, "excitatory", "StaticSynapse", Listed(cells, cells, np.ones(n), delays))
        in_ms = np.full(n, np.rint(steps * timestep * (1 / timestep)) * timestep)
        assert delay_variance(projection, timestep) == np.var(in_ms), n
