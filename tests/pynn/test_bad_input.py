"""What cannot be is refused by PyNN's own errors, which name the object and the value: every cell and connector."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest
from pyNN import errors
from pyNN.parameters import ArrayParameter, Sequence
from pyNN.random import NumpyRNG, RandomDistribution

import evsim.pynn
from evsim import registry

PYNNS = (
    errors.ConnectionError,
    errors.InvalidDimensionsError,
    errors.InvalidParameterValueError,
    errors.NonExistentParameterError,
    errors.RecordingError,
)


def refused(sim, what, *words: str) -> None:
    """Whether something, or the run after it, raises an error of PyNN's with these words."""
    sim.setup(timestep=0.1)
    with pytest.raises(PYNNS) as caught:
        what()
        sim.run(0.1)
    for word in words:
        assert word in str(caught.value)


# --- cells -----------------------------------------------------------------------------------------------------------


def numbers(cell_type) -> list[str]:
    return [name for name, value in cell_type.default_parameters.items() if not isinstance(value, ArrayParameter)]


@pytest.mark.parametrize("name", evsim.pynn.cells.cell_types())
def test_parameters_of_cells(sim, name):
    cell_type, model = getattr(sim, name), registry.cell_model(name)

    def cells(**parameters):
        return sim.Population(2, cell_type(**parameters), label="cells")

    for parameter in numbers(cell_type):
        odd = [(np.nan, "not a finite number"), ("fast", "'fast'"), ([1.0, 2.0, 3.0], "(3,)")]
        if parameter in model.above_zero | model.not_negative:
            odd += [(-1.5, "-1.5"), ([1.0, -1.5], "1 of 2 cells")]
        if parameter in model.above_zero:
            odd += [(0.0, "it must be above 0")]
        for value, words in odd:
            given = {parameter: value}
            refused(sim, partial(cells, **given), "cells" if words != "'fast'" else name, parameter, words)
            refused(sim, lambda given=given: cells().set(**given), "'cells'", parameter, words)
    for variable in cell_type.default_initial_values:
        for value, words in ((np.nan, "not a finite number"), ([1.0, 2.0, 3.0], "(3,)")):
            given = {variable: value}
            refused(sim, lambda given=given: cells().initialize(**given), "'cells'", variable, words)
    refused(sim, lambda: cells(nonsense=1.0), "nonsense")
    refused(sim, lambda: cells().record("nonsense"), "nonsense", name)
    refused(sim, lambda: cells().initialize(nonsense=1.0), "nonsense", name)


@pytest.mark.parametrize(
    ("neuron", "response", "parameter", "value"),
    [
        ("LIF", "ExpPSR", "tau_m", -2.0),
        ("AdExp", "AlphaPSR", "cm", 0.0),
        ("LIF", "CurrExpPostSynapticResponse", "AMPA.tau_syn", -0.5),
        ("LIF", "BetaPSR", "AMPA.tau_rise", np.nan),
    ],
)
def test_parameters_of_composed_cells(sim, neuron, response, parameter, value):
    part, _, own = parameter.rpartition(".")
    cell = {} if part else {own: value}
    receptor = {own: value} if part else {}

    def cells():
        sim.Population(
            2, sim.PointNeuron(getattr(sim, neuron)(**cell), AMPA=getattr(sim, response)(**receptor)), label="c"
        )

    refused(sim, cells, "'c'", parameter, "not a finite" if np.isnan(value) else f"{value:g}")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([3.0, 1.0], ("spike times of cell 0 are not in increasing order",)),
        ([[1.0, 2.0], [3.0, 2.5]], ("spike times of cell 1 are not in increasing order",)),
        ([np.nan], ("spike times are negative or not finite",)),
        ([-1.0, 2.0], ("spike times are negative or not finite",)),
        ([[1.0], [2.0], [3.0]], ("spike_times", "(3,)")),
        ([Sequence([[1.0, 2.0]]), Sequence([3.0])], ("spike times of cell 0 have the shape (1, 2)",)),
        ("often", ("spike_times", "'often'")),
        (5.0, ("spike_times", "5.0")),
    ],
)
def test_spike_times(sim, times, words):
    refused(sim, lambda: sim.Population(2, sim.SpikeSourceArray(spike_times=times), label="source"), *words)
    refused(sim, lambda: sim.Population(2, sim.SpikeSourceArray(), label="source").set(spike_times=times), "'source'")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *(("SpikeSourcePoisson", {"rate": rate}) for rate in (1e13, 1e300)),
        ("SpikeSourcePoissonRefractory", {"rate": 1e12, "tau_refrac": 0.0}),
        ("SpikeSourceGamma", {"alpha": 1e-9, "beta": 1e3}),
        ("SpikeSourceGamma", {"alpha": 1.0, "beta": 1e12}),
        ("SpikeSourceInhGamma", {"a": [1.0], "b": [1e-12], "tbins": [0.0]}),
    ],
)
def test_rates_that_no_time_step_comes_to_the_end_of(sim, name, values):
    def sources(**values):
        return sim.Population(2, getattr(sim, name)(**values), label="source")

    refused(sim, partial(sources, **values), "'source'", "the rates of 2 cells", "at most 1e+07 spikes")

    def later():
        made = sources()
        sim.run(0.1)
        made.set(**values)

    refused(sim, later, "'source'", "the rates of 2 cells")


def test_a_value_of_no_real_number_is_named(sim):
    refused(sim, lambda: sim.Population(2, sim.IF_curr_exp(), label="cells").set(tau_m=1 + 2j), "'cells'", "(1+2j)")


def test_the_shape_of_a_source_is_a_number(sim):
    """PyNN's default is a whole number, by which it cuts off the rest."""
    assert sim.Population(2, sim.SpikeSourceGamma(alpha=2.5)).get("alpha") == 2.5


@pytest.mark.parametrize("size", [0, -1, 2.5, np.nan, "many", (2, 0), (2, 2.5), (1, 1, 1, 1)])
def test_sizes_of_populations(sim, size):
    refused(sim, lambda: sim.Population(size, sim.IF_curr_exp(), label="cells"), "'cells'", repr(size))


# --- connectors ------------------------------------------------------------------------------------------------------


def connect(sim, connector, **synapse):
    cells = sim.Population(3, sim.IF_curr_exp(), label="cells")
    synapse = sim.StaticSynapse(**{"weight": 1.0, "delay": 1.0, **synapse})
    return sim.Projection(cells, cells, connector(), synapse, receptor_type="excitatory", label="here")


LOW = RandomDistribution("uniform_int", low=-3, high=-1, rng=NumpyRNG(1))
HALVES = RandomDistribution("uniform", low=1.0, high=3.0, rng=NumpyRNG(1))
CONNECTORS = [
    ("FixedProbability", (1.5,), ("p_connect is 1.5", "from 0 to 1")),
    ("FixedProbability", (-0.1,), ("p_connect is -0.1",)),
    ("FixedProbability", (np.nan,), ("p_connect is nan",)),
    ("FixedProbability", ("often",), ("p_connect is 'often'",)),
    ("FixedProbability", ([0.1, 0.2],), ("p_connect is [0.1, 0.2]",)),
    ("FixedProbability", (0.1, "yes"), ("allow_self_connections is 'yes'",)),
    ("AllToAll", ("yes",), ("allow_self_connections is 'yes'",)),
    ("DistanceDependentProbability", ("-1",), ("d_expression='-1'",)),
    ("DistanceDependentProbability", ("exp(x)",), ("d_expression is 'exp(x)'", "'x' is not defined")),
    ("DistanceDependentProbability", ("exp(",), ("d_expression is 'exp('",)),
    ("DistanceDependentProbability", (3,), ("d_expression=3",)),
    ("IndexBasedProbability", (3,), ("index_expression=3",)),
    ("DisplacementDependentProbability", (3,), ("disp_function is 3",)),
    *((f"FixedNumber{end}", (value,), (f"n is {value!r}",)) for end in ("Pre", "Post") for value in (-1, 1.5, "x")),
    *((f"FixedNumber{end}", (3, "NoMutual"), ("'NoMutual'; it must be True or False",)) for end in ("Pre", "Post")),
    *((name, (HALVES,), ("n is ",)) for name in ("FixedNumberPre", "FixedNumberPost", "FixedTotalNumber")),
    ("FixedNumberPre", (LOW,), ("produces negative numbers",)),
    ("FixedTotalNumber", (-1,), ("n is -1",)),
    ("FixedTotalNumber", (2.5,), ("n is 2.5",)),
    ("FixedTotalNumber", (10, True, False), ("'here': 10 synapses, but there are 9 pairs",)),
    ("SmallWorld", (0.0, 0.1), ("degree is 0.0",)),
    ("SmallWorld", (1.0, 1.5), ("rewiring is 1.5",)),
    ("SmallWorld", (1.0, 0.5, True, -1), ("n_connections is -1",)),
    ("Array", (np.ones((2, 2)),), ("'here'", "(2, 2)", "(3, 3)")),
    ("Array", (np.full((3, 3), 0.5),), ("'here'", "0.5")),
    ("Clone", (3,), ("reference_projection is 3",)),
    ("FromList", ([(0, 7, 1.0, 1.0)],), ("'here'", "such as 7")),
    ("FromList", ([(-1, 0, 1.0, 1.0)],), ("'here'", "such as -1")),
    ("FromList", ([(0.5, 0, 1.0, 1.0)],), ("'here'", "such as 0.5")),
    ("FromList", ([(0, np.nan, 1.0, 1.0)],), ("'here'", "such as nan")),
    ("FromList", ([(0, 1), (1, 2, 3)],), ("[(0, 1), (1, 2, 3)]",)),
    ("FromList", ("x",), ("'x'",)),
    ("FromList", ([0, 1],), ("(2,)",)),
    ("FromList", ([(0, 1, 1.0)], ["wieght"]), ("'here'", "'wieght'", "weight, delay")),
    ("FromList", ([(0, 1, np.nan, 1.0)],), ("'here'", "1 of 1 weights are not finite")),
    ("FromList", ([(0, 1, 1.0, -1.0)],), ("'here'", "-1 ms")),
    ("Kernel", ((1, 2), (1, 3), (1, 1)), ("'here'", "(1, 2)", "'cells' has 3")),
]


@pytest.mark.parametrize(("name", "arguments", "words"), CONNECTORS)
def test_connectors(sim, name, arguments, words):
    refused(sim, lambda: connect(sim, lambda: getattr(sim, f"{name}Connector")(*arguments)), *words)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("weight", np.nan, ("weights are not finite",)),
        ("weight", np.inf, ("weights are not finite",)),
        ("weight", np.ones((2, 2)), ("(2, 2)",)),
        ("delay", 0.0, ("0 ms",)),
        ("delay", -1.0, ("-1 ms",)),
        ("delay", np.nan, ("delays are not finite",)),
        ("delay", np.inf, ("delays are not finite",)),
        ("delay", 1e12, ("1e+12 ms", "at most 2.14748e+08 ms with a time step of 0.1 ms")),
        ("delay", np.ones((2, 2)), ("(2, 2)",)),
    ],
)
def test_synapses(sim, name, value, words):
    every = sim.AllToAllConnector
    refused(sim, lambda: connect(sim, every, **{name: value}), "'here'", *words)
    refused(sim, lambda: connect(sim, every).set(**{name: value}), "'here'", *words)
    refused(sim, lambda: connect(sim, every, **{name: "nosuch(d)"}), name)
    refused(sim, lambda: connect(sim, every).set(**{name: "nosuch(d)"}), "'here'", "nosuch(d)")
    refused(sim, lambda: setattr(connect(sim, every)[0], name, "much"), "'here'", "'much'")


@pytest.mark.parametrize("kind", [None, "IF_curr_exp", int, 3])
def test_cell_types(sim, kind):
    refused(sim, lambda: sim.Population(2, kind, label="cells"), "'cells'", repr(kind), "such as IF_curr_exp()")
    refused(sim, lambda: sim.Population(2, kind), "a population was given")


def test_parameters_beside_a_cell_type_that_has_them(sim):
    given = {"tau_m": 3.0}
    refused(
        sim, lambda: sim.Population(2, sim.IF_curr_exp(), given, label="cells"), "'cells'", str(given), "IF_curr_exp"
    )


def test_attributes_of_synapses(sim):
    learns = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(), weight=0.5)

    def read(kind, name, form):
        cells = sim.Population(2, sim.IF_curr_exp())
        sim.Projection(cells, cells, sim.AllToAllConnector(), kind, label="here").get(name, form)

    for form in ("list", "array"):
        refused(sim, lambda form=form: read(sim.StaticSynapse(), "wait", form), "'here'", "wait", "weight", "delay")
        refused(sim, lambda form=form: read(learns, ["weight", "tau"], form), "'here'", "tau", "tau_plus")


@pytest.mark.parametrize("n", [2.5, 0, 1e9, 1e30, np.nan])
def test_sites_of_release(sim, n):
    """PyNN's default is a whole number, by which it would cut off the rest."""

    def connected(n=1):
        cells = sim.Population(3, sim.IF_curr_exp())
        return sim.Projection(cells, cells, sim.AllToAllConnector(), sim.MultiQuantalSynapse(n=n), label="here")

    words = "'here'", f"n is {n:g}", "a whole number from 1 to 100000"
    refused(sim, partial(connected, n), *words)
    refused(sim, lambda: connected().set(n=n), *words)


@pytest.mark.parametrize(
    ("timing", "dependence", "words"),
    [
        *(({name: value}, {}, (name, "above 0")) for name in ("tau_plus", "tau_minus") for value in (0.0, -1.0)),
        *(({name: np.nan}, {}, (name,)) for name in ("tau_plus", "A_plus", "A_minus")),
        ({}, {"w_max": np.nan}, ("w_max",)),
        ({}, {"w_min": 1.0, "w_max": 0.5}, ("w_min is 1 and w_max is 0.5",)),
    ],
)
def test_plasticity(sim, timing, dependence, words):
    def learns():
        cells = sim.Population(3, sim.IF_curr_exp())
        rules = sim.SpikePairRule(**timing), sim.AdditiveWeightDependence(**dependence)
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.STDPMechanism(*rules, weight=0.5), label="here")

    refused(sim, learns, "'here'", *words)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, np.nan])
def test_parts_of_delays(sim, fraction):
    rules = sim.SpikePairRule(), sim.AdditiveWeightDependence()
    with pytest.raises(errors.InvalidParameterValueError, match=f"dendritic_delay_fraction is {fraction}"):
        sim.STDPMechanism(*rules, dendritic_delay_fraction=fraction)


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        {"timestep": 0.0},
        {"timestep": np.nan},
        {"timestep": "short"},
        {"min_delay": np.nan},
        {"min_delay": "short"},
        {"timestep": 0.1, "min_delay": 0.05},
        {"min_delay": 2.0, "max_delay": 1.0},
        {"max_delay": -1.0},
        {"rng_seed": "x"},
    ],
)
def test_setup(sim, words):
    with pytest.raises(errors.InvalidParameterValueError, match=r"setup\(\) was given"):
        sim.setup(**words)


@pytest.mark.parametrize("interval", [0.15, -0.1, 0.0, np.nan, np.inf])
def test_sampling_intervals(sim, interval):
    cells = sim.Population(2, sim.IF_curr_exp(), label="cells")
    with pytest.raises(errors.InvalidParameterValueError, match=rf"'cells': a sampling interval of {interval:g} ms"):
        cells.record("v", sampling_interval=interval)


@pytest.mark.parametrize("time", [np.nan, np.inf, 1e30, 1e300])
def test_times_to_run(sim, time):
    with pytest.raises(errors.InvalidParameterValueError, match=re.escape(f"{time:g} ms")):
        sim.run(time)


@pytest.mark.parametrize("timestep", [1e-300, 1e-320])
def test_time_steps_of_which_no_run_has_few_enough(sim, timestep):
    sim.setup(timestep=timestep)
    with pytest.raises(errors.InvalidParameterValueError, match=rf"1 ms, .* time steps of {timestep:g} ms"):
        sim.run(1.0)
