"""The only place that imports Lava; the rest of the package takes what it needs from here.

lava-nc 0.10.0 cannot be imported on Python 3.11 and later as it is: three dataclasses of its ``var_model`` have
instances of a fourth, ``ByteEncoder``, as defaults, which since 3.11 Python refuses where the default cannot be hashed.
So that one class is made hashable while the module is imported; nothing that runs on a CPU uses it.
"""

from __future__ import annotations

import dataclasses
import sys
from importlib import import_module
from unittest.mock import patch

_DEFECT = "lava.magma.compiler.var_model"


def _import_var_model() -> None:
    """Import the module with the defect, with the one decorator call put right."""
    plain = dataclasses.dataclass

    def hashable(cls=None, /, **options):
        def decorate(cls):
            extra = {"unsafe_hash": True} if (cls.__module__, cls.__name__) == (_DEFECT, "ByteEncoder") else {}
            return plain(cls, **options, **extra)

        return decorate if cls is None else decorate(cls)

    with patch.object(dataclasses, "dataclass", hashable):
        import_module(_DEFECT)


if sys.version_info >= (3, 11):
    _import_var_model()

from lava.magma.core.decorator import implements, requires, tag  # noqa: E402 - only importable from here on
from lava.magma.core.learning.constants import GradedSpikeCfg  # noqa: E402
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule  # noqa: E402
from lava.magma.core.model.py.connection import LearningConnectionModelBitApproximate  # noqa: E402
from lava.magma.core.model.py.model import PyLoihiProcessModel  # noqa: E402
from lava.magma.core.model.py.ports import PyInPort, PyOutPort, PyRefPort  # noqa: E402
from lava.magma.core.model.py.type import LavaPyType  # noqa: E402
from lava.magma.core.process.ports.ports import InPort, OutPort, RefPort  # noqa: E402
from lava.magma.core.process.process import AbstractProcess  # noqa: E402
from lava.magma.core.process.variable import Var  # noqa: E402
from lava.magma.core.resources import CPU  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg, RunConfig  # noqa: E402
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol  # noqa: E402
from lava.proc.dense.process import DelayDense  # noqa: E402
from lava.proc.lif.models import AbstractPyLifModelFixed  # noqa: E402
from lava.proc.lif.process import LIF, AbstractLIF, LIFReset, TernaryLIF  # noqa: E402
from lava.proc.sdn.process import ActivationMode, SigmaDelta  # noqa: E402
from lava.utils.weightutils import SignMode  # noqa: E402

__all__ = [
    "CPU",
    "LIF",
    "AbstractLIF",
    "AbstractProcess",
    "AbstractPyLifModelFixed",
    "ActivationMode",
    "DelayDense",
    "GradedSpikeCfg",
    "InPort",
    "LIFReset",
    "LavaPyType",
    "LearningConnectionModelBitApproximate",
    "Loihi2FLearningRule",
    "Loihi2HwCfg",
    "Loihi2SimCfg",
    "LoihiProtocol",
    "OutPort",
    "PyInPort",
    "PyLoihiProcessModel",
    "PyOutPort",
    "PyRefPort",
    "RefPort",
    "RunConfig",
    "RunSteps",
    "SigmaDelta",
    "SignMode",
    "TernaryLIF",
    "Var",
    "implements",
    "requires",
    "tag",
]
