"""The API under test, and sessions that only note what they are told."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest

from evsim.pynn.sessions import Conductor
from evsim.recording import Recordings


@pytest.fixture
def sim():
    """pyNN.evsim, with nothing chosen and nothing created."""
    module = importlib.import_module("pyNN.evsim")
    state = module.simulator.state
    state.release()
    module.setup()
    yield module
    state.release()
    state.clear()


class NotingSession:
    """Notes every call, with the networks."""

    def __init__(self, network) -> None:
        self.calls = [("start", network)]

    def run(self, steps):
        self.calls.append(("run", steps))

    def update(self, network):
        self.calls.append(("update", network))

    def reset(self):
        self.calls.append(("reset", None))

    def recordings(self):
        return Recordings()

    def clear(self):
        self.calls.append(("clear", None))

    def close(self):
        self.calls.append(("close", None))


@pytest.fixture
def noted(sim):
    """What the sessions were told: ``noted.sessions[target].calls``; nothing is simulated."""
    found = SimpleNamespace(sessions=[], names=lambda k=-1: [name for name, _ in found.sessions[k].calls])

    class Noting(Conductor):
        def start(self, network, targets, index):
            found.sessions.append(NotingSession(network))
            return found.sessions[-1]

    sim.simulator.state.conductor = Noting()
    return found
