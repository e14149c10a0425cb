"""spinnman's transceiver, with a machine in software at its end in place of a board."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from spinn_machine import CoreSubsets, MulticastRoutingEntry
from spinn_machine.virtual_machine import virtual_machine_by_boards, virtual_machine_generator
from spinnman.constants import ROUTER_REGISTER_REGISTERS
from spinnman.data import SpiNNManDataView
from spinnman.exceptions import SpiNNManCoresNotInStateException
from spinnman.messages.scp.enums import Signal
from spinnman.model import CPUInfo, CPUInfos, IOBuffer, RouterDiagnostics
from spinnman.model.cpu_info import _VCPU_PATTERN  # how spinnman itself reads the structure
from spinnman.model.enums import SDP_PORTS, SDP_RUNNING_MESSAGE_CODES, CPUState, UserRegister
from spinnman.transceiver import MockableTransceiver
from spinnman.utilities.utility_functions import get_vcpu_address

from evsim.errors import BackendError
from evsim_emulator import Core
from evsim_spinnaker.emulated.connection import CoreConnections
from evsim_spinnaker.emulated.host import LONGEST_WAIT, Host
from evsim_spinnaker.emulated.live import refuse_live_parts
from evsim_spinnaker.emulated.payload import bytes_of, checksum
from evsim_spinnaker.emulated.room import refuse_what_memory_cannot_hold

# s of the machine's time that a host's message is on its way at the least. A core says that it waits for a signal a few
# instructions before it does, and would miss one that came at once.
LATENCY = 1e-4
START_WAIT, EXIT_WAIT = 5.0, 1.0  # s of the machine's time
USER_AT = 112  # offset of the first user word in struct vcpu (sark.h)
_RUNNING_PORT = SDP_PORTS.RUNNING_COMMAND_SDP_PORT.value
_EXIT = SDP_RUNNING_MESSAGE_CODES.SDP_UPDATE_PROVENCE_REGION_AND_EXIT.value


class EmulatedTransceiver(MockableTransceiver):
    """What sPyNNaker asks of a board, asked of an emulated machine.

    The methods are those of ``spinnman.transceiver.Transceiver``, which documents them. Times out in the machine's own
    seconds, which are not those of the clock on the wall.
    """

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self._connections = CoreConnections(host)
        self._routes: dict[tuple[int, int], list[MulticastRoutingEntry]] = defaultdict(list)
        self._counted = (0, 0)  # packets, dropped: up to the last clearing of the routers' counters

    # --- the machine -------------------------------------------------------------------------------------------------

    def get_machine_details(self):
        known = SpiNNManDataView.has_n_boards_required() or SpiNNManDataView.has_n_chips_needed()
        machine = virtual_machine_generator() if known else virtual_machine_by_boards(1)
        cores = bytes(range(SpiNNManDataView.get_machine_version().max_cores_per_chip))
        SpiNNManDataView.set_v_to_p_map(
            {(chip.x, chip.y): cores for chip in machine.chips}
        )  # each core stands in its own place
        self._host.start(machine.width, machine.height)
        return machine

    def get_scamp_connection_selector(self) -> Any:
        return self._connections

    @property
    def scamp_connection_selector(self) -> Any:
        return self._connections

    @property
    def bmp_selector(self) -> None:
        return None

    def discover_scamp_connections(self) -> None:
        pass  # there is nothing to discover

    def get_connections(self) -> set:
        return set()

    def get_clock_drift(self, x: int, y: int) -> float:
        return 0.0

    def get_tags(self, connection: Any = None) -> list:
        return []  # who needs one was refused

    # --- memory ------------------------------------------------------------------------------------------------------

    def write_memory(
        self,
        x: int,
        y: int,
        base_address: int,
        data: Any,
        *,
        n_bytes: int | None = None,
        offset: int = 0,
        cpu: int = 0,
        get_sum: bool = False,
    ) -> tuple[int, int]:
        written = bytes_of(data, n_bytes, offset)
        self._host.machine.chip(x, y).write(base_address, written)
        return len(written), checksum(written) if get_sum else 0

    def read_memory(self, x: int, y: int, base_address: int, length: int, cpu: int = 0) -> bytearray:
        return bytearray(self._host.machine.chip(x, y).read(base_address, length)) if length else bytearray()

    def read_word(self, x: int, y: int, base_address: int, cpu: int = 0) -> int:
        return self._host.machine.chip(x, y).word(base_address)

    def malloc_sdram(self, x: int, y: int, size: int, app_id: int, tag: int = 0) -> int:
        return self._host.machine.chip(x, y).allocate(size, app_id, tag)

    def malloc_sdram_multi(self, allocations: list[tuple[int, int, int, int, int]]) -> list[int]:
        return [self.malloc_sdram(*allocation) for allocation in allocations]

    # --- a core's words for the host ---------------------------------------------------------------------------------

    def read_user(self, x: int, y: int, p: int, user: UserRegister) -> int:
        return self.read_word(x, y, _user_address(p, user))

    def write_user(self, x: int, y: int, p: int, user: UserRegister, value: int) -> None:
        self._host.machine.chip(x, y).set_word(_user_address(p, user), value)

    def write_user_many(self, values: list[tuple[int, int, int, UserRegister, int]], desc: str | None = None) -> None:
        for value in values:
            self.write_user(*value)

    def get_region_base_address(self, x: int, y: int, p: int) -> int:
        return self.read_user(x, y, p, UserRegister.USER_0)

    # --- cores -------------------------------------------------------------------------------------------------------

    def execute_flood(
        self, core_subsets: CoreSubsets, executable: Any, app_id: int, *, n_bytes: int | None = None, wait: bool = False
    ) -> None:
        for place in _places(core_subsets):
            self._host.load(*place, os.fspath(executable), app_id, wait)

    def get_cpu_infos(
        self,
        core_subsets: CoreSubsets | None = None,
        states: CPUState | Iterable[CPUState] | None = None,
        include: bool = True,
    ) -> CPUInfos:
        places = list(self._host.machine.cores) if core_subsets is None else _places(core_subsets)
        wanted = None if states is None else _set_of(states)
        infos = CPUInfos()
        for info in map(self._info, places):
            if wanted is None or (info.state in wanted) == include:
                infos.add_info(info)
        return infos

    def add_cpu_information_from_core(
        self, cpu_infos: CPUInfos, x: int, y: int, p: int, states: Iterable[CPUState]
    ) -> None:
        info = self._info((x, y, p))
        if info.state in states:
            cpu_infos.add_info(info)

    def get_core_state_count(self, app_id: int, state: CPUState, xys: Iterable[tuple[int, int]] | None = None) -> int:
        chips = None if xys is None else set(xys)
        return sum(
            core.app_id == app_id and core.state == state.value and (chips is None or (x, y) in chips)
            for (x, y, _), core in self._host.machine.cores.items()
        )

    def wait_for_cores_to_be_in_state(
        self,
        all_core_subsets: CoreSubsets,
        app_id: int,
        cpu_states: CPUState | Iterable[CPUState],
        *,
        timeout: float | None = None,
        **_ignored: Any,
    ) -> None:
        states = _set_of(cpu_states)
        cores = [self._host.core(*place) for place in _places(all_core_subsets)]
        if not self._host.run(_all_in(cores, states), LONGEST_WAIT if timeout is None else timeout):
            late = self.get_cpu_infos(all_core_subsets, states, include=False)
            raise SpiNNManCoresNotInStateException(timeout, states, late)

    def send_signal(self, app_id: int, signal: Signal) -> None:
        machine = self._host.machine
        match signal:
            case Signal.START:
                machine.start(app_id)
                self._wait_for_start(app_id)
            case Signal.SYNC0 | Signal.SYNC1:
                self._host.sleep(LATENCY)
                machine.sync(app_id, 0 if signal is Signal.SYNC0 else 1)
            case Signal.STOP:
                machine.stop(app_id)
            case _:
                raise BackendError(f"the emulated SpiNNaker machine does not know the signal {signal.name}")

    def _wait_for_start(self, app_id: int) -> None:
        """Let the cores take the signal in, as they would while a host's next message is on its way."""
        ready, started = CPUState.READY.value, [c for c in self._host.machine.cores.values() if c.app_id == app_id]
        if not self._host.run(lambda: all(core.state != ready for core in started), START_WAIT):
            raise BackendError(f"not all cores of application {app_id} took the signal START within {START_WAIT:g} s")

    def stop_application(self, app_id: int) -> None:
        self._host.machine.stop(app_id)

    def update_provenance_and_exit(self, x: int, y: int, p: int) -> None:
        core = self._host.core(x, y, p)
        core.send_sdp(_RUNNING_PORT, _EXIT, (0, 0, 0))
        self._host.run(lambda: core.state == CPUState.FINISHED.value, EXIT_WAIT)  # whether it did is asked afterwards

    def send_chip_update_provenance_and_exit(self, x: int, y: int, p: int) -> None:
        self.update_provenance_and_exit(x, y, p)

    def get_iobuf(self, core_subsets: CoreSubsets | None = None) -> Iterator[IOBuffer]:
        places = list(self._host.machine.cores) if core_subsets is None else _places(core_subsets)
        for x, y, p in places:
            core = self._host.machine.cores.get((x, y, p))
            yield IOBuffer(x, y, p, core.iobuf() if core else "")

    def _info(self, place: tuple[int, int, int]) -> CPUInfo:
        x, y, p = place
        return CPUInfo(x, y, p, _VCPU_PATTERN.unpack(self.read_memory(x, y, get_vcpu_address(p), _VCPU_PATTERN.size)))

    # --- routers -----------------------------------------------------------------------------------------------------

    def reset_routing(self) -> None:
        refuse_live_parts()  # all is placed, and nothing has been loaded
        refuse_what_memory_cannot_hold()
        self.clear_multicast_routes()

    def load_multicast_routes(self, x: int, y: int, routes: Collection[MulticastRoutingEntry], app_id: int) -> None:
        self._routes[x, y] += routes
        self._host.machine.set_routes(
            x, y, [(route.key, route.mask, sorted(route.processor_ids), sorted(route.link_ids)) for route in routes]
        )

    def get_multicast_routes(self, x: int, y: int, app_id: int | None = None) -> list[MulticastRoutingEntry]:
        return list(self._routes[x, y])

    def clear_multicast_routes(self, xy: tuple[int, int] | None = None) -> None:
        self._routes.clear()
        self._host.machine.clear_routes()

    def get_router_diagnostics(self, x: int, y: int) -> RouterDiagnostics:
        """As Transceiver documents it; what the machine counts in all stands under chip 0, 0."""
        registers = [0] * len(ROUTER_REGISTER_REGISTERS)
        if (x, y) == (0, 0):
            counters, (packets, dropped) = self._host.machine.counters, self._counted
            registers[ROUTER_REGISTER_REGISTERS.LOC_MC.value] = counters.packets - packets
            registers[ROUTER_REGISTER_REGISTERS.DUMP_MC.value] = counters.dropped - dropped
        return RouterDiagnostics(0, 0, registers)

    def clear_router_diagnostic_counters(self, xy: tuple[int, int] | None = None) -> None:
        counters = self._host.machine.counters
        self._counted = counters.packets, counters.dropped


def _places(core_subsets: CoreSubsets) -> list[tuple[int, int, int]]:
    return [(subset.x, subset.y, p) for subset in core_subsets for p in subset.processor_ids]


def _set_of(states: CPUState | Iterable[CPUState]) -> frozenset[CPUState]:
    return frozenset([states] if isinstance(states, CPUState) else states)


def _all_in(cores: list[Core], states: frozenset[CPUState]) -> Callable[[], bool]:
    """Whether all cores have come into one of some states, in which they stay; each is asked until it has."""
    values = {state.value for state in states}
    late = list(cores)

    def reached() -> bool:
        while late and late[-1].state in values:
            late.pop()
        return not late

    return reached


def _user_address(p: int, user: UserRegister) -> int:
    return get_vcpu_address(p) + USER_AT + 4 * user.value
