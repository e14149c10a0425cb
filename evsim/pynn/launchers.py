"""Scripts that are started as several processes (``mpirun -n 4 python script.py``): evsim does not divide work so.

Each process would simulate the whole network, and write over the others' files. Yet a script may be started so for a
reason of its own, such as a search for parameters in which each process does its part: ``EVSIM_PROCESSES=independent``
says that.
"""

from __future__ import annotations

import os

from evsim.errors import EvsimError

# the number of processes, as a launcher tells each of them: Open MPI, MPICH and Intel MPI (PMI), MVAPICH2
COUNTS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
STEP_TASKS = "SLURM_STEP_NUM_TASKS"  # Slurm's srun sets this; sbatch alone does not
INDEPENDENT = "EVSIM_PROCESSES"


def refuse_several_processes() -> None:
    """Raise EvsimError where this is one of several processes of a launcher, unless they are said to be independent."""
    if os.environ.get(INDEPENDENT) == "independent":
        return
    for name in (*COUNTS, STEP_TASKS):
        text = os.environ.get(name, "")
        if text.isdecimal() and int(text) > 1:
            raise EvsimError(
                f"this is one of {text} processes ({name}={text}), and evsim does not divide a network among them: "
                "each would simulate the whole, and write over the files of the others. Start one process, and give "
                "setup() threads=, or --threads on the command line. Where every process is meant to run a network of "
                f"its own, set {INDEPENDENT}=independent"
            )
