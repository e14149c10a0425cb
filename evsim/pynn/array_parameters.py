"""Parameters that are several numbers for each cell, such as spike times or the time constants of a filter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pyNN import errors

from evsim.model import NeuronModel, SourceModel
from evsim.synapses import is_constant

Values = Mapping[str, np.ndarray]  # parameter -> (size,), of PyNN's ArrayParameters where it is an array


def refuse_malformed(label: str, model: NeuronModel | SourceModel, values: Values) -> None:
    """Refuse arrays that cannot be.

    Raises:
        InvalidParameterValueError: times of a cell are not in order.
        InvalidDimensionsError: a cell has too many or too few numbers.
    """
    for name, elements in model.arrays.items() if isinstance(model, NeuronModel) else ():
        for cell, array in _distinct(values[name]):
            if np.shape(array) != (len(elements),):
                raise errors.InvalidDimensionsError(
                    f"population {label!r}: {name} of cell {cell} is {array}; it must have {len(elements)} numbers"
                )
    for name in model.ordered if isinstance(model, SourceModel) else ():
        for cell, array in _distinct(values[name]):
            words = name.replace("_", " ")
            if array.ndim != 1:
                raise errors.InvalidParameterValueError(
                    f"population {label!r}: the {words} of cell {cell} have the shape {array.shape}; give it one list"
                )
            if np.any(np.diff(array) < 0):
                raise errors.InvalidParameterValueError(
                    f"population {label!r}: the {words} of cell {cell} are not in increasing order"
                )


def _distinct(column: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The array of every cell; of the first one alone, where all cells share it."""
    for cell, parameter in enumerate(column[:1] if is_constant(column) else column):
        yield cell, np.asarray(parameter.value)


def element(values: Values, name: str, arrays: Mapping[str, Sequence[str]]) -> np.ndarray:
    """A parameter (size,) of a model, which may be an element of one of PyNN's arrays."""
    for array, elements in arrays.items():
        if name in elements:
            place, column = elements.index(name), values[array]
            if is_constant(column):
                return np.broadcast_to(np.float64(column[0].value[place]), column.shape)
            return np.array([parameter.value[place] for parameter in column], float)
    return values[name]
