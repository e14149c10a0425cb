"""From PyNN's objects to the network graph."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.errors import CheckError
from evsim.pynn.graph import build, unique_labels


@pytest.fixture
def network(sim):
    return lambda: build(sim.simulator.state)


def edges(network):
    """Every synapse as (pre label, source, post label, target, weight, delay)."""
    return [
        (
            network.populations[part.pre].label,
            int(source),
            network.populations[part.post].label,
            int(target),
            float(weight),
            int(delay),
        )
        for part in network.projections
        for source, target, weight, delay in zip(part.source, part.target, part.weight, part.delay, strict=True)
    ]


def test_labels_are_made_unique():
    assert unique_labels(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (2)", "a (2) (2)", "a (3)"]


def test_parameters_and_initial_values(sim, network):
    cells = sim.Population(3, sim.IF_curr_exp(tau_m=[10.0, 11.0, 12.0], v_rest=-60.0), initial_values={"v": -61.0})
    cells[1:].set(cm=0.5)
    cells[2].i_offset = 0.25
    cells[np.array([0, 2])].initialize(v=-62.0)
    part = network().populations[0]
    assert (part.model, part.size) == ("IF_curr_exp", 3)
    assert part.parameters["tau_m"].tolist() == [10, 11, 12]
    assert part.parameters["v_rest"].tolist() == [-60] * 3
    assert part.parameters["cm"].tolist() == [1.0, 0.5, 0.5]
    assert part.parameters["i_offset"].tolist() == [0, 0, 0.25]
    assert part.initial["v"].tolist() == [-62, -61, -62]
    assert cells.initial_values["v"].evaluate().tolist() == [-62, -61, -62]
    assert cells[1:].initial_values["v"].evaluate().tolist() == [-61, -62]
    assert not part.parameters["tau_m"].flags.writeable


def test_spike_trains(sim, network):
    sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.5]))
    sim.Population(2, sim.SpikeSourceArray(spike_times=[[3.0], [4.0, 5.0]]))
    same, different = network().populations
    assert [same.trains.of(i).tolist() for i in range(2)] == [[1.0, 2.5]] * 2
    assert [different.trains.of(i).tolist() for i in range(2)] == [[3.0], [4.0, 5.0]]


def test_views_of_views_and_assemblies_reach_the_right_cells(sim, network):
    a = sim.Population(6, sim.IF_curr_exp(), label="a")
    b = sim.Population(4, sim.IF_curr_exp(), label="b")
    pre = a[1::2][np.array([0, 2])] + b[2:]  # cells a1, a5, b2, b3
    post = b[:2] + a[4:]  # cells b0, b1, a4, a5
    rows = [(i, j, 0.01 * (4 * i + j + 1), 0.1 * (1 + i + j)) for i in range(4) for j in range(4)]
    sim.Projection(pre, post, sim.FromListConnector(rows), receptor_type="excitatory", label="mixed")
    pre_cells, post_cells = [("a", 1), ("a", 5), ("b", 2), ("b", 3)], [("b", 0), ("b", 1), ("a", 4), ("a", 5)]
    expected = {
        (*pre_cells[i], *post_cells[j], round(0.01 * (4 * i + j + 1), 6), 1 + i + j) for i in range(4) for j in range(4)
    }
    built = network()
    assert {(*edge[:4], round(edge[4], 6), edge[5]) for edge in edges(built)} == expected
    assert len(edges(built)) == 16
    assert {part.label for part in built.projections} == {"mixed"}
    assert len({(part.pre, part.post) for part in built.projections}) == len(built.projections) == 4


def test_constant_weights_and_delays_take_no_memory(sim, network):
    cells = sim.Population(50, sim.IF_curr_exp())
    synapse = sim.StaticSynapse(weight=0.5, delay=1.3)
    sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
    sim.Projection(cells[:20] + cells[30:], cells, sim.AllToAllConnector(), synapse)
    for part in network().projections:
        assert part.weight.strides == part.delay.strides == (0,)
        assert (part.weight[0], part.delay[0]) == (0.5, 13)


def test_what_did_not_change_stays_the_same_object(sim, network):
    cells = sim.Population(3, sim.IF_curr_exp())
    other = sim.Population(2, sim.IF_curr_exp())
    one = sim.Projection(cells, other, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    sim.Projection(other, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    before = network()
    one.set(weight=0.2)
    other.set(tau_m=5.0)
    after = network()
    assert [x is y for x, y in zip(before.populations, after.populations, strict=True)] == [True, False]
    assert [x is y for x, y in zip(before.projections, after.projections, strict=True)] == [False, True]
    assert after.projections[0].source.base is before.projections[0].source.base
    assert before.projections[0].weight[0] == 0.1  # frozen
    assert before.populations[1].initial["v"] is not None
    assert after.populations[1].parameters["tau_m"].tolist() == [5.0, 5.0]


def test_delays_are_rounded_to_the_grid(sim, network):
    sim.setup(timestep=0.1)
    cells = sim.Population(4, sim.IF_curr_exp())
    rows = [(0, 0, 0.1, 0.3), (0, 1, 0.1, 0.34), (0, 2, 0.1, 0.36), (0, 3, 0.1, 0.7)]
    projection = sim.Projection(cells, cells, sim.FromListConnector(rows))
    assert network().projections[0].delay.tolist() == [3, 3, 4, 7]
    assert projection.get("delay", format="list", with_address=False) == pytest.approx([0.3, 0.3, 0.4, 0.7])
    assert projection[0].delay == 0.3  # digit for digit


def problems(raised) -> str:
    return "\n".join(str(problem) for problem in raised.value.problems)


def test_everything_that_cannot_be_is_said_at_once(sim):
    cells = sim.Population(3, sim.IF_curr_exp(tau_m=[10.0, np.nan, 10.0]), label="neurons")
    sim.Population(1, sim.SpikeSourceArray(spike_times=[-1.0, 2.0]), label="input")
    connect = lambda label, *row: sim.Projection(  # noqa: E731
        cells, cells, sim.FromListConnector([(0, 1, *row), (1, 2, 0.1, 1.0)]), label=label
    )
    connect("negative", 0.1, -1.0)
    connect("nowhen", 0.1, np.nan)
    connect("nothing", np.nan, 1.0)
    connect("short", 0.1, 0.04)
    with pytest.raises(CheckError) as raised:
        sim.run(1.0)
    said = problems(raised)
    assert len(raised.value.problems) == 6
    for label in ("neurons", "input", "negative", "nowhen", "nothing", "short"):
        assert f"'{label}'" in said
    with pytest.raises(CheckError):  # and again, not only the first time
        sim.run(1.0)


def test_delay_limits_are_enforced(sim):
    sim.setup(timestep=0.1, min_delay=0.5, max_delay=4.0)
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1), label="default")
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=4.0), label="longest")
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=0.4), label="below")
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=4.1), label="above")
    with pytest.raises(CheckError) as raised:
        sim.run(1.0)
    said = problems(raised)
    assert "'below'" in said and "min_delay" in said and "at least 0.5 ms" in said
    assert "'above'" in said and "4 of 4 delays are above max_delay" in said
    assert "default" not in said and "longest" not in said


def test_populations_of_an_earlier_setup_are_refused(sim):
    old = sim.Population(2, sim.IF_curr_exp(), label="old")
    sim.setup()
    new = sim.Population(2, sim.IF_curr_exp())
    with pytest.raises(Exception, match="'old' was created before the last setup"):
        sim.Projection(old[:1], new, sim.AllToAllConnector())


def test_sources_take_no_input(sim):
    source = sim.Population(2, sim.SpikeSourcePoisson(rate=10.0), label="noise")
    with pytest.raises(sim.errors.ConnectionError, match="'noise' is made of spike sources"):
        sim.Projection(source, source, sim.AllToAllConnector())


def test_what_the_chips_refuse_is_said_with_what_no_chip_can_have(sim):
    sim.setup(timestep=1.0, chip="loihi2")
    sim.Population(2, sim.IF_cond_exp(), label="conductances")
    two = sim.Population(2, sim.IF_curr_exp(tau_syn_E=3.0, tau_syn_I=4.0), label="two currents")
    cells = sim.Population(2, sim.IF_curr_exp(tau_m=-1.0, i_offset=np.nan), label="bad cells")
    rows = [(0, 0, np.nan, 1.0), (1, 1, 0.1, 300.0)]
    sim.Projection(two, cells, sim.FromListConnector(rows), label="late")
    sim.Projection(two, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.1, delay=np.inf), label="never")
    with pytest.raises(CheckError) as raised:
        sim.run(1.0)
    said = problems(raised)
    assert len(raised.value.problems) == 7
    for words in ("IF_cond_exp", "tau_syn_E of 3 ms", "i_offset is not", "tau_m is -1 ms", "1 of 2 weights are not"):
        assert words in said
    assert "1 of 2 delays are too long, the longest of 300 steps" in said and "2 of 2 delays are not finite" in said
