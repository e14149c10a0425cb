"""A user's own network and images: a Python file that makes ``model``, ``x_test`` and ``y_test``.

``x_train``, if it is there, is what weights are balanced with; else ``x_test`` is. Balancing only sets a scale.
"""

from __future__ import annotations

import runpy
import sys
import traceback
from pathlib import Path

import numpy as np

from evsim.ann.digits import Task
from evsim.ann.layers import Ann
from evsim.ann.models import from_model
from evsim.errors import EvsimError

NEEDED = ("model", "x_test", "y_test")


def own_network(path: str) -> tuple[Ann, Task]:
    """Run the file and take its model and images.

    Raises:
        EvsimError: the file is missing or fails, lacks a name, or its images and labels do not fit the model; or a
            layer of it cannot be converted.
    """
    file = Path(path)
    if not file.is_file():
        raise EvsimError(f"there is no file {path}; --ann takes a Python file that makes {', '.join(NEEDED)}")
    sys.path.insert(0, str(file.parent))
    try:
        names = runpy.run_path(path)
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        raise EvsimError(
            f"{path} failed: {type(error).__name__}: {error} ({line.filename}, line {line.lineno})"
        ) from error
    finally:
        sys.path.remove(str(file.parent))
    if missing := [name for name in NEEDED if name not in names]:
        raise EvsimError(f"{path} does not make {' and '.join(missing)}; --ann needs {', '.join(NEEDED)}")
    images, labels = np.asarray(names["x_test"], np.float64), np.asarray(names["y_test"])
    if labels.shape != images.shape[:1]:
        raise EvsimError(f"{path}: y_test has the shape {labels.shape} for {len(images)} images; give a label for each")
    train = np.asarray(names.get("x_train", images), np.float64)
    classes = names.get("y_train", labels)
    ann = from_model(names["model"], images, np.asarray(classes), file.stem)
    ann.inputs(images, "x_test")
    ann.inputs(train, "x_train")
    return ann, Task(file.name, train, images, labels)
