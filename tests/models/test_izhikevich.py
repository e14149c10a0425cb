"""Izhikevich in double precision against scipy's solution of its equations, resets included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from evsim.network import Population

# Izhikevich (2003), figure 2: regular spiking, intrinsically bursting, chattering, fast spiking
KINDS = {
    "RS": {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "i_offset": 0.01},
    "IB": {"a": 0.02, "b": 0.2, "c": -55.0, "d": 4.0, "i_offset": 0.01},
    "CH": {"a": 0.02, "b": 0.2, "c": -50.0, "d": 2.0, "i_offset": 0.01},
    "FS": {"a": 0.1, "b": 0.2, "c": -65.0, "d": 2.0, "i_offset": 0.01},
}
SHIFT = 1e-3  # ms by which a spike may be early or late
REST = {"v": -70.0, "u": -14.0}


def neuron(size: int = 1, initial=REST, **parameters) -> Population:
    values = {name: np.full(size, value) for name, value in {**KINDS["RS"], **parameters}.items()}
    return Population("cells", "Izhikevich", size, values, {name: np.full(size, v) for name, v in initial.items()})


def trace(recordings, variable: str) -> np.ndarray:
    (signal,) = [signal for signal in recordings.signals if signal.variable == variable]
    return signal.values[:, 0]


def solution(duration: float, a, b, c, d, i_offset):
    """Times of the peaks (ms), and v and u as functions of time between them, by DOP853 with the peak as an event."""
    peak = lambda t, y: y[0] - 30.0  # noqa: E731
    peak.terminal, peak.direction = True, 1.0
    t, y, spikes, pieces = 0.0, [-70.0, -14.0], [], []
    while t < duration:
        piece = solve_ivp(
            lambda t, y: (0.04 * y[0] ** 2 + 5 * y[0] + 140 - y[1] + 1000 * i_offset, a * (b * y[0] - y[1])),
            (t, duration),
            y,
            method="DOP853",
            rtol=1e-11,
            atol=1e-11,
            events=peak,
            dense_output=True,
        )
        pieces.append((t, piece.sol))
        t = piece.t[-1]
        if piece.status == 1:
            spikes.append(t)
            y = [c, piece.y[1, -1] + d]
    return np.array(spikes), pieces


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_v_u_and_spikes_follow_the_equations(nets, kind, dt):
    duration = 150.0
    steps = round(duration / dt)
    cell = neuron(1, REST, **KINDS[kind])
    network = nets.Network(dt, (cell,), probes=nets.record_all((cell,), "v", "u", "spikes"))
    recordings = nets.run(network, steps)
    spikes, pieces = solution(duration, **KINDS[kind])
    assert len(spikes) >= 4
    # A spike is labelled by the end of the step in which the peak lies.
    assert recordings.spikes[0].times.tolist() == pytest.approx(np.ceil(spikes / dt) * dt)
    times = np.arange(steps + 1) * dt
    starts = np.array([start for start, _ in pieces])
    expected = np.array([pieces[np.searchsorted(starts, t, side="right") - 1][1](t) for t in times])
    v, u = expected.T
    slope = np.abs(0.04 * v**2 + 5 * v + 140 - u + 1000 * KINDS[kind]["i_offset"])
    assert (np.abs(trace(recordings, "v") - v) / (1 + slope)).max() < SHIFT
    assert np.abs(trace(recordings, "u") - u).max() < 1e-3


def test_a_spike_moves_v_by_its_weight(nets):
    at_rest = {"v": -70.0, "u": -14.0}  # a fixed point of the equations without current
    populations = (nets.array_source([[2.0]]), neuron(initial=at_rest, i_offset=0.0))
    for weight, receptor in ((5.0, "excitatory"), (-8.0, "inhibitory")):
        synapse = nets.connect(0, 1, [(0, 0, weight, 1)], receptor)
        network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "v", "u"))
        recordings = nets.run(network, 3)
        assert trace(recordings, "v") == pytest.approx([-70.0, -70.0, -70.0, -70.0 + weight], abs=1e-9)
        assert trace(recordings, "u") == pytest.approx([-14.0] * 4, abs=1e-9)


def test_input_above_the_peak_resets_at_once(nets):
    populations = (nets.array_source([[2.0]]), neuron(initial=REST, i_offset=0.0))
    synapse = nets.connect(0, 1, [(0, 0, 1e6, 1)])
    network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "v", "u", "spikes"))
    recordings = nets.run(network, 3)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    assert spikes.times.tolist() == [3.0]
    assert trace(recordings, "v")[3] == -65.0
    assert trace(recordings, "u")[3] == pytest.approx(-14.0 + 8.0)


def test_drive_beyond_one_spike_a_step_stays_finite(nets):
    cell = neuron(i_offset=5.0)
    network = nets.Network(1.0, (cell,), probes=nets.record_all((cell,), "v", "u", "spikes"))
    recordings = nets.run(network, 50)
    assert recordings.spikes[0].times[:20].tolist() == np.arange(1.0, 21.0).tolist()
    assert np.isfinite(trace(recordings, "u")).all()
    assert trace(recordings, "v").max() <= 30.0
