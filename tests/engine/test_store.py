"""Recorded data in memory and in files: the same data, little memory, and words that help when the disk is full."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.engine.spike_log import SpikeLog
from evsim.engine.store import RECORD_MEMORY, Allowance, Store
from evsim.errors import EvsimError


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.integers(0, 60), max_size=12),
    st.integers(0, 3000),
    st.sampled_from([(np.int64, None), (np.float64, 3), ([("time", float), ("cell", np.int32)], None), (np.int32, 0)]),
)
def test_what_is_appended_is_read_back(lengths, limit, kind):
    rng = np.random.default_rng(sum(lengths) + limit)
    store = Store(Allowance(limit), *kind)
    shape = () if kind[1] is None else (kind[1],)
    rows = [rng.integers(0, 1000, (n, *shape)).astype(kind[0]) for n in lengths]
    for part in rows:
        store.append(part)
    expected = np.concatenate([*rows, np.empty((0, *shape), kind[0])])
    assert len(store) == len(expected)
    assert (store.read() == expected).all() and store.read().dtype == expected.dtype
    assert sum(len(part) for part in store.parts()) == len(expected)


def test_a_long_file_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr("evsim.engine.store.PART_BYTES", 8 * 100)
    store = Store(Allowance(0), np.int64)
    store.append(np.arange(1234))
    parts = list(store.parts())
    assert max(map(len, parts)) == 100
    assert (np.concatenate(parts) == np.arange(1234)).all()


def test_stores_share_what_they_may_hold_in_memory():
    allowance = Allowance(1000)
    first, second = Store(allowance, np.int64), Store(allowance, np.int64)
    first.append(np.arange(100))
    second.append(np.arange(20))
    second.append(np.arange(20))  # too much: the second moves to a file
    assert allowance.used == 800
    first.append(np.arange(30))  # too much again: the first moves
    assert allowance.used == 0
    second.clear()
    second.append(np.arange(125))
    assert allowance.used == 1000
    assert len(first.read()) == 130


def test_arrays_that_were_read_stay_as_they_are():
    store = Store(Allowance(0), np.int64)
    store.append(np.arange(5000))
    before, made = store.read(), store.room((5000,), np.float64)
    made[:] = 1.5
    store.append(np.arange(3))
    store.clear()
    store.append(np.full(5000, 7))
    assert (before == np.arange(5000)).all() and (made == 1.5).all()


def test_the_file_has_no_name(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = Store(Allowance(0), np.int64)
    store.append(np.arange(100_000))
    assert os.listdir(tmp_path) == []
    descriptors = len(os.listdir("/proc/self/fd"))
    del store
    assert len(os.listdir("/proc/self/fd")) == descriptors - 1


@pytest.fixture
def small_disk():
    """No file may be longer than 64 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_an_error_that_names_the_remedy(small_disk):
    store = Store(Allowance(10_000), np.int64)
    store.append(np.arange(4000))
    with pytest.raises(EvsimError, match=r"0\.08 MB more than the 0\.032 MB.*TMPDIR.*EVSIM_RECORD_MEMORY.*0\.01 MB"):
        store.append(np.arange(10_000))
    with pytest.raises(EvsimError, match=r"0\.08 MB more"):
        store.room((10_000,), np.float64)


@pytest.mark.parametrize("text", ["much", "-1", "nan"])
def test_a_bad_limit_is_refused(monkeypatch, text):
    monkeypatch.setenv(RECORD_MEMORY, text)
    with pytest.raises(EvsimError, match=f"EVSIM_RECORD_MEMORY is '{text}'.*MB"):
        Allowance()


def test_the_limit_is_in_megabytes(monkeypatch):
    assert Allowance().limit == 512e6
    monkeypatch.setenv(RECORD_MEMORY, "1.5")
    assert Allowance().limit == 1.5e6


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(0, 400), st.sampled_from([0, 1e6]))
def test_spikes_are_sorted_by_population_time_and_cell(sizes, n_spikes, limit):
    rng = np.random.default_rng(n_spikes + sum(sizes))
    first = np.concatenate([[0], np.cumsum(sizes)])
    log = SpikeLog(first, Allowance(limit))
    label = np.sort(rng.integers(0, 2**36, n_spikes))
    neuron = rng.integers(0, first[-1], n_spikes)
    for part in np.array_split(np.arange(n_spikes), 4):
        log.take(label[part], neuron[part])
    wanted = {index: rng.random(sizes[index]) < 0.7 for index in rng.permutation(len(sizes))[:3].tolist()}
    for index, (times, cells) in log.by_population(wanted, 0.1).items():
        mine = (neuron >= first[index]) & (neuron < first[index + 1])
        mine[mine] = wanted[index][neuron[mine] - first[index]]
        order = np.lexsort((neuron[mine], label[mine]))
        np.testing.assert_array_equal(times, label[mine][order] * 0.1)
        np.testing.assert_array_equal(cells, neuron[mine][order] - first[index])


def driven(nets, n_cells=60):
    """Neurons that fire under noise and given spikes; everything is recorded, and some of it twice."""
    populations = (
        nets.cells(n_cells, i_offset=0.9),
        nets.poisson(n_cells, 3000.0),
        nets.array_source([[0.31, 5.0], [1.0]]),
    )
    projections = (nets.connect(1, 0, [(i, i, 0.1, 1 + i % 3) for i in range(n_cells)]),)
    probes = nets.record_all(populations, "spikes", "v", "isyn_exc")
    again = nets.Probe(0, "spikes", np.array([1, 7], np.int32))
    return nets.Network(0.5, populations, projections, (), (*probes, again))


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi2"])
def test_recordings_do_not_depend_on_where_they_are_kept(nets, chip, monkeypatch):
    whole = nets.run(driven(nets), 400, chip)
    monkeypatch.setenv(RECORD_MEMORY, "0.01")
    monkeypatch.setattr("evsim.engine.store.PART_BYTES", 5000)
    found = nets.run(driven(nets), 400, chip, pieces=[150, 1, 249])
    assert len(found.spikes) == 4 and len(found.spikes[0].times) > 100
    for one, other in zip(found.spikes, whole.spikes, strict=True):
        np.testing.assert_array_equal(one.times, other.times)
        np.testing.assert_array_equal(one.neurons, other.neurons)
    for one, other in zip(found.signals, whole.signals, strict=True):
        np.testing.assert_array_equal(one.times, other.times)
        np.testing.assert_array_equal(one.values, other.values)
        assert (one.raw is None) == (chip == "ideal")
        assert one.raw is None or (one.raw == other.raw).all()


def test_a_second_probe_of_a_population_has_its_own_cells(nets):
    first, *_, second = nets.run(driven(nets), 300).spikes
    mine = np.isin(first.neurons, [1, 7])
    assert mine.any()
    np.testing.assert_array_equal(second.times, first.times[mine])
    np.testing.assert_array_equal(second.neurons, first.neurons[mine])


LONG_RUN = r"""
    import re, resource, sys
    import numpy as np
    from pathlib import Path
    from evsim.engine.spike_log import SpikeLog
    from evsim.engine.store import Allowance, Store

    def memory():
        return int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024

    allowance = Allowance(4e6)
    samples = Store(allowance, np.float64, 1000)
    log = SpikeLog(np.array([0, 1000]), allowance)
    resource.setrlimit(resource.RLIMIT_DATA, (memory() + {room}, -1))
    for block in range(100):
        samples.append(np.full((200, 1000), float(block)))
        log.take(np.repeat(np.arange(1000 * block, 1000 * block + 1000), 100), np.tile(np.arange(100) * 7, 1000))
    values = samples.room((len(samples), 1000), np.float64)
    at = 0
    for part in samples.parts():
        values[at : at + len(part)] = 2.0 * part
        at += len(part)
    ((times, cells),) = log.by_population({{0: np.ones(1000, bool)}}, 0.1).values()
    assert values[::200, 5].tolist() == [2.0 * block for block in range(100)]
    assert len(times) == 10_000_000 and times[-1] == 99999 * 0.1 and cells[-1] == 693
"""


LONG_SIMULATION = r"""
    import os, re, resource
    import numpy as np
    from pathlib import Path
    from evsim.backend import Target
    from evsim.network import Network, Population, Probe
    from evsim.registry import backend, cell_model

    def memory():
        return int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024

    def session():
        given = dict(v_rest=-65.0, cm=1.0, tau_m=20.0, tau_refrac=2.0, tau_syn_E=5.0, tau_syn_I=5.0, i_offset=0.9,
                     v_reset=-65.0, v_thresh=-50.0)
        model = cell_model("IF_curr_exp")
        cells = Population("cells", "IF_curr_exp", 2000, {{k: np.full(2000, given[k]) for k in model.parameters}},
                           {{k: np.full(2000, -65.0 * (k == "v")) for k in model.states}})
        probe = Probe(0, "v", np.arange(2000, dtype=np.int32))
        return backend("reference").start(Network(1.0, (cells,), (), (), (probe,)), Target("reference", "ideal"))

    session().run(2)  # compiles
    os.environ["EVSIM_RECORD_MEMORY"] = "8"
    resource.setrlimit(resource.RLIMIT_DATA, (memory() + {room}, -1))
    long = session()
    for _ in range(20):
        long.run(1000)
    (signal,) = long.recordings().signals
    assert signal.values.shape == (20001, 2000) and signal.times[-1] == 20000.0
    assert (signal.values[:, 7] == signal.values[:, 1999]).all() and np.ptp(signal.values[-100:, 7]) > 1.0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's memory as Linux tells it")
@pytest.mark.parametrize(
    ("script", "room", "enough"),
    [
        # 160 MB of samples and as much again in other units; 80 MB of spikes, 160 MB when they are sorted
        (LONG_RUN, 60e6, True),
        (LONG_RUN, 1e6, False),
        (LONG_SIMULATION, 120e6, True),  # 320 MB of samples, and as much again
    ],
)
def test_a_long_recording_needs_little_memory(script, room, enough):
    text = textwrap.dedent(script.format(room=int(room)))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=200)
    assert (done.returncode == 0) == enough, done.stderr
    assert enough or "MemoryError" in done.stderr


def test_a_source_that_is_not_recorded_keeps_nothing(nets):
    network = driven(nets)
    unrecorded = replace(network, probes=tuple(probe for probe in network.probes if probe.population == 0))
    assert [spikes.population for spikes in nets.run(unrecorded, 50).spikes] == [0, 0]


@pytest.mark.parametrize("limit", [0, 1e6], ids=["file", "memory"])
def test_the_last_rows_can_be_forgotten(limit):
    allowance = Allowance(limit)
    store = Store(allowance, np.int64)
    for first in (0, 10, 20):
        store.append(np.arange(first, first + 10))
    store.shorten(13)
    store.append(np.arange(5))
    assert store.read().tolist() == [*range(17), *range(5)]
    assert allowance.used == (8 * 22 if limit else 0)
