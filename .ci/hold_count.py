"""Hold a count of passed tests: it may rise, never fall.

    hold_count.py NAME OUTPUT

OUTPUT is what a suite printed; its last line says ``N passed, M failed, K skipped``. The count that is held for NAME is
in counts.json beside this file.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

COUNTS = Path(__file__).with_name("counts.json")


def main(name: str, output: Path) -> int:
    """Compare; 0 if the count is held."""
    held = json.loads(COUNTS.read_text())[name]
    lines = output.read_text().strip().splitlines()
    said = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1].strip()) if lines else None
    if said is None:
        print(f"{name}: the suite did not come to its end; its last line is {lines[-1] if lines else ''!r}")
        return 1
    passed = int(said[1])
    if passed < held:
        print(f"{name}: {passed} pass, {held} are held in {COUNTS.name}; find out which were lost")
        return 1
    if passed > held:
        print(f"{name}: {passed} pass, {held} are held; write {passed} to {COUNTS.name} to keep the gain")
    else:
        print(f"{name}: {passed} pass, as held")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
