"""Lava as a backend of evsim: the network graph as Lava processes, run by Lava's bit-accurate CPU models of Loihi 2."""

from evsim_lava.backend import LavaBackend

__all__ = ["LavaBackend"]
