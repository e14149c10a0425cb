"""The core without extras, used as a user does: it runs and compares, and says what to install for the rest.

    core_only.py SCRIPT

SCRIPT is a PyNN script that calls ``get_simulator``. Run it from a folder outside the checkout, with the Python of an
environment that holds nothing but the core.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

TIMEOUT = 300  # seconds; a cold start compiles the kernels


def evsim(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line of the installed core."""
    command = [str(Path(sys.executable).with_name("evsim")), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)


def must(condition: bool, what: str, done: subprocess.CompletedProcess[str]) -> None:
    """End with what was printed unless the condition holds."""
    if not condition:
        command = f"{' '.join(done.args)} ended with {done.returncode}"
        sys.exit(f"core without extras: {what}\n{command}\n{done.stdout}{done.stderr}")


def main(script: str) -> None:
    """Everything that the core alone must do."""
    for words in (["models"], ["chips"], ["run", script, "--on", "reference"]):
        done = evsim(*words)
        must(done.returncode == 0, f"evsim {words[0]} failed", done)
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "compare.json"
        words = ["--on", "reference:ideal", "reference:loihi2", "--report", folder, "--json", str(summary)]
        done = evsim("compare", script, *words)
        must(done.returncode == 0 and (Path(folder) / "report.html").is_file(), "no report", done)
        must(len(json.loads(summary.read_text())["pairs"]) == 1, "not one pair in the summary", done)
    for backend in ("lava", "spinnaker"):
        done = evsim("run", script, "--on", backend)
        must(done.returncode != 0, f"{backend} ran without its package", done)
        must(f"evsim[{backend}]" in done.stderr, f"the error does not name the extra evsim[{backend}]", done)
        must("Traceback" not in done.stderr, f"a traceback instead of an error for {backend}", done)
    print("The core alone runs and compares, and names the extra for lava and for spinnaker.")


if __name__ == "__main__":
    main(sys.argv[1])
