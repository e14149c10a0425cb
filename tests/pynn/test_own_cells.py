"""Cell types that a script declares."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyNN.errors import InvalidParameterValueError

from evsim.errors import CheckError, EvsimError
from evsim.pynn.own_cells import cell_type, parameter, state

GUIDE = Path(__file__).parents[2] / "docs" / "own_models.md"


def leaky(**changed) -> Any:
    """IF_curr_delta without a refractory time, declared with other members."""

    def constants(dt, tau_m):
        return {"kept": np.exp(-dt / tau_m)}

    def step(v, kept, v_rest, v_thresh, tau_m, cm, drive, excitatory, inhibitory):
        held = v_rest + drive * tau_m / cm
        v = held + (v - held) * kept + excitatory + inhibitory
        fired = v >= v_thresh
        return (v_rest if fired else v), fired

    members = {
        "__doc__": "A leaky integrator.",
        "v_rest": parameter(-65.0, "mV"),
        "v_thresh": parameter(-50.0, "mV"),
        "tau_m": parameter(20.0, "ms", above_zero=True),
        "cm": parameter(1.0, "nF", above_zero=True),
        "i_offset": parameter(0.0, "nA"),
        "v": state(-65.0, "mV"),
        "constants": constants,
        "step": step,
    } | changed
    kept = {name: member for name, member in members.items() if member is not None}
    return cell_type(weight_unit="mV")(type("Leaky", (), kept))


def test_the_guides_example_does_what_the_guide_says(capsys):
    """In a module that cannot be imported, as a notebook's or a test's may be: a cached step must not ask for it."""
    script, *_ = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    exec(compile(script, str(GUIDE), "exec"), {"__name__": "not_a_module"})
    assert capsys.readouterr().out == "half a period apart: 0 spike(s)\na period apart: 1 spike(s)\n"


def test_it_computes_what_its_equation_says(sim):
    """A kick and a constant current, by the closed form, in cells that differ."""
    sim.setup(timestep=0.1)
    tau, offset = np.array([5.0, 20.0, 35.0]), np.array([0.0, 0.25, -0.25])
    cells = sim.Population(3, leaky()(tau_m=tau, i_offset=offset, cm=2.0), initial_values={"v": -60.0})
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=2.0))
    current = sim.DCSource(amplitude=0.5, start=20.0, stop=50.0)
    current.inject_into(cells[1:])
    cells.record("v")
    sim.run(30.0)
    found = cells.get_data().segments[0].analogsignals[0].magnitude
    times = np.arange(len(found))[:, None] * 0.1
    rest = -65.0 + offset * tau / 2.0
    expected = rest + (-60.0 - rest) * np.exp(-times / tau)
    expected += np.where(times > 11.95, 3.0 * np.exp(-(times - 12.0) / tau), 0.0)
    raised = np.array([0.0, 0.5, 0.5]) * tau / 2.0
    expected += np.where(times > 19.95, raised * (1 - np.exp(-(times - 20.0) / tau)), 0.0)
    assert np.abs(found - expected).max() < 1e-9


def test_it_is_a_cell_type_like_others(sim):
    sim.setup(timestep=1.0)
    kind = leaky()
    assert kind.__doc__ == "A leaky integrator." and kind.__name__ == "Leaky"
    assert kind.recordable == ["spikes", "v"] and kind.injectable and not kind.conductance_based
    cells = sim.Population(2, kind(i_offset=1.0), label="cells")
    assert cells.get("tau_m") == 20.0
    cells.record(["spikes", "v"])
    sim.run(40.0)
    before = [len(train) for train in cells.get_data(clear=True).segments[0].spiketrains]
    cells.set(i_offset=[0.0, 2.0])
    sim.run(40.0)
    after = [len(train) for train in cells.get_data().segments[0].spiketrains]
    assert before == [1, 1]
    assert after[0] == 0 and after[1] > 2


def test_two_classes_of_one_name_are_two_models(sim):
    sim.setup(timestep=1.0)

    def silent(v, excitatory, inhibitory):
        return v + excitatory + inhibitory, False

    first, second = leaky(), leaky(step=silent)
    cells = [sim.Population(1, kind(i_offset=2.0)) for kind in (first, second)]
    for population in cells:
        population.record("spikes")
    sim.run(100.0)
    assert [population.mean_spike_count() > 0 for population in cells] == [True, False]


def test_receptors_have_the_names_and_the_order_that_they_are_given(sim):
    sim.setup(timestep=1.0)

    @cell_type(receptors=("fast", "slow"), weight_unit="dimensionless")
    class Two:
        x = state(0.0, "dimensionless")
        y = state(0.0, "dimensionless")

        @staticmethod
        def step(x, y, slow, fast):
            return x + fast, y + slow, False

    kind: Any = Two
    assert kind.receptor_types == ("fast", "slow") and not kind.injectable
    cells = sim.Population(1, kind())
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    for receptor, weight in (("fast", 2.0), ("slow", 5.0)):
        synapse = sim.StaticSynapse(weight=weight, delay=1.0)
        sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type=receptor)
    cells.record(["x", "y"])
    sim.run(5.0)
    signals = {signal.name: signal.magnitude[-1, 0] for signal in cells.get_data().segments[0].analogsignals}
    assert signals == {"x": 2.0, "y": 5.0}


def test_chance_is_a_number_for_each_cell_and_step(sim):
    """Cells that spike with a rate: as many as a Poisson process has, and the same ones for the same seed."""

    @cell_type
    class Noisy:
        rate = parameter(20.0, "Hz", not_negative=True)
        x = state(0.0, "dimensionless")

        @staticmethod
        def constants(dt, rate):
            return {"chance_of_one": 1 - np.exp(-rate * dt / 1000)}

        @staticmethod
        def step(x, chance_of_one, chance, excitatory, inhibitory):
            return x + excitatory + inhibitory, chance < chance_of_one

    kind: Any = Noisy

    def trains(seed):
        sim.setup(timestep=0.5, rng_seed=seed)
        cells = sim.Population(200, kind(rate=50.0))
        cells.record("spikes")
        sim.run(300.0)
        sim.run(700.0)
        return [train.magnitude.tolist() for train in cells.get_data().segments[0].spiketrains]

    found = trains(1)
    assert found == trains(1) != trains(2)
    expected = 200 * 2000 * (1 - np.exp(-0.025))
    assert abs(sum(map(len, found)) - expected) < 4 * np.sqrt(expected)


def test_a_chip_refuses_it(sim):
    sim.setup(timestep=1.0, chip="spinnaker1")
    sim.Population(2, leaky()(), label="mine")
    with pytest.raises(CheckError, match=r"'mine'.*Leaky"):
        sim.run(1.0)


def test_a_value_out_of_its_range_is_refused(sim):
    sim.setup(timestep=1.0)
    sim.Population(2, leaky()(tau_m=0.0), label="mine")
    with pytest.raises((InvalidParameterValueError, CheckError), match="tau_m"):
        sim.run(1.0)


def _gives_one(v, excitatory, inhibitory):
    return v + excitatory + inhibitory


def _is_deaf(v, excitatory):
    return v + excitatory, False


def _asks_too_much(v, excitatory, inhibitory, tau_n):
    return v, False


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"step": None}, "cell type Leaky has no function 'step'; define it in the class"),
        ({"v": None}, "cell type Leaky has no state; declare at least one"),
        ({"step": _gives_one}, "step() returns 1 values; return v and whether the neuron spikes"),
        ({"step": _is_deaf}, "step() does not take what arrives at inhibitory"),
        ({"step": _asks_too_much}, "step() asks for tau_n; there are chance, cm, drive, dt, excitatory, i_offset"),
        ({"constants": lambda tau_x: {}}, "constants() asks for tau_x; it may have dt and parameters"),
        ({"constants": lambda dt: {"kept": dt, "cm": dt}}, "constants() gives cm, which there is already"),
        ({"constants": lambda dt: 3.0}, "constants() gives float; give a dict of arrays"),
        ({"drive": parameter(0.0, "nA")}, "drive stands for two things; rename one"),
    ],
)
def test_what_does_not_fit_together_is_refused_where_it_is_declared(changed, message):
    with pytest.raises(EvsimError, match=re.escape(message)):
        leaky(**changed)
