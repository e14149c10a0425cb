"""A network as one file, and its fingerprint.

The file is a numpy archive (``.npz``): a JSON header with everything that is small, and one member for each array. An
array whose values are all the same is one number in the header. Nothing in it is code, so a file of unknown origin is
safe to load.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from evsim.errors import EvsimError
from evsim.modulation import Modulation
from evsim.network import Current, Network, Plasticity, Population, Probe, Projection, Sequences, Trains, frozen
from evsim.release import Release
from evsim.structure import Structure
from evsim.synapses import Listed

FORMAT = "evsim network"
VERSION = 1
HEADER = "header"

# Turns an array into what the header says of it.
Put = Callable[[np.ndarray, type], dict[str, Any]]
# Turns that back into a read-only array.
Get = Callable[[Mapping[str, Any]], np.ndarray]


def save(network: Network, path: Path | str) -> None:
    """Write a network to one file, which replaces any file of that name once it is complete."""
    members: dict[str, np.ndarray] = {}

    def put(array: np.ndarray, dtype: type) -> dict[str, Any]:
        entry = _entry(array, dtype)
        if "value" not in entry:
            entry["member"] = f"array{len(members)}"
            members[entry["member"]] = np.ascontiguousarray(array, dtype)
        return entry

    header = {"format": FORMAT, "version": VERSION, "network": _describe(network, put)}
    header["fingerprint"] = fingerprint(network)
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    path = Path(path)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, **{HEADER: text}, **members)
    os.replace(part, path)


def load(path: Path | str) -> Network:
    """Read a network that ``save`` wrote.

    Raises:
        EvsimError: the file cannot be read, is of another kind or version, or is damaged.
    """
    try:
        with open(path, "rb") as file:
            header, network = _read(file)
    except OSError as error:
        raise EvsimError(f"{path}: cannot be read ({error.strerror or error})") from error
    except EvsimError as error:
        raise EvsimError(f"{path}: {error}") from error
    except Exception as error:  # a damaged archive makes numpy, zipfile, zlib and json raise many kinds
        raise EvsimError(f"{path}: not a network that evsim saved, or damaged ({error!r})") from error
    if fingerprint(network) != header["fingerprint"]:
        raise EvsimError(f"{path}: damaged, its content does not have the fingerprint in its header; save it again")
    return network


def fingerprint(network: Network) -> str:
    """SHA-256 (hex) of all that a network says; equal for equal networks, however their arrays are laid out."""

    def digest(array: np.ndarray, dtype: type) -> dict[str, Any]:
        normal = np.asarray(array, dtype) + dtype(0)  # -0.0 becomes 0.0
        entry = _entry(normal, dtype)
        if "value" not in entry:
            entry["sha256"] = hashlib.sha256(np.ascontiguousarray(normal).data).hexdigest()
        return entry

    return hashlib.sha256(json.dumps(_describe(network, digest), sort_keys=True).encode()).hexdigest()


def _entry(array: np.ndarray, dtype: type) -> dict[str, Any]:
    """Type and length of an array, and its value where that is the same throughout."""
    entry: dict[str, Any] = {"dtype": np.dtype(dtype).name, "length": len(array)}
    if len(array) == 0:
        entry["value"] = 0
    elif array.strides == (0,) or (array == array[0]).all():
        entry["value"] = dtype(array[0]).item()
    return entry


def _array(entry: Mapping[str, Any], archive: Mapping[str, np.ndarray]) -> np.ndarray:
    dtype, length = np.dtype(entry["dtype"]), entry["length"]
    if "value" in entry:
        return frozen(np.broadcast_to(np.array(entry["value"], dtype), length))
    array = archive[entry["member"]]
    if array.dtype != dtype or array.shape != (length,):
        raise ValueError(f"{entry['member']} is {array.dtype} of shape {array.shape}, not {dtype} of ({length},)")
    return frozen(array)


def _read(file: BinaryIO) -> tuple[dict[str, Any], Network]:
    """The header and the network of an open file."""
    if not zipfile.is_zipfile(file):
        raise EvsimError("not a network that evsim saved, it is no numpy archive (.npz)")
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        if HEADER not in archive:
            raise EvsimError("not a network that evsim saved, the archive has no header")
        header = json.loads(archive[HEADER].tobytes())
        if header["format"] != FORMAT:
            raise EvsimError(f"not a network that evsim saved, its header says {header['format']!r}")
        if header["version"] != VERSION:
            raise EvsimError(
                f"the network is in version {header['version']} of the file format, and this evsim reads version "
                f"{VERSION}. Load it with the evsim that wrote it, or build the network anew."
            )
        return header, _build(header["network"], lambda entry: _array(entry, archive))


def _describe(network: Network, put: Put) -> dict[str, Any]:
    """The network as JSON, its arrays replaced by what ``put`` makes of them."""
    return {
        "timestep": float(network.timestep),
        "seed": int(network.seed),
        **({"off_grid": True} if network.off_grid else {}),  # others have the fingerprint that they always had
        "populations": [_describe_population(population, put) for population in network.populations],
        "projections": [
            {
                "label": projection.label,
                "pre": int(projection.pre),
                "post": int(projection.post),
                "receptor": projection.receptor,
                "synapse": projection.synapse,
                "source": put(projection.source, np.int32),
                "target": put(projection.target, np.int32),
                "weight": put(projection.weight, np.float64),
                "delay": put(projection.delay, np.int32),
                **_describe_plasticity(projection.plasticity),
                **_describe_release(projection.release, put),
                **_describe_modulation(projection.modulation),
                **_describe_structure(projection.structure),
            }
            for projection in network.projections
        ],
        "currents": [
            {
                "label": current.label,
                "population": int(current.population),
                "cells": put(current.cells, np.int32),
                "times": put(current.times, np.float64),
                "amplitudes": put(current.amplitudes, np.float64),
                **({"place": current.place} if current.place else {}),
            }
            for current in network.currents
        ],
        "probes": [
            {
                "population": int(probe.population),
                "variable": probe.variable,
                "cells": put(probe.cells, np.int32),
                "interval": int(probe.interval),
            }
            for probe in network.probes
        ],
    }


def _describe_plasticity(plasticity: Plasticity | None) -> dict[str, Any]:
    """Nothing for static synapses, whose fingerprint is that of networks without this entry."""
    if plasticity is None:
        return {}
    said = asdict(plasticity)
    said["parameters"] = {name: float(value) for name, value in plasticity.parameters.items()}
    return {"plasticity": said}


def _describe_release(release: Release | None, put: Put) -> dict[str, Any]:
    """Nothing for synapses that release all, for the same reason."""
    if release is None:
        return {}
    columns = {
        kind: {name: put(values, np.float64) for name, values in given.items()}
        for kind, given in (("parameters", release.parameters), ("initial", release.initial))
    }
    return {"release": {"rule": release.rule, **columns}}


def _describe_modulation(modulation: Modulation | None) -> dict[str, Any]:
    """Nothing for synapses that give no dopamine, for the same reason."""
    if modulation is None:
        return {}
    return {"modulation": {name: float(value) for name, value in asdict(modulation).items()}}


def _describe_structure(structure: Structure | None) -> dict[str, Any]:
    """Nothing for synapses that are always the same, for the same reason."""
    return {} if structure is None else {"structure": asdict(structure)}


def _build_structure(said: Mapping[str, Any]) -> Structure:
    pairs = {name: tuple(said[name]) for name in ("grid", "initial_delay")}
    return Structure(**{**said, **pairs})


def _describe_population(population: Population, put: Put) -> dict[str, Any]:
    trains = None
    if population.trains is not None:
        trains = {
            "times": put(population.trains.times, np.float64),
            "offsets": put(population.trains.offsets, np.int64),
        }
    said = {
        "label": population.label,
        "model": population.model,
        "size": int(population.size),
        "parameters": {name: put(values, np.float64) for name, values in population.parameters.items()},
        "initial": {name: put(values, np.float64) for name, values in population.initial.items()},
        "trains": trains,
    }
    if population.sequences:  # the fingerprint of populations without them has no such entry
        said["sequences"] = {
            name: {"values": put(part.values, np.float64), "offsets": put(part.offsets, np.int64)}
            for name, part in population.sequences.items()
        }
    return said


def _build(said: Mapping[str, Any], get: Get) -> Network:
    """The inverse of ``_describe``."""
    return Network(
        timestep=said["timestep"],
        seed=said["seed"],
        off_grid=said.get("off_grid", False),
        populations=tuple(_build_population(entry, get) for entry in said["populations"]),
        projections=tuple(_build_projection(entry, get) for entry in said["projections"]),
        currents=tuple(Current(**_with_arrays(entry, get)) for entry in said["currents"]),
        probes=tuple(Probe(**_with_arrays(entry, get)) for entry in said["probes"]),
    )


def _with_arrays(entry: Mapping[str, Any], get: Get) -> dict[str, Any]:
    return {key: get(value) if isinstance(value, dict) else value for key, value in entry.items()}


def _build_projection(entry: Mapping[str, Any], get: Get) -> Projection:
    columns = [get(entry[name]) for name in ("source", "target", "weight", "delay")]
    plastic, release, modulation = (entry.get(name) for name in ("plasticity", "release", "modulation"))
    structure = entry.get("structure")
    return Projection(
        **{name: entry[name] for name in ("label", "pre", "post", "receptor", "synapse")},
        synapses=Listed(*columns),
        plasticity=Plasticity(**plastic) if plastic else None,
        release=_build_release(release, get) if release else None,
        modulation=Modulation(**modulation) if modulation else None,
        structure=_build_structure(structure) if structure else None,
    )


def _build_release(entry: Mapping[str, Any], get: Get) -> Release:
    parameters, initial = (_with_arrays(entry[kind], get) for kind in ("parameters", "initial"))
    return Release(entry["rule"], parameters, initial)


def _build_trains(entry: Mapping[str, Any], get: Get) -> Trains:
    return Trains(get(entry["times"]), get(entry["offsets"]))


def _build_population(entry: Mapping[str, Any], get: Get) -> Population:
    return Population(
        label=entry["label"],
        model=entry["model"],
        size=entry["size"],
        parameters=_with_arrays(entry["parameters"], get),
        initial=_with_arrays(entry["initial"], get),
        trains=_build_trains(entry["trains"], get) if entry["trains"] is not None else None,
        sequences={name: Sequences(**_with_arrays(part, get)) for name, part in entry.get("sequences", {}).items()},
    )
