"""Files of recorded data, and segments that ended with a reset."""

from __future__ import annotations

import neo.io
import numpy as np
import pytest
from neo.io import PickleIO

from evsim.errors import MissingPartError


@pytest.fixture
def recorded(sim):
    """Two populations that recorded two segments."""
    cells = [sim.Population(n, sim.IF_cond_exp(i_offset=1.0), label=name) for n, name in ((3, "one"), (2, "two"))]
    for population in cells:
        population.record(["spikes", "v", "gsyn_exc"])
    sim.run(15.0)
    sim.reset()
    sim.run(10.0)
    return cells


def shapes(block) -> list[list]:
    """The name and shape of each signal, and the number of trains, of each segment."""
    return [
        [(s.name, s.shape) for s in segment.analogsignals] + [len(segment.spiketrains)] for segment in block.segments
    ]


def test_named_variables_are_there_after_a_reset(recorded):
    one, _ = recorded
    assert shapes(one.get_data("v")) == [[("v", (151, 3)), 0], [("v", (101, 3)), 0]]
    assert shapes(one.get_data("spikes")) == [[3], [3]]
    # and reading some of them takes nothing away from the others
    every = [[("v", (n, 3)), ("gsyn_exc", (n, 3)), 3] for n in (151, 101)]
    assert shapes(one.get_data()) == shapes(one.get_data("all")) == every


def test_the_data_of_a_view_is_that_of_its_cells_after_a_reset(recorded):
    one, _ = recorded
    whole, part = one.get_data(), one[np.array([0, 2])].get_data()
    for segment, cut in zip(whole.segments, part.segments, strict=True):
        assert (cut.analogsignals[0].magnitude == segment.analogsignals[0].magnitude[:, [0, 2]]).all()
        assert cut.analogsignals[0].array_annotations["channel_index"].tolist() == [0, 2]
        assert [train.annotations["source_index"] for train in cut.spiketrains] == [0, 2]


def test_the_data_of_an_assembly_is_the_same_each_time(recorded):
    one, two = recorded
    first = shapes((one + two).get_data())
    assert first == [[("v", (n, 5)), ("gsyn_exc", (n, 5)), 5] for n in (151, 101)]
    for _ in range(2):
        block = (one + two).get_data()
        assert shapes(block) == first
        assert block.segments[0].analogsignals[0].array_annotations["channel_index"].tolist() == [0, 1, 2, 3, 4]
    assert shapes(one.get_data())[0] == [("v", (151, 3)), ("gsyn_exc", (151, 3)), 3]


def test_what_ran_after_a_clear_is_kept_at_a_reset(sim):
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=1.0))
    cells.record("v")
    sim.run(5.0)
    cells.get_data(clear=True)
    sim.run(7.0)
    sim.reset()
    sim.run(3.0)
    first, second = (segment.analogsignals[0] for segment in cells.get_data().segments)
    assert (first.shape, float(first.t_start), second.shape) == ((71, 2), 5.0, (31, 2))


def test_there_is_no_data_before_anything_ran(sim):
    cells = sim.Population(2, sim.IF_curr_exp(), label="cells")
    cells.record("v")
    with pytest.raises(sim.errors.NothingToWriteError, match=r"'cells': there is no data yet; call run\(\)"):
        cells.get_data()


@pytest.mark.parametrize("ending", ["pkl", "mat", "nix", "h5", "nwb"])
@pytest.mark.parametrize("kind", ["population", "assembly"])
def test_every_format_comes_back(recorded, ending, kind, tmp_path):
    if ending in ("nix", "h5"):
        pytest.importorskip("nixio")
    if ending == "nwb":
        pytest.importorskip("pynwb")
    cells = recorded[0] if kind == "population" else recorded[0] + recorded[1]
    path = str(tmp_path / f"data.{ending}")
    cells.write_data(path)
    expected = cells.get_data()
    reader = neo.io.NWBIO(path, mode="r") if ending == "nwb" else neo.get_io(path)
    (block,) = reader.read_all_blocks() if ending == "nwb" else [reader.read_block()]
    for segment, wanted in zip(block.segments, expected.segments, strict=True):
        values = {signal.name: signal.magnitude for signal in segment.analogsignals}
        for signal in wanted.analogsignals:  # NWB puts the segment before the name, and a number after it
            (name,) = [name for name in values if f" {signal.name} " in f" {name} "]
            assert (values[name] == signal.magnitude).all()
        assert len(segment.spiketrains) == len(wanted.spiketrains)


@pytest.mark.parametrize(("ending", "package"), [("nix", "nixio"), ("h5", "nixio"), ("nwb", "pynwb")])
def test_a_package_that_is_missing_is_named(recorded, ending, package, monkeypatch):
    def missing(filename):
        raise ModuleNotFoundError(f"No module named {package!r}")

    monkeypatch.setattr("evsim.pynn.data_files.get_io", missing)  # which the packages may be there for
    with pytest.raises(MissingPartError, match=rf"{package}, by which Neo writes .*evsim\[files\]"):
        recorded[0].write_data(f"data.{ending}")


def test_a_format_that_does_not_exist(recorded, tmp_path):
    with pytest.raises(Exception, match="not supported"):
        recorded[0].write_data(str(tmp_path / "data.xyz"))


def test_data_is_written_at_the_end_by_a_neo_io_too(sim, tmp_path):
    one, two = sim.Population(3, sim.IF_curr_exp()), sim.Population(2, sim.IF_curr_exp())
    paths = [str(tmp_path / name) for name in ("io.pkl", "assembly.pkl")]
    one.record("v", to_file=PickleIO(filename=paths[0]))
    (one + two).record("v", to_file=paths[1])  # one file for both
    sim.run(2.0)
    sim.end()
    blocks = [PickleIO(filename=path).read_block() for path in paths]
    assert [block.segments[0].analogsignals[0].shape for block in blocks] == [(21, 3), (21, 5)]


def test_signals_come_in_the_order_of_the_cell_type(sim):
    cells = sim.Population(2, sim.IF_cond_exp())
    cells.record(["gsyn_inh", "v", "gsyn_exc", "spikes"])
    sim.run(1.0)
    names = [signal.name for signal in cells.get_data().segments[0].analogsignals]
    assert names == ["v", "gsyn_exc", "gsyn_inh"]


def test_connections_that_were_saved_can_be_read(sim, tmp_path):
    cells = sim.Population(3, sim.IF_curr_exp())
    synapse = sim.StaticSynapse(weight=0.3, delay=2.0)
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
    for names, columns in (("weight", ["weight"]), ("all", ["weight", "delay"]), (["delay"], ["delay"])):
        path = str(tmp_path / "connections.txt")
        projection.save(names, path)
        read = sim.Projection(cells, cells, sim.FromFileConnector(path), sim.StaticSynapse(weight=0.3, delay=2.0))
        assert f"{['i', 'j', *columns]}" in (tmp_path / "connections.txt").read_text()
        assert sorted(read.get(["weight", "delay"], "list")) == sorted(projection.get(["weight", "delay"], "list"))
    with pytest.raises(sim.errors.InvalidDimensionsError, match="a file holds one array, not 2"):
        projection.save(["weight", "delay"], path, format="array")
