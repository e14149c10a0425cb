"""The SpiNNaker backend: its machines, what is refused, and the user's home left alone."""

from __future__ import annotations

import pickle
import socket
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from evsim import registry
from evsim.backend import Target
from evsim.errors import BackendError, CheckError, MissingPartError, UnknownNameError
from evsim.network import Current, Network, Probe
from evsim.synapses import Listed
from evsim_spinnaker import board
from evsim_spinnaker.backend import ADDRESS_VARIABLE, machine_settings
from evsim_spinnaker.changes import changes
from evsim_spinnaker.patience import step_timeout
from evsim_spinnaker.scratch import MachineSettings


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
    return registry.backend("spinnaker")


@pytest.fixture
def network(nets):
    populations = (nets.array_source([[1.0, 5.0], [3.0]]), nets.cells(3))
    projections = (
        nets.connect(0, 1, [(0, 0, 1.5, 1), (1, 1, 20.0, 3), (0, 2, 0.7, 2)]),
        nets.connect(0, 1, [(0, 0, -1.5, 1)], "inhibitory"),
    )
    return Network(1.0, populations, projections, (), nets.record_all(populations, "spikes", "v"))


def test_a_machine_is_chosen_by_word_or_by_the_environment(backend, monkeypatch):
    assert str(backend.target(None)) == "spinnaker:emulated"
    assert str(backend.target("board")) == "spinnaker:board"
    monkeypatch.setenv(ADDRESS_VARIABLE, "spinn-4")
    assert str(backend.target(None)) == "spinnaker:board"
    assert machine_settings(backend.target(None)).address == "spinn-4"
    with pytest.raises(UnknownNameError, match="did you mean 'virtual'"):
        backend.target("virtuel")


@pytest.mark.slow
def test_a_virtual_machine_maps_and_leaves_the_home_alone(backend, network, tmp_path, monkeypatch):
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    session = backend.start(network, backend.target("virtual"))
    try:
        session.run(20)
        session.run(10)
        recordings = session.recordings()
    finally:
        session.close()
    assert recordings.spikes == () and recordings.signals == ()
    virtual, *mapping = recordings.notes
    assert "virtual" in virtual and "no data" in virtual
    assert [note.split(",")[0] for note in mapping] == [
        "population 'input': 1 core on 1 chip",
        "population 'cells': 1 core on 1 chip",
    ]
    assert list(home.iterdir()) == [] and list(here.iterdir()) == []


def test_a_board_without_an_address_is_refused(backend, network):
    with pytest.raises(BackendError, match=f"set {ADDRESS_VARIABLE}"):
        backend.start(network, backend.target("board"))


def test_a_board_of_an_unknown_name_is_refused(backend, network):
    target = Target("spinnaker", "spinnaker1", {"machine": "board", "board": "no-such-board.invalid"})
    with pytest.raises(BackendError, match=r"'no-such-board.invalid' cannot be reached"):
        backend.start(network, target)


@contextmanager
def udp_listener():
    """A UDP socket on this machine that takes packets and says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener


def test_a_board_that_is_silent_is_waited_for_no_longer_than_asked(monkeypatch):
    with udp_listener() as listener:
        monkeypatch.setattr(board, "SCP_PORT", listener.getsockname()[1])
        with pytest.raises(BackendError, match=r"within 0.2 s"):
            board.probe("127.0.0.1", timeout=0.2)
        assert listener.recv(512)[2:4] == b"\x87\xff"  # it was asked, with a reply expected


def test_a_board_that_is_named_is_not_passed_over(backend):
    named = {"board": "spinn-4"}
    default, wanted = backend.target(None), backend.target("emulated")
    with pytest.raises(BackendError, match=r"spinnaker:emulated is no board.*'spinn-4' say spinnaker:board"):
        machine_settings(replace(default, options={**default.options, **named}))
    assert machine_settings(replace(wanted, options={**wanted.options, **named})).machine == "emulated"


def test_without_unicorn_the_extra_is_named(backend, network, monkeypatch):
    monkeypatch.setattr("evsim_spinnaker.backend.find_spec", lambda name: None if name == "unicorn" else True)
    with pytest.raises(MissingPartError, match=r"unicorn.*pip install 'evsim\[spinnaker\]'"):
        backend.start(network, backend.target("emulated"))


def test_waiting_grows_with_the_network_and_never_ends_early(nets):
    def waits(size: int, timestep: float) -> float:
        return step_timeout(Network(timestep, (nets.cells(size),)), "emulated")

    # a step of 0.1 ms may be as much work as one of 1 ms
    assert waits(1000, 1.0) > waits(10, 1.0) == waits(10, 0.1) > 0.02
    assert step_timeout(Network(1.0, (nets.cells(10),)), "virtual") == 0.02


def test_the_emulated_machine_cannot_be_configured_away():
    settings = MachineSettings("emulated")
    assert settings.binding()["Machine"]["virtual_board"] == "False"
    text = settings.configuration()
    for line in (
        "enable_advanced_monitor_support = False",
        "enable_reinjection = False",
        "compressor = PairCompressor",
    ):
        assert line in text.splitlines()


@pytest.mark.slow
def test_the_emulated_machine_gives_what_the_reference_does(backend, network, nets, tmp_path, monkeypatch):
    """In several runs, after a change of parameters, after clearing and after a reset."""
    monkeypatch.setenv("HOME", str(tmp_path))
    cells = network.populations[1]
    driven = replace(cells, parameters={**cells.parameters, "i_offset": np.full(3, 1.5)})
    changed = replace(network, populations=(network.populations[0], driven))
    sessions = [backend.start(network, backend.target("emulated"))]
    sessions.append(registry.backend("reference").start(network, Target("reference", "spinnaker1")))
    found = []
    try:
        for session in sessions:
            session.run(20)
            session.update(changed)
            session.run(30)
            session.clear()
            session.run(7)
            cleared = session.recordings()
            session.reset()
            session.run(40)
            found.append((cleared, session.recordings()))
    finally:
        for session in sessions:
            session.close()
    for emulated, reference in zip(*found, strict=True):
        assert "emulator, not on a chip" in emulated.notes[0]
        for ours, theirs in zip(emulated.signals, reference.signals, strict=True):
            np.testing.assert_array_equal(ours.raw, theirs.raw[: len(ours.raw)])
        for ours, theirs in zip(emulated.spikes, reference.spikes, strict=True):
            assert set(zip(ours.times, ours.neurons, strict=True)) == set(
                zip(theirs.times, theirs.neurons, strict=True)
            )
    assert len(found[0][1].spikes[1].times) > 3
    assert list(tmp_path.iterdir()) == []


def test_what_spynnaker_cannot_record_is_told_at_once(backend, nets):
    populations = (nets.cells(2, "izhikevich", "Izhikevich", a=0.02, b=0.2, c=-65.0, d=8.0), nets.cells(2, "lif"))
    first, second = np.array([0], np.int32), np.array([1], np.int32)
    probes = (Probe(0, "u", first), Probe(1, "v", first, 1), Probe(1, "v", second, 5))
    with pytest.raises(CheckError) as caught:
        backend.start(Network(1.0, populations, probes=probes), backend.target("virtual"))
    assert [problem.where for problem in caught.value.problems] == ["population 'izhikevich'", "population 'lif'"]


def test_a_cell_that_spynnaker_does_not_have_is_told_by_name(backend, nets, monkeypatch):
    """A package may bring a cell with the arithmetic of SpiNNaker of which there is no firmware."""
    brought = replace(registry.models()["IF_curr_exp"], name="Brought")
    assert not backend.has(brought) and backend.has(registry.models()["IF_curr_exp"])
    models = {**registry.models(), "Brought": brought}
    monkeypatch.setattr(registry, "models", lambda: models)
    cells = nets.cells(2, "new", "Brought")
    network = Network(1.0, (cells,), probes=nets.record_all((cells,), "spikes", "v"))
    with pytest.raises(CheckError, match=r"population 'new': the cell Brought; sPyNNaker has IF_curr_exp, .*reference"):
        backend.start(network, backend.target("virtual"))


def test_a_network_that_does_not_fit_the_chip_is_refused(backend, nets):
    network = Network(1.0, (nets.cells(1, v_rest=70000.0),))
    with pytest.raises(CheckError, match=r"s16\.15"):
        backend.start(network, backend.target("virtual"))


def test_changes_of_cells_and_sources_are_followed(network, nets):
    cells = network.populations[1]
    other = replace(cells, parameters={**cells.parameters, "tau_m": np.full(3, 10.0)})
    source = nets.array_source([[2.0], [9.0]])
    found = list(changes(network, replace(network, populations=(source, other))))
    assert [(change.population, change.source, list(change.parameters)) for change in found] == [
        (0, True, []),
        (1, False, ["tau_m"]),
    ]


def test_a_network_from_another_process_has_not_changed(network, nets):
    """What a session in a child process is told of was pickled, so that no part of it is the same object."""
    populations = (*network.populations, nets.poisson(4, 50.0))
    whole = replace(
        network, populations=populations, currents=(Current("dc", 1, np.array([0]), np.array([3]), np.array([0.5])),)
    )
    assert not any(c.source or c.parameters or c.states for c in changes(whole, pickle.loads(pickle.dumps(whole))))


def test_a_change_of_synapses_is_refused(network):
    before = network.projections[0]
    synapses = Listed(before.source, before.target, before.weight * 2, before.delay)
    changed = replace(before, synapses=synapses)
    with pytest.raises(BackendError, match="synapses changed"):
        list(changes(network, replace(network, projections=(changed, network.projections[1]))))


def test_another_chips_arithmetic_is_refused(backend, network):
    with pytest.raises(BackendError, match="cannot compute as loihi2"):
        backend.start(network, replace(backend.target("virtual"), chip="loihi2"))


def test_a_request_that_takes_too_long_ends_the_session(backend, network):
    target = replace(backend.target("virtual"), options={"machine": "virtual", "timeout": 0.3})
    with pytest.raises(BackendError, match=r"within 0\.3 s"):
        backend.start(network, target)


def test_a_board_of_an_unknown_version_is_refused(backend, network, monkeypatch):
    monkeypatch.setenv("EVSIM_SPINNAKER_VERSION", "7")
    with pytest.raises(BackendError, match="of version 5 or 3"):
        backend.start(network, backend.target("virtual"))
