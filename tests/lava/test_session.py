"""The Lava session: pieces, resets, clears and updates, and that nothing that goes wrong in Lava can hang."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evsim.backend import Target
from evsim.chip import load_chip
from evsim.errors import BackendError, CheckError
from evsim.network import Network
from evsim.registry import backend
from evsim_lava.session import LavaSession

pytest.importorskip("lava.proc")


@pytest.fixture
def net(nets) -> Network:
    """Noise onto neurons that inhibit each other."""
    rng = np.random.default_rng(3)
    populations = (nets.poisson(6, 200.0), nets.cells(5), nets.cells(2, "lone", i_offset=1.0))
    projections = (
        nets.connect(0, 1, nets.random_rows(rng, 6, 5, 25, (1.0, 3.0), 5)),
        nets.connect(1, 1, nets.random_rows(rng, 5, 5, 10, (-1.0, -0.1), 5), "inhibitory"),
    )
    return Network(1.0, populations, projections, (), nets.record_all(populations, "spikes", "v"), seed=5)


@pytest.fixture
def start():
    """Start sessions; close them afterwards."""
    sessions = []

    def start(network: Network, **options) -> LavaSession:
        sessions.append(LavaSession(network, load_chip("loihi2"), **{"timeout": 60.0, **options}))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()


def same(a, b) -> bool:
    """Whether two recordings hold the same numbers."""
    return all(
        np.array_equal(x.times, y.times) and np.array_equal(x.neurons, y.neurons)
        for x, y in zip(a.spikes, b.spikes, strict=True)
    ) and all(
        np.array_equal(x.times, y.times) and np.array_equal(x.raw, y.raw)
        for x, y in zip(a.signals, b.signals, strict=True)
    )


def test_life_of_a_session_is_that_of_the_reference(start, net):
    """Recordings before a run, after pieces, a clear, a new rate, a reset and a change at t = 0."""
    louder = replace(net.populations[0], parameters={**net.populations[0].parameters, "rate": np.full(6, 400.0)})
    reference = backend("reference").start(net, Target("reference", "loihi2"))
    lava = start(net)
    stages = [
        lambda session: None,
        lambda session: session.run(40),
        lambda session: (session.clear(), session.run(20)),
        lambda session: (session.update(replace(net, populations=(louder, *net.populations[1:]))), session.run(20)),
        lambda session: session.reset(),
        lambda session: (session.update(net), session.run(30)),
    ]
    for number, stage in enumerate(stages):
        for session in (reference, lava):
            stage(session)
        assert same(reference.recordings(), lava.recordings()), f"after stage {number}"
    assert len(lava.recordings().spikes[1].times) > 0


def test_a_change_that_lava_cannot_make_is_refused_by_name(start, net):
    session = start(net)
    session.run(1)
    hotter = replace(net.populations[1], parameters={**net.populations[1].parameters, "i_offset": np.ones(5)})
    with pytest.raises(BackendError, match=r"a change of population 'cells' while the network runs.*reset\(\)"):
        session.update(replace(net, populations=(net.populations[0], hotter, net.populations[2])))
    session.run(1)


def test_a_lava_process_that_fails_is_an_error_with_its_traceback(start, net):
    """The source does not find its events: its process raises, and Lava itself would wait for ever."""
    session = start(net)
    session.run(2)
    assert session._folder is not None
    shutil.rmtree(Path(session._folder.name) / "source-0")
    (Path(session._folder.name) / "source-0").mkdir()
    session._send_sources = lambda folder, last: None
    before = time.monotonic()
    with pytest.raises(BackendError, match=r"(?s)a Lava process failed.*Traceback.*run_spk.*No such file.*1\.npy"):
        session.run(2)
    assert time.monotonic() - before < 20
    with pytest.raises(BackendError, match="has ended"):
        session.run(1)


def test_a_lava_process_that_is_killed_is_noticed(start, net):
    session = start(net)
    session.run(1)
    assert session._worker is not None
    tasks = Path(f"/proc/{session._worker.pid}/task").glob("*/children")
    *_, last = (int(child) for task in tasks for child in task.read_text().split())
    os.kill(last, signal.SIGKILL)
    with pytest.raises(BackendError, match=r"which it had started, ended \(signal SIGKILL\)"):
        session.run(5)


def test_a_run_that_takes_too_long_is_ended(start, net):
    session = start(net)
    session.run(1)
    assert session._worker is not None
    session._worker._options = replace(session._worker._options, timeout=2.0)
    with pytest.raises(BackendError, match="no answer to 'run' within 2 s"):
        session.run(1_000_000)


def test_a_closed_session_leaves_no_files(start, net):
    session = start(net)
    session.run(1)
    assert session._folder is not None
    folder = Path(session._folder.name)
    assert folder.exists()
    session.close()
    session.close()
    assert not folder.exists()


def test_what_loihi_cannot_hold_is_told_before_lava_starts(nets):
    net = Network(1.0, (nets.cells(2, tau_syn_I=9.0), nets.cells(1, "other", v_thresh=-70.0)))
    with pytest.raises(CheckError) as caught:
        LavaSession(net, load_chip("loihi2"))
    assert [problem.where for problem in caught.value.problems] == ["population 'cells'", "population 'other'"]
