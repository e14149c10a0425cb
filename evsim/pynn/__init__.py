"""PyNN 0.13's API, and nothing but the API: ``import pyNN.evsim as sim``.

What a script creates becomes a network graph (``evsim.pynn.graph``), which any backend can run. Where it runs is chosen
from outside the script (``simulator.state.choose``) or by a word in it: ``sim.setup(chip="loihi2")``.
"""
# ruff: noqa: F401 - the names are for the scripts that import this module

from __future__ import annotations

from typing import Any as _Any

from evsim.pynn.postponed import postponed

with postponed("csa", "scipy.sparse"):
    import pyNN.connectors

from pyNN import errors, random, space
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Cuboid, Grid2D, Grid3D, Line, RandomStructure, Space, Sphere
from pyNN.standardmodels import StandardCellType
from pyNN.standardmodels import cells as _pynn_cells
from pyNN.standardmodels import synapses as _pynn_synapses

from evsim.pynn import (
    cells,
    columns,
    expressions,
    extra_models,
    graph,
    morphology,
    nestml,
    own_cells,
    own_synapses,
    own_types,
    placement,
    sessions,
    simulator,
    structural,
)
from evsim.pynn.assemblies import Assembly
from evsim.pynn.cells import list_standard_models
from evsim.pynn.connection import Connection
from evsim.pynn.connectors import (
    AllToAllConnector,
    ArrayConnector,
    CloneConnector,
    ConvolutionConnector,
    CSAConnector,
    DisplacementDependentProbabilityConnector,
    DistanceDependentProbabilityConnector,
    FixedNumberPostConnector,
    FixedNumberPreConnector,
    FixedProbabilityConnector,
    FixedTotalNumberConnector,
    FromFileConnector,
    FromListConnector,
    IndexBasedProbabilityConnector,
    KernelConnector,
    OneToOneConnector,
    PoolDenseConnector,
    SmallWorldConnector,
)
from evsim.pynn.control import (
    end,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    num_processes,
    rank,
    reset,
    run,
    run_for,
    run_until,
    setup,
)
from evsim.pynn.electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from evsim.pynn.grid_synapses import Convolution, PoolDense
from evsim.pynn.ion_channels import KdrChannel, NaChannel, PassiveLeak, PassiveLeakHH
from evsim.pynn.multicompartment import MultiCompartmentNeuron
from evsim.pynn.native_rng import NativeRNG
from evsim.pynn.native_types import native_cell_type, native_electrode_type, native_synapse_type
from evsim.pynn.point_neurons import (
    LIF,
    AdExp,
    AlphaPSR,
    BetaPSR,
    CondAlphaPostSynapticResponse,
    CondBetaPostSynapticResponse,
    CondExpPostSynapticResponse,
    CurrExpPostSynapticResponse,
    ExpPSR,
    PointNeuron,
)
from evsim.pynn.populations import Population, PopulationView
from evsim.pynn.procedural_api import connect, create, record, record_gsyn, record_v, set
from evsim.pynn.projections import Projection
from evsim.pynn.simulator import name
from evsim.pynn.structural import (
    DistanceDependentFormation,
    LastNeuronSelection,
    RandomByWeightElimination,
    RandomSelection,
    StructuralMechanismStatic,
    StructuralMechanismSTDP,
)
from evsim.pynn.synapses import (
    AdditivePotentiationMultiplicativeDepression,
    AdditiveWeightDependence,
    ElectricalSynapse,
    GutigWeightDependence,
    MultiplicativeWeightDependence,
    MultiQuantalSynapse,
    SimpleStochasticSynapse,
    SpikePairRule,
    StaticSynapse,
    STDPMechanism,
    StochasticTsodyksMarkramSynapse,
    TsodyksMarkramSynapse,
    Vogels2011Rule,
)

expressions.complete()

set_allow_delay_extensions, set_number_of_neurons_per_core, set_number_of_synapse_cores = map(
    placement.ignored, placement.CALLS
)


def __getattr__(attribute: str) -> _Any:
    """The standard cell types, which are made when one is first asked for, and types that scripts have declared.

    Says which there are for one there is not.

    ``__all__`` is made on demand, too, so that ``from pyNN.evsim import *`` brings them along.
    """
    if attribute == "__all__":
        return [word for word in __dir__() if not (word.startswith("_") or word == "annotations" or _is_inner(word))]
    if not attribute.startswith("_") and attribute in cells.cell_types():
        return cells.cell_types()[attribute]
    if own := own_types.find(attribute):
        return own
    if isinstance(getattr(_pynn_cells, attribute, None) or getattr(_pynn_synapses, attribute, None), type):
        synapses = (name for name in globals() if name.endswith(("Synapse", "Mechanism")))
        known = ", ".join([*cells.cell_types(), *synapses])
        raise AttributeError(f"evsim has no model of PyNN's {attribute}; it has {known}")
    hint = "; if it is a cell or synapse type of a script's own, run or import that script first"
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}{hint if attribute[0].isupper() else ''}")


def _is_inner(attribute: str) -> bool:
    """Whether a name is one of the modules of this package, which no script means by ``*``."""
    module = globals().get(attribute)
    return getattr(module, "__name__", "") == f"{__name__}.{attribute}" and attribute not in (
        "extra_models",
        "morphology",
        "nestml",
        "simulator",
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *cells.cell_types()})
