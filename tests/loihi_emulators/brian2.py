"""brian2-loihi on registers."""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.loihi import DECAY_ONE, decay_toward_zero
from loihi_emulators.imports import quietly, unwarned
from loihi_emulators.registers import Registers, Result, Synapses


@unwarned()
def brian2_loihi(registers: Registers) -> Result:
    """By brian2-loihi, which has no bias; an object for each delay."""
    assert not registers.bias.any(), "brian2-loihi has no bias"
    brian2, loihi = quietly("brian2"), quietly("brian2_loihi")
    brian2.prefs.codegen.target = "numpy"
    brian2.start_scope()
    label, cell = np.nonzero(registers.inputs)
    source = loihi.LoihiSpikeGeneratorGroup(registers.inputs.shape[1], cell, label)
    group = loihi.LoihiNeuronGroup(
        registers.size,
        refractory=registers.refractory + 1,
        threshold_v_mant=registers.vth,
        decay_v=registers.dv,
        decay_I=registers.du + 1,
    )
    kept = DECAY_ONE - 1 - registers.du  # its u decays at the end of a step
    group.I = [decay_toward_zero(int(u), kept) for u in registers.each(registers.u)]
    group.v = registers.each(registers.v)
    objects = []
    for synapses in registers.synapses:
        objects += _brian2_synapses(loihi, synapses, group if synapses.recurrent else source, group)
    u, v = loihi.LoihiStateMonitor(group, "I"), loihi.LoihiStateMonitor(group, "v")
    monitor = loihi.LoihiSpikeMonitor(group)
    loihi.LoihiNetwork(source, group, *objects, u, v, monitor).run(registers.steps)
    spikes = np.zeros((registers.steps, registers.size), bool)
    spikes[np.array(monitor.t).astype(int), np.array(monitor.i[:])] = True
    return Result(np.array(u.I).T, np.array(v.v).T, spikes)


def _brian2_synapses(loihi, synapses: Synapses, source, group):
    for delay in np.unique(synapses.delay):
        mine = synapses.delay == delay
        some = loihi.LoihiSynapses(
            source, group, delay=int(delay), w_exp=synapses.exponent, sign_mode=synapses.sign_mode
        )
        some.connect(i=synapses.source[mine], j=synapses.target[mine])
        some.w = synapses.weight[mine]
        yield some
