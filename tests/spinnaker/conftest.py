"""Unmodified sPyNNaker scripts, run by ``evsim spinnaker`` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

TIME_OUT = 240  # s


class Finished:
    """A script that has run: its exit status, its output, and what it left in the folders that it could write to."""

    def __init__(self, done: subprocess.CompletedProcess, left: list[str]) -> None:
        self.status, self.output, self.errors, self.left = done.returncode, done.stdout, done.stderr, left

    def data(self):
        """The last line that the script printed, which must be JSON."""
        assert self.status == 0, self.output[-3000:] + self.errors[-3000:]
        return json.loads([line for line in self.output.splitlines() if line.startswith(("{", "["))][-1])


@pytest.fixture
def run(tmp_path, tmp_path_factory):
    """Run a script in an empty folder, with an empty home and an empty folder for temporary files."""
    home, here, scratch = (tmp_path / name for name in ("home", "here", "scratch"))
    for folder in (home, here, scratch):
        folder.mkdir()

    def run_script(text: str, *words: str, **variables: str) -> Finished:
        script = tmp_path / "script.py"
        script.write_text("import json\nimport numpy as np\nimport pyNN.spiNNaker as sim\n" + text)
        environment = {**os.environ, "HOME": str(home), "MPLCONFIGDIR": str(tmp_path_factory.getbasetemp() / "fonts")}
        environment |= {"TMPDIR": str(scratch), "PYTHONPATH": os.pathsep.join(sys.path), **variables}
        done = subprocess.run(
            [sys.executable, "-m", "evsim", "spinnaker", str(script), *words],
            cwd=here,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIME_OUT,
        )
        return Finished(
            done, [str(path.relative_to(tmp_path)) for folder in (home, here, scratch) for path in folder.iterdir()]
        )

    return run_script
