"""Synapses that learn by a rule of a script's own: its functions in native code.

The rule says what one synapse does at a spike of either side (``evsim.learning_rule``). Around that a loop over a row
of synapses is written, of the form

    f(words, kept, laws, decays, order, events, spiked, into,
      count, varied, arrives, seen, until, lag, key, repeats, arrival, last, dt) -> int64

    words     (count,) uint64, whose low 16 bits are the target
    kept      (count * WIDTH,) float64, changed in place: of each synapse the weight, state variables, traces as the
              latest spike of their side left them, and the label at which the target's latest spike reached it
    laws      (parameters,) float64, or (count * parameters,) where ``varied`` is not 0
    decays    (time constants of traces * KNOWN,) float64, what they leave after 0, 1, ... steps; used unless ``varied``
    order     (count,) uint32, the place of each synapse in its projection; of a rule whose random numbers are
              ``shared``, (count * 2,): the source and the target of each
    events    (events * EVENT,) int64, the history of the targets' spikes; see ``ruled_memory``
    spiked    (targets,) int64, the place there of each target's latest spike; -1 if there is none
    into      (targets,) float64, added to where ``arrives`` is not 0
    seen      the first event of the history that the row has not met
    until     the first one that has not reached it yet
    lag       steps from the target to the synapse
    key       uint64, of the random numbers of the projection
    repeats   spikes of the source that arrived before at the same label
    arrival   float64, the label at which a spike of the source arrives
    last      float64, that of the spike before; -inf if there was none
    dt        float64, ms

of which arrays are given by their addresses. It brings synapses up to date with their targets, then lets the spike
arrive, and returns how many weights or parts released are no finite numbers. The engine calls it by its address, so
that a new rule compiles nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from evsim.compile import LEAN, native, write_function
from evsim.engine.rows import TARGET_BITS
from evsim.engine.ruled_memory import EARLIER, EVENT, LABEL, LATER
from evsim.learning_rule import SINCE_POST, SINCE_PRE, SOURCE, TARGET, LearningRule
from evsim.model import arguments
from evsim.network import Projection
from evsim.random_bits import subkey, uniform
from evsim.release import CHANCES, INTERVAL, STEP, WEIGHT

_REPEATS = 17  # bits for the side of a spike, and for those of one source at one label

_ARRAYS = {
    "words": types.uint64,
    "kept": types.float64,
    "laws": types.float64,
    "decays": types.float64,
    "order": types.uint32,
    "events": types.int64,
    "spiked": types.int64,
    "into": types.float64,
}
_NUMBERS = {
    **dict.fromkeys(("count", "varied", "arrives", "seen", "until", "lag"), types.int64),
    "key": types.uint64,
    "repeats": types.int64,
    **dict.fromkeys(("arrival", "last", "dt"), types.float64),
}
_SIGNATURE = types.int64(*map(types.CPointer, _ARRAYS.values()), *_NUMBERS.values())


KNOWN = 1024  # steps for which decays are tabulated: exp() takes longer than all else at a spike


_QUICK = "decays[{first} + np.int64({steps})] if {steps} < {known} else "


def taus_of(rule: LearningRule) -> list[str]:
    """The parameters that are time constants of traces, in the order of their tables."""
    return list(dict.fromkeys(trace.tau for trace in rule.traces.values()))


def decays_of(rule: LearningRule, laws: NDArray[np.float64], timestep: float) -> NDArray[np.float64]:
    """(time constants, KNOWN) what traces are left of after 0, 1, ... steps; (0, KNOWN) where synapses differ.

    Args:
        laws: (1 or synapses, parameters).
        timestep: ms.
    """
    if len(laws) != 1 or not rule.traces:
        return np.empty((0, KNOWN))
    taus = laws[0, [list(rule.parameters).index(name) for name in taus_of(rule)]]
    return np.exp(-np.arange(KNOWN) * timestep / taus[:, np.newaxis])


def order_of(rule: LearningRule, projection: Projection, synapses: NDArray[np.int64]) -> NDArray[np.int64]:
    """(synapses, 1 or 2) what ``order`` has of some synapses of a projection."""
    if rule.shared:
        return np.stack([projection.source[synapses], projection.target[synapses]], axis=1).astype(np.int64)
    return synapses[:, np.newaxis]


def width_of(rule: LearningRule) -> int:
    """How many numbers are kept of a synapse."""
    return 2 + len(rule.initial) + len(rule.traces)


@cache
def learning_function(rule: LearningRule) -> Any:
    """The native function of a rule; the first call compiles, or loads from the cache.

    Raises:
        numba.core.errors.NumbaError: a function of the rule cannot be compiled.
        NameError: it uses a name that is not defined.
    """
    return native(_written(rule), _SIGNATURE)


def _written(rule: LearningRule) -> Callable[..., Any]:
    text = "\n    ".join([f"def learn({', '.join([*_ARRAYS, *_NUMBERS])}):", *_lines(rule)]) + "\n"
    functions = {"on_pre": rule.on_pre, "on_post": rule.on_post, "subkey": subkey, "uniform": uniform}
    compiled = {
        name: numba.njit(forceinline=True, **LEAN)(getattr(function, "py_func", function))
        for name, function in functions.items()
        if function
    }
    return write_function(text, {"np": np, "TARGET_BITS": TARGET_BITS, **compiled})


def _lines(rule: LearningRule) -> Iterator[str]:
    names = list(rule.parameters)
    asked = {*_asked(rule.on_pre), *_asked(rule.on_post), *(trace.tau for trace in rule.traces.values())}
    used = [(name, k) for k, name in enumerate(names) if name in asked]
    yield "faults = np.int64(0)"
    yield "if varied == 0:"
    yield from (f"    p_{name} = laws[{k}]" for name, k in used)
    yield "    for q in range(count):"
    yield from (
        f"        {line}" for line in _one(rule, "decays[{first} + np.int64({steps})] if {steps} < {known} else ")
    )
    yield "else:"
    yield "    for q in range(count):"
    yield from (f"        p_{name} = laws[q * {len(names)} + {k}]" for name, k in used)
    yield from (f"        {line}" for line in _one(rule, ""))
    yield "return faults"


def _asked(function: Callable[..., Any] | None) -> tuple[str, ...]:
    return arguments(function) if function else ()


def _one(rule: LearningRule, quick: str) -> Iterator[str]:
    """What is done for synapse q, whose parameters are known.

    Args:
        quick: what stands before ``exp`` where decays are known.
    """
    kept = ["weight", *(f"s_{name}" for name in rule.initial), *(f"t_{name}" for name in rule.traces), "latest"]
    assert len(kept) == width_of(rule), "of each synapse"
    yield f"at = q * {len(kept)}"
    yield "target = np.int64(words[q] & TARGET_BITS)"
    yield "place, first = spiked[target], np.int64(-1)"
    yield "while place >= seen:"
    yield f"    first, place = place, events[{EVENT} * place + {EARLIER}]"
    yield "if arrives == 0 and (first < 0 or first >= until):"
    yield "    continue"
    yield from (f"{name} = kept[at + {k}]" for k, name in enumerate(kept))
    yield "while 0 <= first < until:"
    yield f"    reached = events[{EVENT} * first + {LABEL}] + lag"
    yield "    now = np.float64(reached)"
    yield from (f"    {line}" for line in _spike(rule, TARGET, quick))
    yield "    latest = now"
    yield f"    first = events[{EVENT} * first + {LATER}]"
    yield "if arrives != 0:"
    yield "    now = arrival"
    yield from (f"    {line}" for line in _spike(rule, SOURCE, quick))
    yield "    into[target] += released"
    yield "    faults += released - released != 0"
    yield "faults += weight - weight != 0"
    yield from (f"kept[at + {k}] = {name}" for k, name in enumerate(kept))


def _spike(rule: LearningRule, side: str, quick: str) -> Iterator[str]:
    """What is done at a spike of one side that reaches the synapse at label ``now``."""
    function, name = (rule.on_pre, "on_pre") if side == SOURCE else (rule.on_post, "on_post")
    asked = _asked(function)
    yield "pre, post = now - last, now - latest"
    yield "since_pre, since_post = pre * dt, post * dt"
    for key, trace in rule.traces.items():
        if trace.side == side or key in asked:
            steps, first = ("pre" if trace.side == SOURCE else "post"), KNOWN * taus_of(rule).index(trace.tau)
            known = quick.format(first=first, steps=steps, known=KNOWN)
            yield f"d_{key} = t_{key} * ({known}np.exp(-{steps} * dt / p_{trace.tau}))"
    if any(chance in asked for chance in CHANCES):
        at = "reached - lag" if rule.shared else "reached"  # the label of the spike, whatever the delay
        number = f"(np.int64(now) << {_REPEATS}) + (repeats << 1)" if side == SOURCE else f"(({at}) << {_REPEATS}) + 1"
        place = f"2 * q + {int(side == TARGET)}" if rule.shared else "q"
        yield f"own = subkey(subkey(key, np.uint64({number})), np.uint64(order[{place}]))"
    results = ["weight", *(f"s_{key}" for key in rule.initial)]
    if side == SOURCE and rule.releases:
        results.insert(0, "released")
    if function:
        known = _known(rule)
        called = f"{name}({', '.join(known[key] for key in asked)})"
        yield f"{', '.join(results)} = {called}" if len(results) > 1 else f"{results[0]} = {called}"
    if side == SOURCE and not rule.releases:
        yield "released = weight"
    yield from (f"t_{key} = d_{key} + 1.0" for key in rule.traces_at(side))


def _known(rule: LearningRule) -> dict[str, str]:
    known = {WEIGHT: "weight", SINCE_PRE: "since_pre", SINCE_POST: "since_post", STEP: "dt"}
    known[INTERVAL] = "min(since_pre, since_post)"
    known |= {name: f"p_{name}" for name in rule.parameters}
    known |= {name: f"s_{name}" for name in rule.initial}
    known |= {name: f"d_{name}" for name in rule.traces}
    return known | {name: f"uniform(own, {place})" for place, name in enumerate(CHANCES)}
