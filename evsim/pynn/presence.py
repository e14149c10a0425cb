"""What one of several processes shows a script: the cells that are local to it, the synapses onto them, their data.

Cell i is local to process ``i % num_processes``, as in PyNN's other back ends. Every process holds the whole network
and everything that is recorded, so this is a matter of showing alone; what creates, changes or runs the network works
on the whole of it (``whole``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from evsim.processes import ALONE, Processes, owners_of

Result = TypeVar("Result")


class Presence:
    """The part of the simulator's state that knows of other processes.

    Attributes:
        processes: this one among those that run the script.
    """

    def __init__(self) -> None:
        self.processes: Processes = ALONE
        self._wholes = 0

    @property
    def mpi_rank(self) -> int:
        """Which process this is."""
        return 0 if self._wholes else self.processes.rank

    @property
    def num_processes(self) -> int:
        """How many processes there are."""
        return 1 if self._wholes else self.processes.count

    @contextmanager
    def whole(self, really: Any = True) -> Iterator[None]:
        """Within this, all cells are local, as if this were the only process; only where it is ``really`` wanted."""
        self._wholes += bool(really)
        try:
            yield
        finally:
            self._wholes -= bool(really)

    def gathered(self, gather: Any) -> Any:
        """Agree with the others where data is gathered; gives ``whole`` on the process that has it all, then."""
        if gather and self.num_processes > 1:
            self.processes.meet("agree")
        return self.whole(gather == "all" or (gather and self.processes.rank == 0))

    def is_here(self, cell: int) -> bool:
        """Whether a cell is local."""
        return int(cell) % self.num_processes == self.mpi_rank


@lru_cache(maxsize=64)
def local_cells(first: int, size: int, rank: int, count: int) -> NDArray[np.bool_]:
    """(size,) which of the cells with numbers from ``first`` on are local to a process; not to be changed."""
    found = owners_of(first, size, count) == rank
    found.setflags(write=False)
    return found


def on_the_whole(method: Callable[..., Result]) -> Callable[..., Result]:
    """A method of something with a ``_simulator`` that works on all cells, whichever are local."""

    @wraps(method)
    def inner(self: Any, *args: Any, **kwargs: Any) -> Result:
        with self._simulator.state.whole():
            return method(self, *args, **kwargs)

    return inner
