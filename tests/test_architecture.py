"""The house keeps its plan: no arrow runs up, no circle, and each outside package is known only where it should be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent

# From the ground up; a unit may use its own floor and those below it. docs/architecture.md draws the same picture.
FLOORS = (
    {"errors", "shipped", "arithmetic", "synapses", "convolution", "connected", "processes", "tolerances"},
    {"network", "recording", "rulesets", "equations", "model", "chip", "backend"}
    | {"pair_rule", "release", "learning_rule", "modulation", "structure"},
    {"registry", "kernel_folders", "compile", "references", "row_access", "forms", "random_bits", "loops"},
    {"network_file", "worker", "worker_child"},
    {"cable"},
    {"distributions", "wiring", "drawn", "redrawn", "mersenne"},
    {"sources", "renewal", "poisson", "deploy"},
    {"variable"},
    {"engine"},
    {"reference", "ahead"},
    {"results"},
    {"placing"},
    {"energy"},
    {"ann"},
    {"pynn"},
    {"nir"},
    {"script", "conducting", "redirect", "commands", "cli", "__main__", "__init__"},
)
FLOOR = {unit: number for number, units in enumerate(FLOORS) for unit in units}


def modules(folder: Path) -> Iterator[tuple[str, Path]]:
    """Dotted name and path of every module of a package."""
    for path in sorted(folder.rglob("*.py")):
        if "__pycache__" in path.parts:
            continue  # loops that evsim wrote
        parts = path.relative_to(folder.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, inside functions too; not those under ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.dump(test.test)
        for child in test.body
        for node in ast.walk(child)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def unit(name: str) -> str:
    """The part of the core that a module belongs to: ``evsim.engine.rows`` -> ``engine``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_module_has_a_floor():
    assert {unit(name) for name, _ in modules(ROOT / "evsim")} - set(FLOOR) == set()


def test_no_arrow_runs_up():
    known = {name for name, _ in modules(ROOT / "evsim")}
    up = [
        f"{name} uses {used}"
        for name, path in modules(ROOT / "evsim")
        for used in imports(path) & known
        if used != "evsim" and FLOOR[unit(used)] > FLOOR[unit(name)]
    ]
    assert up == []


def test_there_is_no_circle():
    known = {name for name, _ in modules(ROOT / "evsim")}
    graph = {}
    for name, path in modules(ROOT / "evsim"):
        # A package is initialised before its modules; naming it beside one of them adds nothing.
        used = (imports(path) & known) - {name}
        graph[name] = {other for other in used if not any(longer.startswith(other + ".") for longer in used)}
    TopologicalSorter(graph).prepare()  # raises CycleError


def outside(package: str, folder: Path) -> set[str]:
    """The files of a folder that import a package, relative to the root."""
    return {
        str(path.relative_to(ROOT))
        for path in sorted(folder.rglob("*.py"))
        if any(name.split(".")[0] == package for name in imports(path))
    }


def test_pynn_is_known_only_at_the_top():
    allowed = ("evsim/pynn/", "evsim/script.py")
    assert [path for path in outside("pyNN", ROOT / "evsim") if not path.startswith(allowed)] == []
    assert outside("pyNN", ROOT / "models") == set()


def test_vendors_are_known_only_in_their_adapters():
    for folder in ("evsim", "models", "examples"):
        for package in ("lava", "spynnaker", "spinn_front_end_common", "spinnman", "unicorn"):
            assert outside(package, ROOT / folder) == set()


def test_nir_is_imported_in_one_place():
    assert outside("nir", ROOT / "evsim") == {"evsim/nir/package.py"}


def test_mpi_is_imported_in_one_place():
    assert outside("mpi4py", ROOT / "evsim") == {"evsim/processes.py"}


def test_the_core_names_no_plug_in():
    for package in ("evsim_models", "evsim_lava", "evsim_spinnaker", "evsim_emulator"):
        assert outside(package, ROOT / "evsim") == set()
