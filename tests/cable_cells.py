"""Cables and neurons of compartments, run as a network without PyNN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evsim import registry
from evsim.backend import Target
from evsim.cable.compartments import cut
from evsim.cable.model import Cable, Channel, Receptor, neuron_model
from evsim.cable.sections import ROOT, Section
from evsim.network import Current, Network, Population, Probe, Projection, Trains
from evsim.recording import Recordings
from evsim.reference import ReferenceBackend
from evsim.synapses import Listed

LEAK, E_LEAK, RA = 1e-4, -65.0, 150.0  # S/cm2, mV, Ohm cm
REVERSALS = {"pas.e_rev": E_LEAK, "na.e_rev": 50.0, "kdr.e_rev": -77.0}  # mV


def cylinder(name: str, length: float, diameter: float, parent: int = ROOT, along: float = 1.0) -> Section:
    return Section(name, np.array([[0.0, diameter], [length, diameter]]), parent, along)


def cable(
    sections: Sequence[Section],
    channels: Sequence[Channel] = (),
    receptors: Sequence[Receptor] = (),
    Ra: float = RA,
    **options,
) -> Cable:
    """Sections with a leak, and whatever else is given; ``options`` are those of ``Cable``, and ``d_lambda``."""
    cm = np.ones(len(sections))
    tree = cut(sections, cm, Ra, options.pop("d_lambda", 0.1))
    leak = Channel("pas", "leak", np.full(len(sections), LEAK))
    given = {"source": tree.at(0, 0.5), "threshold": 10.0, "second_order": False} | options
    return Cable(tree, tuple(tree.names(sections)), cm, (leak, *channels), tuple(receptors), **given)


def registered(of: Cable) -> str:
    """Make it a model; returns its name."""
    name = registry.free_name("cable")
    registry.register(neuron_model(name, of))
    return name


def run(
    of: Cable,
    time: float,
    dt: float,
    probes: Sequence[str],
    *,
    currents: Sequence[tuple[str, float, float, float]] = (),
    spikes: Sequence[tuple[str, float, Sequence[float] | np.ndarray]] = (),
    v: float = E_LEAK,
    parameters: dict[str, float] | None = None,
    initial: dict[str, float] | None = None,
    cells: int = 1,
    threads: int = 1,
) -> Recordings:
    """Run cells that are all the same.

    Args:
        probes: variables of the model, beside spikes.
        currents: (place, amplitude in nA, from ms, to ms).
        spikes: (receptor and place, weight, times in ms); they arrive ``dt`` after these times.
        parameters: other ones than ``REVERSALS``.
    """
    every = np.arange(cells, dtype=np.int32)
    own = {name: value for name, value in REVERSALS.items() if name in of.parameters} | (parameters or {})
    own = {name: np.broadcast_to(np.float64(value), cells) for name, value in own.items()}
    begins = {name: np.broadcast_to(np.float64(value), cells) for name, value in ({"v": v} | (initial or {})).items()}
    populations = [Population("cells", registered(of), cells, own, begins)]
    projections = []
    for k, (receptor, weight, times) in enumerate(spikes, start=1):
        trains = Trains.from_lists([np.array(times, float)])
        populations.append(Population(f"source {k}", "SpikeSourceArray", 1, {}, trains=trains))
        synapses = Listed(np.zeros(cells, np.int32), every, np.full(cells, weight), np.ones(cells, np.int32))
        projections.append(Projection(f"to {receptor}", k, 0, receptor, "StaticSynapse", synapses))
    network = Network(
        dt,
        tuple(populations),
        tuple(projections),
        tuple(
            Current(f"current {k}", 0, every, np.array([start, stop]), np.array([amplitude, 0.0]), place)
            for k, (place, amplitude, start, stop) in enumerate(currents)
        ),
        tuple(Probe(0, variable, every) for variable in ("spikes", *probes)),
    )
    session = ReferenceBackend().start(network, Target("reference", "ideal", {"threads": threads}))
    try:
        session.run(round(time / dt))
        return session.recordings()
    finally:
        session.close()


def traces(recordings: Recordings) -> dict[str, np.ndarray]:
    """Variable -> (samples,) of the first cell."""
    return {signal.variable: signal.values[:, 0] for signal in recordings.signals}
