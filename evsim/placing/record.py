"""What ``evsim place`` says, as plain data: by population, core and chip, and what travels between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.deploy.loihi_cores import RESOURCES, WORD
from evsim.placing.loihi import OnLoihi
from evsim.placing.spinnaker import OnSpinnaker, keys
from evsim.placing.spinnaker_cores import DELAY
from evsim.placing.traffic import Flow

Record = dict[str, Any]
WORDS = "words of synaptic memory"  # for users, who count words as the chip has them


def spinnaker_record(found: OnSpinnaker, chip: Chip) -> Record:
    """A network on SpiNNaker."""
    return {
        "chip": chip.name,
        "family": "spinnaker",
        "steps": found.steps,
        "boards": found.boards,
        "machine": [found.machine.width, found.machine.height, found.machine.boards],
        "limits": {"sdram": chip.limit("sdram_of_chip"), "entries": chip.limit("router_entries")},
        "populations": _spinnaker_populations(found),
        "cores": _spinnaker_cores(found),
        "chips": _spinnaker_chips(found),
        "links": [[*a, *b, count] for (a, b), count in sorted(found.routes.links.items())],
        "hops": _saved(found.simple, found.metis),
    }


def _spinnaker_cores(found: OnSpinnaker) -> list[Record]:
    sent, taken = _ends(found.flows, len(found.places))
    synapses, used = found.synapses(), Counter()
    records = []
    for number, core in enumerate(found.cores.cores):
        place = found.places[number]
        records.append(
            {
                "population": found.network.populations[core.population].label,
                "kind": core.kind,
                "cells": [core.first, core.last],
                "chip": list(place),
                "place": used[place],
                "synapses": int(synapses[number]),
                "sdram": core.memory.after(found.steps),
                "sent": int(sent[number]),
                "taken": int(taken[number]),
            }
        )
        used[place] += 1
    return records


def _spinnaker_populations(found: OnSpinnaker) -> list[Record]:
    owned, synapses = keys(found), found.synapses()
    records = []
    for index, population in enumerate(found.network.populations):
        mine = [number for number, core in enumerate(found.cores.cores) if core.population == index]
        cores = [found.cores.cores[number] for number in mine]
        ranges = {kind: share for (owner, kind), share in owned.items() if owner == index}
        records.append(
            {
                "label": population.label,
                "model": population.model,
                "neurons": population.size,
                "synapses": int(synapses[mine].sum()),
                "cores": sum(core.kind != DELAY for core in cores),
                "delay_cores": sum(core.kind == DELAY for core in cores),
                "chips": len({found.places[number] for number in mine}),
                "sdram": sum(core.memory.after(found.steps) for core in cores),
                "keys": [
                    {"kind": kind, "keys": list(share.keys), "mask": share.mask} for kind, share in ranges.items()
                ],
            }
        )
    return records


def _spinnaker_chips(found: OnSpinnaker) -> list[Record]:
    synapses = found.synapses()
    records = []
    for place in sorted(set(found.places) | set(found.routes.passed)):
        mine = [number for number, at in enumerate(found.places) if at == place]
        cores = [found.cores.cores[number] for number in mine]
        records.append(
            {
                "chip": list(place),
                "cores": len(mine),
                "free_cores": found.machine.free_cores(place) - len(mine),
                "synapses": int(synapses[mine].sum()),
                "sdram": sum(core.memory.after(found.steps) for core in cores),
                "entries": found.routes.entries.get(place, 0),
                "packets": found.routes.passed.get(place, 0),
            }
        )
    return records


def loihi_record(found: OnLoihi, chip: Chip) -> Record:
    """A network on Loihi."""
    cores, mesh = _loihi_cores(found), found.mesh
    simple, metis = found.simple, found.metis
    used = (found.simple if metis is None else metis)[1]
    return {
        "chip": chip.name,
        "family": "loihi",
        "mesh": [mesh.cores, mesh.cores_of_tile, mesh.columns],
        "limits": {name: chip.limit(name) for name in RESOURCES},
        "populations": _loihi_populations(found, cores),
        "cores": cores,
        "chips": _loihi_chips(found, cores),
        "hops": _saved(simple[0], None if metis is None else metis[0]),
        "leaving": {"simple": simple[1], "metis": None if metis is None else metis[1], "used": used},
    }


def _loihi_cores(found: OnLoihi) -> list[Record]:
    sent, taken = _ends(found.flows, len(found.cores))
    records = []
    for number, (core, place) in enumerate(zip(found.cores, found.places.tolist(), strict=True)):
        records.append(
            {
                "population": found.network.populations[core.population].label,
                "cells": [core.first, core.last],
                "chip": place // found.mesh.cores,
                "place": place % found.mesh.cores,
                "synapses": core.synapses,
                **{name: core.needs[name] for name in RESOURCES if name != "core_synapse_bits"},
                "core_synapse_words": core.needs["core_synapse_bits"] // WORD,
                "sent": int(sent[number]),
                "taken": int(taken[number]),
            }
        )
    return records


SUMMED = ("core_axons_in", "core_axons_out", "core_synapse_words")


def _loihi_populations(found: OnLoihi, cores: Sequence[Record]) -> list[Record]:
    records = []
    decides = {use.population: use.decides for use in found.plan.populations}
    for population in found.network.populations:
        mine = [core for core in cores if core["population"] == population.label]
        records.append(
            {
                "label": population.label,
                "model": population.model,
                "neurons": population.size,
                "synapses": sum(core["synapses"] for core in mine),
                "cores": len(mine),
                "chips": len({core["chip"] for core in mine}),
                "decides": decides.get(population.label),
                **{name: sum(core[name] for core in mine) for name in SUMMED},
            }
        )
    return records


def _loihi_chips(found: OnLoihi, cores: Sequence[Record]) -> list[Record]:
    records = []
    for chip in range(1 + max((core["chip"] for core in cores), default=-1)):
        mine = [core for core in cores if core["chip"] == chip]
        each = {name: sum(core[name] for core in mine) for name in ("synapses", *SUMMED, "sent", "taken")}
        records.append({"chip": chip, "cores": len(mine), "free_cores": found.mesh.cores - len(mine), **each})
    return records


def _ends(flows: Sequence[Flow], cores: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(cores,) spikes that each sends and that each takes."""
    sent, taken = np.zeros((2, cores), np.int64)
    for flow in flows:
        sent[flow.source] += flow.sent
        np.add.at(taken, flow.targets, flow.spikes)
    return sent, taken


def _saved(simple: int, metis: int | None) -> Record:
    """Spikes times hops in order, as METIS places, and the part of them that this saves."""
    part = None if metis is None else (1.0 - metis / simple if simple else 0.0)
    return {"simple": simple, "metis": metis, "saved": part}
