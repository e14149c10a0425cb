"""Errors that are evsim's, with its words, and PyNN's own, by which a script may catch them."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pyNN import errors

from evsim.errors import CheckError, EvsimError


class InvalidValueError(EvsimError, errors.InvalidParameterValueError):
    """A value that cannot be."""


class InvalidNetworkError(CheckError, errors.InvalidParameterValueError):
    """A network that cannot be run as it was described, with every problem of it at once."""


@contextmanager
def as_pynns() -> Iterator[None]:
    """While this holds, what the checks of a network find is raised as an error of PyNN's, too."""
    try:
        yield
    except CheckError as error:
        raise InvalidNetworkError(error.title, error.problems) from None


@contextmanager
def naming(where: str, given: Mapping[str, Any]) -> Iterator[None]:
    """While this holds, what PyNN says of values without telling whose they are is raised with the name of that.

    Args:
        where: whose values.
        given: the values by name.
    """
    try:
        yield
    except EvsimError:
        raise
    except (AssertionError, OverflowError, TypeError, ValueError) as error:
        known = isinstance(error, errors.InvalidParameterValueError | errors.InvalidDimensionsError)
        if known and where in str(error):
            raise
        values = ", ".join(f"{name}={reprlib.repr(value)}" for name, value in given.items())
        kind = type(error) if known else errors.InvalidParameterValueError
        raise kind(f"{where}, {values}: {str(error) or 'not a value that it can have'}") from None
