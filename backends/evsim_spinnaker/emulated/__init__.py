"""sPyNNaker on a SpiNNaker machine in software: all that lies between its tool chain and ``evsim_emulator``."""
