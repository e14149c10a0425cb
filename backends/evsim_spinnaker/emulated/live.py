"""Parts of a network that lie outside a machine in software: devices, and traffic with the host while it runs."""

from __future__ import annotations

from collections.abc import Iterator

from pacman.model.graphs.application import ApplicationVirtualVertex
from spinn_front_end_common.data import FecDataView
from spynnaker.pyNN.models.utility_models.spike_injector.spike_injector_vertex import SpikeInjectorVertex

from evsim.errors import CheckError, Problem

_NOT_REAL_TIME = "an emulated machine does not run in real time"
_REMEDY = "Take it out, or run on a board."


def refuse_live_parts() -> None:
    """Raise CheckError, with everything that needs a device or a live connection, if there is any such thing."""
    if problems := [*_outside(), *_tagged(), *_listening()]:
        raise CheckError("the emulated SpiNNaker machine cannot run this", problems)


def _outside() -> Iterator[Problem]:
    for vertex in FecDataView.iterate_vertices():
        if isinstance(vertex, ApplicationVirtualVertex):
            what = f"a device outside the machine ({type(vertex).__name__})"
            limit = "an emulated machine has nothing connected to its links"
            yield Problem(f"population {vertex.label!r}", what, limit, _REMEDY)
        elif isinstance(vertex, SpikeInjectorVertex):
            yield Problem(f"population {vertex.label!r}", "spikes injected by the host", _NOT_REAL_TIME, _REMEDY)


def _tagged() -> Iterator[Problem]:
    tags = FecDataView.get_tags()
    for placement in FecDataView.iterate_placemements():
        vertex = placement.vertex
        out, into = tags.get_ip_tags_for_vertex(vertex), tags.get_reverse_ip_tags_for_vertex(vertex)
        if out or into:
            what = f"live traffic {'from' if into else 'to'} the host ({type(vertex).__name__})"
            yield Problem(f"vertex {vertex.label!r}", what, _NOT_REAL_TIME, _REMEDY)


def _listening() -> Iterator[Problem]:
    """Programs that are told when a run begins: those that send rates or spikes, or ask for them."""
    for address in FecDataView.iterate_database_socket_addresses():
        where = f"the program at {address.notify_host_name}, port {address.notify_port_no}"
        yield Problem(where, "a live connection to the network", _NOT_REAL_TIME, _REMEDY)
