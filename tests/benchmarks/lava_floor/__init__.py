"""Processes that do nothing but send and receive. Lava imports every file of the folder in which a process is."""
