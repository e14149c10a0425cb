"""What cannot be with sPyNNaker's RecurrentRule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evsim.errors import CheckError
from recurrent_networks import connected, pushed, sim


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"accumulator_depression": 0}, "accumulator_depression is 0; it must be a whole number of at most -1"),
        ({"accumulator_potentiation": 0}, "accumulator_potentiation is 0; it must be a whole number of at least 1"),
        ({"accumulator_potentiation": -3}, "accumulator_potentiation is -3; it must be a whole number of at least 1"),
        ({"mean_pre_window": 0.0}, "mean_pre_window is 0 ms; it must be above 0"),
        ({"mean_post_window": np.inf}, "mean_post_window is inf; all must be finite"),
    ],
)
def test_parameters_that_cannot_be_are_refused(given: dict[str, Any], words: str):
    connected([[1.0]], pushed([[1.0]]), **given)
    with pytest.raises(CheckError, match=words):
        sim.run(1.0)


def test_other_rules_of_weights_are_refused():
    connected([[1.0]], pushed([[1.0]]), sim.extra_models.WeightDependenceAdditiveTriplet())
    with pytest.raises(CheckError, match="PfisterSpikeTriplet and WeightDependenceAdditiveTriplet need each other"):
        sim.run(1.0)


def test_dopamine_goes_with_other_rules():
    cells = pushed([[1.0]])
    connected([[1.0]], cells)
    giver = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    dopamine = sim.extra_models.Neuromodulation(weight=0.1)
    sim.Projection(giver, cells, sim.AllToAllConnector(), dopamine, receptor_type="reward")
    with pytest.raises(CheckError, match="RecurrentRule with MultiplicativeWeightDependence, onto population"):
        sim.run(1.0)


@pytest.mark.parametrize(
    ("chip", "words"),
    [
        ("spinnaker1", "the rule RecurrentRule; the firmware of sPyNNaker 7.4.1 draws its windows from one stream"),
        ("loihi2_learning", "the rule RecurrentRule; the learning rules of loihi2"),
        ("loihi2", "the synapse STDPMechanism; loihi2 .* does not have it"),
    ],
)
def test_chips_refuse_it(chip: str, words: str):
    sim.setup(timestep=1.0, chip=chip)
    cells = sim.Population(2, sim.IF_curr_exp())
    connected([[1.0]], cells, delay=1.0)
    with pytest.raises(CheckError, match=words):
        sim.run(1.0)
