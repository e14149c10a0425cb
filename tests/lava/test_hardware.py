"""What of a network Lava's own processes hold, for which a chip has code; no chip is here."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.errors import CheckError
from evsim.network import Network
from evsim_lava.session import LavaSession


def session(network: Network) -> LavaSession:
    return LavaSession(network, load_chip("loihi2"), on_chip=True)


def network(nets, *, tau_refrac=0.0, variables=("spikes",), **cell) -> Network:
    populations = (nets.array_source([[1.0]]), nets.cells(3, tau_refrac=tau_refrac, **cell))
    return Network(
        1.0, populations, (nets.connect(0, 1, [(0, 1, 1.0, 1)]),), (), nets.record_all(populations, *variables)
    )


def test_what_lavas_own_processes_hold_may_go_to_a_chip(nets):
    session(network(nets)).close()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"tau_refrac": 2.0}, "'cells': cells with different time constants.*no refractoriness"),
        ({"tau_m": np.array([10.0, 11.0, 12.0])}, "'cells': cells with different time constants"),
        ({"variables": ("spikes", "v")}, "'cells': recording the state variable v"),
    ],
)
def test_what_they_lack_is_named(nets, words, message):
    with pytest.raises(CheckError, match=message):
        session(network(nets, **words))


def test_a_neuron_that_needs_microcode_is_named(nets):
    net = network(nets, tau_syn_I=9.0)
    with pytest.raises(
        CheckError, match=r"'cells': a neuron with two synaptic currents; a chip needs microcode for it"
    ):
        LavaSession(net, load_chip("loihi2_microcode"), on_chip=True)
    with pytest.raises(CheckError, match=r"tau_syn_E of 5 ms and tau_syn_I of 9 ms.*chip loihi2_microcode"):
        session(net)


def test_all_of_it_is_named_at_once(nets):
    net = network(nets, tau_refrac=2.0, variables=("spikes", "v"))
    with pytest.raises(CheckError) as caught:
        session(net)
    assert len(caught.value.problems) == 2


def test_the_run_configuration_is_lavas_own():
    sdk = pytest.importorskip("evsim_lava.sdk")
    from evsim_lava.hardware import run_config

    assert isinstance(run_config(), sdk.Loihi2HwCfg)
