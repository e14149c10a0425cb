"""Servers that lend boards, played by small ones on this machine: they are asked for a board, and refuse."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evsim import registry
from evsim.backend import Target
from evsim.errors import BackendError
from evsim.network import Network
from evsim_spinnaker import board
from evsim_spinnaker.backend import ADDRESS_VARIABLE, machine_settings
from evsim_spinnaker.scratch import MachineSettings
from evsim_spinnaker.spalloc import CREDENTIALS


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    """Without credentials of whoever runs the tests."""
    for name in (ADDRESS_VARIABLE, *(name for names in CREDENTIALS for name in names)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def target(nets):
    """``target(address)`` of spinnaker:board."""
    wanted = registry.backend("spinnaker").target("board")
    return lambda address: replace(wanted, options={**wanted.options, "board": address})


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


@contextmanager
def spalloc_server(asked: list[dict]):
    """A spalloc server that tells its version and lends nothing; gives its port."""

    class Lines(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                asked.append(json.loads(line))
                refusal = {"exception": "all boards are out"}
                answer = {"return": "5.0.0"} if asked[-1]["command"] == "version" else refusal
                self.wfile.write(json.dumps(answer).encode() + b"\n")

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lines)) as port:
        yield port


@contextmanager
def spalloc_service(asked: list[str]):
    """A service that knows nobody; gives its port."""

    class Refusal(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(403, "nobody is known here")

        def log_message(self, *words):
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Refusal)) as port:
        yield port


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("spalloc://spinn.example", "names no user.*spalloc://USER@HOST"),
        ("https:///spalloc", "names no host"),
        ("https://me:secret@spinn.example/spalloc", "holds a password.*SPALLOC_PASSWORD"),
        ("https://spinn.example/spalloc", "SPALLOC_USER and SPALLOC_PASSWORD, or OIDC_BEARER_TOKEN"),
    ],
)
def test_an_address_that_lacks_a_part_is_refused(target, address, message):
    with pytest.raises(BackendError, match=message) as caught:
        machine_settings(target(address))
    assert "secret" not in str(caught.value)


def test_a_server_is_configured_in_the_place_of_a_board(target, monkeypatch):
    monkeypatch.setenv("OIDC_BEARER_TOKEN", "t")
    for address in ("spalloc://me@spinn.example:1234", "https://spinn.example/spalloc/"):
        options = machine_settings(target(address)).binding()["Machine"]
        assert (options["spalloc_server"], options["virtual_board"]) == (address, "False")
        assert "machine_name" not in options
    assert MachineSettings("board", "spinn-4").binding()["Machine"]["machine_name"] == "spinn-4"


@pytest.mark.parametrize("scheme", ["spalloc://me@", "http://"])
def test_a_server_that_is_not_there_is_told_at_once(scheme):
    with spalloc_server([]) as port:
        pass  # nobody listens there any more
    with pytest.raises(BackendError, match=r"lends SpiNNaker boards, cannot be reached.*spinnaker:emulated"):
        board.probe(f"{scheme}127.0.0.1:{port}", timeout=2.0)


def test_what_is_no_spalloc_server_is_told():
    class Deaf(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"220 mail\n")

    mail = socketserver.TCPServer(("127.0.0.1", 0), Deaf)
    with serving(mail) as port, pytest.raises(BackendError, match="cannot be reached"):
        board.probe(f"spalloc://me@127.0.0.1:{port}", timeout=2.0)


@pytest.mark.slow
def test_spynnaker_asks_the_server_and_its_refusal_is_told(target, nets):
    asked: list[dict] = []
    with spalloc_server(asked) as port:
        assert_refused(nets, target(f"spalloc://me@127.0.0.1:{port}"), "all boards are out")
    wanted, *_again = (line for line in asked if line["command"] == "create_job")
    assert wanted["kwargs"]["owner"] == "me"


@pytest.mark.slow
def test_spynnaker_asks_the_service_and_its_refusal_is_told(target, nets, monkeypatch):
    monkeypatch.setenv("OIDC_BEARER_TOKEN", "t")
    asked: list[str] = []
    with spalloc_service(asked) as port:
        assert_refused(nets, target(f"http://127.0.0.1:{port}/spalloc/"), "403")
    assert any(path.startswith("/spalloc/system/login") for path in asked)


def assert_refused(nets, target: Target, message: str) -> None:
    """A small network is started, and who lends boards says no."""
    populations = (nets.array_source([[1.0]]), nets.cells(2))
    network = Network(1.0, populations, (nets.connect(0, 1, [(0, 0, 1.0, 1)]),))
    session = registry.backend("spinnaker").start(network, target)
    try:
        with pytest.raises(BackendError, match=message):
            session.run(10)
    finally:
        session.close()
