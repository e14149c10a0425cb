"""The host of an emulated machine: what it waits for, what it counts, and what it writes."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from spinnman.messages.scp.enums import Signal

from evsim.errors import BackendError
from evsim_spinnaker.emulated import host as host_module
from evsim_spinnaker.emulated.host import CORE_CLOCK, Host
from evsim_spinnaker.emulated.payload import bytes_of, checksum
from evsim_spinnaker.emulated.transceiver import LATENCY, EmulatedTransceiver


class FakeMachine:
    """Counts what it is asked; a core does nothing but let its time pass."""

    def __init__(self, width: int, height: int) -> None:
        self.cores = {}
        self.counters = SimpleNamespace(packets=width, dropped=height)

    def load(self, x, y, p, binary, app_id, wait):
        self.cores[x, y, p] = SimpleNamespace(cycles=0, state=SimpleNamespace(name="RUN"))

    def run(self, until, cycles):
        for core in self.cores.values():
            core.cycles += cycles
        return until()


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setattr(host_module, "Machine", FakeMachine)
    return Host(time_out=60.0)


def test_what_ran_is_counted_over_all_machines(host):
    assert str(host.tally()) == "0 cores on 0 chips, 0 packets, 0 dropped, 0 ms emulated"
    host.sleep(1.0)  # before there is a machine
    host.start(8, 1)
    for place in ((0, 0, 1), (0, 0, 2), (1, 0, 1)):
        host.load(*place, "binary.aplx", 30, True)
    host.sleep(0.25)
    host.start(16, 2)
    host.load(0, 0, 1, "binary.aplx", 30, True)
    assert not host.run(lambda: False, 0.5)
    assert str(host.tally()) == "3 cores on 2 chips, 24 packets, 3 dropped, 750 ms emulated"
    assert host.core(0, 0, 1).cycles == CORE_CLOCK // 2


def test_a_wait_that_takes_too_long_says_how_the_cores_stand(host, monkeypatch):
    host.start(8, 8)
    host.load(0, 0, 1, "binary.aplx", 30, True)
    clock = iter([0.0, 59.0, 61.0])
    monkeypatch.setattr(host_module.time, "monotonic", lambda: next(clock))
    with pytest.raises(
        BackendError, match=r"within 60 s of real time \(states: RUN in 1 cores\); give more with --time-out"
    ):
        host.run(lambda: False)


def test_a_core_without_a_program_is_no_core(host):
    with pytest.raises(BackendError, match="before its size was known"):
        host.core(0, 0, 1)
    host.start(8, 8)
    with pytest.raises(BackendError, match="nothing was loaded on core 0, 0, 1"):
        host.core(0, 0, 1)


@pytest.mark.parametrize("signal", [Signal.SYNC0, Signal.SYNC1])
def test_a_signal_to_go_on_does_not_come_before_cores_wait_for_it(host, signal):
    """A core says that it waits some instructions before it does; one that missed the signal never went on."""
    host.start(8, 8)
    host.load(0, 0, 1, "binary.aplx", 30, True)
    came: list[tuple[int, int]] = []
    host.machine.sync = lambda app_id, number: came.append((number, host.core(0, 0, 1).cycles))
    transceiver: Any = SimpleNamespace(_host=host)
    EmulatedTransceiver.send_signal(transceiver, 30, signal)
    assert came == [(int(signal is Signal.SYNC1), round(LATENCY * CORE_CLOCK))]


def test_what_spinnman_writes_becomes_bytes(tmp_path):
    file = tmp_path / "data"
    file.write_bytes(b"abcdef")
    assert bytes_of(0x01020304, None, 0) == b"\x04\x03\x02\x01"
    assert bytes_of(str(file), 3, 1) == b"bcd"
    assert bytes_of(io.BytesIO(b"abcdef"), 2, 0) == b"ab"
    assert bytes_of(np.array([1, 2], np.uint32), None, 4) == b"\x02\x00\x00\x00"
    assert checksum(b"\xff\xff\xff\xff\x02\x00\x00\x00\x01") == 2  # words, the last filled with zeros; modulo 2^32
