"""setup(), run(), reset(), end() and what can be asked about the simulation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from pyNN import common
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP

from evsim import registry
from evsim.ahead import compile_ahead
from evsim.backend import Target
from evsim.pynn import simulator
from evsim.pynn.invalid import InvalidValueError
from evsim.pynn.launchers import processes_of
from evsim.pynn.simulator import DEFAULT_TARGET, is_variable
from evsim.tolerances import Tolerances

ON_GRID, OFF_GRID = "on_grid", "off_grid"  # pyNN.nest's words for the precision of spike times
SEED_WORDS = ("rng_seed", "rng_seeds_seed", "grng_seed", "seed", "rng_seeds")


def setup(timestep: float = DEFAULT_TIMESTEP, min_delay: Any = DEFAULT_MIN_DELAY, **extra_params: Any) -> int:
    """Begin a new network; the one before is forgotten. Returns the rank of this process, which is 0 where it is one.

    Args:
        timestep: ms.
        min_delay: ms, or ``"auto"``. A given limit is enforced.
        extra_params: ``max_delay`` (ms or ``"auto"``); ``rng_seed``, the seed of what is drawn while the network runs,
            such as Poisson spikes (default 0; PyNN's older names of it work, too); ``backend`` and ``chip``, where to
            run (``chip="loihi2"``), unless that was chosen from outside; ``threads``, the number of threads that the
            reference may use, whose results do not depend on it; ``spike_precision``, ``"on_grid"`` (the default: what
            a SpikeSourceArray sends arrives at the nearest time step) or ``"off_grid"`` (it arrives when its times say,
            on ``ideal``; see docs/off_grid.md); ``use_cvode=True``, with ``rtol`` and ``atol``, as in pyNN.neuron: each
            cell chooses its own time steps, on ``ideal`` (docs/variable_step.md); ``rank`` and ``num_processes``, to be
            shown what one of several processes would be, as in pyNN.mock. Words for other simulators are ignored.

    Raises:
        MissingPartError: this is one of several processes that MPI has started, and mpi4py is not installed.
        EvsimError: it is, and the script is not run by itself or not by the reference, or has a variable time step.
        UnknownNameError: there is no such backend or chip.
        InvalidValueError: the time step is not a number above 0, the number of threads not a whole one from 1 on, or
            the spike precision none of those, a tolerance not a number above 0 (``rtol`` may be 0), or a variable time
            step was asked for together with a chip.
    """
    max_delay = extra_params.get("max_delay", DEFAULT_MAX_DELAY)
    _refuse_times(timestep, min_delay, max_delay)
    threads = _threads(extra_params.get("threads"))
    tolerances = _tolerances(extra_params)
    processes = processes_of(extra_params)
    off_grid = _is_off_grid(extra_params.get("spike_precision", ON_GRID))
    common.setup(timestep, min_delay, **extra_params)
    target = _target(extra_params.get("backend"), extra_params.get("chip"))
    if tolerances and target and not is_variable(target):
        raise InvalidValueError(
            f"setup() was given use_cvode=True for {target}, whose time steps are of one length; leave one of them out"
        )
    state = simulator.state
    state.clear()
    state.ask_for(target, threads)
    state.join(processes)
    state.dt = timestep
    state.seed = _seed(extra_params)
    state.off_grid = off_grid
    if off_grid:
        _warn_of_chips(state.targets, timestep)
    state.set_delays(min_delay, max_delay)
    if tolerances and not state.vary_steps(tolerances):
        _warn_of_equal_steps(state.targets, timestep)
    if not state.record_sample_times:
        compile_ahead(target.chip or "ideal" for target in state.targets if target.backend == DEFAULT_TARGET.backend)
    return rank()


def _refuse_times(timestep: Any, min_delay: Any, max_delay: Any) -> None:
    given = {"time step": timestep, "min_delay": min_delay, "max_delay": max_delay}
    for name, value in given.items():
        if value == "auto" and name != "time step":
            continue
        if not (isinstance(value, int | float | np.number) and math.isfinite(value) and value > 0):
            raise InvalidValueError(
                f"setup() was given a {name} of {value!r} ms; it must be above 0, such as 0.1 or 1.0"
            )
    if min_delay != "auto" and min_delay < timestep:
        raise InvalidValueError(f"setup() was given a min_delay of {min_delay:g} ms; the time step is {timestep:g} ms")
    if "auto" not in (min_delay, max_delay) and min_delay > max_delay:
        raise InvalidValueError(
            f"setup() was given a min_delay of {min_delay:g} ms above the max_delay of {max_delay:g} ms"
        )


def _tolerances(extra_params: dict) -> Tolerances | None:
    """Those of a variable time step; None where it was not asked for."""
    if not extra_params.get("use_cvode"):
        return None
    given = {name: extra_params[name] for name in ("rtol", "atol") if extra_params.get(name) is not None}
    for name, value in given.items():
        number = isinstance(value, int | float | np.number) and math.isfinite(value)
        if not number or value < 0 or (value == 0 and name == "atol"):
            least = "above 0" if name == "atol" else "0 or above"
            raise InvalidValueError(f"setup() was given {name}={value!r}; it must be a number {least}, such as 1e-6")
    return Tolerances(**{name: float(value) for name, value in given.items()})


def _warn_of_equal_steps(targets: Sequence[Target], timestep: float) -> None:
    fixed = " and ".join(str(target) for target in targets if not is_variable(target))
    warnings.warn(
        f"use_cvode=True: {fixed} has time steps of one length, so the whole script runs in steps of {timestep:g} ms, "
        "and what it records are signals of that step",
        stacklevel=3,
    )


def _target(backend: str | None, chip: str | None) -> Target | None:
    if backend is None and chip is None:
        return None
    return registry.backend(backend or DEFAULT_TARGET.backend).target(chip)


def _threads(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, Integral) or given < 1:
        raise InvalidValueError(f"setup() was given threads={given!r}; it must be a whole number from 1 on, such as 2")
    return int(given)


def _is_off_grid(precision: Any) -> bool:
    if precision not in (ON_GRID, OFF_GRID):
        raise InvalidValueError(
            f"setup() was given spike_precision={precision!r}; it must be {ON_GRID!r} or {OFF_GRID!r}"
        )
    return precision == OFF_GRID


def _warn_of_chips(targets: Sequence[Target], timestep: float) -> None:
    chips = [str(target) for target in targets if (target.chip or "ideal") != "ideal"]
    if chips:
        warnings.warn(
            f"spike_precision={OFF_GRID!r}: {' and '.join(chips)} has no time between its steps, so spikes of a "
            f"SpikeSourceArray take effect at the nearest one, at most {timestep / 2:g} ms earlier or later",
            stacklevel=3,
        )


def _seed(extra_params: dict) -> int:
    for word in SEED_WORDS:
        if (given := extra_params.get(word)) is not None:
            first = given[0] if isinstance(given, (list, tuple)) else given
            if not isinstance(first, Integral):
                raise InvalidValueError(f"setup() was given {word}={given!r}; it must be a whole number, such as 1")
            return int(first)
    return 0


def end(compatible_output: bool = True) -> None:
    """Write the data that was asked for and let go of what runs the network; its data can still be read."""
    state = simulator.state
    for population, variables, filename in state.write_on_end:
        population.write_data(filename, variables)
    state.write_on_end = []
    state.finish()


run, run_until = common.build_run(simulator)
run_for = run

reset = common.build_reset(simulator)

initialize = common.initialize

get_current_time, get_time_step, get_min_delay, get_max_delay, num_processes, rank = common.build_state_queries(
    simulator
)
