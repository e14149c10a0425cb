"""What the script is shown of what was recorded."""

from __future__ import annotations

import pickle
from itertools import chain
from typing import Any

import numpy as np
import pytest
from neo import SpikeTrain
from neo.core.spiketrainlist import SpikeTrainList


@pytest.fixture
def noise(sim):
    """Twenty Poisson sources, recorded."""
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0))
    noise.record("spikes")
    return noise


def times(population, segment=0):
    return [train.magnitude.tolist() for train in population.get_data("spikes").segments[segment].spiketrains]


def signal(population, name="v", segment=-1):
    return population.get_data().segments[segment].filter(name=name)[0]


def test_trains_are_cut_as_neo_would(sim, noise):
    sim.run(300.0)
    found = noise.get_data().segments[0].spiketrains
    channels, spikes = found.multiplexed
    expected = SpikeTrainList.from_spike_time_array(
        spikes, channels, np.array([int(cell) for cell in noise]), t_start=found.t_start, t_stop=found.t_stop
    )
    assert len(found) == len(expected) == 20
    assert len(spikes) > 300
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one.magnitude.tolist() == other.magnitude.tolist()
        assert one.annotations["channel_id"] == other.annotations["channel_id"] == int(noise[index])
        assert one.annotations["source_index"] == index
        assert one.annotations["source_population"] == noise.label
        assert one.segment is found.segment


def test_a_train_is_as_neo_makes_it(sim, noise):
    sim.run(300.0)
    found = noise.get_data().segments[0].spiketrains
    made: Any = SpikeTrain(
        found[3].magnitude,
        units="ms",
        t_start=found.t_start,
        t_stop=found.t_stop,
        source_population=noise.label,
        source_index=3,
        channel_id=int(noise[3]),
    )
    made.segment = found.segment
    one, other = vars(found[3]), vars(made)
    assert one.keys() == other.keys() and all(one[name] == other[name] for name in one)
    assert found[3].t_stop.dimensionality == made.t_stop.dimensionality


def test_trains_have_nothing_in_common(sim, noise):
    sim.run(300.0)
    first, second, *_ = noise.get_data().segments[0].spiketrains
    first.t_stop += 5.0 * first.t_stop.units
    first.annotations["mark"] = 1
    first.array_annotate(order=np.arange(len(first)))
    assert float(second.t_stop) == 300.0
    assert "mark" not in second.annotations and not second.array_annotations
    part = first[2:5]
    assert part.array_annotations["order"].tolist() == [2, 3, 4]
    assert first.time_slice(first[2], first[4]).magnitude.tolist() == first.magnitude[2:5].tolist()
    again = pickle.loads(pickle.dumps(second))
    assert again.magnitude.tolist() == second.magnitude.tolist() and again.annotations == second.annotations


def test_data_may_be_changed_by_who_reads_it(sim, noise):
    cells = sim.Population(3, sim.IF_curr_exp(i_offset=0.5))
    cells.record("v")
    sim.run(20.0)
    before = signal(cells).magnitude.copy()
    changed = signal(cells)
    changed -= 10.0 * changed.units
    spikes = noise.get_data().segments[0].spiketrains.multiplexed[1]
    spikes += 1.0 * spikes.units
    assert (signal(cells).magnitude == before).all()
    assert (noise.get_data().segments[0].spiketrains.multiplexed[1].magnitude + 1.0 == spikes.magnitude).all()


def test_trains_are_pickled_as_neos_own(sim, noise):
    sim.run(50.0)
    block = pickle.loads(pickle.dumps(noise.get_data()))
    trains = block.segments[0].spiketrains
    assert type(trains) is SpikeTrainList
    assert [train.magnitude.tolist() for train in trains] == times(noise)


def test_views_record_and_show_their_own_cells(sim):
    cells = sim.Population(6, sim.IF_curr_exp(i_offset=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], v_thresh=1e6))
    cells[1:5].record("v")
    cells[4:].record("spikes")
    sim.run(10.0)
    whole, part = signal(cells), signal(cells[np.array([2, 3, 5])])
    assert whole.array_annotations["channel_index"].tolist() == [1, 2, 3, 4]
    assert part.array_annotations["channel_index"].tolist() == [2, 3]
    assert (part.magnitude == whole.magnitude[:, 1:3]).all()
    assert len(cells.get_data().segments[0].spiketrains) == 2


def test_a_view_of_which_nothing_is_recorded_shows_nothing(sim):
    cells = sim.Population(4, sim.IF_curr_exp())
    cells[:2].record(["v", "spikes"])
    sim.run(1.0)
    segment = cells[2:].get_data().segments[0]
    assert len(segment.analogsignals) == len(segment.spiketrains) == 0
    assert cells[2:].get_spike_counts() == {}


def test_spike_counts(sim, noise):
    sim.run(100.0)
    counts = noise.get_spike_counts()
    assert [counts[cell] for cell in noise] == [len(train) for train in times(noise)]
    assert noise[:3].mean_spike_count() == np.mean([len(train) for train in times(noise)[:3]])


def test_given_times_are_shown_as_they_were_given(sim):
    sim.setup(timestep=0.5)
    given = [0.3, 0.9, 5.2, 5.26, 7.0, 9.76, 10.1]
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=given))
    source.record("spikes")
    sim.run(5.0)
    first = source.get_data(clear=True).segments[0].spiketrains[0].magnitude.tolist()
    sim.run(5.0)
    second = source.get_data(clear=True).segments[0].spiketrains[0].magnitude.tolist()
    sim.run(5.0)
    third = source.get_data().segments[0].spiketrains[0].magnitude.tolist()
    assert (first, second, third) == ([0.3, 0.9], [5.2, 5.26, 7.0, 9.76], [10.1])


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi2"])
def test_pieces_make_up_the_whole_on_every_chip(sim, chip):
    def spikes(pieces):
        sim.setup(timestep=1.0, chip=chip)
        cells = sim.Population(8, sim.IF_curr_exp(i_offset=[0.8 + 0.1 * i for i in range(8)], tau_refrac=2.0))
        cells.record("spikes")
        found = []
        for piece in pieces:
            sim.run(piece)
            trains = cells.get_data(clear=True).segments[0].spiketrains
            found += [(i, float(t)) for i, train in enumerate(trains) for t in train.magnitude]
        return sorted(found)

    whole = spikes([200.0])
    assert len(whole) > 20
    assert spikes([1.0] * 60 + [140.0]) == whole


def test_changed_times_replace_those_to_come(sim):
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[2.0, 15.0]))
    source.record("spikes")
    sim.run(10.0)
    source[1:].set(spike_times=[1.0, 12.0])
    sim.run(10.0)
    assert times(source) == [[2.0, 15.0], [2.0, 12.0]]


def test_clearing_one_population_leaves_the_others(sim, noise):
    other = sim.Population(2, sim.SpikeSourceArray(spike_times=[[1.0, 11.0, 21.0], [5.0, 25.0]]))
    other.record("spikes")
    everything = []
    for _ in range(3):
        sim.run(10.0)
        everything.append([train.magnitude.tolist() for train in noise.get_data(clear=True).segments[0].spiketrains])
    assert times(other) == [[1.0, 11.0, 21.0], [5.0, 25.0]]
    assert times(noise) == [[]] * 20
    sim.setup()
    again = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0))
    again.record("spikes")
    sim.run(30.0)
    assert times(again) == [[*chain(*pieces)] for pieces in zip(*everything, strict=True)]


def test_signals_go_on_where_they_were_cleared(sim):
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=[0.1, 0.2]), initial_values={"v": -60.0})
    other = sim.Population(1, sim.IF_curr_exp(i_offset=0.3))
    cells.record("v")
    other.record("v")
    pieces = []
    for _ in range(3):
        sim.run(5.0)
        pieces.append(cells.get_data(clear=True).segments[0].filter(name="v")[0])
    assert [len(piece) for piece in pieces] == [51, 51, 51]
    assert [float(piece.t_start) for piece in pieces] == pytest.approx([0.0, 5.0, 10.0])
    assert (pieces[0].magnitude[-1] == pieces[1].magnitude[0]).all()
    assert len(signal(other)) == 151
    assert np.isfinite(signal(other).magnitude).all()


def test_sampling_interval(sim):
    cells = sim.Population(1, sim.IF_curr_exp(), initial_values={"v": -55.0})
    fine = sim.Population(1, sim.IF_curr_exp(), initial_values={"v": -55.0})
    cells.record("v", sampling_interval=0.5)
    fine.record("v")
    sim.run(2.2)
    assert signal(cells).magnitude.tolist() == signal(fine).magnitude[::5].tolist()
    cells.get_data(clear=True)
    sim.run(2.0)
    after = signal(cells)
    assert after.times.magnitude.tolist() == pytest.approx([2.5, 3.0, 3.5, 4.0])  # 2.2 ms is between two samples
    assert after.magnitude.tolist() == signal(fine).magnitude[25::5].tolist()
    with pytest.raises(ValueError, match="multiple of the time step"):
        fine.record(None)
        fine.record("v", sampling_interval=0.25)


def test_what_is_recorded_may_change_in_a_run(sim):
    cells = sim.Population(3, sim.IF_curr_exp(i_offset=[0.1, 0.2, 0.3]))
    cells[:1].record("v")
    sim.run(1.0)
    cells[2:].record("v")
    sim.run(1.0)
    v = signal(cells).magnitude
    assert v.shape == (21, 2)
    assert np.isfinite(v[:, 0]).all()
    assert np.isnan(v[:10, 1]).all()
    assert np.isfinite(v[11:, 1]).all()
    cells.record(None)
    sim.run(1.0)
    assert not cells.get_data().segments[0].analogsignals


def test_all_means_every_variable(sim):
    cells = sim.Population(1, sim.IF_curr_exp())
    cells.record("all")
    sim.run(1.0)
    assert {found.name for found in cells.get_data().segments[0].analogsignals} == {"v", "isyn_exc", "isyn_inh"}
    with pytest.raises(sim.errors.RecordingError):
        cells.record("w")


def test_units_are_pynns(sim):
    cells = sim.Population(1, sim.IF_cond_exp())
    cells.record(["v", "gsyn_exc"])
    sim.run(0.5)
    assert str(signal(cells, "v").units.dimensionality) == "mV"
    assert signal(cells, "gsyn_exc").units.rescale("uS").magnitude == 1.0


def test_files_are_written_at_the_end(sim, tmp_path):
    cells = sim.Population(2, sim.IF_curr_exp())
    path = tmp_path / "voltages.pkl"
    cells.record("v", to_file=str(path))
    sim.run(1.0)
    sim.end()
    block = pickle.loads(path.read_bytes())
    assert block.segments[0].analogsignals[0].shape == (11, 2)
