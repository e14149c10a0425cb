"""Prices of an activity: against published tables and figures, and against SpiNNaker's own tools."""

from __future__ import annotations

import importlib
import math
from pathlib import Path

import pytest

from evsim.chip import Hardware, Number, load_hardware
from evsim.energy.activity import Activity, PopulationActivity, ProjectionActivity
from evsim.energy.cost import energy, summed
from evsim.energy.parts import BY_CORES, BY_EVENTS, BY_TIME, DENSE, Placement, Range, exactly
from evsim.errors import EvsimError, UnknownNameError

KWH = 3.6e6  # J

# Knight and Nowotny 2018 (doi:10.3389/fnins.2018.00941): synaptic events of the microcircuit of Potjans and Diesmann
# in a second, which their scripts divide by (frontiers_genn_paper, scripts/plot_microcircuit_power.py)
EVENTS_PER_SECOND = 938_037_605
MICROCIRCUIT = Activity.of_counts(
    events=10 * EVENTS_PER_SECOND, operations=10 * EVENTS_PER_SECOND, duration=10_000.0, timestep=0.1
)


def part(found, account: str, name: str) -> Range:
    """The energy of one part (J)."""
    joules = found.account(account).part(name)
    assert joules is not None
    return joules


# --- published tables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "place", "name", "joules"),
    [
        # Davies et al. 2018, doi:10.1109/MM.2018.112130359, table 2
        ({"events": 1}, Placement(), "synapses", 23.6e-12),
        ({"updates": 1, "active": 1}, Placement(), "neurons", 81e-12),
        ({"updates": 1, "active": 0}, Placement(), "neurons", 52e-12),
        ({}, Placement(packets=exactly(1)), "communication", 1.7e-12),
        ({}, Placement(hops_east_west=exactly(1)), "communication", 3.0e-12),
        ({}, Placement(hops_north_south=exactly(1)), "communication", 4.0e-12),
    ],
)
def test_single_operations_of_loihi_are_within_their_range(counts, place, name, joules):
    found = part(energy(Activity.of_counts(**counts), load_hardware("loihi1"), place), BY_EVENTS, name)
    assert found.low <= joules * (1 + 1e-12) and joules <= found.high * (1 + 1e-12)
    assert found.high < 1.6 * joules or name == "communication"


def test_a_weight_update_of_loihi_is_that_of_davies():
    learning = ProjectionActivity("p", "a", "b", 1, events=1, operations=1, weight_updates=1)
    found = energy(Activity((), (learning,)), load_hardware("loihi1"))
    assert part(found, BY_EVENTS, "learning") == pytest.approx((120e-12, 120e-12))


@pytest.mark.parametrize(
    ("name", "per_event", "per_neuron"),
    # keras-spiking 0.3.0, model_energy.py: ModelEnergy.devices
    [("spinnaker1", 13.3e-9, 26e-9), ("spinnaker2", 450e-12, 2.19e-9), ("loihi1", (23.6 + 3.5) * 1e-12, 81e-12)],
)
def test_spiking_devices_of_keras_spiking_are_within_the_range(name, per_event, per_neuron):
    found = energy(Activity.of_counts(events=1000, updates=500, active=500), load_hardware(name))
    low, high = part(found, BY_EVENTS, "synapses")
    assert low <= 1000 * per_event * (1 + 1e-12) and 1000 * per_event <= high * (1 + 1e-12)
    low, high = part(found, BY_EVENTS, "neurons")
    assert low <= 500 * per_neuron * (1 + 1e-12) and 500 * per_neuron <= high * (1 + 1e-12)


@pytest.mark.parametrize(("name", "per_operation"), [("cpu", 8.6e-9), ("gpu", 0.3e-9), ("arm", 0.9e-9)])
def test_other_devices_are_those_of_keras_spiking(name, per_operation):
    dense = Activity.of_counts(operations=10, dense=100_352, updates=128, neurons=128, multiplies=True)
    found = energy(dense, load_hardware(name))
    assert found.joules == pytest.approx([(100_352 + 128) * per_operation] * 2)
    assert [account.name for account in found.accounts] == [DENSE]


def test_the_worked_example_of_keras_spiking():
    """Its documentation: a dense layer of 784 to 128 rectified units takes 8.64e-04 J on "cpu", to three digits."""
    found = energy(Activity.of_counts(dense=784 * 128, updates=128, neurons=128), load_hardware("cpu"))
    assert f"{found.joules.high:.2e}" == f"{found.joules.low:.2e}" == "8.64e-04"


# --- SpiNNaker -------------------------------------------------------------------------------------------------------


def packets(cores: int, chips: int, boards: int, passed: float) -> Placement:
    return Placement(cores, chips, boards, exactly(passed))


def version_5():
    """The board of 48 chips, as far as its energy goes; made whole, it would read a configuration."""
    return object.__new__(pytest.importorskip("spinn_machine.version.version_5").Version5)


@pytest.mark.parametrize(("cores", "chips", "passed", "seconds"), [(3, 1, 1000, 0.5), (100, 7, 12345, 20.0)])
def test_chips_cores_and_packets_cost_what_spinnakers_tools_say(cores, chips, passed, seconds):
    version = version_5()
    theirs = version.get_active_energy(
        seconds, 0, 0, chips, {(0, 0): (cores * seconds, cores)}, {(0, 0): {"External_Multicast_Packets": passed}}
    )
    found = energy(Activity(), load_hardware("spinnaker1"), packets(cores, chips, 0, passed), seconds)
    assert found.account(BY_CORES).joules == pytest.approx([theirs] * 2)


@pytest.mark.parametrize("boards", [1, 6])
def test_boards_cost_what_spinnakers_tools_say(boards):
    version = version_5()
    theirs = version.get_active_energy(2.0, 0, boards, 48 * boards, {(0, 0): (200.0, 100)}, {})
    found = energy(Activity(), load_hardware("spinnaker1"), packets(100, 48 * boards, boards, 0), 2.0)
    assert found.account(BY_CORES).joules == pytest.approx([theirs] * 2)


@pytest.mark.parametrize(
    ("boards", "slowdown", "published"),
    [
        # van Albada et al. 2018, doi:10.3389/fnins.2018.00291: 6 boards, 20 times slower than real time. 5.9 uJ in
        # Knight and Nowotny 2018, table of energies, which read it off; 4.4 uJ in Senk et al. 2026,
        # doi:10.1088/2634-4386/ae379a, whose table the microcircuit's repository has.
        (6, 20.0, (4.4e-6, 5.9e-6)),
        # Rhodes et al. 2020, doi:10.1098/rsta.2019.0160: 12 boards, real time; in the same table
        (12, 1.0, (0.601e-6, 0.628e-6)),
    ],
)
def test_the_microcircuit_on_spinnaker(boards, slowdown, published):
    """Between boards whose cores sleep and boards whose cores all compute, a factor of 2; nothing is fitted."""
    chip, seconds = load_hardware("spinnaker1"), 10.0 * slowdown
    passed = 10 * 250_000 * 48 * boards  # its spikes, at the rates below, through every router
    asleep, awake = (
        energy(MICROCIRCUIT, chip, packets(cores, 48 * boards, boards, passed), seconds)
        for cores in (0, 16 * 48 * boards)
    )
    events = 10 * EVENTS_PER_SECOND
    low, high = asleep.account(BY_CORES).joules.low, awake.account(BY_CORES).joules.high
    assert low / events < min(published) and max(published) < high / events
    assert high < 2.0 * low


def test_sharps_microcircuit_costs_what_he_measured():
    """Sharp et al. 2012: 43 nJ a postsynaptic potential, 100 nJ a neuron and millisecond; the most in the range."""
    one_second = Activity.of_counts(events=7_000_000, updates=10_000 * 1000, neurons=10_000, duration=1000.0)
    found = energy(one_second, load_hardware("spinnaker1"))
    assert part(found, BY_EVENTS, "synapses").high == pytest.approx(7_000_000 * 43e-9)
    assert part(found, BY_EVENTS, "neurons").high == pytest.approx(10_000_000 * 100e-9)


# --- hosts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("watts", "seconds", "published", "tolerance"),
    [
        # Knight and Nowotny 2018: watts at the socket and seconds for 10 s (their text and scripts), energy per event
        # (their table). They integrate a power that changes, so the product of two numbers is near it only.
        (218.0, 41.9115, 1.08e-6, 0.11),  # a workstation with a Tesla K40c
        (124.2, 137.592, 2.0e-6, 0.10),  # a desktop with a GeForce 1050 Ti
        (10.8, 258.35, 0.30e-6, 0.02),  # a Jetson TX2
        (199.0, 22.0, 0.47e-6, 0.01),  # a workstation with a Tesla V100, estimated there
        # NEST on the nodes of a cluster: 0.012 kWh (Knight and Nowotny 2018), which is 4.584 times as long as real time
        # on 3 nodes (Senk et al. 2026); 4.4 uJ in the one, 5.816 uJ in the other
        (0.012 * KWH / 45.84, 45.84, 4.4e-6, 0.05),
    ],
)
def test_the_microcircuit_on_hosts(watts, seconds, published, tolerance):
    host = Hardware("host", "A host", power={"machine": (Number(watts, "W", "see above"),)})
    found = energy(MICROCIRCUIT, host, seconds=seconds)
    assert found.account(BY_TIME).joules == found.joules
    assert found.joules.high / (10 * EVENTS_PER_SECOND) == pytest.approx(published, rel=tolerance)


def test_the_microcircuits_events_are_those_of_its_synapses_and_rates(microcircuit):
    """Synapses times the rate of their source, from the model's own numbers, give the published count within 4 %."""
    activity = Activity(
        (), tuple(ProjectionActivity("p", "", "", n, events=round(n * rate)) for n, rate in microcircuit), 1000.0
    )
    assert activity.events == pytest.approx(EVENTS_PER_SECOND, rel=0.04)


@pytest.fixture
def microcircuit(monkeypatch) -> list[tuple[float, float]]:
    """Synapses and rate (Hz) of the source of each projection of the whole model of Potjans and Diesmann 2014."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    script = importlib.import_module("microcircuit")
    numbers = script.Microcircuit("W3", 0.1, 1000.0, scale=10.0).numbers
    return [(numbers[i][j], script.FULL_RATES[j]) for i in script.LAYERS for j in script.LAYERS]


def test_an_account_that_there_is_not_is_refused():
    with pytest.raises(UnknownNameError, match="there is no account of gpu named 'by events'"):
        energy(Activity(), load_hardware("gpu")).account(BY_EVENTS)


# --- ranges ----------------------------------------------------------------------------------------------------------


def test_updates_that_may_be_active_or_not_are_a_range():
    loihi = load_hardware("loihi1")
    unknown = part(energy(Activity.of_counts(updates=100), loihi), BY_EVENTS, "neurons")
    assert unknown == pytest.approx((100 * 51.2e-12, 100 * 81e-12))
    for active in (0, 30, 100):
        known = part(energy(Activity.of_counts(updates=100, active=active), loihi), BY_EVENTS, "neurons")
        assert unknown.low <= known.low and known.high <= unknown.high


def test_what_nobody_prices_is_unknown_and_not_nothing():
    found = energy(Activity.of_counts(events=10, spikes=3), load_hardware("spinnaker2"))
    account = found.account(BY_EVENTS)
    assert [item.what for item in account.unknown] == ["packets", "time of chips (s)"]
    assert account.part("communication") is None and account.part("idle") is None
    assert account.joules.low == pytest.approx(10 * 450e-12)


def test_nothing_costs_nothing_even_where_its_price_is_unknown():
    found = energy(Activity.of_counts(events=10), load_hardware("spinnaker2"), Placement(chips=0))
    assert found.account(BY_EVENTS).part("communication") == (0, 0)


def test_spikes_that_are_not_known_are_unknown():
    lost = PopulationActivity("lost", 5, steps=10, spikes=None)
    wiring = ProjectionActivity("p", "lost", "lost", 5, events=None, operations=None)
    activity = Activity((lost,), (wiring,), 10.0)
    assert (activity.spikes, activity.events, activity.activation_sparsity) == (None, None, None)
    found = energy(activity, load_hardware("loihi1"), Placement(chips=1))
    assert "synaptic events" in [item.what for item in found.account(BY_EVENTS).unknown]


def test_the_chip_is_on_for_the_networks_time_unless_told():
    activity, chip = Activity.of_counts(duration=2500.0), load_hardware("loihi1")
    assert part(energy(activity, chip, Placement(chips=2)), BY_EVENTS, "idle") == pytest.approx([2 * 2.5 * 0.104] * 2)
    assert energy(activity, chip, Placement(chips=2), 7.0).seconds == 7.0


def test_two_networks_cost_the_sum_of_both():
    chip = load_hardware("loihi1")
    one = energy(Activity.of_counts(events=10, updates=4, duration=100.0), chip, Placement(chips=1))
    two = energy(Activity.of_counts(events=5, updates=8, active=2, duration=50.0), chip, Placement(chips=3))
    both = summed([one, two])
    for name in ("synapses", "neurons", "idle"):
        apart = [part(found, BY_EVENTS, name) for found in (one, two)]
        assert part(both, BY_EVENTS, name) == pytest.approx((sum(p.low for p in apart), sum(p.high for p in apart)))
    assert both.seconds == pytest.approx(0.15)


@pytest.mark.parametrize("name", ["ideal", "loihi2", "loihi2_learning"])
def test_hardware_without_costs_is_refused(name):
    with pytest.raises(EvsimError, match=f"no source says what anything costs on {name} .* its energy is unknown"):
        energy(Activity(), load_hardware(name))


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan])
def test_times_that_cannot_be_are_refused(seconds):
    with pytest.raises(EvsimError, match=r"it must be a finite time of at least 0 s"):
        energy(Activity(), load_hardware("loihi1"), seconds=seconds)
