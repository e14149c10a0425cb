"""Assembly: several populations, or views of them, as one."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

import numpy as np
from pyNN import common
from pyNN.parameters import LazyArray

from evsim.pynn import simulator
from evsim.pynn.data_files import with_start, write_at_end, write_once


class Assembly(common.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator

    @property
    def local_size(self) -> int:
        """The number of cells on this process."""
        return sum(part.local_size for part in self.populations)

    @property
    def receptor_types(self) -> list[str]:
        """The receptor types that all populations have, in the order of the first.

        PyNN gives them in any order, by which it then guesses the receptor of a projection.
        """
        first, *others = (list(part.celltype.receptor_types) for part in self.populations)
        return [name for name in first if all(name in other for other in others)]

    @property
    def initial_values(self) -> dict[str, LazyArray]:
        """The initial values of those variables that all populations have; a copy, which is not to be changed."""
        first, *others = (part._root().initial for part in self.populations)
        names = [name for name in first if all(name in other for other in others)]
        parts = [(part._root().initial, part._places()) for part in self.populations]
        return {name: LazyArray(np.concatenate([initial[name][at] for initial, at in parts])) for name in names}

    def __getitem__(self, index):
        if isinstance(index, int | np.integer):
            if not -self.size <= index < self.size:
                raise IndexError(f"cell {index} of the assembly {self.label!r}, which has {self.size}")
            index %= self.size  # PyNN looks for a negative one in the first population
        return super().__getitem__(index)

    def find_units(self, variable) -> str:
        """The unit of a variable or parameter; raises ValueError where the populations differ in it."""
        (unit,) = super().find_units(variable)  # PyNN gives a set
        return unit

    def record(self, variables, to_file=None, sampling_interval=None, locations=None) -> None:
        """Record variables of all cells, into one file if one is named."""
        for part in self.populations:
            part.record(variables, None, sampling_interval, locations)
        write_at_end(self, variables, to_file)  # PyNN has each population write over the file of the one before

    def write_data(self, io, variables="all", gather=True, clear=False, annotations=None) -> None:
        """Write the recorded data to a file; raises MissingPartError if Neo lacks a package for its format."""
        write_once(io, gather, lambda to: self.get_data(variables, gather, clear, with_start(to, annotations)))

    def save_positions(self, file) -> None:
        """Write the positions of all cells to a file, once."""
        if simulator.state.mpi_rank == 0:
            super().save_positions(file)

    def rset(self, parametername: str, rand_distr) -> None:
        """``set(NAME=distribution)``, an old name of it."""
        self.set(**{parametername: rand_distr})
