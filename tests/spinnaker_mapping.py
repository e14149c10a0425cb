"""What sPyNNaker's own mapping makes of a script, in virtual mode and in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from evsim_spinnaker.scratch import MachineSettings, prepare

TIME_OUT = 240  # s
MARK = "MAPPED:"
HARNESS = """
import json, runpy, sys
import pyNN.spiNNaker as sim
from pacman.exceptions import PacmanValueError
from spynnaker.pyNN.data import SpynnakerDataView as View

def found(steps):
    infos, vertices = View.get_routing_infos(), {}
    for vertex in View.iterate_vertices():
        parts = list(vertex.machine_vertices)
        keys = [infos.get_single_info_from(part) for part in parts]
        vertices[vertex.label] = {
            "cores": len(parts),
            "sdram": sum(part.sdram_required.get_total_sdram(steps) for part in parts),
            "places": sorted([*View.get_placement_of_vertex(part).xy] for part in parts),
            "keys": sorted([info.key, info.mask] for info in keys if info is not None),
        }
    tables = View.get_uncompressed().routing_tables
    entries = {f"{table.x},{table.y}": table.number_of_entries for table in tables}
    return {"steps": steps, "vertices": vertices, "entries": entries}

run = sim.run
def mapped(time):
    run(time)
    print("MARK" + json.dumps(found(round(time / View.get_simulation_time_step_ms()))), flush=True)
    sys.exit()
sim.run = mapped
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def mapped(script: Path, folder: Path) -> dict[str, Any]:
    """Time steps, vertices (cores, bytes of SDRAM, chips, keys with masks) and entries of routing tables."""
    folder.mkdir()
    home, work = prepare(folder, MachineSettings("virtual"))
    harness = folder / "harness.py"
    harness.write_text(HARNESS.replace("MARK", MARK))
    done = subprocess.run(
        [sys.executable, str(harness), str(script)],
        cwd=work,
        env={**os.environ, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIME_OUT,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(lines[-1][len(MARK) :])
