"""What neurons of compartments cannot be, and where they have no such place."""

from __future__ import annotations

import numpy as np
import pytest
from pyNN import errors
from pyNN.parameters import IonicSpecies

from compartment_cells import ball_and_stick, cell_class, parameters
from evsim.errors import CheckError


@pytest.fixture
def sim(sim):
    sim.setup(timestep=0.025)
    return sim


def population(sim, **changed):
    cell = cell_class(sim)(**parameters(sim, **changed))
    return sim.Population(1, cell, initial_values={"v": -60.0}, label="neurons")


@pytest.mark.parametrize("chip", ["loihi1", "loihi2", "loihi2_learning", "spinnaker1"])
def test_a_chip_refuses_it_before_anything_runs(sim, chip):
    sim.setup(timestep=1.0, chip=chip)
    cells = population(sim)
    sim.DCSource(amplitude=0.1).inject_into(cells, location="dendrite")
    cells.record("v", locations="dendrite")
    with pytest.raises(CheckError, match=r"population 'neurons': the cell Cell.*ideal can hold it"):
        sim.run(1.0)
    assert sim.get_current_time() == 0.0


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"cm": -1.0}, errors.InvalidParameterValueError, r"cm is -1 in section 0"),
        ({"cm": 0.0}, errors.InvalidParameterValueError, r"cm is 0"),
        ({"Ra": np.nan}, errors.InvalidParameterValueError, r"Ra is nan"),
        ({"Ra": "many"}, errors.InvalidParameterValueError, r"Ra is 'many'"),
        ({"na": {"conductance_density": -0.1}}, errors.InvalidParameterValueError, r"na.conductance_density is -0.1"),
        ({"na": {"conductance_density": np.inf}}, errors.InvalidParameterValueError, r"na.conductance_density is inf"),
        ({"na": {"conductance_density": "big"}}, errors.InvalidParameterValueError, r"conductance_density is 'big'"),
        ({"na": {"density": 0.1}}, errors.NonExistentParameterError, r"na.density"),
        ({"na": 0.1}, errors.InvalidParameterValueError, r"na is 0.1"),
        ({"nap": {"conductance_density": 0.1}}, errors.NonExistentParameterError, r"nap"),
        ({"pas": {"e_rev": np.nan}}, CheckError, r"pas.e_rev is not a finite number"),
        ({"pas": {"e_rev": "low"}}, errors.InvalidParameterValueError, r"pas.e_rev"),
        (
            {"AMPA": {"locations": "spine"}},
            errors.InvalidParameterValueError,
            r"labelled 'spine'; it has dendrite, soma",
        ),
        ({"AMPA": {"locations": None}}, errors.InvalidParameterValueError, r"AMPA at None"),
        ({"AMPA": {"locations": -1.0}}, errors.InvalidParameterValueError, r"random placement is -1"),
        ({"AMPA": {"locations": "soma", "tau_syn": 0.0}}, CheckError, r"AMPA.tau_syn is 0 ms"),
        ({"morphology": None}, errors.InvalidParameterValueError, r"without a morphology"),
        ({"morphology": 3}, errors.InvalidParameterValueError, r"a morphology that is 3"),
        ({"ionic_species": {"na": 50.0}}, errors.InvalidParameterValueError, r"'na' is 50.0"),
        ({"ionic_species": {"k": IonicSpecies("k", np.nan)}}, CheckError, r"kdr.e_rev is not a finite number"),
    ],
)
def test_what_cannot_be_is_refused(sim, changed, error, words):
    with pytest.raises(error, match=words):
        population(sim, **changed)
        sim.run(1.0)


def test_what_is_at_no_such_place_is_refused(sim):
    cells = population(sim)
    points = sim.Population(1, sim.IF_cond_exp())
    current = sim.DCSource(amplitude=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    static = sim.StaticSynapse(weight=0.001)

    def connect(to, selector, receptor):
        connector = sim.AllToAllConnector(location_selector=selector)
        return lambda: sim.Projection(source, to, connector, static, receptor_type=receptor)

    for call, error, words in (
        (lambda: cells.record("v", locations="spine"), errors.InvalidParameterValueError, "'spine'"),
        (lambda: cells.record("na.m", locations="dendrite"), errors.RecordingError, "na.m at dendrite"),
        (lambda: cells.record("na.m"), errors.RecordingError, "na.m"),
        (lambda: cells.record("w", locations="soma"), errors.RecordingError, "w at soma"),
        (lambda: cells.record("v", locations=7), errors.InvalidParameterValueError, "at 7"),
        (lambda: points.record("v", locations="soma"), errors.InvalidParameterValueError, "is a point"),
        (lambda: current.inject_into(cells, location="spine"), errors.InvalidParameterValueError, "'spine'"),
        (lambda: current.inject_into(points, location="soma"), errors.InvalidParameterValueError, "is a point"),
        (connect(cells, "spine", "AMPA"), errors.ConnectionError, "'spine'"),
        (connect(cells, "soma", "AMPA"), errors.ConnectionError, "no 'AMPA' synapse where its location selector"),
        (connect(cells, 3, "AMPA"), errors.ConnectionError, "selector 3"),
        (connect(points, "soma", "excitatory"), errors.ConnectionError, "made of points"),
        (connect(cells, "dendrite", "NMDA"), Exception, "NMDA"),
        (
            lambda: sim.Projection(
                source,
                cells,
                sim.AllToAllConnector(location_selector="soma"),
                sim.extra_models.Neuromodulation(weight=0.1),
                receptor_type="reward",
            ),
            errors.ConnectionError,
            "Neuromodulation reaches a cell as a whole",
        ),
        (lambda: cells.set(Ra=100.0), errors.NonExistentParameterError, "Ra"),
        (lambda: cells.initialize(u=1.0), errors.NonExistentParameterError, "u"),
        (
            lambda: sim.morphology.at_distances(sim.morphology.with_label("soma"), [1.5]).places(ball_and_stick()),
            errors.InvalidParameterValueError,
            "1.5",
        ),
    ):
        with pytest.raises(error, match=words):
            call()


def test_a_channel_or_synapse_that_evsim_does_not_have(sim):
    for members in (
        {"ion_channels": {"ca": sim.IF_cond_exp}},
        {"post_synaptic_entities": {"AMPA": sim.StaticSynapse}},
        {"post_synaptic_entities": {"a": sim.CurrExpPostSynapticResponse, "b": sim.CondExpPostSynapticResponse}},
    ):
        with pytest.raises(errors.NoModelAvailableError):
            cell_class(sim, **members)(morphology=ball_and_stick())
