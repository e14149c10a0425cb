"""Current sources. Each is a current that is constant from one time step to the next, drawn or computed beforehand."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from pyNN import common, errors
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.random import AbstractRNG
from pyNN.standardmodels import StandardCurrentSource, build_translations, electrodes

from evsim.errors import EvsimError
from evsim.network import Current, frozen
from evsim.pynn import simulator
from evsim.pynn.columns import on_grid
from evsim.pynn.locations import injection_places
from evsim.pynn.presence import on_the_whole

MAY_BE_NEVER = frozenset({"start", "stop"})
HORIZON = 10_000  # time steps for which a varying current is computed at least, so that short runs seldom need more


class NotANumberError(EvsimError, errors.InvalidParameterValueError):
    """A parameter of a current source that is NaN, or infinite where it is no time that may never come."""


class CurrentSource(StandardCurrentSource):
    """What the current sources share: the cells that they are injected into, and the waveforms that they had.

    A waveform is a pair of (k,) arrays: from ``steps[j]`` on, the amplitude is ``amplitudes[j]`` (nA); 0 before.
    """

    _simulator = simulator
    _values: dict[str, Any]

    def __init__(self, **parameters) -> None:
        super().__init__(**parameters)
        state = simulator.state
        self._values = {}
        self._injected: list[tuple[int, np.ndarray, str]] = []  # population, its cells, the place in them
        self._parts: list[Current] | None = None
        self._stop = state.step + HORIZON  # time step up to which the waveform is known
        self._past: list[tuple[int, np.ndarray]] = []  # first step, amplitudes from there on, before the last change
        self._since = 0  # step from which on the present waveform holds
        self._number = len(state.current_sources)
        self._epoch = state.epoch
        space = ParameterSpace(self.default_parameters, self.get_schema(), shape=(1,))
        space.update(**parameters)
        self.set_native_parameters(self.translate(space))
        state.current_sources.append(self)

    # --- PyNN's side -------------------------------------------------------------------------------------------------

    @on_the_whole
    def inject_into(self, cells, location=None) -> None:
        """Inject into a population, a view, an assembly or a list of cells.

        Args:
            location: of neurons of compartments, where: the label of a section, or one of the locations of
                ``sim.morphology``; into each place, if it stands for several. None for the soma.

        Raises:
            InvalidValueError: there is no such location, or the cells are points.
        """
        if self._epoch != simulator.state.epoch:
            raise EvsimError(
                f"this {type(self).__name__} was created before the last setup(); create it again after it"
            )
        for cell in cells:
            if not cell.celltype.injectable:
                raise TypeError(f"a current cannot be injected into a {type(cell.celltype).__name__}")
        for population, indices in _by_population(cells):
            celltype = simulator.state.populations[population].celltype
            for place in injection_places(celltype, location):
                self._injected.append((population, indices, place))
        self._forget_parts()

    def set_native_parameters(self, parameters: ParameterSpace) -> None:
        """Set parameters; what is in the past stays as it was."""
        parameters.shape = (1,)
        parameters.evaluate(simplify=True)
        values = dict(self._values)
        for name, value in parameters.as_dict().items():
            values[name] = np.array(value.value, float) if isinstance(value, Sequence) else float(value)
            if not np.isfinite(values[name]).all() and (name not in MAY_BE_NEVER or np.isnan(values[name])):
                wrong = "is not a number" if np.isnan(values[name]).any() else "is infinite"
                raise NotANumberError(f"{type(self).__name__}: {name} {wrong}; give it a finite value")
        values = self._checked(values)
        step = simulator.state.step
        if step > self._since:
            unborn = not self._values
            past = np.zeros(step - self._since) if unborn else self._sampled(self._since, step)
            self._past.append((self._since, past))
            self._since = step
        self._values = values
        self._forget_parts()

    def get_parameters(self) -> dict[str, Any]:
        """The parameters, as numbers and arrays."""
        return dict(self._values)

    def record(self) -> None:
        """Ask for ``get_data()``; the waveform is always kept."""

    def _get_data(self) -> tuple[np.ndarray, np.ndarray]:
        """Times (ms) and amplitudes (nA), one sample for each time step from 0 to now."""
        state = simulator.state
        now = self._sampled(self._since, state.step + 1)
        amplitudes = np.concatenate([*(values for _, values in self._past), now])
        return np.arange(state.step + 1) * state.dt, amplitudes

    # --- evsim's side ------------------------------------------------------------------------------------------------

    def parts(self) -> list[Current]:
        """The injected currents as they are in the network."""
        if self._parts is None:
            steps, amplitudes = self._waveform(self._stop)
            times = frozen(steps * simulator.state.dt)
            self._parts = [
                Current(
                    f"{type(self).__name__} {self._number}", population, frozen(cells), times, frozen(amplitudes), place
                )
                for population, cells, place in self._injected
            ]
        return self._parts

    def extend(self, stop: int) -> bool:
        """Make sure that the waveform is known up to a time step; returns whether that changed it."""
        if stop <= self._stop:
            return False
        before = len(self._waveform(self._stop)[0])
        self._stop = max(stop, 2 * self._stop)
        if len(self._waveform(self._stop)[0]) == before:
            return False
        self._forget_parts()
        return True

    @property
    def injected(self) -> list[tuple[int, np.ndarray, str]]:
        """The population, its cells, and the place in them, each time it was injected."""
        return self._injected

    def inject_exactly(self, injected: list[tuple[int, np.ndarray, str]]) -> None:
        """Inject into these and nothing else."""
        self._injected = injected
        self._forget_parts()

    def waveform(self) -> Any:
        """All that the present waveform is made from."""
        return self._values

    def take_waveform(self, waveform: Any) -> None:
        """Be made from that."""
        self._values = waveform
        self._forget_parts()

    def reset(self) -> None:
        """Back at t = 0, the present parameters hold from the beginning."""
        self._past.clear()
        self._since = 0

    def _waveform(self, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The waveform of the present parameters up to a time step."""
        raise NotImplementedError

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """The parameters as they take effect; raises an error for those that cannot be."""
        return values

    def _sampled(self, first: int, stop: int) -> np.ndarray:
        """The amplitude at every time step from ``first`` to before ``stop``."""
        steps, amplitudes = self._waveform(stop)
        at = np.searchsorted(steps, np.arange(first, stop), side="right") - 1
        return np.append(amplitudes, 0.0)[at]

    def _step_of(self, name: str) -> int:
        """The time step of a parameter that is a time; far in the future may be infinite."""
        return round(min(max(self._values[name] / simulator.state.dt, 0.0), 2.0**52))

    def _window(self, stop: int) -> tuple[int, int]:
        """The time steps from ``start`` to ``stop`` of the source, as far as they lie before a time step."""
        first = min(self._step_of("start"), stop)
        return first, min(max(self._step_of("stop"), first), stop)

    def _forget_parts(self) -> None:
        self._parts = None
        simulator.state.changed()


def _identity(base: type) -> dict:
    return build_translations(*((name, name) for name in base.default_parameters))


class DCSource(CurrentSource, electrodes.DCSource):
    __doc__ = electrodes.DCSource.__doc__
    translations = _identity(electrodes.DCSource)

    def _waveform(self, stop: int) -> tuple[np.ndarray, np.ndarray]:
        first = self._step_of("start")
        return np.array([first, max(self._step_of("stop"), first)]), np.array([self._values["amplitude"], 0.0])


class StepCurrentSource(CurrentSource, electrodes.StepCurrentSource):
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = _identity(electrodes.StepCurrentSource)

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Times are rounded to the time step; of several in one step, the last counts."""
        times, amplitudes = values["times"], values["amplitudes"]
        if len(times) != len(amplitudes):
            raise errors.InvalidDimensionsError(
                f"a StepCurrentSource with {len(times)} times but {len(amplitudes)} amplitudes; give as many of each"
            )
        if np.any(times < 0):
            raise errors.InvalidParameterValueError(
                f"a StepCurrentSource with a time of {times.min():g} ms; times must not be negative"
            )
        if np.any(np.diff(times) <= 0):
            raise errors.InvalidParameterValueError(
                "a StepCurrentSource with times that do not increase monotonically; put them in order"
            )
        dt = simulator.state.dt
        steps, last = np.unique(np.rint(times / dt)[::-1], return_index=True)
        return {"times": steps * dt, "amplitudes": amplitudes[::-1][last]}

    def _waveform(self, stop: int) -> tuple[np.ndarray, np.ndarray]:
        return np.rint(self._values["times"] / simulator.state.dt).astype(np.int64), self._values["amplitudes"]


class ACSource(CurrentSource, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    translations = _identity(electrodes.ACSource)

    def _waveform(self, stop: int) -> tuple[np.ndarray, np.ndarray]:
        first, last = self._window(stop)
        values, steps = self._values, np.arange(first, last)
        cycles = values["frequency"] * (steps * simulator.state.dt - values["start"]) / 1000.0
        wave = values["offset"] + values["amplitude"] * np.sin(2 * np.pi * (cycles + values["phase"] / 360.0))
        return np.append(steps, last), np.append(wave, 0.0)


class NoisyCurrentSource(CurrentSource, electrodes.NoisyCurrentSource):
    __doc__ = f"""{electrodes.NoisyCurrentSource.__doc__}
    Each source has a stream of its own, of which a longer waveform takes more and never other numbers. It begins at a
    number that is drawn from `rng` when the source is created; without one, at the seed of `setup()` and the place of
    the source among all.
    """
    translations = _identity(electrodes.NoisyCurrentSource)

    def __init__(self, *, rng: AbstractRNG | None = None, **parameters) -> None:
        state = simulator.state
        seed = [state.seed & (2**64 - 1), len(state.current_sources)] if rng is None else [int(rng.next() * 2**53)]
        self._seed = np.random.SeedSequence(seed)
        super().__init__(**parameters)

    def waveform(self) -> Any:
        """All that the present waveform is made from."""
        return self._values, self._seed.entropy

    def take_waveform(self, waveform: Any) -> None:
        """Be made from that."""
        values, entropy = waveform
        self._seed = np.random.SeedSequence(entropy)
        super().take_waveform(values)

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """A ``dt`` below the time step, such as PyNN's default may be, is taken to be the time step."""
        dt, timestep = values["dt"], simulator.state.dt
        if not dt > 0:
            raise errors.InvalidParameterValueError(f"a NoisyCurrentSource with a dt of {dt:g} ms; it must be above 0")
        if dt > timestep and on_grid(dt, timestep) != dt:
            raise errors.InvalidParameterValueError(
                f"a NoisyCurrentSource with a dt of {dt:g} ms; it must be a multiple of the time step, {timestep:g} ms"
            )
        if values["stdev"] < 0:
            raise errors.InvalidParameterValueError(
                f"a NoisyCurrentSource with a stdev of {values['stdev']:g} nA; it must be at least 0"
            )
        return values

    def _waveform(self, stop: int) -> tuple[np.ndarray, np.ndarray]:
        first, last = self._window(stop)
        steps = np.arange(first, last, max(round(self._values["dt"] / simulator.state.dt), 1))
        numbers = np.random.default_rng(self._seed).standard_normal(len(steps))
        noise = self._values["mean"] + self._values["stdev"] * numbers
        return np.append(steps, last), np.append(noise, 0.0)


def _by_population(cells) -> Iterable[tuple[int, np.ndarray]]:
    """The populations of the cells, by number in the network, with the indices of the cells in them."""
    if isinstance(cells, common.Assembly):
        cells = list(cells.all_cells)
    numbers = {id(population): number for number, population in enumerate(simulator.state.populations)}
    found: dict[int, list[int]] = {}
    for cell in cells:
        if id(cell.parent) not in numbers:
            raise EvsimError(f"population {cell.parent.label!r} was created before the last setup(); create it again")
        found.setdefault(numbers[id(cell.parent)], []).append(cell.parent.id_to_index(cell))
    for number, indices in sorted(found.items()):
        yield number, np.array(sorted(indices), np.int32)
