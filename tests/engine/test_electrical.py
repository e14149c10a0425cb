"""Gap junctions against closed forms, and against the same method written here once more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from evsim.backend import Target
from evsim.engine.memory import BLOCK
from evsim.model import GAP
from evsim.network import Network, Projection
from evsim.reference import ReferenceBackend
from evsim.synapses import Listed


def junctions(pre: int, post: int, rows: list, label: str = "gap") -> Projection:
    """Gap junctions from rows of (source, target, uS)."""
    table = np.array(rows, float).reshape(-1, 3)
    source, target = (np.ascontiguousarray(table[:, k].astype(np.int32)) for k in (0, 1))
    synapses = Listed(source, target, table[:, 2].copy(), np.ones(len(table), np.int32))
    return Projection(label, pre, post, GAP, "ElectricalSynapse", synapses)


def recordings(network, pieces, threads=1, changes=()):
    """What a run records, with a changed network before each further piece."""
    session = ReferenceBackend().start(network, Target("reference", "ideal", {"threads": threads}))
    for number, steps in enumerate(pieces):
        if number and changes:
            session.update(changes[number - 1])
        session.run(steps)
    return session.recordings()


def voltages(found) -> list[np.ndarray]:
    """(samples, cells) of each population."""
    return [signal.values for signal in found.signals if signal.variable == "v"]


CM, TAU, REST, OFFSET = np.array([0.5, 0.25]), np.array([10.0, 20.0]), np.array([-65.0, -70.0]), np.array([0.2, 0.0])
NEVER = {"v_thresh": 1e3, "e_rev_E": 0.0, "e_rev_I": -70.0}  # spikes, and no synapses
START, CONDUCTANCE, DURATION = np.array([-60.0, -80.0]), 0.05, 24.0


def exact() -> np.ndarray:
    """Both voltages at the end, by the exponential of the coupled system."""
    coupling = CONDUCTANCE * np.array([[-1.0, 1.0], [1.0, -1.0]])
    flow = (coupling - np.diag(CM / TAU)) / CM[:, None]
    settled = -np.linalg.solve(flow, (CM / TAU * REST + OFFSET) / CM)
    return settled + expm(flow * DURATION) @ (START - settled)


def passive_pair(nets, timestep: float, models: tuple[str, str]) -> Network:
    populations = tuple(
        nets.cells(1, f"{k}", model, START[k], cm=CM[k], tau_m=TAU[k], v_rest=REST[k], i_offset=OFFSET[k], **NEVER)
        for k, model in enumerate(models)
    )
    return Network(
        timestep, populations, (junctions(0, 1, [(0, 0, CONDUCTANCE)]),), (), nets.record_all(populations, "v")
    )


@pytest.mark.parametrize(
    "models",
    [("IF_curr_exp", "IF_curr_exp"), ("IF_cond_exp", "IF_curr_alpha"), ("IF_curr_delta", "IF_cond_alpha")],
)
def test_passive_cells_follow_the_closed_form_to_second_order(nets, models):
    error = {}
    for timestep in (0.4, 0.2, 0.1):
        found = recordings(passive_pair(nets, timestep, models), [round(DURATION / timestep)])
        error[timestep] = np.abs(np.array([v[-1, 0] for v in voltages(found)]) - exact()).max()
    assert error[0.1] < 1e-4
    assert error[0.4] / error[0.2] > 3.6 and error[0.2] / error[0.1] > 3.6


def spiking_network(nets, rng, timestep=0.5, conductance=0.02) -> Network:
    """Three blocks of two populations that spike, with junctions within and between, and synapses."""
    sizes = BLOCK + 70, BLOCK // 2
    populations = (
        nets.cells(sizes[0], "a", tau_refrac=1.0, i_offset=rng.uniform(0.6, 1.1, sizes[0])),
        nets.cells(sizes[1], "b", v=-60.0, cm=0.5, v_reset=-70.0, i_offset=rng.uniform(0.0, 0.6, sizes[1])),
        nets.poisson(40, 60.0, "events"),
    )

    def random(pre, post, count):
        return list(
            zip(
                rng.integers(0, sizes[pre], count),
                rng.integers(0, sizes[post], count),
                rng.uniform(0, conductance, count),
                strict=True,
            )
        )

    projections = (
        junctions(0, 0, random(0, 0, 900), "inside"),
        nets.connect(2, 1, nets.random_rows(rng, 40, sizes[1], 2000, (0.5, 2.0), 5)),
        junctions(0, 1, random(0, 1, 700), "between"),
        nets.connect(0, 1, nets.random_rows(rng, *sizes, 3000, (0.0, 0.4), 7)),
    )
    return Network(timestep, populations, projections, (), nets.record_all(populations, "spikes", "v"), seed=3)


def assert_same(ours, theirs):
    for a, b in zip(ours.spikes, theirs.spikes, strict=True):
        assert np.array_equal(a.times, b.times) and np.array_equal(a.neurons, b.neurons)
    for a, b in zip(voltages(ours), voltages(theirs), strict=True):
        assert np.array_equal(a, b)


def test_neither_threads_nor_pieces_change_a_bit(nets):
    network = spiking_network(nets, np.random.default_rng(1))
    one = recordings(network, [200])
    assert all(len(spikes.times) > 100 for spikes in one.spikes[:2])
    assert_same(one, recordings(network, [200], threads=2))
    assert_same(one, recordings(network, [1, 80, 119], threads=3))


def test_an_update_that_changes_nothing_changes_nothing(nets):
    network = spiking_network(nets, np.random.default_rng(1))
    same_numbers = replace(network.projections[0], label="renamed")
    again = replace(network, projections=(same_numbers, *network.projections[1:]))
    assert_same(recordings(network, [200]), recordings(network, [90, 110], threads=2, changes=[again]))


def test_a_network_of_spiking_cells_follows_the_method(nets):
    """Each step by the cells' exact propagators and the currents that Adams and Bashforth's method says."""
    rng, n, dt = np.random.default_rng(4), 7, 0.5
    offset, start = rng.uniform(0.5, 1.4, n), rng.uniform(-65.0, -55.0, n)
    rows = [(i, j, rng.uniform(0.01, 0.08)) for i in range(n) for j in range(n) if rng.random() < 0.5]
    cells = replace(nets.cells(n, i_offset=offset, tau_refrac=2.0, tau_m=15.0), initial={"v": start})
    found = recordings(
        Network(dt, (cells,), (junctions(0, 0, rows),), (), nets.record_all((cells,), "spikes", "v")), [900]
    )
    conductance = np.zeros((n, n))
    for i, j, g in rows:
        conductance[i, j] += g
        conductance[j, i] += g
    v, lead, wait, kept = start.copy(), np.zeros(n), np.zeros(n), np.exp(-dt / 15.0)
    wanted, spikes = [v], 0
    for _ in range(900):
        middle = v + lead
        current = offset + (conductance * (middle[None, :] - middle[:, None])).sum(axis=1)
        moved = -65.0 + (v + 65.0) * kept + current * 15.0 * (1 - kept)
        after = np.where(wait > 0, v, moved)
        fired = (wait == 0) & (after >= -50.0)
        after = np.where(fired, -65.0, after)
        wait = np.where(fired, 4, np.maximum(wait - 1, 0))
        lead = np.where(fired, 0.0, 0.5 * (after - v))
        v, spikes = after, spikes + int(fired.sum())
        wanted.append(v)
    assert spikes > 20 and len(found.spikes[0].times) == spikes
    np.testing.assert_allclose(voltages(found)[0], np.array(wanted), atol=1e-9)


def test_a_voltage_that_is_set_anew_stands_still(nets):
    """After an update with an initial value that counts as set, the next step starts without a lead."""
    network = passive_pair(nets, 0.5, ("IF_curr_exp", "IF_curr_exp"))
    first = network.populations[0]
    moved = replace(first, initial={**first.initial, "v": np.array([-50.0])}, times_set={"v": np.ones(1, np.int32)})
    changed = replace(network, populations=(moved, network.populations[1]))
    found = voltages(recordings(network, [20, 1], changes=[changed]))
    lead = 0.5 * (found[1][20, 0] - found[1][19, 0])
    kept, gain = np.exp(-0.5 / TAU[1]), TAU[1] / CM[1] * (1 - np.exp(-0.5 / TAU[1]))
    b = found[1][20, 0]
    current = CONDUCTANCE * (-50.0 - (b + lead)) + OFFSET[1]
    assert found[1][21, 0] == pytest.approx(REST[1] + (b - REST[1]) * kept + gain * current, abs=1e-9)
