"""Where the files that are data lie: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path


def folder(name: str) -> Path:
    """The folder of shipped data of that name (``"hardware"``)."""
    package = Path(__file__).parent
    inside = package / "_shipped" / name
    return inside if inside.is_dir() else package.parent / name
