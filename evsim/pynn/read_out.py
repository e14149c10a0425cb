"""Reading the attributes of a projection's synapses: as lists, as matrices, into files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
from pyNN import common, errors

from evsim.pynn import simulator


class ReadOut(common.Projection):
    """The part of a projection that tells of its synapses."""

    @property
    @abstractmethod
    def sources(self) -> np.ndarray:
        """(n,) cells of ``pre``; to be read only."""

    @property
    @abstractmethod
    def targets(self) -> np.ndarray:
        """(n,) cells of ``post``; to be read only."""

    @abstractmethod
    def column(self, name: str) -> np.ndarray:
        """One parameter of every synapse (n,), in PyNN's units, as it is now; to be read only."""

    @abstractmethod
    def local(self) -> np.ndarray | None:
        """Which synapses are onto cells of this process; None where all are."""

    def get(self, attribute_names, format, gather=True, with_address=True, multiple_synapses="sum"):
        """Attributes of the synapses; of those onto cells of this process, where another one gathers them.

        Args:
            gather: ``"all"`` gives all of them to every process, True to process 0.

        Raises:
            NonExistentParameterError: the synapses have no such attribute.
        """
        self._refuse_unknown([attribute_names] if isinstance(attribute_names, str) else attribute_names)
        with simulator.state.gathered(gather):
            return super().get(attribute_names, format, False, with_address, multiple_synapses)

    def _refuse_unknown(self, names: Iterable[str]) -> None:
        known = [*self.synapse_type.get_native_names(), *self.synapse_type.default_initial_values]
        for name in names:
            if name not in (*known, "presynaptic_index", "postsynaptic_index"):
                where = f"the synapses of projection {self.label!r}"
                raise errors.NonExistentParameterError(str(name), where, known)

    def save(self, attribute_names, file, format="list", gather=True, with_address=True) -> None:
        """Write attributes of the synapses to a file; raises InvalidDimensionsError for several of them as an array."""
        if format == "array" and not isinstance(attribute_names, str) and len(attribute_names) != 1:
            raise errors.InvalidDimensionsError(
                f"projection {self.label!r}: a file holds one array, not {len(attribute_names)} "
                f"({', '.join(attribute_names)}); save each to a file of its own, or give format='list'"
            )
        if format == "list" and isinstance(attribute_names, str) and attribute_names not in ("all", "connections"):
            attribute_names = [attribute_names]  # PyNN takes its letters for the names of the columns
        if simulator.state.mpi_rank == 0:
            super().save(attribute_names, file, format, gather, with_address)
        elif gather:
            simulator.state.gathered(gather)  # process 0 writes that of all

    def _get_attributes_as_list(self, names: list[str]) -> list[tuple]:
        ends = {"presynaptic_index": lambda: self.sources, "postsynaptic_index": lambda: self.targets}
        local = self.local()
        chosen: Any = slice(None) if local is None else local
        columns = (ends[name]() if name in ends else self.column(name) for name in names)
        return list(zip(*(column[chosen].tolist() for column in columns), strict=True))

    def _get_attributes_as_arrays(self, names: list[str], multiple_synapses: str = "sum") -> list[np.ndarray]:
        return [self._matrix(self.column(name), multiple_synapses) for name in names]

    def _matrix(self, column: np.ndarray, multiple_synapses: str) -> np.ndarray:
        """An attribute as (pre, post), NaN where there is no connection; several of one pair are combined."""
        matrix = np.full(self.shape, np.nan)
        sources, targets = self.sources, self.targets
        if (local := self.local()) is not None:
            sources, targets, column = sources[local], targets[local], column[local]
        if multiple_synapses in ("first", "last"):
            order = np.arange(len(column))[:: -1 if multiple_synapses == "last" else 1]
            pairs = (sources.astype(np.int64) * self.shape[1] + targets)[order]
            pair, place = np.unique(pairs, return_index=True)
            matrix.flat[pair] = column[order[place]]
        else:
            combine, neutral = {
                "sum": (np.add, 0.0),
                "min": (np.minimum, np.inf),
                "max": (np.maximum, -np.inf),
            }[multiple_synapses]
            pairs = sources, targets
            matrix[pairs] = neutral
            combine.at(matrix, pairs, column)
        return matrix
