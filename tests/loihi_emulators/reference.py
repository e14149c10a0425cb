"""evsim's engine on registers."""

from __future__ import annotations

import numpy as np

import builders
from evsim.arithmetic.loihi import ALIGN, DECAY_ONE, MIXED_WEIGHT_MAX, WEIGHT_MAX
from evsim.arithmetic.loihi_lif import U, V
from evsim.chip import load_chip
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation, ChipProjection, ChipSource
from evsim.deploy.loihi import LoihiHold
from evsim.engine.simulation import Simulation
from evsim.model import Cells, Readout
from evsim.network import Draft
from evsim.registry import cell_model
from loihi_emulators.registers import Registers, Result, Synapses

TIMESTEP = 1.0  # ms


class Reference:
    """evsim's engine on registers.

    Args:
        rules: ``"loihi1"`` or ``"loihi2"``.
    """

    def __init__(self, registers: Registers, rules: str) -> None:
        self._registers = registers
        self._simulation = Simulation(_chip_network(registers, rules))

    def run(self) -> Result:
        """Every step."""
        self._simulation.run(self._registers.steps)
        found = self._simulation.recordings()
        spikes = np.zeros((self._registers.steps, self._registers.size), bool)
        events = found.spikes[0]
        spikes[np.rint(events.times / TIMESTEP).astype(int) - 1, events.neurons] = True
        v, u = (signal.raw for signal in found.signals)
        assert u is not None and v is not None
        return Result(u[1:], v[1:], spikes)

    @property
    def tallies(self) -> dict[str, int]:
        """What left a register, and how often."""
        return dict(self._simulation.recordings().tallies.get("cells", {}))


def evsim(registers: Registers, rules: str) -> Result:
    """What a rule set of evsim makes of them."""
    return Reference(registers, rules).run()


def _chip_network(registers: Registers, rules: str) -> ChipNetwork:
    model, source = cell_model("IF_curr_exp"), cell_model("SpikeSourceArray")
    trains = [np.flatnonzero(train) * TIMESTEP for train in registers.inputs.T]
    populations = builders.array_source(trains), builders.cells(registers.size)
    projections, held = [], []
    for k, s in enumerate(registers.synapses):
        rows = np.stack([s.source, s.target, s.weight, s.delay], axis=1).tolist()
        projections.append(builders.connect(int(s.recurrent), 1, rows, label=f"synapses {k}"))
        held.append(_hold(s, projections[-1].synapses, rules))
    probes = builders.record_all(populations, "spikes", "v", "isyn_exc")[1:]
    network = Draft(  # may have delays of 0, the emulators' shortest, which PyNN has not
        TIMESTEP, populations, tuple(projections), (), probes
    )
    kept = DECAY_ONE - 1 - registers.du, DECAY_ONE - registers.dv
    parameters = np.array([[*kept, registers.vth << ALIGN, registers.refractory]], np.int64).T
    state = np.stack([registers.each(registers.u), registers.each(registers.v), registers.each(0)])
    readouts = {"v": Readout(V), "isyn_exc": Readout(U)}
    cells = Cells(state, parameters, registers.bias, 0.0, readouts)
    on_chip = ChipSource("input", source), ChipPopulation("cells", model, cells)  # pyright: ignore[reportArgumentType]
    return ChipNetwork(network, load_chip(rules), on_chip, tuple(held))


def _hold(synapses: Synapses, listed, rules: str) -> ChipProjection:
    """With a unit of weight that is a mantissa."""
    shifted, exponent = rules == "loihi1", synapses.exponent
    step, most = (2, MIXED_WEIGHT_MAX) if synapses.mixed else (1, WEIGHT_MAX)
    return ChipProjection(
        0, listed, LoihiHold(2.0**exponent, exponent, step, most, shifted), 0 if shifted else exponent
    )
