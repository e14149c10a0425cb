"""Other simulators' names for PyNN's API, leading to evsim: ``import pyNN.nest as sim`` runs here, too."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

API = "evsim.pynn"

SPINNAKER = frozenset({"pyNN.spiNNaker", "pyNN.spinnaker", "pynn_spinnaker", "spynnaker7.pyNN", "spynnaker8"})

# Modules that offer PyNN's API for one simulator or machine, in PyNN and in packages of their own.
SIMULATORS = SPINNAKER | {
    "pyNN.arbor",
    "pyNN.brian",
    "pyNN.brian2",
    "pyNN.brainscales",
    "pyNN.genn",
    "pyNN.mock",
    "pyNN.moose",
    "pyNN.nemo",
    "pyNN.nest",
    "pyNN.neuron",
    "pyNN.pcsim",
    "pynn_genn",
}

SPINNAKER_TIMESTEP = 1.0  # ms, where a script gives setup() none


@contextmanager
def redirected(tell: Callable[[str], None]) -> Iterator[None]:
    """While this lasts, importing another simulator's PyNN module gives evsim's.

    Args:
        tell: called with one sentence for each simulator that is asked for.
    """
    importlib.import_module(API)
    finder = _Finder(tell)
    before = _take_out()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _take_out()
        sys.modules.update(before)
        for name in finder.answered:
            _restore_attribute(name, before.get(name))


def simulator_of(name: str) -> str | None:
    """The simulator whose module this is, or is part of: ``pyNN.nest`` for ``pyNN.nest.cells``."""
    return next((known for known in SIMULATORS if name == known or name.startswith(known + ".")), None)


def _take_out() -> dict[str, ModuleType]:
    return {name: sys.modules.pop(name) for name in list(sys.modules) if simulator_of(name)}


def _restore_attribute(name: str, before: ModuleType | None) -> None:
    """Undo that importing a submodule makes it an attribute of its package."""
    package, _, child = name.rpartition(".")
    if parent := sys.modules.get(package):
        if before is not None:
            setattr(parent, child, before)
        elif child in vars(parent):
            delattr(parent, child)


class _Finder(MetaPathFinder, Loader):
    """Answers for every module of another simulator, before any other finder is asked."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.answered: list[str] = []
        self._tell = tell

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        simulator = simulator_of(fullname)
        if simulator is None:
            return None
        if importlib.util.find_spec(API + fullname[len(simulator) :]) is None:
            raise ModuleNotFoundError(
                f"{fullname}: {simulator} is redirected to evsim here, which has no such part", name=fullname
            )
        return ModuleSpec(fullname, self, is_package=fullname == simulator)

    def exec_module(self, module: ModuleType) -> None:
        """Put evsim's module in the place of the empty one."""
        name = module.__name__
        simulator = simulator_of(name) or name
        if name == simulator:
            self.answered.append(name)
            self._tell(f"the script imports {name}; evsim takes its place")
        if name in SPINNAKER:
            _fill_spinnaker(module, self._tell)
        else:
            sys.modules[name] = importlib.import_module(API + name[len(simulator) :])


def _fill_spinnaker(module: ModuleType, tell: Callable[[str], None]) -> None:
    """Make a module what ``pyNN.spiNNaker`` is to a script: PyNN's API, and calls about placement that do nothing.

    Weights are magnitudes there, whose sign the receptor decides, and so they are read back.
    """
    api = importlib.import_module(API)
    placement = api.placement

    class Population(api.Population):
        __doc__ = api.Population.__doc__
        says_gsyn_of_currents = True

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            for word in placement.WORDS:
                kwargs.pop(word, None)
            super().__init__(*args, **kwargs)

    class Projection(api.Projection):
        __doc__ = api.Projection.__doc__
        takes_magnitudes = True

    for name in placement.METHODS:
        setattr(Population, name, placement.ignored(name, tell))

    def setup(timestep: float | None = None, min_delay: float | str = "auto", *args: Any, **kwargs: Any) -> int:
        """PyNN's setup(), with sPyNNaker's time step where none is given; its words about the machine are ignored."""
        if args:
            kwargs["max_delay"] = args[0]
        return api.setup(timestep or SPINNAKER_TIMESTEP, min_delay, **kwargs)

    module.__dict__.update({name: value for name, value in vars(api).items() if not name.startswith("__")})
    module.__dict__.update({name: placement.ignored(name, tell) for name in placement.CALLS})
    module.__dict__.update(
        Population=Population,
        Projection=Projection,
        connect=api.procedural_api.connect_by(Projection),
        setup=setup,
        name=lambda: "evsim",
        __getattr__=api.__getattr__,
    )
