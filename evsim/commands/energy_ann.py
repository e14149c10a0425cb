"""``evsim energy --ann``: an ANN beside the spiking networks made of it, in accuracy, operations and energy."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evsim.chip import Chip, hardware_names, load_hardware
from evsim.commands.options import made_folder, refuse_threads, tell, write_json
from evsim.energy.cost import has_costs
from evsim.errors import EvsimError

if TYPE_CHECKING:
    from evsim.ann.compare import Settings
    from evsim.ann.digits import Task
    from evsim.ann.layers import Ann

DATA = "ann.json"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the comparison, for the parser of ``evsim energy``."""
    group = parser.add_argument_group("against an ANN")
    group.add_argument(
        "--ann",
        nargs="?",
        const="",
        metavar="FILE",
        help="convert an ANN to spikes and compare the two: one that FILE, a Python file, makes as model "
        "(scikit-learn's MLPClassifier or torch's nn.Sequential), with images x_test and labels y_test; without FILE "
        "an MLP and a CNN that are trained here on scikit-learn's digits",
    )
    group.add_argument("--images", type=int, metavar="N", help="show the first N images only")
    group.add_argument("--steps", type=int, default=128, metavar="T", help="time steps of an image in rate code (128)")
    group.add_argument(
        "--threshold",
        type=float,
        default=2.0,
        metavar="MV",
        help="threshold in rate code, where an activation of 1 adds 1 mV a step (2); a higher one loses less and is "
        "slower",
    )
    group.add_argument(
        "--window", type=int, default=16, metavar="W", help="time steps of a window in latency code (16)"
    )
    group.add_argument("--poisson", action="store_true", help="random spikes in rate code; else evenly spaced ones")
    group.add_argument("--percentile", type=float, default=99.9, help="of the activations, what becomes 1 (99.9)")
    group.add_argument(
        "--lava-images", type=int, default=2, metavar="N", help="images that Lava is given, too, if installed (2)"
    )


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Compare and write the report; raises EvsimError and CheckError.

    Args:
        options: those of ``evsim energy``, among them ``chip``, ``report``, ``json`` and ``threads``.
        arguments: of a script; there must be none.
    """
    from evsim.ann.compare import compared

    if arguments:
        raise EvsimError(f"--ann runs no script, so nothing is done with {' '.join(arguments)}")
    settings = _settings(options)
    folder = made_folder(options.report)
    started = {
        "evsim": version("evsim"),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": _command(options),
    }
    networks = []
    for ann, task in _networks(options):
        networks.append(compared(ann, task, settings))
    data = write_json({**started, "networks": networks}, folder / DATA, options.json)

    from evsim.ann.report import write_page

    page = write_page(folder, data)
    if options.json != "-":
        for line in (*_lines(data), f"report: {page}"):
            print(line)


def refuse_beside(options: argparse.Namespace) -> None:
    """Refuse what ``beside`` cannot do, before the script is run; raises EvsimError."""
    if not options.images:
        raise EvsimError("say how many images the script shows, with --images N, so that there are counts of an image")
    _refuse_numbers(options)


def beside(options: argparse.Namespace, data: Mapping[str, Any], folder: Path) -> None:
    """Hold an ANN against a PyNN script that was counted and priced; raises EvsimError.

    Args:
        options: those that ``refuse_beside`` has let pass.
        data: what ``energy.json`` holds.
        folder: of that report; its page is left as it is, and one of this comparison is put beside it.
    """
    from evsim.ann.beside import held_against, write_beside

    asked = [load_hardware(name) for name in hardware_names()]
    found = [held_against(ann, task, data, options.images, asked) for ann, task in _networks(options)]
    whole = write_json({"script": data["script"], "images": options.images, "networks": found}, folder / DATA)
    page = write_beside(folder, whole)
    if options.json != "-":
        for network in found:
            for run in network["runs"]:
                print(
                    f"{network['name']} on {run['target']}: {run['operations']:,.0f} synaptic operations an image, "
                    f"{run['per_mac']:.3g} for each of the ANN's {network['macs']:,.0f} MACs"
                )
        print(f"report: {page}")


def _settings(options: argparse.Namespace) -> Settings:
    from evsim.ann.compare import Settings, default_chips
    from evsim.ann.latency import LatencyCode
    from evsim.ann.rate import RateCode

    _refuse_numbers(options)
    asked = [load_hardware(name) for name in dict.fromkeys(options.chip or hardware_names())]
    chips = ("ideal", *(chip.name for chip in asked if isinstance(chip, Chip) and chip.name != "ideal"))
    return Settings(
        chips if options.chip else default_chips(asked),
        tuple(hardware for hardware in asked if has_costs(hardware)),
        (RateCode(options.steps, threshold=options.threshold, poisson=options.poisson), LatencyCode(options.window)),
        options.percentile,
        lava_images=options.lava_images,
        threads=options.threads or 1,
        tell=tell,
    )


def _refuse_numbers(options: argparse.Namespace) -> None:
    for name, least in (("steps", 1), ("window", 2), ("lava_images", 0), ("images", 1)):
        if (value := getattr(options, name)) is not None and value < least:
            raise EvsimError(f"--{name.replace('_', '-')} is {value}; it must be at least {least}")
    if not 0 < options.percentile <= 100:
        raise EvsimError(f"--percentile is {options.percentile:g}; it must be above 0 and at most 100")
    if not 0.1 <= options.threshold <= 1000:
        raise EvsimError(f"--threshold is {options.threshold:g} mV; it must be 0.1 to 1000")
    refuse_threads(options.threads)


def _networks(options: argparse.Namespace) -> Iterator[tuple[Ann, Task]]:
    """Each network with its task, of which as many images are left as are asked for."""
    if options.ann:
        from evsim.ann.own import own_network

        found = [own_network(options.ann)]
    else:
        from evsim.ann.digits import digits, trained_cnn, trained_mlp

        task, labels = digits()
        tell("training an MLP and a CNN on scikit-learn's digits")
        found = [(trained_mlp(task, labels), task), (trained_cnn(task, labels), task)]
    for ann, task in found:
        yield ann, replace(task, test=task.test[: options.images], labels=task.labels[: options.images])


def _command(options: argparse.Namespace) -> str:
    words = ["evsim energy --ann"]
    words += [options.ann] if options.ann else []
    words += ["--chip", *options.chip] if options.chip else []
    for name, usual in (("images", None), ("steps", 128), ("threshold", 2.0), ("window", 16), ("percentile", 99.9)):
        if (value := getattr(options, name)) != usual:
            words += [f"--{name}", f"{value:g}"]
    return " ".join([*words, *(["--poisson"] if options.poisson else [])])


def _lines(data: dict[str, Any]) -> list[str]:
    """One line for each run."""
    lines = []
    for network in data["networks"]:
        ann = network["ann"]
        lines.append(f"{network['name']}: {100 * ann['accuracy']:.1f}% of {network['images']} images right, "
                     f"{ann['macs']:,.0f} MACs an image")  # fmt: skip
        for run in network["runs"]:
            where = f"  {run['code']} code, {run['chip']}"
            if "refused" in run:
                lines.append(f"{where}: does not fit ({run['refused'].splitlines()[-1].strip(' -')})")
                continue
            lines.append(
                f"{where}: {100 * run['accuracy']:.1f}% right after {run['steps']} steps (there at {run['latency']}), "
                f"{run['operations']:,.0f} synaptic operations an image"
            )
        lines += [f"  {_lava_line(found)}" for found in network["lava"]]
    return lines


def _lava_line(found: dict[str, Any]) -> str:
    if not found["ran"]:
        return f"{found['code']} code, Lava: left out ({found['why']})"
    if found["different_spikes"] or found["different_samples"]:
        return (
            f"{found['code']} code, Lava: {found['different_spikes']} of {found['spikes']} spikes and "
            f"{found['different_samples']} of {found['samples']} voltages differ from loihi2"
        )
    return (
        f"{found['code']} code, Lava: all {found['spikes']} spikes and {found['samples']} voltages of "
        f"{found['images']} images equal to loihi2"
    )
