"""Putting the emulated machine in the place of a board, for as long as it is wanted.

No file of sPyNNaker is changed: a few names in its modules lead here meanwhile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import spinn_front_end_common.interface.abstract_spinnaker_base as front_end
import spinn_front_end_common.interface.config_handler as config_handler
import spinnman.spinnman_simulation as simulation
from spinn_utilities import config_holder

from evsim_spinnaker.emulated.host import Host
from evsim_spinnaker.emulated.room import placed_or_refused
from evsim_spinnaker.emulated.transceiver import EmulatedTransceiver

# Where the host waits for the machine by sleeping, and the name of what it sleeps with.
_FUNCTIONS = "spinn_front_end_common.interface.interface_functions."
_SLEEPERS = (
    (_FUNCTIONS + "application_runner", "sleep"),
    (_FUNCTIONS + "chip_provenance_updater", "sleep"),
    (_FUNCTIONS + "application_finisher", "time"),
    ("spinn_front_end_common.utilities.system_control_logic", "time"),
)
_PLACER = "place_application_graph"  # a function in the front end


@contextmanager
def emulated_machine(
    home: Path, settings: Mapping[str, Mapping[str, str]], time_out: float | None = None
) -> Iterator[Host]:
    """While this lasts, sPyNNaker finds an emulated machine where it looks for a board.

    Args:
        home: where sPyNNaker finds its ``.spynnaker.cfg``; everything else keeps the user's home.
        settings: section -> option -> value, which hold whatever configuration the working directory has.
        time_out: s of real time that a wait may take; None allows for the size of the network.
    """
    host = Host(time_out)

    def connect(*args: Any, **kwargs: Any) -> EmulatedTransceiver:
        return EmulatedTransceiver(host)

    with ExitStack() as replaced:
        for module in (simulation, front_end):
            replaced.enter_context(_replaced(module, "transceiver_generator", connect))
        place = placed_or_refused(getattr(front_end, _PLACER))
        replaced.enter_context(_replaced(front_end, _PLACER, place))
        load = _configured(config_holder.load_config, home, settings)
        for module in (simulation, config_handler):
            replaced.enter_context(_replaced(module, "load_config", load))
        for module, name in _SLEEPERS:
            sleeper = host.sleep if name == "sleep" else SimpleNamespace(sleep=host.sleep)
            import_module(module)
            replaced.enter_context(_replaced(sys.modules[module], name, sleeper))
        yield host


def _configured(load: Callable[[], Any], home: Path, settings: Mapping[str, Mapping[str, str]]) -> Callable[[], Any]:
    """``load_config`` that finds another home, and does not let the settings of the machine be changed."""

    def load_config() -> Any:
        with _home(home):
            loaded = load()
        for section, options in settings.items():
            for option, value in options.items():
                config_holder.set_config(section, option, value)
        return loaded

    return load_config


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = before


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)
