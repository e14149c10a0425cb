"""Types that scripts have declared, in networks that are written to files and read again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyNN.serialization import export_to_sonata, import_from_sonata

from evsim.pynn import own_types
from evsim.pynn.own_cells import cell_type
from evsim.pynn.own_synapses import parameter, state, synapse_type

pytest.importorskip("h5py")


@cell_type
class CellInFile:
    """Fires at 1 mV."""

    tau = parameter(10.0, "ms", above_zero=True)
    v = state(0.0, "mV")

    @staticmethod
    def step(v, tau, dt, excitatory, inhibitory):
        return v * (1 - dt / tau) + excitatory + inhibitory, v > 1.0


@synapse_type
class LearningInFile:
    """Learns from each spike of its source."""

    amount = parameter(0.1, "nA")

    @staticmethod
    def on_pre(weight, amount):
        return weight + amount


@synapse_type
class PartInFile:
    """Releases a part."""

    p = parameter(0.5, "dimensionless")

    @staticmethod
    def release(weight, p):
        return weight * p


own: dict[str, Any] = {"CellInFile": CellInFile, "LearningInFile": LearningInFile, "PartInFile": PartInFile}


def written(sim, folder) -> str:
    """The file that describes a network of own types."""
    sim.setup(timestep=0.1)
    cells = sim.Population(3, own["CellInFile"](tau=[5.0, 6.0, 7.0]), label="cells")
    amounts = np.arange(9.0).reshape(3, 3)
    growing = own["LearningInFile"](weight=0.3, delay=1.0, amount=amounts, dendritic_delay_fraction=0.5)
    projections = [
        sim.Projection(cells, cells, sim.AllToAllConnector(), kind, label=label)
        for kind, label in ((growing, "growing"), (own["PartInFile"](weight=0.2, delay=1.5, p=0.25), "part"))
    ]
    export_to_sonata(sim.Network(cells, *projections), str(folder / "net"))
    return str(folder / "net" / "circuit_config.json")


def test_they_come_back_from_a_file(sim, tmp_path):
    description = written(sim, tmp_path)
    sim.setup(timestep=0.1)
    network = import_from_sonata(description, sim)
    (cells,) = (population for assembly in network.assemblies for population in assembly.populations)
    assert type(cells.celltype) is CellInFile
    assert cells.get("tau").tolist() == [5.0, 6.0, 7.0]
    found = {type(projection.synapse_type): projection for projection in network.projections}
    assert set(found) == {LearningInFile, PartInFile}
    names = ["weight", "delay", "dendritic_delay_fraction", "amount"]
    values = np.array(sorted(found[LearningInFile].get(names, "list")))
    np.testing.assert_allclose(values[:, :2], [(i, j) for i in range(3) for j in range(3)])
    np.testing.assert_allclose(values[:, 2:], [(0.3, 1.0, 0.5, amount) for amount in range(9)])
    np.testing.assert_allclose([row[2:] for row in found[PartInFile].get(["weight", "p"], "list")], [(0.2, 0.25)] * 9)
    sim.run(1.0)


@pytest.mark.parametrize("name", ["CellInFile", "LearningInFile"])
def test_one_that_is_not_declared_is_named(sim, tmp_path, monkeypatch, name: str):
    description = written(sim, tmp_path)
    monkeypatch.delitem(own_types._declared, name)
    sim.setup(timestep=0.1)
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; if it is a cell or synapse type of a"):
        import_from_sonata(description, sim)


def test_the_last_one_of_a_name_is_meant(sim):
    def declared(default: float) -> Any:
        @synapse_type
        class TwiceInFile:
            q = parameter(default, "dimensionless")

            @staticmethod
            def release(weight, q):
                return weight * q

        return TwiceInFile

    first, second = declared(0.25), declared(0.75)
    assert first is not second and sim.TwiceInFile is second
