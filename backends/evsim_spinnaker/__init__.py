"""Networks on SpiNNaker, through sPyNNaker's own API in a process of its own."""

from evsim_spinnaker.backend import SpinnakerBackend

__all__ = ["SpinnakerBackend"]
