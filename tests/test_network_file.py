"""A saved network comes back equal, and anything else that is loaded says what is wrong with it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.errors import EvsimError
from evsim.network import Current, Network, Population, Probe, Projection, Sequences, Trains
from evsim.network_file import fingerprint, load, save
from evsim.release import Release
from evsim.synapses import Listed, Synapses

finite = st.floats(-1e3, 1e3, allow_nan=False)


@st.composite
def values(draw, size: int, elements=finite) -> np.ndarray:
    """One value for all, held once in memory; or one for each."""
    if draw(st.booleans()):
        return np.broadcast_to(np.float64(draw(elements)), size)
    return np.array(draw(st.lists(elements, min_size=size, max_size=size)), np.float64)


def indices(size: int, count: int):
    return st.lists(st.integers(0, size - 1), min_size=count, max_size=count).map(lambda x: np.array(x, np.int32))


@st.composite
def networks(draw) -> Network:
    size, sources = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    count = draw(st.integers(0, 6))
    columns = {
        "U": draw(values(count, st.floats(0, 1))),
        "tau_rec": draw(values(count)),
        "tau_facil": draw(values(count)),
    }
    release = Release("TsodyksMarkram", columns, draw(st.sampled_from([{}, {"u": columns["U"]}])))
    trains = Trains.from_lists([np.sort(np.abs(draw(values(draw(st.integers(0, 3)))))) for _ in range(sources)])
    cells = Population("cells", "IF_curr_exp", size, {"tau_m": draw(values(size))}, {"v": draw(values(size))})
    projection = Projection(
        draw(st.text(max_size=5)),
        0,
        1,
        "excitatory",
        "StaticSynapse",
        Listed(
            draw(indices(sources, count)),
            draw(indices(size, count)),
            draw(values(count)),
            np.array(draw(st.lists(st.integers(1, 90), min_size=count, max_size=count)), np.int32),
        ),
        release=draw(st.sampled_from([None, release])),
    )
    sequences = {name: Sequences.from_lists([draw(values(draw(st.integers(0, 3))))] * 2) for name in "ab"}
    histogram = Population("more input", "SpikeSourceInhGamma", 2, {}, sequences=sequences)
    place = st.sampled_from(["", "dendrite(0.5)"])
    return Network(
        timestep=draw(st.floats(0.01, 2.0)),
        seed=draw(st.integers(0, 2**64)),
        populations=(Population("input", "SpikeSourceArray", sources, {}, {}, trains), cells, histogram),
        projections=(projection,) * draw(st.integers(0, 2)),
        currents=(Current("step", 1, draw(indices(size, 2)), np.array([1.0, 5.0]), draw(values(2)), draw(place)),),
        probes=(Probe(1, "v", np.arange(size, dtype=np.int32), draw(st.integers(1, 9))),),
    )


def flat(thing) -> list:
    """Everything a network says, as plain lists and numbers."""
    if isinstance(thing, np.ndarray):
        return [thing.dtype.name, thing.tolist()]
    if isinstance(thing, tuple):
        return [flat(part) for part in thing]
    if isinstance(thing, dict):
        return [(key, flat(value)) for key, value in sorted(thing.items())]
    if isinstance(thing, Synapses):
        return [flat(column) for column in (thing.source, thing.target, thing.weight, thing.delay)]
    if hasattr(thing, "__dataclass_fields__"):
        return [flat(getattr(thing, name)) for name in thing.__dataclass_fields__]
    return thing


@given(network=networks())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_loaded_network_is_equal(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "network.npz"
    save(network, path)
    loaded = load(path)
    assert flat(loaded) == flat(network)
    assert fingerprint(loaded) == fingerprint(network)
    assert not loaded.projections or not loaded.projections[0].weight.flags.writeable
    assert [file.name for file in path.parent.iterdir()] == ["network.npz"]


def small(weight: float | np.ndarray = 0.5, label: str = "cells", **changes) -> Network:
    cells = Population(label, "IF_curr_exp", 100, {"tau_m": np.full(100, 20.0)}, {"v": np.full(100, -65.0)})
    n = 1000
    source = np.arange(n, dtype=np.int32) % 100
    weights = weight if isinstance(weight, np.ndarray) else np.full(n, weight)
    synapses = Listed(source, source[::-1], weights, np.full(n, 3, np.int32))
    projection = Projection("all", 0, 0, "excitatory", "StaticSynapse", synapses)
    return Network(**{"timestep": 0.1, "populations": (cells,), "projections": (projection,), **changes})


def test_constant_arrays_stay_compact(tmp_path):
    save(small(), tmp_path / "network.npz")
    loaded = load(tmp_path / "network.npz")
    assert loaded.projections[0].weight.strides == (0,)
    assert loaded.populations[0].parameters["tau_m"].strides == (0,)


def test_the_fingerprint_looks_through_the_layout_of_arrays():
    varied = np.random.default_rng(1).uniform(size=1000)
    strided = np.repeat(varied, 2)[::2]
    assert fingerprint(small(0.5)) == fingerprint(small(np.broadcast_to(0.5, 1000)))
    assert fingerprint(small(varied)) == fingerprint(small(strided)) == fingerprint(small(varied.astype(">f8")))
    assert fingerprint(small(0.0)) == fingerprint(small(-0.0))


@pytest.mark.parametrize(
    "other",
    [
        small(0.5000000001),
        small(np.arange(1000.0)),
        small(label="neurons"),
        small(seed=1),
        small(timestep=0.2),
        small(projections=()),
        small(probes=(Probe(0, "spikes", np.arange(3, dtype=np.int32)),)),
    ],
)
def test_another_network_has_another_fingerprint(other):
    assert fingerprint(other) != fingerprint(small())


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "arrays.npz", weights=np.ones(3))
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "empty.npz").touch()
    for name, words in {
        "text.npz": "no numpy archive",
        "arrays.npz": "no header",
        "array.npy": "no numpy archive",
        "empty.npz": "no numpy archive",
        "absent.npz": "No such file",
    }.items():
        with pytest.raises(EvsimError, match=words) as caught:
            load(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def header_of(**changes) -> np.ndarray:
    header = {"format": "evsim network", "version": 1, "network": {}, "fingerprint": "", **changes}
    return np.frombuffer(json.dumps(header).encode(), np.uint8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"format": "something"}, "something"), ({"version": 99}, "version 99"), ({}, "timestep")],
)
def test_a_header_of_another_kind_is_refused(tmp_path, changes, words):
    np.savez(tmp_path / "network.npz", header=header_of(**changes))
    with pytest.raises(EvsimError, match=words) as caught:
        load(tmp_path / "network.npz")
    assert "network.npz" in str(caught.value)


@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_a_damaged_file_never_loads_as_another_network(place, flip, tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "network.npz"
    network = small(np.arange(1000.0))
    save(network, path)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= flip
    path.write_bytes(content)
    try:
        loaded = load(path)
    except EvsimError as error:
        assert str(path) in str(error)
    else:
        assert fingerprint(loaded) == fingerprint(network)


def test_a_truncated_file_is_refused(tmp_path):
    save(small(np.arange(1000.0)), tmp_path / "network.npz")
    content = (tmp_path / "network.npz").read_bytes()
    (tmp_path / "network.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(EvsimError, match=r"network\.npz"):
        load(tmp_path / "network.npz")
