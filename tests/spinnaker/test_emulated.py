"""Unmodified sPyNNaker scripts on the emulated machine, by ``evsim spinnaker``: what works, and what is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TIME_OUT = 240  # s

INPUT = """
sim.setup(1.0)
source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[1, 5, 9], [2, 40], [3]]))
cells = sim.Population(5, sim.IF_curr_exp(), label="cells")
cells.record(["v", "spikes"])
synapses = sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=8.0, delay=2))
"""


@pytest.mark.slow
def test_runs_resets_and_data(run):
    done = run(
        INPUT
        + """
sim.run(20)
sim.run(30)
pieces = cells.spinnaker_get_data("v")
weights = synapses.get("weight", "array")
sim.reset()
sim.run(50)
segments = cells.get_data().segments
print(json.dumps({
    "same": bool(np.array_equal(pieces, cells.spinnaker_get_data("v"))),
    "lengths": [len(segment.analogsignals[0]) for segment in segments],
    "spikes": [[train.magnitude.tolist() for train in segment.spiketrains] for segment in segments],
    "weights": weights.tolist(),
}))
sim.end()
"""
    )
    data = done.data()
    assert data["same"] and data["lengths"] == [50, 50]
    assert data["spikes"][0] == data["spikes"][1] and len(data["spikes"][0][0]) > 2
    assert data["weights"] == [[8.0] * 5] * 3
    assert done.left == []
    assert "evsim: emulated machine: 2 cores on 1 chip, 12 packets, 0 dropped, 10" in done.errors  # ms, and a little


@pytest.mark.slow
def test_what_changes_between_runs_and_after_a_reset(run):
    data = run(
        """
sim.setup(0.1)
cells = sim.Population(40, sim.IF_curr_exp(i_offset=2.0), label="cells")
cells.record("v")
sim.run(5)
cells.set(i_offset=0.0)
cells.set_state(v=-55.0)
sim.run(5)
sim.reset()
others = sim.Population(4, sim.IF_cond_exp(i_offset=1.0), label="others")
others.record("v")
sim.run(4)
found = [segment.analogsignals[0].magnitude[:, 0].tolist() for segment in cells.get_data().segments]
print(json.dumps([found, others.get_data().segments[-1].analogsignals[0].magnitude[:, 0].tolist()]))
sim.end()
"""
    ).data()
    (before, after), others = data
    assert len(before) == 100 and len(after) == len(others) == 40
    assert before[49] > before[0] == -65.0 and before[50] == -55.0 and before[99] < -55.0  # driven, set, decaying
    assert after[0] == -65.0 == others[0] and others[39] > -65.0


@pytest.mark.slow
def test_plastic_weights_change(run):
    data = run(
        """
sim.setup(1.0)
source = sim.Population(4, sim.SpikeSourceArray(spike_times=[[5 * k + i for k in range(1, 16)] for i in range(4)]))
drive = sim.Population(4, sim.SpikeSourceArray(spike_times=[list(range(3, 80, 7))] * 4))
cells = sim.Population(4, sim.IF_curr_exp())
sim.Projection(drive, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=20, delay=1))
rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=20, tau_minus=20, A_plus=0.05, A_minus=0.06),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0, w_max=5), weight=1.0, delay=1)
plastic = sim.Projection(source, cells, sim.AllToAllConnector(), rule)
weights = []
for _ in range(2):
    sim.run(40)
    weights.append(plastic.get("weight", "array").tolist())
print(json.dumps(weights))
sim.end()
"""
    ).data()
    first, second = data
    assert all(0.0 <= weight <= 5.0 and weight != 1.0 for row in first for weight in row)
    assert first != second


@pytest.mark.slow
def test_delays_beyond_a_core_arrive_on_time(run):
    """A core of 256 neurons has 32 slots, so delays of 33 to 64 steps take a delay extension."""
    data = run(
        """
sim.setup(1.0)
source = sim.Population(4, sim.SpikeSourceArray(spike_times=[[3.0 + i] for i in range(4)]))
cells = sim.Population(256, sim.IF_curr_exp())
cells.record("gsyn_exc")
rows = [(i, 64 * i + j, 3.0, 1.0 + j) for i in range(4) for j in range(64)]
sim.Projection(source, cells, sim.FromListConnector(rows), sim.StaticSynapse())
sim.run(75)
current = cells.spinnaker_get_data("gsyn_exc", as_matrix=True)
print(json.dumps([int(np.argmax(current[:, j] > 0)) - 3 - i - delay for i, j, _, delay in rows]))
sim.end()
"""
    ).data()
    assert data == [0] * 256


@pytest.mark.slow
def test_cells_sources_chips_and_split_cores(run):
    done = run(
        """
sim.setup(1.0)
sim.set_number_of_neurons_per_core(sim.Izhikevich, 2)
noise = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0), additional_parameters={"seed": 5})
noise.record("spikes")
cells = [
    sim.Population(5, sim.IF_cond_exp(), label="conductances"),
    sim.Population(40, sim.Izhikevich(), label="many cores"),
    sim.Population(5, sim.IF_curr_delta(), label="delta"),
    sim.Population(5, sim.IF_curr_exp(), label="split", n_synapse_cores=2),
]
for population in cells:
    population.record("spikes")
    weight = 0.02 if population.label == "conductances" else 3.0
    synapse = sim.StaticSynapse(weight=weight, delay=sim.RandomDistribution("uniform", (1, 20)))
    sim.Projection(noise, population, sim.AllToAllConnector(), synapse)
sim.run(60)
counts = [sum(map(len, p.get_data("spikes").segments[0].spiketrains)) for p in [noise, *cells]]
print(json.dumps(counts))
sim.end()
"""
    )
    counts = done.data()
    assert 60 < counts[0] < 180  # 120 are expected; five standard deviations
    assert min(counts) > 5
    (chips,) = re.findall(r"cores on (\d+) chips, \d+ packets, 0 dropped", done.errors)
    assert int(chips) > 1  # there are more cores than one has


@pytest.mark.slow
def test_spikes_go_from_board_to_board(run):
    data = run(
        """
sim.setup(1.0, n_boards_required=3)
source = sim.Population(1, sim.SpikeSourceArray(spike_times=[[1.0]]))
cells = sim.Population(3, sim.IF_curr_exp())
cells.record("gsyn_exc")
source.add_placement_constraint(x=1, y=1)
cells.add_placement_constraint(x=9, y=9)
sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=2))
sim.run(10)
boards = len(sim.get_machine().ethernet_connected_chips)
print(json.dumps([boards, int(np.argmax(cells.spinnaker_get_data("gsyn_exc", as_matrix=True)[:, 0] > 0))]))
sim.end()
"""
    ).data()
    assert data == [3, 3]


@pytest.mark.slow
def test_reports_and_provenance_go_where_they_are_wanted(run, tmp_path):
    (tmp_path / "here" / "spynnaker.cfg").write_text(
        "[Mode]\nmode = Debug\n[Machine]\nvirtual_board = True\n[Reports]\nwrite_network_graph = False\n"
    )
    wanted = tmp_path / "reports"
    done = run(
        INPUT + "sim.run(20)\nprint(json.dumps([len(cells.spinnaker_get_data('v'))]))\nsim.end()\n",
        "--reports",
        str(wanted),
    )
    assert done.data() == [100]  # from a machine that is not virtual, whatever the user's own file says
    assert done.left == ["here/spynnaker.cfg"]
    names = {path.name for path in wanted.rglob("*")}
    assert {"data.sqlite3", "placement_by_core_using_graph.rpt", "provenance_data", "tags_on_machine.txt"} <= names
    assert any(name.startswith("iobuf_for_chip_0_0") for name in names)


def test_arguments_exit_status_and_traceback_are_the_scripts(run):
    left = run("import sys\nprint(json.dumps(sys.argv[1:]))\nsys.exit(7)\n", "one", "--", "--two")
    assert left.status == 7 and '["one", "--two"]' in left.output
    failed = run("def broken():\n    raise ValueError('mine')\n\nbroken()\n")
    assert failed.status == 1 and failed.errors.rstrip().endswith("ValueError: mine")
    assert "in broken" in failed.errors and "evsim/" not in failed.errors


LIVE = """
sim.setup(1.0)
cells = sim.Population(4, sim.IF_curr_exp(), label="cells")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sim.external_devices.activate_live_output_for(cells)\nsim.run(5)",
            "LiveSpikeReceiver.*live traffic to the host",
        ),
        (
            "inject = sim.Population(4, sim.external_devices.SpikeInjector(), label='from outside')\n"
            "sim.Projection(inject, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=5))\nsim.run(5)",
            "population 'from outside': spikes injected by the host",
        ),
        (
            "device = sim.external_devices.ExternalFPGARetinaDevice(\n"
            "    mode='128', retina_key=5, spinnaker_link_id=0, polarity='UP')\n"
            "eye = sim.Population(None, device, label='eye')\n"
            "sim.Projection(eye, cells, sim.FixedProbabilityConnector(0.01), sim.StaticSynapse(weight=5))\nsim.run(5)",
            "population 'eye': a device outside the machine",
        ),
        (
            "noise = sim.Population(4, sim.SpikeSourcePoisson(rate=10))\n"
            "sim.Projection(noise, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=5))\n"
            "sim.external_devices.add_poisson_live_rate_control(noise)\nsim.run(5)",
            "the program at localhost, port 19999: a live connection to the network",
        ),
        ("sim.external_devices.run_forever()", "a run without an end"),
        ("sim.external_devices.run_sync(10, 2)", "a run in steps"),
    ],
    ids=["live output", "injector", "device", "live rates", "for ever", "in steps"],
)
def test_what_needs_real_time_is_refused(run, text, message):
    done = run(LIVE + text + "\nsim.end()\n")
    assert done.status == 2
    assert re.search(message, done.errors[done.errors.rindex("evsim: error:") :])


MANY = """
sim.setup(1.0, n_boards_required=1)
sim.set_number_of_neurons_per_core(sim.IF_curr_exp, 2)
sim.Population(3000, sim.IF_curr_exp(), label="the many")
sim.Population(10, sim.IF_curr_exp(), label="the few")
sim.run(5)
"""


@pytest.mark.slow
def test_a_network_larger_than_the_machine_is_refused(run):
    done = run(MANY)
    assert done.status == 2
    assert (
        "it needs 1505 cores and their SDRAM: 1500 of them for population 'the many', 5 of them for population "
        "'the few'; 48 chips on 1 board have" in done.errors
    )
    assert re.search(r"Ask for 2 boards or more \(n_boards_required in setup\), or put more neurons", done.errors)


@pytest.mark.slow
def test_a_network_larger_than_the_memory_beneath_is_refused(run):
    done = run(MANY.replace("3000", "60"), EVSIM_MEMORY_LIMIT="0.1")
    assert done.status == 2
    assert "35 emulated cores need 0.551 GB; 0.1 GB are left, which is room for 6 cores" in done.errors


@pytest.mark.slow
def test_a_wait_has_an_end(run):
    done = run(INPUT + "sim.run(500000)\n", "--time-out", "1")
    assert done.status == 2
    assert "did not get there within 1 s of real time" in done.errors and "--time-out" in done.errors


def test_a_script_that_is_not_there(tmp_path):
    missing = Path(tmp_path / "none.py")
    done = subprocess.run(
        [sys.executable, "-m", "evsim", "spinnaker", str(missing)], capture_output=True, text=True, timeout=TIME_OUT
    )
    assert done.returncode == 2 and "there is no script" in done.stderr
