"""What can be recorded depends on what computes: sPyNNaker's currents of cells that have none in ``ideal``."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from driven_cells import data_of, driven, signal, sim
from evsim.backend import Target
from evsim.errors import CheckError
from evsim.pynn.recordables import UnrecordableError
from evsim.redirect import redirected

CURRENTS = ["isyn_exc", "isyn_inh"]
OF_SPINNAKER = {"IF_curr_delta": ["v"], "Izhikevich": ["v", "u"]}  # cell -> what every rule set has


@pytest.fixture
def chosen():
    """Choose targets from outside."""
    state = sim.simulator.state
    yield lambda *chips: state.choose([Target("reference", chip) for chip in chips])
    state.clear()
    state.release()


@pytest.mark.parametrize("name", OF_SPINNAKER)
def test_all_means_what_there_is_where_the_script_runs(name: str):
    for chip, more in (("ideal", []), ("spinnaker1", CURRENTS)):
        sim.setup(timestep=0.5, chip=chip)
        _, cells, _ = driven(getattr(sim, name)(), 2.0)
        wanted = OF_SPINNAKER[name] + more
        assert cells.celltype.recordable == getattr(sim, name).recordable == ["spikes", *wanted]
        assert [cells.can_record(variable) for variable in CURRENTS] == [bool(more)] * 2
        cells.record("all")
        sim.run(5.0)
        assert [s.name for s in data_of(cells).analogsignals] == wanted


@pytest.mark.parametrize("name", OF_SPINNAKER)
def test_elsewhere_it_is_said_who_has_it(name: str):
    sim.setup(timestep=1.0)
    cells = sim.Population(2, getattr(sim, name)(), label="some")
    there = ", ".join(["spikes", *OF_SPINNAKER[name]])
    said = f"'some': {name} has no 'isyn_inh' to be recorded in ideal; record one of {there}; spinnaker1 has it"
    with pytest.raises(errors.RecordingError, match=said) as error:
        cells[:1].record(["v", "isyn_inh"])
    assert isinstance(error.value, UnrecordableError) and error.value.variable == "isyn_inh"
    assert not cells.recorder.recorded  # nothing of it, and not the part that could be
    with pytest.raises(errors.RecordingError, match=rf"{name} has no 'w' to be recorded in ideal; record one of.*\w$"):
        cells.record("w")


@pytest.mark.parametrize("chips", [("spinnaker1", "ideal"), ("ideal", "spinnaker1")])
def test_several_targets_record_what_all_of_them_have(chosen, chips):
    chosen(*chips)
    sim.setup(timestep=1.0)
    cells = sim.Population(2, sim.IF_curr_delta(), label="some")
    assert cells.celltype.recordable == ["spikes", "v"]
    with pytest.raises(errors.RecordingError, match="recorded in ideal;"):
        cells.record("isyn_exc")


def test_what_was_asked_for_before_another_choice_is_found_before_it_runs(chosen):
    chosen("spinnaker1")
    sim.setup(timestep=1.0)
    cells = sim.Population(1, sim.IF_curr_delta(), label="some")
    cells.record("isyn_exc")
    sim.simulator.state.targets = (Target("reference", "ideal"),)
    with pytest.raises(
        CheckError, match="population 'some': recording 'isyn_exc'; IF_curr_delta has spikes, v in idea"
    ):
        sim.run(1.0)


def test_a_delta_cell_shows_what_arrives_in_a_step():
    sim.setup(timestep=1.0, chip="spinnaker1")
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[[2.0, 5.0], [5.0]]))
    cells = sim.Population(1, sim.IF_curr_delta())
    every = sim.AllToAllConnector()
    sim.Projection(source, cells, every, sim.StaticSynapse(weight=1.5, delay=1.0))
    sim.Projection(source[:1], cells, every, sim.StaticSynapse(weight=-0.5, delay=2.0), receptor_type="inhibitory")
    cells.record(CURRENTS)
    sim.run(9.0)
    excitatory, inhibitory = np.zeros((2, 9))
    excitatory[[3, 6]] = 1.5, 3.0
    inhibitory[[4, 7]] = 0.5
    np.testing.assert_array_equal(signal(cells, "isyn_exc")[:9, 0], excitatory)
    np.testing.assert_array_equal(signal(cells, "isyn_inh")[:9, 0], inhibitory)
    assert cells.get_data().segments[0].analogsignals[0].units.dimensionality.string == "nA"


def test_currents_of_izhikevich_cells_decay_as_spynnaker_has_it():
    """By 5 ms; the charge of a weight in the first step is that of the current in continuous time."""
    sim.setup(timestep=0.5, chip="spinnaker1")
    _, cells, _ = driven(sim.Izhikevich(), 2.0, times=[2.5])  # from two cells, over a delay of one step
    cells.record("isyn_exc")
    sim.run(12.0)
    found = signal(cells, "isyn_exc")[:24, 0]
    assert not found[:6].any()
    kept = np.exp(-0.5 / 5.0)
    np.testing.assert_allclose(found[6:], 2 * 2.0 * 5.0 / 0.5 * (1 - kept) * kept ** np.arange(18), atol=1e-3)


def test_the_sum_of_two_currents_is_what_scripts_of_spynnaker_see():
    with redirected(lambda text: None):
        there: Any = importlib.import_module("pyNN.spiNNaker")
        there.setup(timestep=1.0, chip="spinnaker1")
        source = there.Population(1, there.SpikeSourceArray(spike_times=[2.0]))
        cells = there.Population(1, there.extra_models.IF_curr_dual_exp(tau_syn_E2=9.0), label="some")
        for receptor in ("excitatory", "excitatory2"):
            one = there.StaticSynapse(weight=1.0, delay=1.0)
            there.Projection(source, cells, there.AllToAllConnector(), one, receptor_type=receptor)
        cells.record(["gsyn_exc", "gsyn_inh", "isyn_exc", "isyn_exc2"])
        there.run(9.0)
        first, second, total = (signal(cells, name) for name in ("isyn_exc", "isyn_exc2", "gsyn_exc"))
        assert first.max() > 0.9 and second.max() > 0.9
        np.testing.assert_array_equal(total, first + second)
        there.setup(timestep=1.0, chip="ideal")
        cells = there.Population(1, there.extra_models.IF_curr_dual_exp(), label="some")
        with pytest.raises(errors.RecordingError, match=r"no 'gsyn_exc' to be recorded in ideal.* isyn_exc2"):
            cells.record("gsyn_exc")
        there.end()


@pytest.mark.parametrize("name", ["IF_curr_dual_exp", "Izhikevich_cond_dual"])
def test_the_sum_follows_what_is_set_in_a_run(name: str):
    sim.setup(timestep=1.0, chip="spinnaker1")
    cells = sim.Population(2, getattr(sim.extra_models, name)(), label="some")
    parts = ["isyn_exc", "isyn_exc2"] if name == "IF_curr_dual_exp" else ["gsyn_exc1", "gsyn_exc2"]
    cells.record([*parts, "gsyn_exc"])
    sim.run(3.0)
    cells[1:].initialize(**{parts[0]: 0.25})
    sim.run(3.0)
    first, second, total = (signal(cells, variable) for variable in (*parts, "gsyn_exc"))
    np.testing.assert_array_equal(total, first + second)
    assert total[4, 1] > 0.1 and not total[:, 0].any() and not total[:3].any()
