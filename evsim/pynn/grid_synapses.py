"""The synapse types of connectors between grids, which sPyNNaker has beside PyNN's: ``Convolution`` and ``PoolDense``.

Source of their signatures: sPyNNaker 7.4.1, ``neuron/local_only``.
"""
# ruff: noqa: RUF012 - parameter_checks is PyNN's name

from __future__ import annotations

from numbers import Real

from pyNN import errors

from evsim.pynn.synapses import StaticSynapse


class _WeighedByConnector(StaticSynapse):
    """Static synapses of one delay whose weights the connector gives, with a sign that says which receptor they reach.

    sPyNNaker can give a population no other synapses beside them; here they are static synapses like others. So in
    ``spinnaker1`` weights are rounded as those are, and sPyNNaker may round to fewer bits: it allows for a spike of
    every element of a kernel, or of every source, by the largest weight, and for as many by the least one.
    """

    parameter_checks = {}  # of a weight's sign, which may be either
    model_name = "StaticSynapse"
    goes_with: str

    def __init__(self, delay: float | None = None) -> None:
        if delay is not None and not (isinstance(delay, Real) and not isinstance(delay, bool)):
            raise errors.InvalidParameterValueError(
                f"{type(self).__name__}: delay is {delay!r}; it must be one number (ms) for all synapses, or None for "
                "the shortest delay"
            )
        super().__init__(delay=delay)


class Convolution(_WeighedByConnector):
    """The synapses of a ``ConvolutionConnector``, which gives their weights.

    Args:
        delay: of all synapses, ms; None: the shortest that ``setup()`` allows.
    """

    goes_with = "Convolution"


class PoolDense(_WeighedByConnector):
    """The synapses of a ``PoolDenseConnector``, which gives their weights.

    Args:
        delay: of all synapses, ms; None: the shortest that ``setup()`` allows.
    """

    goes_with = "PoolDense"
