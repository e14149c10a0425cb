"""Poisson processes from a counter-based generator: as events in continuous time, or as counts for each time step.

Both are exact, and both are functions of a key and of counters alone (the number of an event; the time step and the
number of a cell), so what is drawn does not depend on how time is cut into windows or cells into blocks.
"""
