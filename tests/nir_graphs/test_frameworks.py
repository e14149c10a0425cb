"""Files that snnTorch and norse exported, against what each made of the same input itself (``data/README.md``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evsim.cli import main

pytest.importorskip("nir")
DATA = Path(__file__).parent / "data"
TOLERANCE = 1e-5  # of v, whose thresholds are about 1; both compute in single precision


@pytest.mark.parametrize(
    ("name", "timestep", "late"),
    [("dense", 0.1, 1), ("cuba", 0.1, 1), ("conv", 0.1, 1), ("recurrent", 0.1, 0), ("norse", 0.001, 0)],
)
def test_every_spike_is_that_of_the_framework(name, timestep, late, tmp_path):
    """``late`` steps later: one for each further layer, and one where the current moves v from the next step on."""
    truth = np.load(DATA / f"{name}.npz")
    steps = len(truth["input"])
    np.save(tmp_path / "in.npy", truth["input"])
    words = ["--timestep", str(timestep), "--duration", str(timestep * (steps + late)), "--method", "euler"]
    files = ["--input", str(tmp_path / "in.npy"), "--output", str(tmp_path / "out.npz")]
    assert main(["run", str(DATA / f"{name}.nir"), *words, *files]) == 0
    made = np.load(tmp_path / "out.npz")
    assert truth["spikes"].sum() > 50
    assert np.array_equal(made["output"][late:], truth["spikes"])
    assert np.abs(made["output.v"][late:] - truth["v"]).max() < TOLERANCE
