"""SCP to the cores of an emulated machine, for spinnman's processes, which talk to connections of a board."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import Any

from spinnman.messages.scp.abstract_messages import AbstractSCPRequest
from spinnman.messages.scp.enums import SCPResult
from spinnman.model.enums import SDP_PORTS, SDP_RUNNING_MESSAGE_CODES
from spinnman.processes import ConnectionSelector

from evsim.errors import BackendError
from evsim_emulator import Core
from evsim_spinnaker.emulated.host import Host

REPLY_WAIT = 5.0  # s of the machine's time
# The header of an SDP packet (flags, tag, ports and cores, chips), then that of SCP (command, sequence, arguments).
_REQUEST = struct.Struct("<4B2H2H3I")
_PADDING = bytes(2)  # before an SDP packet in UDP
_SEQUENCE_AT = 10  # of the number that a reply has from its request, in an SDP packet
_NEW_RUNTIME = SDP_RUNNING_MESSAGE_CODES.SDP_NEW_RUNTIME_ID_CODE.value
_RUNNING_PORT = SDP_PORTS.RUNNING_COMMAND_SDP_PORT.value


@dataclass(frozen=True)
class _Sent:
    place: tuple[int, int, int]
    command: int
    sequence: int


class CoreConnection:
    """What spinnman's request pipeline needs of a connection; requests go to cores' programs, not to the monitor."""

    remote_ip_address = "emulated"
    chip_x = chip_y = 0

    def __init__(self, host: Host) -> None:
        self._host = host
        self._sent: deque[_Sent] = deque()

    def get_scp_data(self, scp_request: AbstractSCPRequest) -> bytes:
        """A request as it goes over the wire."""
        scp_request.sdp_header.update_for_send(0, 0)
        return _PADDING + scp_request.bytestring

    def send(self, data: bytes) -> None:
        """Hand a request to its core.

        Raises:
            BackendError: it is for the monitor core, or asks for what only a machine in real time can do.
        """
        packet = data[len(_PADDING) :]
        _, _, to, _, chip, _, command, sequence, *arguments = _REQUEST.unpack_from(packet)
        x, y, p, port = chip >> 8, chip & 0xFF, to & 0x1F, to >> 5
        payload = packet[_REQUEST.size :]
        if port != _RUNNING_PORT:
            raise BackendError(f"the emulated SpiNNaker machine does not know SCP command {command} to port {port}")
        if command == _NEW_RUNTIME:
            _refuse_real_time(infinite=bool(arguments[1]), payload=payload)
        self._host.core(x, y, p).send_sdp(port, command, tuple(arguments), payload)
        self._sent.append(_Sent((x, y, p), command, sequence))

    def receive_scp_response(self, timeout: float | None = None) -> tuple[SCPResult, int, bytes, int]:
        """The reply to the request that has waited longest: result, sequence, data and where in it SDP begins.

        Raises:
            BackendError: its core did not answer.
        """
        sent = self._sent.popleft()
        core = self._host.core(*sent.place)
        if not self._host.run(lambda: bool(core.replies), REPLY_WAIT):
            raise BackendError(_silence(core, sent))
        packet = _packet_of(core.replies.pop(0))
        struct.pack_into("<H", packet, _SEQUENCE_AT, sent.sequence)
        (result,) = struct.unpack_from("<H", packet, _SEQUENCE_AT - 2)
        return SCPResult(result), sent.sequence, _PADDING + bytes(packet), len(_PADDING)

    def is_ready_to_receive(self, timeout: float = 0) -> bool:
        """Whether a reply can be waited for."""
        return bool(self._sent)


class CoreConnections(ConnectionSelector):
    """Always the same connection."""

    def __init__(self, host: Host) -> None:
        self._connection = CoreConnection(host)

    def get_next_connection(self, message: AbstractSCPRequest) -> Any:
        """The connection for a message."""
        return self._connection


def _refuse_real_time(infinite: bool, payload: bytes) -> None:
    (steps_between_syncs,) = struct.unpack("<I", payload)
    if infinite:
        what = "a run without an end (run_forever, or run(None)) is stopped by another thread in real time"
    elif steps_between_syncs:
        what = "a run in steps (run_sync) is continued by another thread in real time"
    else:
        return
    raise BackendError(f"{what}, which the emulated SpiNNaker machine does not have; use run() with a time")


def _packet_of(message: bytes) -> bytearray:
    """The SDP packet in a struct sdp_msg of ``sark.h``: behind a link, the packet's length and a checksum."""
    (length,) = struct.unpack_from("<H", message, 4)
    return bytearray(message[8 : 8 + length])


def _silence(core: Core, sent: _Sent) -> str:
    x, y, p = sent.place
    return (
        f"core {x}, {y}, {p} ({core.path}) of the emulated SpiNNaker machine did not answer command {sent.command} "
        f"within {REPLY_WAIT:g} s of its time; it is in state {core.state.name}\n{core.iobuf()}"
    )
