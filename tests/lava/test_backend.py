"""What the Lava backend says about itself, with and without Lava."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import pytest

from evsim.backend import Target
from evsim.errors import BackendError, EvsimError, MissingPartError, UnknownNameError
from evsim.model import NeuronModel
from evsim.network import Network
from evsim.registry import models, parse_target
from evsim_lava import LavaBackend
from evsim_lava import backend as module


def test_targets():
    assert parse_target("lava") == parse_target("lava:loihi2") == Target("lava", "loihi2")
    assert parse_target("lava:loihi2_microcode") == Target("lava", "loihi2_microcode")
    assert parse_target("lava:loihi2_learning") == Target("lava", "loihi2_learning")
    assert parse_target("lava:hardware").chip == "loihi2"
    with pytest.raises(UnknownNameError, match=r"'loihi1'; did you mean 'loihi2'\?"):
        parse_target("lava:loihi1")


def test_a_chip_that_lava_cannot_reach_is_refused_before_anything_starts():
    target = parse_target("lava:hardware")
    assert str(target) == "lava:hardware"
    with pytest.raises(BackendError, match=r"cannot reach a Loihi 2 chip.*Research Community; see hardware/loihi.md"):
        LavaBackend().start(Network(1.0, ()), target)


def test_a_neuron_that_is_not_lavas_is_not_claimed():
    cell = models()["IF_curr_exp"]
    assert isinstance(cell, NeuronModel)
    rule = replace(cell.rules["loihi2"], neuron=lambda u, v, refractory, a: (u, v, refractory, False, 0, 0))
    assert LavaBackend().has(cell) and not LavaBackend().has(replace(cell, rules={"loihi2": rule}))
    assert not LavaBackend().has(models()["IF_cond_exp"]) and LavaBackend().has(models()["SpikeSourcePoisson"])


def test_without_lava_the_error_names_what_to_install(monkeypatch):
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "version", missing)
    with pytest.raises(MissingPartError, match=r"not installed.*pip install 'evsim\[lava\]' --ignore"):
        LavaBackend().start(Network(1.0, ()), Target("lava"))


def test_a_numpy_that_lava_dies_of_is_refused(monkeypatch):
    monkeypatch.setattr(module, "version", lambda name: "0.10.0")
    monkeypatch.setattr(module.np, "__version__", "2.4.0")
    with pytest.raises(MissingPartError, match=r"numpy below 2.4.*numpy 2.4.0"):
        LavaBackend().versions()


@pytest.mark.parametrize("given", ["soon", "0", "-3", "nan"])
def test_a_time_out_must_be_a_positive_number(monkeypatch, given):
    monkeypatch.setattr(module, "_lava_version", lambda: "0.10.0")
    monkeypatch.setenv(module.TIMEOUT, given)
    with pytest.raises(EvsimError, match="a number of seconds above 0"):
        LavaBackend().start(Network(1.0, ()), Target("lava"))
