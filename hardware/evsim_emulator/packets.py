"""Packets that a core receives and sends, and its communications controller (datasheet, section 8)."""

from __future__ import annotations

from evsim.compile import lean
from evsim_emulator.addresses import (
    CC_RECEIVED,
    CC_RSR,
    CC_RXDATA,
    CC_RXKEY,
    CC_TCR,
    CC_TX_EMPTY,
    CC_TX_NOT_FULL,
    CC_TXDATA,
    CC_TXKEY,
    PKT_PAYLOAD,
    PKT_TYPE,
)
from evsim_emulator.state import FAULT_INBOX, FAULT_PACKET, INBOX, PACKET_BYTES, packet_at


@lean
def inbox_packet(core, place):
    """The packet at a place of the ring, counted from the next one to be received."""
    return packet_at(core.inbox + ((core.inbox_first + place) & (INBOX - 1)) * PACKET_BYTES)


@lean
def has_arrived(core):
    """Whether a packet waits to be read."""
    return core.inbox_count > 0 and inbox_packet(core, 0).time <= core.cycles


@lean
def deliver(core, time, packet):
    """Put a packet into a core's inbox, behind those that arrive before it or at the same time.

    Where it is full the core is at fault, and is stopped when it is to run next.
    """
    if core.inbox_count == INBOX:
        core.fault = FAULT_INBOX
        return
    place = core.inbox_count
    core.inbox_count += 1
    while place > 0 and inbox_packet(core, place - 1).time > time:
        before, here = inbox_packet(core, place - 1), inbox_packet(core, place)
        here.time, here.key, here.payload, here.control = before.time, before.key, before.payload, before.control
        place -= 1
    here = inbox_packet(core, place)
    here.time, here.key, here.payload, here.control = time, packet.key, packet.payload, packet.control


@lean
def cc_read(core, offset):
    """A register of the communications controller; reading the key takes the packet."""
    if offset == CC_TCR:
        return core.tx_control | CC_TX_EMPTY | CC_TX_NOT_FULL
    if not has_arrived(core):
        return 0
    packet = inbox_packet(core, 0)
    if offset == CC_RSR:
        return CC_RECEIVED | (packet.control & PKT_PAYLOAD)
    if offset == CC_RXDATA:
        return packet.payload
    if offset == CC_RXKEY:
        core.inbox_first = (core.inbox_first + 1) & (INBOX - 1)
        core.inbox_count -= 1
        core.effect = 1
        return packet.key
    return 0


@lean
def cc_write(core, offset, value):
    """Set a register of the communications controller; writing the key sends the packet."""
    if offset == CC_TCR:
        core.tx_control = value & 0x00FF_0000
    elif offset == CC_TXDATA:
        core.tx_data = value
    elif offset == CC_TXKEY:
        if core.tx_control & PKT_TYPE:
            core.fault = FAULT_PACKET
            core.fault_detail = core.tx_control
            core.halted = 1
            return
        packet = packet_at(core.outbox + core.outbox_count * PACKET_BYTES)
        packet.time, packet.key, packet.control = core.cycles, value, core.tx_control
        packet.payload = core.tx_data if core.tx_control & PKT_PAYLOAD else 0
        core.outbox_count += 1
        core.limit = core.cycles  # the program stops here, so that the packet goes out
