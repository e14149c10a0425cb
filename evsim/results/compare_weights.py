"""Compare what plastic synapses had learned by the end of each run."""

from __future__ import annotations

import numpy as np

from evsim.results.compare_samples import Runs
from evsim.results.pair import WeightDifference


def weight_difference(runs: Runs) -> WeightDifference | None:
    """The learned weights of two targets, synapse by synapse; None where nothing learns that both have."""
    found = [
        (label, x.weights[index, label], y.weights[index, label])
        for x, y in runs
        for index, label in x.weights
        if (index, label) in y.weights and len(x.weights[index, label])
    ]
    if not found:
        return None
    differences = [(float(np.abs(a - b).max()), label) for label, a, b in found]
    largest, projection = max(differences)
    return WeightDifference(
        synapses=sum(len(a) for _, a, _ in found),
        different=sum(int(np.count_nonzero(a != b)) for _, a, b in found),
        largest=largest,
        projection=projection,
    )
