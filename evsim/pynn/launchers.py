"""Scripts that are started as several processes (``mpiexec -n 4 python script.py``), as PyNN's back ends serve it.

Every process runs the whole script and creates the whole network; see ``evsim.processes`` for how they talk, and
``agreement`` for what is done where they create something different. A script may be started so for a reason of its
own, such as a search for parameters in which each process does its part: ``EVSIM_PROCESSES=independent`` says that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from evsim.backend import Target
from evsim.errors import EvsimError
from evsim.processes import ALONE, Processes, mpi_processes, said_by
from evsim.pynn.invalid import InvalidValueError

# the number of processes, as a launcher tells each of them: Open MPI, MPICH and Intel MPI (PMI), MVAPICH2
COUNTS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
STEP_TASKS = "SLURM_STEP_NUM_TASKS"  # Slurm's srun sets this; sbatch alone does not
INDEPENDENT = "EVSIM_PROCESSES"


def processes_of(given: Mapping[str, Any]) -> Processes:
    """This process among those that share the script.

    Args:
        given: the words of ``setup()``; ``rank`` and ``num_processes`` are as in pyNN.mock: the script is shown what
            that process would be, without any other.

    Raises:
        MissingPartError: MPI has started several, and mpi4py is not installed.
        EvsimError: mpi4py uses another MPI library than the launcher.
        InvalidValueError: rank and num_processes are not whole numbers that fit, or not those of MPI.
    """
    if os.environ.get(INDEPENDENT) == "independent":
        return _asked(given, ALONE)
    said = said_by((*COUNTS, STEP_TASKS))
    loaded = "mpi4py.MPI" in sys.modules  # PyNN's random numbers load it where it is installed
    found = mpi_processes(said[1] if said else None) if said or loaded else ALONE
    return _asked(given, found)


def _asked(given: Mapping[str, Any], found: Processes) -> Processes:
    rank, count = given.get("rank"), given.get("num_processes")
    if rank is None and count is None:
        return found
    rank, count = (0 if rank is None else rank), (max(found.count, 1) if count is None else count)
    whole = all(isinstance(number, int) and not isinstance(number, bool) for number in (rank, count))
    if not whole or not 0 <= rank < count:
        raise InvalidValueError(
            f"setup() was given rank={rank!r} and num_processes={count!r}; they must be whole numbers, the rank from 0 "
            "to one less than the number of processes"
        )
    if not found.talks:
        return Processes(rank, count)
    if (rank, count) != (found.rank, found.count):
        raise InvalidValueError(
            f"setup() was given rank={rank} and num_processes={count}, and MPI says that this is process {found.rank} "
            f"of {found.count}; leave the words out"
        )
    return found


def refuse_others(processes: Processes, targets: Sequence[Target], chosen: bool) -> None:
    """Raise EvsimError where the command line runs the script, or another backend than the reference."""
    if chosen:
        raise EvsimError(
            f"the evsim command is one of {processes.count} processes, and its reports are made by one. Start "
            f"one, with --threads; or start the script itself as several: mpiexec -n {processes.count} python script.py"
        )
    if others := [str(target) for target in targets if target.backend != "reference"]:
        raise EvsimError(
            f"this is one of {processes.count} processes, and {others[0]} is run by one; start one process, or run on "
            "the reference"
        )
