"""A network on the reference and on the emulated SpiNNaker machine at once, compared to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from evsim import registry
from evsim.network import Network
from evsim.recording import Recordings


class Both:
    """A network on the reference and on the emulated machine, run and changed alike; every look at it compares."""

    def __init__(self, network: Network) -> None:
        self.network, self.steps, self.spikes = network, 0, 0
        self._sessions: list[Any] = []
        for name, word in (("reference", "spinnaker1"), ("spinnaker", "emulated")):
            backend = registry.backend(name)
            self._sessions.append(backend.start(network, backend.target(word)))

    def run(self, steps: int) -> None:
        for session in self._sessions:
            session.run(steps)
        self.steps += steps

    def update(self, network: Network) -> None:
        for session in self._sessions:
            session.update(network)
        self.network = network

    def reset(self) -> None:
        for session in self._sessions:
            session.reset()
        self.steps = 0

    def recordings(self) -> Recordings:
        """Those of the reference."""
        return self._sessions[0].recordings()

    def weights(self, projection: int) -> np.ndarray:
        """Those of the reference."""
        return self._sessions[0].weights(projection)

    def compare(self) -> None:
        """Every weight, sample and spike up to now."""
        for index, projection in enumerate(self.network.projections):
            if projection.plasticity and len(projection):
                reference, firmware = (session.weights(index) for session in self._sessions)
                np.testing.assert_array_equal(reference, firmware, err_msg=f"{self._where(projection.post)}, weights")
        reference, firmware = (session.recordings() for session in self._sessions)
        self._compare_signals(reference, firmware)
        for ours, theirs in zip(reference.spikes, firmware.spikes, strict=True):
            rows = [spike_rows(spikes, self.network.timestep) for spikes in (ours, theirs)]
            np.testing.assert_array_equal(*rows, err_msg=self._where(ours.population))
        self.spikes = sum(len(spikes.times) for spikes in reference.spikes)

    def _compare_signals(self, reference: Recordings, firmware: Recordings) -> None:
        signals = {(signal.population, signal.variable): signal.raw for signal in firmware.signals}
        assert len(signals) == len(reference.signals)
        probes = {(probe.population, probe.variable): probe.interval for probe in self.network.probes}
        for signal in reference.signals:
            key = signal.population, signal.variable
            found = signals[key]
            assert signal.raw is not None and found is not None
            samples = -(-self.steps // probes[key])  # the reference has the one at the end, too
            np.testing.assert_array_equal(
                signal.raw[:samples], found, err_msg=f"{self._where(signal.population)}, {signal.variable}"
            )

    def _where(self, population: int) -> str:
        return f"{self.network.populations[population].label} ({self.network.populations[population].model})"

    def close(self) -> None:
        for session in self._sessions:
            session.close()


def spike_rows(spikes, timestep: float) -> np.ndarray:
    rows = np.column_stack([np.rint(spikes.times / timestep).astype(int), spikes.neurons])
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]
