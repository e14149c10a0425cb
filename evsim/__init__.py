"""evsim: PyNN networks in the exact arithmetic of neuromorphic chips.

    import evsim.pynn as sim        # or: import pyNN.evsim as sim

See ``evsim --help`` for the command line and ``docs/architecture.md`` for how the parts fit together.
"""
