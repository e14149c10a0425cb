"""``evsim check``: what a chip will make of a script's network, before anything runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from evsim.chip import Chip, chip_names, load_chip
from evsim.commands.options import SCRIPT_HELP, add_graph_run, add_json, graph_run, occasion, table, tell, write_json
from evsim.deploy.loihi_cores import RESOURCES, CorePlan, plan_cores
from evsim.errors import CheckError, EvsimError, joined
from evsim.network import Network
from evsim.results.losses import ChipLosses, chip_losses


def add(commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "check",
        help="say what will not fit on a chip and what will be lost there",
        usage="evsim check SCRIPT [--chip CHIP ...] [--json FILE] [-- script arguments]",
        description="Execute a PyNN script up to its first run(), and say what each chip makes of the network: what "
        "does not fit, what quantisation costs each projection and parameter, and which defects of the chip's own "
        "firmware concern it. Nothing is simulated. The exit code is 2 if there is a chip on which it does not fit.",
    )
    parser.add_argument("script", metavar="SCRIPT", help=SCRIPT_HELP)
    add_graph_run(parser)
    parser.add_argument(
        "--chip", metavar="CHIP", nargs="+", action="extend", help="the chips; by default all that compute in integers"
    )
    add_json(parser, "what each chip makes of it")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Print what fits with its losses; raises CheckError with every problem of the chips on which it does not."""
    from evsim.script import first_network

    chips = _chips(options.chip)
    started = occasion(options, arguments)
    network = first_network(options.script, arguments, tell=tell, graph_run=graph_run(options))
    refusals: list[CheckError] = []
    record: dict[str, Any] = {}
    lines = [
        f"{options.script}: {len(network.populations)} populations, {network.n_synapses} synapses, "
        f"time step {network.timestep:g} ms"
    ]
    for chip in chips:
        try:
            losses, plan = _examine(network, chip)
        except CheckError as error:
            refusals.append(error)
            record[chip.name] = {"fits": False, "problems": [asdict(problem) for problem in error.problems]}
        else:
            cores = {} if plan is None else {"cores": asdict(plan)}
            record[chip.name] = {"fits": True, "problems": [], **asdict(losses), **cores}
            found = [*_losses(losses), *(_cores(plan) if plan else [])]
            lines += ["", f"{chip.name}: fits", *(f"  {line}".rstrip() for line in found)]
    if options.json:
        write_json({**started.record(), **_size(network), "chips": record}, options.json)
    if options.json != "-":
        print("\n".join(lines))
    if refusals:
        raise joined(refusals)


def _examine(network: Network, chip: Chip) -> tuple[ChipLosses, CorePlan | None]:
    """What a network loses on a chip, and its cores where they are planned for; raises CheckError."""
    plan = plan_cores(network, chip) if chip.rules.family == "loihi" else None
    refusals, losses = [], []
    try:
        losses = chip_losses(network, [chip])
    except CheckError as error:
        refusals.append(error)
    if plan and plan.problems:
        refusals.append(CheckError(f"this network has no place on the cores of {chip.name}", plan.problems))
    if refusals:
        raise joined(refusals)
    return losses[0], plan


def _chips(names: Sequence[str] | None) -> list[Chip]:
    """The chips asked for, each once, or every one that quantises; raises EvsimError for one that does not."""
    chips = [load_chip(name) for name in dict.fromkeys(names or chip_names())]
    if names:
        for chip in chips:
            if not chip.rules.is_exact:
                raise EvsimError(f"{chip.name} computes in {chip.rules.title}: there is nothing to lose; leave it out")
    return [chip for chip in chips if chip.rules.is_exact]


def _size(network: Network) -> dict[str, Any]:
    return {
        "populations": len(network.populations),
        "synapses": network.n_synapses,
        "timestep": network.timestep,
    }


def _losses(losses: ChipLosses) -> list[str]:
    lines = []
    if losses.weights:
        rows = [["projection", "synapses", "largest weight", "step", "largest error", "became 0", "saturated"]]
        for loss in losses.weights:
            amounts = (f"{amount:.4g} {loss.unit}" for amount in (loss.max_weight, loss.lsb, loss.max_error))
            rows.append([loss.projection, str(loss.count), *amounts, str(loss.zeroed), str(loss.saturated)])
        lines += table(rows).splitlines()
    if losses.parameters:
        rows = [["parameter", "population", "asked for", "held, where it is held worst"]]
        for loss in losses.parameters:
            amounts = (f"{amount:.6g} {loss.unit}" for amount in (loss.asked, loss.held))
            rows.append([loss.parameter, loss.population, *amounts])
        lines += ["", *table(rows).splitlines()]
    return [*lines, *(f"note: {note}" for note in losses.notes)]


def _cores(plan: CorePlan) -> list[str]:
    chips = "unknown" if plan.chips is None else str(plan.chips)
    if plan.unknown:
        return ["", f"chips: at least {chips}; no source says how many {', '.join(plan.unknown)} a core has"]
    rows = [["population", "cores", *RESOURCES.values(), "decided by"]]
    for use in plan.populations:
        needs = (str(use.fullest[name]) for name in RESOURCES)
        rows.append([use.population, str(use.cores), *needs, RESOURCES[use.decides]])
    return ["", *table(rows).splitlines(), f"cores: {plan.cores} (of the fullest each is shown), chips: {chips}"]
