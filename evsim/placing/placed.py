"""A network placed on a chip of any family that has cores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.network import Network


def has_places(chip: Chip) -> bool:
    """Whether networks can be placed on a chip: it has cores, of which sources say what they hold."""
    return chip.rules.family == "spinnaker" or (chip.rules.family == "loihi" and "core_axons_in" in chip.limits)


def placed(
    network: Network, chip: Chip, spikes: Sequence[NDArray | None] | None, steps: int, use_metis: bool = False
) -> dict[str, Any]:
    """What lies where, as plain data.

    Args:
        spikes: of each cell (size,) of each population; one of each cell where they are not known.
        steps: that a run has, for which memory is planned.
        use_metis: whether METIS places the cores.

    Raises:
        CheckError: something does not fit, with every such thing.
        EvsimError: no source says what a core of this chip holds.
        MissingPartError: METIS is not installed.
    """
    from evsim.placing import loihi, spinnaker
    from evsim.placing.record import loihi_record, spinnaker_record
    from evsim.placing.traffic import spikes_of

    counts = spikes_of(network, spikes)
    if chip.rules.family == "spinnaker":
        return spinnaker_record(spinnaker.place(network, chip, counts, steps, use_metis), chip)
    return loihi_record(loihi.place(network, chip, counts, use_metis), chip)
