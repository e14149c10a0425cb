"""A neuron of compartments, with its channels and synapses, as a model of the rule set ``ideal``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.responses import exponential_shares, moved, rising_shares, time_of_peak
from evsim.cable import step
from evsim.cable.compartments import NF, NO_SECTION, US, Tree, site_name
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, kind_of, table

LEAK, SODIUM, POTASSIUM = "leak", "sodium", "potassium"
GATES = {LEAK: (), SODIUM: ("m", "h"), POTASSIUM: ("n",)}


@dataclass(frozen=True, eq=False)
class Channel:
    """A kind of channel in the membrane.

    Attributes:
        name: the user's.
        kind: ``LEAK``; ``SODIUM``, with gates m^3 h; ``POTASSIUM``, with n^4.
        density: (sections,) S/cm2.
        reversal: (sections,) mV; None where it is the parameter ``NAME.e_rev``, the same in all sections.
    """

    name: str
    kind: str
    density: NDArray[np.float64]
    reversal: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Receptor:
    """A kind of synapse.

    Attributes:
        name: the user's.
        taus: its parameters with time constants: one, or those of decay and rise, without its name.
        rises: whether it does not open at once.
        conducts: whether it is a conductance (uS), with a parameter ``NAME.e_syn``; else a current (nA).
        nodes: where there are such synapses, each once.
    """

    name: str
    taus: tuple[str, ...]
    rises: bool
    conducts: bool
    nodes: tuple[int, ...]

    @property
    def variable(self) -> str:
        """PyNN's name of its state."""
        return "gsyn" if self.conducts else "isyn"


@dataclass(frozen=True, eq=False)
class Cable:
    """A neuron, whose cells differ in their parameters alone.

    Attributes:
        names: of the nodes; empty where there is no membrane.
        cm: (sections,) uF/cm2.
        source: the node whose potential decides what a spike is: rising above ``threshold`` (mV).
        second_order: whether time steps are those of Crank and Nicolson, instead of backward Euler.
    """

    tree: Tree
    names: tuple[str, ...]
    cm: NDArray[np.float64]
    channels: tuple[Channel, ...]
    receptors: tuple[Receptor, ...]
    source: int
    threshold: float
    second_order: bool

    # --- what the step goes through ----------------------------------------------------------------------------------

    @cached_property
    def sites(self) -> tuple[tuple[Receptor, int], ...]:
        """Receptor and node of each row of input."""
        return tuple((receptor, node) for receptor in self.receptors for node in receptor.nodes)

    @cached_property
    def gate_rows(self) -> dict[str, NDArray[np.int64]]:
        """Kind of channel -> (nodes,) the first of its rows among those of the gates, or -1."""
        found, rows = {}, 0
        for kind in (SODIUM, POTASSIUM):
            has = self._density(kind) > 0
            count = len(GATES[kind])
            found[kind] = np.where(has, rows + count * (np.cumsum(has) - 1), -1)
            rows += count * int(has.sum())
        return found

    @property
    def n_gates(self) -> int:
        """The number of rows of gates."""
        return sum(len(GATES[kind]) * int((rows >= 0).sum()) for kind, rows in self.gate_rows.items())

    @property
    def n_states(self) -> int:
        """The number of rows of the state."""
        return 3 * len(self.tree) + self.n_gates + 2 * len(self.sites) + 1

    def on_nodes(self, of_sections: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of sections (sections,) as those of their compartments (nodes,); 0 where there is no membrane."""
        section = self.tree.section
        return np.where(section == NO_SECTION, 0.0, of_sections[section])

    def _density(self, kind: str) -> NDArray[np.float64]:
        """(nodes,) of all channels of a kind."""
        found = np.zeros(len(self.tree))
        for channel in self.channels:
            if channel.kind == kind:
                found += self.on_nodes(channel.density)
        return found

    # --- parameters --------------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> dict[str, str]:
        """Those that may differ between cells, with their units."""
        own = {f"{channel.name}.e_rev": "mV" for channel in self.channels if channel.reversal is None}
        for receptor in self.receptors:
            own |= {f"{receptor.name}.e_syn": "mV"} if receptor.conducts else {}
            own |= {f"{receptor.name}.{tau}": "ms" for tau in receptor.taus}
        return own

    def rows(self, values: Values, dt: float) -> np.ndarray:
        """The rows of the parameters that ``evsim.cable.step`` reads."""
        tree, nodes = self.tree, len(self.tree)
        over = dt / 2 if self.second_order else dt
        header = {
            step.NODES: nodes,
            step.SITES: len(self.sites),
            step.GATES: self.n_gates,
            step.SOURCE: self.source,
            step.THRESHOLD: self.threshold,
            step.GAIN: 2.0 if self.second_order else 1.0,
            step.DT: dt,
        }
        columns: dict[int, np.ndarray] = {
            step.PARENT: tree.parent,
            step.AXIAL: tree.axial,
            step.CAPACITY: NF * self.on_nodes(self.cm) * tree.area / over,
            step.SODIUM_ROW: self.gate_rows[SODIUM],
            step.POTASSIUM_ROW: self.gate_rows[POTASSIUM],
        }
        for kind, row in ((LEAK, step.LEAK), (SODIUM, step.SODIUM), (POTASSIUM, step.POTASSIUM)):
            columns |= self._conductance(kind, row, values)
        of_nodes = [columns[quantity][node] for quantity in range(step.NODE) for node in range(nodes)]
        of_sites = [self._site(receptor, node, values, dt) for receptor, node in self.sites]
        by_quantity = [site[quantity] for quantity in range(step.SITE) for site in of_sites]
        every = [*(header[k] for k in range(step.HEADER)), *of_nodes, *by_quantity]
        return table(*(np.asarray(row, np.float64) for row in every))

    def _conductance(self, kind: str, row: int, values: Values) -> dict[int, np.ndarray]:
        """The conductance (uS) of all channels of a kind, and what it pulls (nA): (nodes,) or (nodes, n)."""
        area = US * self.tree.area
        pull = np.zeros((len(self.tree), 1))
        for channel in self.channels:
            if channel.kind == kind:
                g = self.on_nodes(channel.density) * area
                if channel.reversal is None:
                    pull = pull + g[:, None] * np.atleast_1d(values[f"{channel.name}.e_rev"])[None, :]
                else:
                    pull = pull + (g * self.on_nodes(channel.reversal))[:, None]
        return {row: self._density(kind) * area, row + 1: pull}

    def _site(self, receptor: Receptor, node: int, values: Values, dt: float) -> list[float | np.ndarray]:
        """The rows of a site; what arrives lies half a step back where the state is that of a step's middle."""
        late = dt / 2 if self.second_order else 0.0
        tau, tau_x = (np.asarray(values[f"{receptor.name}.{name}"], np.float64) for name in (receptor.taus * 2)[:2])
        kept, kept_x, later, later_x = (np.exp(-time / t) for time in (dt, late) for t in (tau, tau_x))
        if receptor.rises:
            gain = 1 / moved(time_of_peak(tau, tau_x), tau, tau_x)
            found = [kept_x, kept, moved(dt, tau, tau_x), gain * later_x, gain * moved(late, tau, tau_x)]
        else:
            found = [0.0, kept, 0.0, 0.0, later]
        reversal = values[f"{receptor.name}.e_syn"] if receptor.conducts else 0.0
        return [node, *found, reversal, float(receptor.conducts)]

    # --- states ------------------------------------------------------------------------------------------------------

    def state(self, initial: Values, dt: float) -> np.ndarray:
        """(states, n) at t = 0. Gates that are given no value are where they settle at the initial potential."""
        nodes = len(self.tree)
        v = np.array(initial["v"], np.float64)
        state = np.zeros((self.n_states, len(v)))
        state[:nodes] = v
        settled = np.zeros((3, len(v)))
        step.advance_gates(v, settled, np.inf)
        for channel in self.channels:
            for gate in GATES[channel.kind]:
                if (name := f"{channel.name}.{gate}") in initial:
                    settled["mhn".index(gate)] = initial[name]
        if self.second_order:
            step.advance_gates(v, settled, dt / 2)
        for kind, at in ((SODIUM, 0), (POTASSIUM, 2)):
            for row in self.gate_rows[kind][self.gate_rows[kind] >= 0]:
                count = len(GATES[kind])
                state[3 * nodes + row : 3 * nodes + row + count] = settled[at : at + count]
        state[-1] = v > self.threshold
        return state

    @cached_property
    def units(self) -> dict[str, str]:
        """What can be recorded, with its unit: ``"v"`` of the source, and variables of places."""
        units = {"v": "mV"}
        for node, place in enumerate(self.names):
            if place:
                units[f"{place}.v"] = "mV"
                for channel, gate, _ in self._gates_at(node):
                    units[f"{place}.{channel}.{gate}"] = "dimensionless"
        for receptor, node in self.sites:
            units[f"{self.names[node]}.{receptor.name}.{receptor.variable}"] = "uS" if receptor.conducts else "nA"
        return units

    def _gates_at(self, node: int) -> list[tuple[str, str, int]]:
        """Channel, gate and row of the state of the gates of a node."""
        found = []
        for channel in self.channels:
            for k, gate in enumerate(GATES[channel.kind]):
                if (row := self.gate_rows[channel.kind][node]) >= 0:
                    found.append((channel.name, gate, 3 * len(self.tree) + int(row) + k))
        return found

    @cached_property
    def readouts(self) -> dict[str, Readout]:
        """Where they are; and of a state with an initial value, all rows that begin with it."""
        nodes = len(self.tree)
        found = {"v": Readout(self.source, beside=tuple(k for k in range(nodes) if k != self.source))}
        of_gates: dict[str, list[int]] = {}
        for node, place in enumerate(self.names):
            if place:
                found[f"{place}.v"] = Readout(node)
            for channel, gate, row in self._gates_at(node) if place else ():
                found[f"{place}.{channel}.{gate}"] = Readout(row)
                of_gates.setdefault(f"{channel}.{gate}", []).append(row)
        first = 3 * nodes + self.n_gates + len(self.sites)
        for row, (receptor, node) in enumerate(self.sites, first):
            found[f"{self.names[node]}.{receptor.name}.{receptor.variable}"] = Readout(row)
        return found | {name: Readout(rows[0], beside=tuple(rows[1:])) for name, rows in of_gates.items()}

    @property
    def gates(self) -> dict[str, str]:
        """The states beside the potential that can be given an initial value, with their units."""
        return {f"{ch.name}.{gate}": "dimensionless" for ch in self.channels for gate in GATES[ch.kind]}

    def convert(self, values: Values, initial: Values, dt: float, scale: None) -> Cells:
        """Cells in the numbers of the rule set; see ``evsim.model.Rule``."""
        state = self.state(initial, dt)
        drive = np.zeros((len(self.tree), state.shape[1]))
        return Cells(state, self.rows(values, dt), drive, 1.0, self.readouts)

    def arrive(
        self, receptor: str, values: Values, dt: float, left: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Early and late part of an input within a time step; see ``evsim.model.Rule``."""
        (kind,) = (kind for kind in self.receptors if kind.name == kind_of(receptor))
        tau, tau_x = (values[f"{kind.name}.{name}"] for name in (kind.taus * 2)[:2])
        return rising_shares(left, dt, tau, tau_x) if kind.rises else exponential_shares(left, dt, tau)


def neuron_model(name: str, cable: Cable) -> NeuronModel:
    """The model of a neuron, for the registry."""
    inputs = {site_name(cable.names[node], receptor.name): row for row, (receptor, node) in enumerate(cable.sites)}
    taus = frozenset(f"{receptor.name}.{tau}" for receptor in cable.receptors for tau in receptor.taus)
    rule = Rule(cable.convert, step.step, states=(), parameters=(), inputs=inputs, arrive=cable.arrive, whole=True)
    places: Mapping[str, int] = {place: node for node, place in enumerate(cable.names) if place}
    return NeuronModel(
        name=name,
        parameters=cable.parameters,
        states={"v": "mV", **cable.gates},
        recordables=cable.units,
        weight_unit="uS" if all(receptor.conducts for receptor in cable.receptors) else "nA",
        rules={"ideal": rule},
        receptors=tuple(inputs),
        above_zero=taus,
        places={"": cable.source, **places},
        settling=frozenset(cable.gates),
    )
