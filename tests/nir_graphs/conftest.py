"""Running graphs that tests make."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.nir.request import GraphRun


@pytest.fixture
def run_nodes(tmp_path):
    """A function that runs nodes and edges: Output -> arrays, as ``evsim run --output`` writes.

    Spikes of the Inputs are given as name -> (time steps, channels); the time step is 1 ms unless told, and the chip
    the ideal one on the reference.
    """
    nir = pytest.importorskip("nir")
    from evsim.backend import Target
    from evsim.nir.package import write_graph
    from evsim.script import run_script

    def run(nodes, edges, spikes=None, backend="reference", chip="ideal", **options):
        path, given = tmp_path / "net.nir", {"timestep": 1.0, "output": tmp_path / "out.npz", **options}
        write_graph(path, nir.NIRGraph(nodes, edges, type_check=False))
        if spikes is not None:
            np.savez(tmp_path / "in.npz", **spikes)
            given["input"] = tmp_path / "in.npz"
        target = {backend: Target(backend, chip)}
        run_script(path, [], target, tell=print, graph_run=GraphRun(**given))
        return dict(np.load(tmp_path / "out.npz"))

    return run
