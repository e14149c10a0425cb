"""``evsim export``: the network of a PyNN script as a NIR graph."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from evsim.commands.options import tell
from evsim.errors import CheckError, EvsimError


def add(commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "export",
        help="write a script's network as a NIR graph",
        usage="evsim export SCRIPT FILE.nir [--lossy] [--spikes FILE [--duration MS]] [-- script arguments]",
        description="Execute a PyNN script up to its first run(), and write the network as a graph of NIR, the "
        "Neuromorphic Intermediate Representation: IF_curr_exp as CubaLIF (with two time constants as LI and LI before "
        "LIF), IF_curr_delta as LIF, projections as Linear and Delay, sources as Input, and recorded populations with "
        "an Output. Times are in s, voltages in mV, currents in nA and resistances in MOhm. What NIR cannot say is "
        "listed, all of it at once, and nothing is written; --lossy writes the rest.",
    )
    parser.add_argument("script", metavar="SCRIPT", help="a PyNN script; its own arguments follow after --")
    parser.add_argument("file", metavar="FILE.nir", type=Path, help="the file to write")
    parser.add_argument("--lossy", action="store_true", help="leave out what NIR cannot say, and name it")
    parser.add_argument(
        "--spikes",
        type=Path,
        metavar="FILE",
        help="write the spikes of the sources beside it (.npz), as `evsim run FILE.nir --input` reads them",
    )
    parser.add_argument(
        "--duration", type=float, metavar="MS", help="of these spikes; needed where there are Poisson sources"
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Write the graph; raises CheckError with everything that NIR cannot say, unless that is to be left out."""
    from evsim.nir.export import export
    from evsim.nir.package import SUFFIX, write_graph
    from evsim.nir.sources import spikes_of_sources
    from evsim.nir.spikes import write_arrays
    from evsim.script import first_network

    if options.file.suffix != SUFFIX:
        raise EvsimError(f"{options.file} does not end in {SUFFIX}, by which evsim knows such a file; name it so")
    network = first_network(options.script, arguments, tell=tell)
    made = export(network, with_spikes=options.spikes is not None)
    if made.losses and not options.lossy:
        raise CheckError("NIR cannot say this network", made.losses)
    spikes = spikes_of_sources(network, made.inputs, options.duration) if options.spikes else {}
    write_graph(options.file, made.graph)
    if options.spikes:
        write_arrays(options.spikes, spikes)
    for problem in made.losses:
        tell(f"left out: {problem.where}: {problem.what}; {problem.limit}")
    size = f"{len(made.graph.nodes)} nodes and {len(made.graph.edges)} edges"
    tell(f"{options.file}: {size}, of {len(network.populations)} populations and {network.n_synapses} synapses")
