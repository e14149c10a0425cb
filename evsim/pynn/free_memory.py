"""How much memory is left to this process."""

from __future__ import annotations

from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def available_memory() -> float:
    """The bytes that this process can still take without anything being swapped or killed; infinite if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return float("inf")
    free = [float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return min([*free, left_in_groups(groups)])


def left_in_groups(groups: list[str]) -> float:
    """What control groups, given as the lines of ``/proc/self/cgroup``, and those around them leave (bytes)."""
    left = [float("inf")]
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, names = GROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top, names = GROUPS / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        group = top / path.lstrip("/")
        left += [_left(folder, *names) for folder in (group, *group.parents) if folder.is_relative_to(top)]
    return min(left)


def _left(folder: Path, limit: str, usage: str, cached: str) -> float:
    try:
        most, used = (folder / limit).read_text().strip(), float((folder / usage).read_text())
        pages = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:  # the group is not to be seen from inside
        return float("inf")
    return float("inf") if most == "max" else float(most) - used + float(pages.get(cached, 0))
