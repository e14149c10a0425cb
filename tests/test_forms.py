"""What is known of neurons beforehand changes no bit of what they do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest

from driven_cells import sim
from evsim import registry
from evsim.forms import Form, counter_rows, form_of, pack, summed_rows, unpack
from evsim.loops import step_function
from evsim.model import Cells, NeuronModel
from evsim.rulesets import RULE_SETS

IDEAL = RULE_SETS["ideal"]
N = 50


def rule_of(name: str):
    model = registry.models()[name]
    assert isinstance(model, NeuronModel)
    return model, model.rules["ideal"]


MODELS = [
    name
    for name, model in registry.models().items()
    if isinstance(model, NeuronModel)
    and "ideal" in model.rules
    and (model.rules["ideal"].sums or model.rules["ideal"].counters)
]


@numba.njit
def step(function, state, parameters, inputs, drive, flags, spiked, tally):
    return function(state, parameters, inputs, drive, flags, spiked, tally, np.uint64(1), np.int64(0), np.int64(0))


def cells_of(name: str, dt: float = 0.1) -> tuple[Any, Cells]:
    """Cells with unlike parameters, which spike."""
    model, rule = rule_of(name)
    spread = np.linspace(0.9, 1.1, N)
    defaults = {**sim_defaults(name), **model.defaults}
    values = {parameter: defaults[parameter] * spread for parameter in model.parameters}
    initial = {state: defaults.get(state, 0.0) * spread for state in model.states}
    values["i_offset"] = np.full(N, 1.5)
    return rule, rule.cells(values, initial, dt, None)


def sim_defaults(name: str) -> dict[str, float]:
    kind: Any = getattr(sim, name)
    return {**kind.default_parameters, **kind.default_initial_values}


def run(rule: Any, cells: Cells, form: Form, arriving: np.ndarray) -> tuple[np.ndarray, list[list[int]]]:
    """The state after as many steps as there are inputs (steps, rows, n), and what spiked in each."""
    rows, summed = counter_rows(rule, form), summed_rows(rule, form)
    state, inputs = pack(np.array(cells.state, np.float64), rows), np.zeros(arriving.shape[1:])
    for row, input_row in summed.items():
        inputs[input_row] = state[row]
        state[row] = np.nan  # not used
    parameters, drive = np.array(cells.parameters, np.float64), np.array(np.broadcast_to(cells.drive, N), np.float64)
    spikes = []
    for due in arriving:
        if not form.summed:
            inputs += due
        spiked, tally = np.zeros(N, np.int32), np.zeros(8, np.int64)
        function = step_function(rule, IDEAL, form)
        found = step(function, state, parameters, inputs, drive, np.zeros(N, np.int32), spiked, tally)
        if form.summed:
            inputs += due
        spikes.append(spiked[:found].tolist())
    for row, input_row in summed.items():
        state[row] = inputs[input_row]
    return unpack(state, rows), spikes


@pytest.mark.parametrize("name", MODELS)
def test_every_form_does_the_same(name: str):
    rule, cells = cells_of(name)
    cells = replace(cells, drive=np.full(N, cells.drive.ravel()[N // 2]))
    arriving = np.random.default_rng(1).exponential(0.01, (400, rule.n_inputs, N))
    arriving[:, -1] = 0.0
    plain, spikes = run(rule, cells, Form(), arriving)
    assert sum(map(len, spikes)) > N
    short, once = bool(rule.counters), rule.substep is not None
    forms = [Form(short=short), Form(steady=True, once=once)]
    if rule.sums:
        last = rule.input_names[-1:]
        forms += [Form(False, True), Form(False, True, last), Form(False, True, last, short)]
        forms += [Form(summed=True, short=short, steady=True, once=once)]
    for form in forms:
        state, found = run(rule, cells, form, arriving)
        assert found == spikes
        np.testing.assert_array_equal(state, plain)


def test_what_a_form_says():
    rule, cells = cells_of("IF_curr_exp")
    assert form_of(rule, cells, {0, 1}) == Form(False, True, (), True)
    assert form_of(rule, cells, {0, 1}, driven=False).steady
    cells.drive[3] += 1.0
    assert not form_of(rule, cells, {0, 1}, driven=False).steady
    assert form_of(rule, cells, {0}) == Form(False, True, ("inh",), True)
    assert form_of(rule, cells, set()) == Form(False, True, ("exc", "inh"), True)


def test_a_state_that_is_kept_may_hold_what_its_cells_no_longer_say():
    rule, cells = cells_of("IF_curr_exp")
    for before in (Form(False, True, (), True), Form(False, True, ("inh",), False)):
        assert form_of(rule, cells, {0}, before=before) == before


def test_an_input_that_begins_with_a_current_is_not_silent():
    rule, cells = cells_of("IF_curr_exp")
    cells.state[rule.states.index("i_inh")][3] = 1e-3
    assert form_of(rule, cells, {0}).silent == ()


def test_a_long_refractory_period_is_not_short():
    rule, cells = cells_of("IF_curr_exp")
    cells.parameters[rule.parameters.index("refractory_steps")][7] = 40000.0
    assert not form_of(rule, cells, {0}).short


def test_only_a_single_substep_is_made_with_the_end_of_the_step():
    for dt, once in ((0.1, True), (1.0, False)):
        rule, cells = cells_of("IF_cond_exp", dt)
        assert form_of(rule, cells, {0, 1}).once == once


def test_hard_substeps_in_one_loop():
    """Some neurons have such strong conductances that they are stepped by themselves."""
    rule, cells = cells_of("IF_cond_exp")
    cells = replace(cells, drive=np.full(N, cells.drive[0]))
    arriving = np.zeros((300, 2, N))
    arriving[::50, :, ::3] = 20.0  # uS
    plain, spikes = run(rule, cells, Form(), arriving)
    assert any(spikes)
    for form in (Form(once=True), Form(summed=True, short=True, once=True)):
        state, found = run(rule, cells, form, arriving)
        assert found == spikes
        np.testing.assert_array_equal(state, plain)


def test_short_rows_hold_what_they_are_given():
    state = np.arange(35.0).reshape(5, 7)
    packed = pack(state, (1, 4))
    np.testing.assert_array_equal(unpack(packed, (1, 4)), state)
    assert packed[1].view(np.int16)[:7].tolist() == list(range(7, 14))


# --- through PyNN ----------------------------------------------------------------------------------------------------


def test_a_current_that_is_injected_later_into_cells_with_one_drive():
    def potentials(late: bool) -> np.ndarray:
        sim.setup(timestep=0.1)
        cells = sim.Population(3, sim.IF_curr_exp(i_offset=0.1))
        cells.record("v")
        pulse = sim.StepCurrentSource(times=[10.0, 15.0], amplitudes=[0.5, 0.0])
        if not late:
            pulse.inject_into(cells[1:2])
        sim.run(10.0)
        if late:
            pulse.inject_into(cells[1:2])
        sim.run(10.0)
        return cells.get_data().segments[-1].analogsignals[0].magnitude

    np.testing.assert_array_equal(potentials(late=True), potentials(late=False))
    assert potentials(late=True)[-1, 1] > potentials(late=True)[-1, 0] == potentials(late=True)[-1, 2]


def driven(tau_refrac: float, threads: int = 1, change: float | None = None) -> tuple[list[list[float]], np.ndarray]:
    """Spikes and v of cells that fire whenever they may, over 2 x 60 ms."""
    sim.setup(timestep=0.001, threads=threads)
    cells = sim.Population(3, sim.IF_curr_exp(tau_refrac=tau_refrac, i_offset=200.0, tau_m=1.0))
    cells.record(["spikes", "v"])
    sim.run(60.0)
    if change is not None:
        cells.set(tau_refrac=change)
    sim.run(60.0)
    data = cells.get_data().segments[-1]
    return [train.magnitude.tolist() for train in data.spiketrains], data.analogsignals[0].magnitude


def test_a_refractory_period_of_more_steps_than_16_bits_count():
    spikes, v = driven(tau_refrac=40.0)  # 40,000 steps
    for train in spikes:
        np.testing.assert_allclose(np.diff(train), 40.0 + (train[0]), atol=1e-9)
    assert (v[-1] == v[-1][0]).all()


def test_a_long_refractory_period_goes_on_when_a_short_one_is_set():
    spikes, _ = driven(tau_refrac=100.0, change=0.5)
    for train in spikes:
        assert train[1] == pytest.approx(train[0] + 100.0 + train[0], abs=1e-9)
        assert train[2] - train[1] == pytest.approx(0.5 + train[0], abs=1e-9)


def test_a_current_that_is_set_where_nothing_arrives():
    sim.setup(timestep=0.1)
    cells = sim.Population(2, sim.IF_curr_exp(tau_syn_I=5.0))
    cells.record("isyn_inh")
    sim.run(1.0)
    cells[0:1].initialize(isyn_inh=-1.0)
    sim.run(1.0)
    found = cells.get_data().segments[-1].analogsignals[0].magnitude
    assert not found[:11].any() and not found[:, 1].any()  # the sample of 1 ms was taken before
    np.testing.assert_allclose(found[11:, 0], -np.exp(-np.arange(1, 11) * 0.1 / 5.0), rtol=1e-12)


def test_a_current_that_has_decayed_for_long_is_nothing():
    """It would stay at the smallest number that there is, at a hundred times the cost of a step."""
    sim.setup(timestep=1.0)
    cells = sim.Population(1, sim.IF_curr_exp(tau_syn_E=0.5))
    cells.record(["isyn_exc", "v"])
    cells.initialize(isyn_exc=0.1)
    sim.run(400.0)
    found = cells.get_data().segments[-1].filter(name="isyn_exc")[0].magnitude.ravel()
    assert found[300] > 0.0
    assert not found[-20:].any()
    assert not (np.abs(found[found != 0]) < np.finfo(float).tiny).any()
