"""Whether a network fits: on the machine that its script asks for, and into the memory of the computer beneath."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import ceil

from pacman.exceptions import PacmanPlaceException
from pacman.model.placements import Placements
from spinn_front_end_common.data import FecDataView

from evsim.errors import CheckError, Problem
from evsim.pynn.estimate import GB, LIMIT
from evsim.pynn.free_memory import available_memory
from evsim_emulator.engine import ENGINE_SIZE

_TITLE = "the network does not fit on the emulated SpiNNaker machine"
_LARGEST = 5  # populations that are named
_FEWER_CORES = "put more neurons on each core (set_number_of_neurons_per_core)"


def placed_or_refused(place: Callable[[Placements], Placements]) -> Callable[[Placements], Placements]:
    """PACMAN's placement, which raises CheckError where a network needs more than the machine has."""

    def placed(system_placements: Placements) -> Placements:
        try:
            return place(system_placements)
        except PacmanPlaceException as error:
            raise CheckError(_TITLE, [_too_few_cores()]) from error

    return placed


def _too_few_cores() -> Problem:
    needed = {
        vertex.label: sum(len(vertices) for vertices, _ in vertex.splitter.get_same_chip_groups())
        for vertex in FecDataView.iterate_vertices()
    }
    machine = FecDataView.get_machine()
    boards, there = len(machine.ethernet_connected_chips), machine.total_available_user_cores
    total = sum(needed.values())
    largest = sorted(needed.items(), key=lambda item: -item[1])[:_LARGEST]
    listed = ", ".join(f"{count} of them for population {label!r}" for label, count in largest)
    least = max(ceil(total * boards / there), boards + 1)
    return Problem(
        "the network",
        f"it needs {total} cores and their SDRAM: {listed}",
        f"{machine.n_chips} chips on {boards} board{'s' * (boards != 1)} have {there} cores for programs",
        f"Ask for {least} boards or more (n_boards_required in setup), or {_FEWER_CORES}.",
    )


def refuse_what_memory_cannot_hold() -> None:
    """Raise CheckError if this computer has less memory than the cores take that are about to be loaded."""
    cores = FecDataView.get_n_placements()
    left = min(available_memory(), float(os.environ.get(LIMIT) or "inf") * GB)
    if cores * ENGINE_SIZE > left:
        problem = Problem(
            "the network",
            f"{cores} emulated cores need {cores * ENGINE_SIZE / GB:.3g} GB",
            f"{left / GB:.3g} GB are left, which is room for {int(left / ENGINE_SIZE)} cores",
            f"Use a smaller network, or {_FEWER_CORES}.",
        )
        raise CheckError("the emulated SpiNNaker machine does not fit into memory", [problem])
