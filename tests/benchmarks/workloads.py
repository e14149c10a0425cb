"""The workloads: every number of them, in one place for evsim's scripts and for those of the other simulators.

Times are in ms, rates in Hz, potentials in mV, capacitances in nF, currents in nA and conductances in uS. ``scale``
makes a small version of a workload for tests; 1 is the workload itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from microcircuit import Microcircuit
from workload import Workload


@dataclass(frozen=True)
class Brunel(Workload):
    """W1: sparsely connected delta neurons in the asynchronous irregular state, each with a Poisson source of 20 kHz.

    Brunel (2000), J. Comput. Neurosci. 8:183-208, model A with g = 5 and an external rate of twice the threshold's.
    """

    tau_m: float = 20.0
    cm: float = 1.0  # of no effect: a spike moves the potential
    v_rest: float = 0.0
    v_thresh: float = 20.0
    v_reset: float = 0.0
    tau_refrac: float = 2.0
    g: float = 5.0
    eta: float = 2.0

    @property
    def n_exc(self) -> int:
        return round(10000 * self.scale)

    @property
    def n_inh(self) -> int:
        return round(2500 * self.scale)

    @property
    def inputs_exc(self) -> int:
        """Excitatory inputs of each neuron."""
        return round(0.1 * self.n_exc)

    @property
    def inputs_inh(self) -> int:
        """Inhibitory inputs of each neuron."""
        return round(0.1 * self.n_inh)

    @property
    def weight_exc(self) -> float:
        """Jump of the potential (mV); a smaller network has fewer and stronger synapses."""
        return 0.1 / self.scale

    @property
    def weight_inh(self) -> float:
        """Jump of the potential (mV), negative."""
        return -self.g * self.weight_exc

    @property
    def delay(self) -> float:
        return 1.5 if self.dt < 0.5 else 2.0

    @property
    def external_rate(self) -> float:
        """Rate of each neuron's external train: eta times the one that just reaches the threshold."""
        return self.eta * self.v_thresh / (self.weight_exc * self.tau_m) * 1000.0

    @property
    def neurons(self) -> int:
        return self.n_exc + self.n_inh

    @property
    def synapses(self) -> int:
        return self.neurons * (self.inputs_exc + self.inputs_inh)

    def events(self, spikes: Sequence[int]) -> float:
        return sum(spikes) * (self.inputs_exc + self.inputs_inh)  # the mean number of targets is that of inputs


@dataclass(frozen=True)
class VogelsAbbott(Workload):
    """W2: self-sustained activity with synaptic currents (CUBA) or conductances (COBA), 80 inputs to each neuron.

    Vogels and Abbott (2005), J. Neurosci. 25:10786-10795, as benchmarks 1 and 2 of Brette et al. (2007),
    J. Comput. Neurosci. 23:349-398, without the first kick for currents, where it is not needed.
    """

    size: int = 4000
    conductances: bool = False
    inputs: int = 80
    tau_m: float = 20.0
    cm: float = 0.2
    v_thresh: float = -50.0
    v_reset: float = -60.0
    tau_refrac: float = 5.0
    tau_syn_exc: float = 5.0
    tau_syn_inh: float = 10.0
    e_rev_exc: float = 0.0
    e_rev_inh: float = -80.0
    kick_sources: int = 20
    kick_rate: float = 100.0
    kick_duration: float = 50.0
    kick_weight: float = 0.1

    @property
    def neurons(self) -> int:
        return round(self.size * self.scale)

    @property
    def n_exc(self) -> int:
        return round(0.8 * self.neurons)

    @property
    def probability(self) -> float:
        return min(self.inputs / self.neurons, 1.0)

    @property
    def kick_probability(self) -> float:
        return 0.5 * self.probability

    @property
    def v_rest(self) -> float:
        return -60.0 if self.conductances else -49.0

    @property
    def weight_exc(self) -> float:
        """The conductance, or for currents the published conductance times the driving force at the mean potential."""
        return 4e-3 if self.conductances else 0.27e-3 * 60

    @property
    def weight_inh(self) -> float:
        """As for the excitatory weight; a current is negative."""
        return 51e-3 if self.conductances else 4.5e-3 * -20

    @property
    def delay(self) -> float:
        return 0.2 if self.dt < 0.5 else 1.0

    @property
    def synapses(self) -> int:
        return self.neurons * self.inputs

    def events(self, spikes: Sequence[int]) -> float:
        return sum(spikes) * self.inputs


@dataclass(frozen=True)
class Sparse(Workload):
    """W4: mostly silent neurons: Poisson sources make their targets spike, whose own synapses are weak."""

    source_rate: float = 0.3
    targets: int = 100  # of each neuron and of each source
    tau_m: float = 20.0
    cm: float = 1.0
    v_rest: float = -65.0
    v_reset: float = -65.0
    v_thresh: float = -50.0
    tau_refrac: float = 2.0
    tau_syn: float = 5.0
    source_weight: float = 8.0
    source_delay: float = 1.0
    weight_exc: float = 0.02
    weight_inh: float = -0.08
    max_delay: int = 8  # whole ms from 1 on, all equally likely

    @property
    def neurons(self) -> int:
        return round(100000 * self.scale)

    @property
    def n_exc(self) -> int:
        return round(0.8 * self.neurons)

    @property
    def sources(self) -> int:
        return round(self.neurons / self.targets)

    @property
    def synapses(self) -> int:
        return (self.neurons + self.sources) * self.targets

    def events(self, spikes: Sequence[int]) -> float:
        return (sum(spikes) + self.sources * self.source_rate * self.duration / 1000) * self.targets


@dataclass(frozen=True)
class Plastic(Workload):
    """W5: additive STDP of all pairs, from every Poisson source onto every neuron."""

    rate: float = 15.0
    tau_m: float = 20.0
    cm: float = 1.0
    v_rest: float = -65.0
    v_reset: float = -65.0
    v_thresh: float = -50.0
    tau_refrac: float = 2.0
    tau_syn: float = 5.0
    delay: float = 1.0
    A_plus: float = 0.005  # times w_max
    A_minus: float = 0.00525
    tau_plus: float = 20.0
    tau_minus: float = 20.0

    @property
    def sources(self) -> int:
        return round(1000 * self.scale)

    @property
    def neurons(self) -> int:
        return round(100 * self.scale)

    @property
    def w_max(self) -> float:
        """With fewer sources each one is stronger."""
        return 0.020 / self.scale

    @property
    def weight(self) -> float:
        """At the start."""
        return 0.5 * self.w_max

    @property
    def synapses(self) -> int:
        return self.sources * self.neurons

    def events(self, spikes: Sequence[int]) -> float:
        return spikes[1] * self.neurons  # the sources are the second group


NAMES = ("W1", "W2CUBA", "W2COBA", "W2CUBA20k", "W2COBA20k", "W3", "W4", "W4-0.03", "W4-3", "W5")


def workload(name: str, dt: float, scale: float = 1.0, duration: float | None = None) -> Workload:
    """The workload of a name; ``W4-0.03`` and ``W4-3`` are W4 with sources of that rate.

    Args:
        duration: ms; the workload's own if it is not given.

    Raises:
        ValueError: there is no such workload.
    """
    if name not in NAMES:
        raise ValueError(f"there is no workload {name!r}; choose from {', '.join(NAMES)}")
    kind, _, rate = name.partition("-")
    size = {
        "name": name,
        "dt": dt,
        "scale": scale,
        "duration": duration or (10000.0 if kind in ("W4", "W5") else 1000.0),
    }
    if kind == "W1":
        return Brunel(**size)
    if kind.startswith("W2"):
        return VogelsAbbott(**size, size=20000 if kind.endswith("20k") else 4000, conductances="COBA" in kind)
    if kind == "W3":
        return Microcircuit(**size)
    if kind == "W4":
        return Sparse(**size, source_rate=float(rate or 0.3))
    return Plastic(**size)
