"""The record of ``evsim place`` as tables for users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evsim.deploy.loihi_cores import RESOURCES

Rows = list[list[str]]
MOST_ROWS = 24  # of cores or chips that are printed; the JSON file has all


def populations(record: Mapping[str, Any]) -> Rows:
    """A row for each population."""
    if record["family"] == "spinnaker":
        rows = [["population", "neurons", "synapses", "cores", "for delays", "chips", "SDRAM", "keys", "mask"]]
        for part in record["populations"]:
            each = (f"{part[name]:,}" for name in ("neurons", "synapses", "cores", "delay_cores", "chips", "sdram"))
            rows.append([part["label"], *each, *_keys(part)])
        return rows
    rows = [["population", "neurons", "synapses", "cores", "chips", *LOIHI.values(), "decided by"]]
    for part in record["populations"]:
        names = ("neurons", "synapses", "cores", "chips", *LOIHI)
        rows.append([part["label"], *(f"{part[name]:,}" for name in names), RESOURCES.get(part["decides"], "a source")])
    return rows


LOIHI = {
    "core_axons_in": "input axons",
    "core_axons_out": "output axons",
    "core_synapse_words": "words of synaptic memory",
}


def _keys(part: Mapping[str, Any]) -> list[str]:
    """The keys of the first kind of core, from the first to the last, and their mask."""
    if not part["keys"]:
        return ["none", "none"]
    share = part["keys"][0]
    ends = f"{share['keys'][0]:#x}" if len(share["keys"]) == 1 else f"{share['keys'][0]:#x} to {share['keys'][-1]:#x}"
    return [ends, f"{share['mask']:#x}"]


def chips(record: Mapping[str, Any]) -> Rows:
    """A row for each chip."""
    if record["family"] == "spinnaker":
        names = {
            "cores": "cores", "free_cores": "free", "synapses": "synapses", "sdram": "SDRAM",
            "entries": "routing entries", "packets": "packets",
        }  # fmt: skip
    else:
        names = {"cores": "cores", "free_cores": "free", "synapses": "synapses", **LOIHI, "sent": "messages sent"}
    rows = [["chip", *names.values()]]
    for chip in record["chips"]:
        where = ", ".join(map(str, chip["chip"])) if isinstance(chip["chip"], Sequence) else str(chip["chip"])
        rows.append([where, *(f"{chip[name]:,}" for name in names)])
    return cut(rows)


def cores(record: Mapping[str, Any]) -> Rows:
    """A row for each core."""
    if record["family"] == "spinnaker":
        names = {"synapses": "synapses", "sdram": "SDRAM", "sent": "packets sent", "taken": "packets taken"}
    else:
        names = {"synapses": "synapses", **LOIHI, "sent": "messages sent", "taken": "messages taken"}
    rows = [["chip", "core", "population", "cells", *names.values()]]
    for core in sorted(record["cores"], key=lambda core: (core["chip"], core["place"])):
        chip = ", ".join(map(str, core["chip"])) if isinstance(core["chip"], Sequence) else str(core["chip"])
        kind = f" ({core['kind']})" if core.get("kind", "neurons") not in ("neurons", "source") else ""
        first, last = core["cells"]
        each = (f"{core[name]:,}" for name in names)
        rows.append([chip, str(core["place"]), core["population"] + kind, f"{first} to {last}", *each])
    return cut(rows)


def cut(rows: Rows) -> Rows:
    """The first rows, and how many there are more."""
    hidden = len(rows) - 1 - MOST_ROWS
    if hidden <= 0:
        return rows
    return [*rows[: MOST_ROWS + 1], [f"and {hidden:,} more", *[""] * (len(rows[0]) - 1)]]


def sentences(record: Mapping[str, Any]) -> list[str]:
    """What all of it takes, and what a better order saves."""
    total, hops = len(record["cores"]), record["hops"]
    if record["family"] == "spinnaker":
        memory = sum(part["sdram"] for part in record["populations"])
        found = [
            f"{_many(total, 'core')} on {_many(sum(1 for chip in record['chips'] if chip['cores']), 'chip')} of "
            f"{_many(record['boards'], 'board')}, {memory:,} bytes of SDRAM for {record['steps']:,} time steps"
        ]
        most = max((chip["entries"] for chip in record["chips"]), default=0)
        room = int(record["limits"]["entries"])
        fits = "fit" if most <= room else "do not fit unless sPyNNaker can compress them"
        found.append(f"routing entries of the fullest chip: {most:,} of {room:,}, so they {fits}")
        unit = "packets x links"
    else:
        found = [f"{_many(total, 'core')} on {_many(len(record['chips']), 'chip')}"]
        unit = "messages x tiles"
    found.append(f"{unit}, in order: {hops['simple']:,}{_leaving(record, 'simple')}")
    if hops["metis"] is not None:
        saved = f", {100 * hops['saved']:.1f} % saved"
        found.append(f"{unit}, placed by METIS: {hops['metis']:,}{_leaving(record, 'metis')}{saved}")
    return [*found, f"spikes: {record['spikes']}"]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _leaving(record: Mapping[str, Any], how: str) -> str:
    leaving = record.get("leaving", {}).get(how)
    return f" (and {leaving:,} messages from chip to chip)" if leaving else ""
