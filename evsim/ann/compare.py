"""The comparison of an ANN with the spiking networks made of it, as plain data, which the page is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from evsim.ann.costs import (
    account_of,
    ann_activity,
    break_even,
    mean_spikes,
    measured,
    priced,
    rounded,
    spiking_activity,
)
from evsim.ann.digits import Task
from evsim.ann.evaluate import Code, Converted, Evaluation, evaluate
from evsim.ann.latency import LatencyCode
from evsim.ann.layers import Ann, Floats, Identity, accuracy
from evsim.ann.on_lava import on_lava
from evsim.ann.rate import RateCode
from evsim.ann.stages import balanced, stages
from evsim.backend import Target
from evsim.chip import Chip, Hardware
from evsim.energy.activity import Activity
from evsim.energy.cost import DENSE, Range, energy
from evsim.errors import CheckError

BITS = (2, 3, 4, 5, 6, 7, 8)
DEFAULT_CHIPS = ("ideal", "spinnaker1", "loihi1", "loihi2")
WITHIN = 0.01  # of the last accuracy, where an answer counts as there


@dataclass(frozen=True)
class Settings:
    """What is compared, and how.

    Attributes:
        chips: whose arithmetic the spiking networks run in.
        hardware: of which energies are given.
        percentile: of the activations above 0, the one that becomes 1 in balancing.
        bits: of weights, of the curve of accuracies; ideal arithmetic.
        lava_images: how many images Lava is given; 0 leaves it out.
        lava_timeout: seconds that Lava may take for one request.
        threads: of the reference; no result depends on them.
    """

    chips: tuple[str, ...]
    hardware: tuple[Hardware, ...]
    codes: tuple[Code, ...] = (RateCode(), LatencyCode())
    percentile: float = 99.9
    bits: tuple[int, ...] = BITS
    lava_images: int = 2
    lava_timeout: float = 60.0
    threads: int = 1
    tell: Callable[[str], None] = field(default=lambda sentence: None)


def compared(ann: Ann, task: Task, settings: Settings) -> dict[str, Any]:
    """Everything about one network and its images; raises EvsimError and CheckError."""
    inputs, calibration = ann.inputs(task.test), ann.inputs(task.train, "images to balance with")
    answers = ann.choose(ann.outputs(inputs))
    converted = Converted(ann, *balanced(stages(ann), calibration, settings.percentile))
    activity = ann_activity(ann, inputs)
    dense = dense_joules(activity, settings.hardware)
    runs = []
    for code in settings.codes:
        for chip in settings.chips:
            settings.tell(f"{ann.name}, {code.name} code, {chip}")
            runs.append(_run(converted, code, inputs, task, answers, dense, chip, settings))
    return {
        "name": ann.name,
        "task": task.name,
        "images": len(inputs),
        "layers": [f"{index} {type(layer).__name__}" for index, layer in enumerate(ann.layers)
                   if not isinstance(layer, Identity)],
        "stages": [stage.label for stage in converted.stages],
        "percentile": settings.percentile,
        "ann": {
            "accuracy": accuracy(answers, task.labels),
            "macs": activity.dense / len(inputs),
            "effective_macs": (activity.multiply_accumulates or 0) / len(inputs),
            "neurons": sum(stage.size for stage in converted.stages),
            "activation_sparsity": activity.activation_sparsity,
            "connection_sparsity": activity.connection_sparsity,
            "seconds": asdict(measured(ann, inputs)),
            "joules": {name: list(joules) for name, joules in dense.items()},
        },
        "runs": runs,
        "bits": [_bits(ann, calibration, inputs, task, bits, settings) for bits in settings.bits],
        "lava": [on_lava(converted, code, inputs, settings.lava_images, settings.lava_timeout, settings.tell)
                 for code in settings.codes if settings.lava_images],
    }  # fmt: skip


def dense_joules(activity: Activity, asked: Sequence[Hardware]) -> dict[str, Range]:
    """What an ANN takes for an image on each hardware that multiplies and adds."""
    found = {}
    for hardware in asked:
        if "multiply_accumulate" in hardware.energy:
            account = account_of(energy(activity, hardware, seconds=0.0), DENSE)
            assert account is not None, "hardware with a price of a multiply-accumulate has that account"
            found[hardware.name] = Range(*(joules / activity.samples for joules in account.joules))
    return found


def _run(
    converted: Converted,
    code: Code,
    inputs: Floats,
    task: Task,
    answers: np.ndarray,
    dense: dict[str, Range],
    chip: str,
    settings: Settings,
) -> dict[str, Any]:
    """One code in the arithmetic of one chip."""
    started = {"code": code.name, "chip": chip}
    try:
        done = evaluate(converted, code, inputs, Target("reference", chip, {"threads": settings.threads}))
    except CheckError as error:
        return {**started, "refused": str(error)}
    counts = spiking_activity(done)
    return {
        **started,
        "steps": done.steps,
        "accuracy": accuracy(done.chosen[-1], task.labels),
        "agreement": accuracy(done.chosen[-1], answers),
        "latency": done.latency(task.labels, WITHIN),
        "accuracies": done.accuracies(task.labels).tolist(),
        "synapses": counts.synapses,
        "spikes": (counts.spikes or 0) / done.images,
        "source_spikes": (counts.source_spikes or 0) / done.images,
        "operations": (counts.accumulates or 0) / done.images,
        "updates": counts.updates / done.images,
        "mean_spikes": mean_spikes(done),
        "activation_sparsity": counts.activation_sparsity,
        "connection_sparsity": counts.connection_sparsity,
        "tallies": {event: count / done.images for event, count in done.tallies.items()},
        "energies": [_priced(done, counts, part, dense) for part in settings.hardware if _belongs(part, chip)],
    }  # fmt: skip


def _belongs(hardware: Hardware, chip: str) -> bool:
    """Whether the counts of a chip are those of a piece of hardware: its own where evsim has its arithmetic."""
    return hardware.name == chip if isinstance(hardware, Chip) else chip == "ideal"


def _priced(done: Evaluation, counts: Activity, hardware: Hardware, dense: dict[str, Range]) -> dict[str, Any]:
    """What the spiking network takes for an image on one piece of hardware, and where it meets the ANN on others."""
    try:
        whole = priced(counts, done.network, hardware)
    except CheckError as error:
        return {"hardware": hardware.name, "refused": str(error)}
    meets = {}
    for name, joules in dense.items():
        found = None if hardware.name in dense else break_even(done, hardware, joules)
        if found is not None:
            meets[name] = {"all": list(found.all), "spikes_alone": list(found.spikes_alone)}
    accounts = [
        {
            "name": account.name,
            "joules": [joules / done.images for joules in account.joules],
            "parts": {
                part.name: [joules / done.images for joules in part.joules] for part in account.parts if part.joules
            },
            "unknown": [item.what for item in account.unknown],
        }
        for account in whole.accounts
    ]
    return {
        "hardware": hardware.name,
        "title": hardware.title,
        "accounts": accounts,
        "break_even": meets,
        "left_out": list(whole.left_out),
        "assumed": list(whole.assumed),
    }


def _bits(ann: Ann, calibration: Floats, inputs: Floats, task: Task, bits: int, settings: Settings) -> dict[str, Any]:
    """Accuracies with weights of so many bits, in ideal arithmetic."""
    settings.tell(f"{ann.name}, weights of {bits} bits")
    coarse = rounded(ann, bits)
    converted = Converted(coarse, *balanced(stages(coarse), calibration, settings.percentile))
    target = Target("reference", "ideal", {"threads": settings.threads})
    return {
        "bits": bits,
        "ann": accuracy(coarse.choose(coarse.outputs(inputs)), task.labels),
        **{
            code.name: accuracy(evaluate(converted, code, inputs, target).chosen[-1], task.labels)
            for code in settings.codes
        },
    }


def default_chips(chips: Sequence[Hardware]) -> tuple[str, ...]:
    """Chips of different arithmetic for networks that do not learn, the ideal one first."""
    return tuple(chip.name for chip in chips if isinstance(chip, Chip) and chip.name in DEFAULT_CHIPS)
