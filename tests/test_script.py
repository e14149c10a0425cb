from __future__ import annotations

import os
import sys

import numpy as np
import pyNN.utility
import pytest

from evsim.backend import Target
from evsim.errors import CheckError, EvsimError
from evsim.pynn.simulator import state
from evsim.script import ScriptError, ScriptExit, run_script

NETWORK = """
sim.setup(timestep=1.0)
source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.0, 3.0]), label="source")
cells = sim.Population(3, sim.IF_curr_exp(), label="cells")
sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=5.0, delay=1.0), label="drive")
cells.record("spikes")
sim.run(20.0)
trains = cells.get_data().segments[0].spiketrains
assert sum(len(train) for train in trains) > 0
sim.end()
"""
IDEAL = {"ideal": Target("reference", "ideal")}
BOTH = IDEAL | {"chip": Target("reference", "loihi2")}


@pytest.fixture
def run(tmp_path):
    """``run(text, *arguments, targets=..., **words)`` -> (execution, what was told)."""

    def execute(text: str, *arguments: str, targets=None, **words):
        path = tmp_path / "network.py"
        path.write_text(text)
        told: list[str] = []
        return run_script(path, arguments, targets or IDEAL, tell=told.append, **words), told

    return execute


@pytest.mark.parametrize(
    "line",
    [
        "import pyNN.nest as sim",
        "from pyNN import brian2 as sim",
        "import pyNN.neuron\nsim = pyNN.neuron",
        "import pyNN.spiNNaker as sim",
        "import pyNN.mock as sim",
        "import pynn_genn as sim",
        "import pyNN.nest as sim\nfrom pyNN.nest.simulator import state\nassert state is sim.simulator.state",
        "import importlib\nsim = importlib.import_module('pyNN.brian2')",
    ],
)
def test_another_simulator_is_redirected_and_it_is_said(run, line):
    before = {name for name in sys.modules if name.startswith(("pyNN.nest", "pyNN.mock", "pynn_genn"))}
    execution, told = run(line + NETWORK)
    assert execution.outcomes[0].stretches[0].steps == 20
    assert sum("evsim takes its place" in sentence for sentence in told) == 1
    assert {name for name in sys.modules if name.startswith(("pyNN.nest", "pyNN.mock", "pynn_genn"))} == before


def test_star_import_is_redirected(run):
    _, told = run("from pyNN.nest import *\nimport pyNN.nest as sim" + NETWORK + "assert Population")
    assert len(told) == 1 and "pyNN.nest" in told[0]


def test_the_real_simulator_is_back_afterwards(run):
    import pyNN.mock

    real = pyNN.mock
    run("import pyNN.mock as sim\nassert sim.__name__ == 'evsim.pynn'" + NETWORK)
    assert sys.modules["pyNN.mock"] is real and pyNN.mock is real


def test_a_part_that_evsim_has_not_is_missing(run):
    with pytest.raises(ScriptError, match="redirected to evsim here, which has no such part"):
        run("import pyNN.nest.nineml")


def test_spinnaker_words_are_ignored_and_it_is_said(run):
    text = """
import pyNN.spiNNaker as sim
sim.setup()
assert sim.get_time_step() == 1.0
sim.setup(1.0, n_chips_required=1, time_scale_factor=10)
sim.set_number_of_neurons_per_core(sim.IF_curr_exp, 64)
sim.set_number_of_neurons_per_core(sim.IF_curr_exp, 32)
cells = sim.Population(3, sim.IF_curr_exp, {}, label="cells", additional_parameters={"seed": 1})
assert isinstance(cells, sim.Population)
cells.add_placement_constraint(x=0, y=0)
cells.record("v")
sim.run(5)
"""
    execution, told = run(text)
    assert execution.outcomes[0].stretches[0].steps == 5
    assert sum("set_number_of_neurons_per_core" in sentence for sentence in told) == 1
    assert any("add_placement_constraint" in sentence for sentence in told)


def test_currents_of_spinnaker_scripts_are_called_gsyn(run):
    text = """
import pyNN.spiNNaker as sim
sim.setup(1.0)
source = sim.Population(1, sim.SpikeSourceArray(spike_times=[0.0]))
cells = sim.Population(3, sim.IF_curr_exp())
sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=20.0))
cells.record(["gsyn_exc", "isyn_exc"])
cells[1:].record("gsyn_inh")
sim.run(30)
signals = {signal.name: signal for signal in cells.get_data().segments[0].analogsignals}
assert (signals["gsyn_exc"].magnitude == signals["isyn_exc"].magnitude).all() and signals["gsyn_exc"].max() > 0.5
assert signals["gsyn_inh"].shape == (31, 2) and str(signals["gsyn_exc"].units.dimensionality) == "nA"
assert cells.get_data("gsyn_exc").segments[0].analogsignals[0].name == "gsyn_exc"
"""
    execution, _ = run(text)
    assert execution.outcomes[0].stretches[0].steps == 30


def test_weights_of_spinnaker_scripts_are_magnitudes_whose_sign_the_receptor_decides(run):
    """sPyNNaker 7.4.1 runs these without a word, weights of both signs too, and gives magnitudes back."""
    text = """
import pyNN.spiNNaker as sim
import numpy as np
sim.setup(1.0)
source = sim.Population(2, sim.SpikeSourceArray(spike_times=[3.0]))
current, conductance = sim.Population(2, sim.IF_curr_exp()), sim.Population(2, sim.IF_cond_exp())
kinds = [("inhibitory", 0.5), ("inhibitory", -0.5), ("excitatory", -0.25)]
ends = [current] * 3 + [conductance] * 3
made = [
    sim.Projection(source, end, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight), receptor_type=receptor)
    for end, (receptor, weight) in zip(ends, kinds * 2)
]
both = sim.FromListConnector([(0, 0, 0.5, 1.0), (1, 1, -0.5, 2.0)])
made.append(sim.Projection(source, current, both, receptor_type="inhibitory", label="both"))
drawn = sim.StaticSynapse(weight=sim.RandomDistribution("normal", mu=0.0, sigma=1.0))
made.append(sim.Projection(source, current, sim.AllToAllConnector(), drawn, receptor_type="inhibitory"))
sim.run(5)
for projection in made:
    assert min(projection.get("weight", "list", with_address=False)) >= 0
assert made[0].get("weight", "list") == [(0, 0, 0.5), (1, 1, 0.5)]
made[0].set(weight=0.75)
assert [connection.weight for connection in made[0].connections] == [0.75, 0.75]
sim.run(1)
"""
    execution, _ = run(text)
    projections = execution.outcomes[0].stretches[0].network.projections
    signs = [np.unique(np.sign(projection.weight)).tolist() for projection in projections]
    assert signs == [[-1.0], [-1.0], [1.0], [1.0], [1.0], [1.0], [-1.0], [-1.0]]


def test_elsewhere_weights_have_the_sign_that_pynn_asks_for(run):
    text = """
import pyNN.nest as sim
sim.setup(1.0)
source, cell = sim.Population(1, sim.SpikeSourceArray()), sim.Population(1, sim.IF_curr_exp())
sim.Projection(source, cell, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.5), receptor_type="inhibitory")
"""
    with pytest.raises(ScriptError, match="Weights must be negative for current-based"):
        run(text)


@pytest.mark.parametrize(
    "line", ["from pyNN.utility import get_simulator", "from pyNN.utility.script_tools import get_simulator"]
)
def test_get_simulator_is_given_its_name(run, line):
    head = f'{line}\nsim, options = get_simulator(("--n", "cells", {{"type": int}}))\nassert options.n == 7\n'
    before = pyNN.utility.get_simulator
    run(head + NETWORK, "--n", "7")
    assert pyNN.utility.get_simulator is before


def test_older_scripts_take_the_name_as_an_argument(run):
    head = "from pyNN.utility import get_script_args\nexec('import pyNN.%s as sim' % get_script_args(1)[0])\n"
    oldest = "import sys\nexec('import pyNN.%s as sim' % sys.argv[1])\n"
    for start, arguments in [(head, []), (head, ["nest"]), (oldest, ["neuron"])]:
        execution, _ = run(start + NETWORK, *arguments)
        assert execution.outcomes[0].stretches[0].steps == 20


def test_a_script_finds_itself_as_the_main_program(run, tmp_path):
    (tmp_path / "helper_of_script.py").write_text("VALUE = 3")
    arguments, path, cwd = list(sys.argv), list(sys.path), os.getcwd()
    run(
        "import os, sys, helper_of_script\n"
        "assert __name__ == '__main__' and sys.modules['__main__'].__dict__ is globals()\n"
        "assert sys.argv == [__file__, 'a', '--b']\n"
        "assert sys.path[0] == os.path.dirname(os.path.realpath(__file__))\n"
        "assert os.environ['MPLBACKEND']\n",
        "a",
        "--b",
    )
    assert (sys.argv, sys.path, os.getcwd()) == (arguments, path, cwd)
    assert "helper_of_script" not in sys.modules


def test_every_target_runs_the_same_network(run):
    execution, _ = run("import pyNN.evsim as sim" + NETWORK, targets=BOTH)
    ideal, chip = execution.outcomes
    assert (ideal.name, chip.name) == ("ideal", "chip")
    assert ideal.stretches[0].network is chip.stretches[0].network
    assert [entry.chip for entry in execution.losses] == ["loihi2"]
    assert ideal.versions["numpy"] and ideal.seconds > 0


def test_spikes_of_all_neurons_are_recorded_for_a_comparison(run):
    text = "import pyNN.evsim as sim" + NETWORK.replace('cells.record("spikes")', 'cells[:1].record("v")').replace(
        "assert", "#"
    )
    execution, _ = run(text, record_all_spikes=True)
    (spikes,) = execution.outcomes[0].stretches[0].recordings.spikes
    assert len(spikes.times) > 0


def test_an_exception_of_the_script_keeps_its_traceback_from_the_script_on(run):
    with pytest.raises(ScriptError) as caught:
        run("def fail():\n    raise KeyError('lost')\nfail()\n")
    text = str(caught.value)
    assert "KeyError: 'lost'" in text and "line 2, in fail" in text
    assert "runpy" not in text and "evsim/script.py" not in text


def test_evsims_errors_say_where_in_the_script_they_arose(run):
    text = "import pyNN.evsim as sim" + NETWORK.replace("IF_curr_exp()", "IF_curr_exp(tau_syn_E=3.0)")
    with pytest.raises(CheckError, match=r"tau_syn_E(.|\n)*network.py, line 7\)"):
        run(text, targets={"chip": Target("reference", "loihi2")})
    with pytest.raises(EvsimError, match="no script"):
        run_script("missing.py", [], IDEAL, tell=print)


def test_a_failure_leaves_nothing_behind(run):
    with pytest.raises(ScriptError):
        run("import pyNN.nest as sim" + NETWORK.replace("sim.end()", "1 / 0"), targets=BOTH)
    assert state.targets == (Target("reference", "ideal"),)
    execution, _ = run("import pyNN.nest as sim" + NETWORK)
    assert len(execution.outcomes) == 1


def test_the_exit_status_of_a_script_is_kept(run):
    execution, _ = run("import sys\nsys.exit(0)")
    assert execution.outcomes[0].stretches == ()
    with pytest.raises(ScriptExit) as caught:
        run("import sys\nsys.exit(3)")
    assert caught.value.code == 3


def test_lost_weights_are_told_once_before_the_run(run):
    text = "import pyNN.evsim as sim" + NETWORK.replace(
        "cells.record", "sim.Projection(source, cells, sim.AllToAllConnector(), "
        "sim.StaticSynapse(weight=0.0001, delay=1.0), label='weak')\ncells.record", 1
    )  # fmt: skip
    text = text.replace(
        "sim.AllToAllConnector(), sim.StaticSynapse(weight=0.0001",
        "sim.FromListConnector([(0, 0, 9.0, 1.0), (1, 0, 1e-4, 1.0)]), sim.StaticSynapse(weight=0.0001",
    )
    _, told = run(text + "sim.setup(timestep=1.0)\n", targets=BOTH)
    assert len(told) == 1
    assert told[0].startswith("warning") and "'weak'" in told[0] and "1 of 2 weights become 0" in told[0]


def test_what_a_change_between_runs_loses_is_told_and_kept(run):
    text = """
import pyNN.evsim as sim
sim.setup(timestep=1.0)
source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 12.0]))
cells = sim.Population(2, sim.IF_curr_exp())
fading = sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0), label="fading")
sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0), label="other")
sim.run(10.0)
fading.set(weight=1e-7)
sim.run(10.0)
fading.set(weight=1.0)
sim.run(10.0)
"""
    execution, told = run(text, targets=BOTH)
    assert len(told) == 1 and "projection 'fading': 4 of 4 weights become 0" in told[0]
    assert [loss.zeroed for loss in execution.losses[0].weights] == [4, 0]
