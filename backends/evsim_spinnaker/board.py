"""Finding out whether a SpiNNaker board, or who lends one, answers, before sPyNNaker waits for it much longer."""

from __future__ import annotations

import socket
import struct

from evsim.errors import BackendError
from evsim_spinnaker.spalloc import lends_boards, probe_server

PROBE_TIMEOUT = 5.0  # s
SCP_PORT = 17893  # UDP port of a board's monitor processor (SpiNNaker application note 4)
# An SDP packet with the SCP command "version" to core 0 of the chip that answers, with a reply expected.
_TO_MONITOR = struct.pack("<2x8B", 0x87, 0xFF, 0x00, 0xFF, 0, 0, 0, 0)
_VERSION = struct.pack("<2H3I", 0, 0, 0, 0, 0)


def probe(address: str, timeout: float = PROBE_TIMEOUT) -> None:
    """Ask a board for its version, or a server that lends one; raises BackendError without an answer in time (s)."""
    if lends_boards(address):
        probe_server(address, timeout)
        return
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.settimeout(timeout)
            connection.connect((address, SCP_PORT))
            connection.send(_TO_MONITOR + _VERSION)
            connection.recv(512)
    except OSError as error:  # a name that is unknown, no route, nobody there, or no answer in time
        raise BackendError(
            f"the SpiNNaker board {address!r} cannot be reached: no answer on UDP port {SCP_PORT} within {timeout:g} s "
            f"({error}). Check the address in EVSIM_SPINNAKER_BOARD and the board, or use spinnaker:virtual for the "
            "mapping alone."
        ) from None
