"""nengo-loihi on registers."""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.loihi import ALIGN, STATE_LIMIT, shift_floor
from loihi_emulators.imports import quietly, unwarned
from loihi_emulators.registers import Registers, Result, Synapses


@unwarned()
def nengo_loihi(registers: Registers, discretised: bool = False, vmin: int | None = 1 - STATE_LIMIT) -> Result:
    """By nengo-loihi's emulator of blocks, with the registers set in place of those that it would choose.

    It has no delays: a spike of an input is felt a step after it, one of a neuron in the next time step.

    Args:
        discretised: whether weights are held as nengo-loihi makes them of the mantissas; else as brian2-loihi does.
        vmin: the lower end of v, which is a register of a block; None leaves what a block begins with.
    """
    block_module = quietly("nengo_loihi.block")
    block = block_module.LoihiBlock(registers.size)
    compartment = block.compartment
    compartment.decay_u, compartment.decay_v = registers.each(registers.du), registers.each(registers.dv)
    compartment.scale_u = compartment.scale_v = False
    compartment.vth, compartment.bias = registers.each(registers.vth << ALIGN), registers.bias
    compartment.refract_delay = registers.each(registers.refractory + 1)
    compartment.vmin, compartment.vmax = compartment.vmin if vmin is None else vmin, STATE_LIMIT - 1
    compartment.noise_exp = compartment.noise_offset = 0
    source = quietly("nengo_loihi.inputs").SpikeInput(registers.inputs.shape[1])
    delays = {int(delay) for s in registers.synapses if not s.recurrent for delay in s.delay}
    assert delays <= {1} and not any(s.delay.any() for s in registers.synapses if s.recurrent), "it has no delays"
    for step, spikes in enumerate(registers.inputs):
        source.add_spikes(step + 1, np.flatnonzero(spikes))  # felt in the step after, which is row step + 1
    for synapses in registers.synapses:
        axon = block_module.Axon(registers.sources(synapses))
        axon.target = _nengo_synapses(block_module, synapses, registers.sources(synapses), discretised)
        block.add_synapse(axon.target)
        (block if synapses.recurrent else source).add_axon(axon)
    model = quietly("nengo_loihi.builder").Model()
    model.add_block(block)
    model.add_input(source)
    emulator = quietly("nengo_loihi.emulator").EmulatorInterface(model, seed=0)
    emulator.compartment.current[:], emulator.compartment.voltage[:] = registers.u, registers.v
    rows = [_nengo_step(emulator) for _ in range(registers.steps)]
    return Result(*(np.array(column) for column in zip(*rows, strict=True)))


def _nengo_synapses(block_module, synapses: Synapses, sources: int, discretised: bool):
    """What a spike adds to u is what nengo-loihi stores."""
    if discretised:
        config = block_module.SynapseConfig(  # as nengo-loihi sets them
            weight_exp=synapses.exponent, weight_bits=7, fanout_type=1
        )
        added = quietly("nengo_loihi.builder.discretize").discretize_weights(config, synapses.weight)
    else:
        added = shift_floor(synapses.weight, synapses.exponent) << ALIGN
    made = block_module.Synapse(sources)
    mine = [np.flatnonzero(synapses.source == source) for source in range(sources)]
    made.weights = [added[None, which].astype(np.int32) for which in mine]
    made.indices = [synapses.target[None, which] for which in mine]
    return made


def _nengo_step(emulator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    emulator.step()
    state = emulator.compartment
    return state.current.copy(), state.voltage.copy(), state.spiked.copy()
