"""What the examples show, beyond that they run (tests/test_cli.py runs them all)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evsim.cli import main

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow
def test_microcircuit_is_quieter_in_excitatory_than_in_inhibitory_neurons(tmp_path, capsys):
    raster = tmp_path / "raster.png"
    words = ["--scale", "0.04", "--duration", "400", "--transient", "100", "--plot", str(raster)]
    assert main(["run", str(EXAMPLES / "microcircuit.py"), "--", *words]) == 0
    printed = capsys.readouterr().out
    rates = {name: float(rate) for name, rate in re.findall(r"^(L\S+) +[\d,]+ +([\d.]+)", printed, re.MULTILINE)}
    assert len(rates) == 8
    for layer in ("L2/3", "L6"):  # the finding of the paper that shows even in a network as small as this
        assert 0 < rates[f"{layer}E"] < rates[f"{layer}I"] < 10
    assert rates["L2/3E"] < rates["L4E"] < rates["L5E"]
    counts = re.findall(r"([\d,]+) (?:neurons|synapses)", printed)
    neurons, synapses = (int(count.replace(",", "")) for count in counts)
    assert neurons == pytest.approx(77_169 * 0.04, abs=4)
    assert synapses == pytest.approx(298.9e6 * 0.04**2, rel=1e-3)
    assert raster.read_bytes().startswith(b"\x89PNG")


def test_a_map_finds_itself(capsys):
    assert main(["run", str(EXAMPLES / "refining_map.py")]) == 0
    found = re.search(r"target: ([\d.]+) at the start, ([\d.]+) at the end", capsys.readouterr().out)
    assert found
    before, after = map(float, found.groups())
    assert before > 15 and after < before / 3


def test_late_reward_finds_the_synapse_that_earned_it(capsys):
    assert main(["run", str(EXAMPLES / "dopamine.py"), "--", "--time", "60000"]) == 0
    found = re.search(
        r"first source: ([\d.]+) nA; of the others: ([\d.]+) .*, ([\d.]+) nA at most", capsys.readouterr().out
    )
    assert found
    first, mean, most = map(float, found.groups())
    assert first > 2 * most and mean == pytest.approx(0.2, abs=0.05)
