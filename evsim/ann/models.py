"""Networks that others trained: scikit-learn's MLPClassifier and torch's Sequential, as ``Ann``.

Neither package is imported before a model of it is there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from evsim.ann.layers import Ann, AvgPool, Conv2d, Dense, Identity, Layer, ReLU, Shape
from evsim.errors import EvsimError, MissingPartError

CONVERTED = "Linear, Conv2d, AvgPool2d, ReLU, Flatten, Dropout and Identity, and a Softmax at the end"


def sklearn_part(name: str) -> ModuleType:
    """A module of scikit-learn; raises MissingPartError."""
    try:
        return importlib.import_module(f"sklearn.{name}")
    except ImportError as error:
        raise MissingPartError("scikit-learn, which the comparison with an ANN needs,", "ann") from error


def from_model(model: Any, images: np.ndarray, labels: np.ndarray, name: str) -> Ann:
    """A trained model of either package.

    Args:
        images: (images, ...), whose shape a torch model is given.
        labels: whose sorted values are the classes of a torch model's outputs.

    Raises:
        EvsimError: it is another kind of model, or one of its layers cannot be converted.
    """
    package = type(model).__module__.partition(".")[0]
    if package == "sklearn":
        return from_sklearn(model, name)
    if hasattr(model, "named_modules") and hasattr(model, "state_dict"):
        return from_torch(model, tuple(images.shape[1:]), np.unique(labels), name)
    raise EvsimError(
        f"{name} is a {type(model).__module__}.{type(model).__name__}; give a trained MLPClassifier of scikit-learn or "
        "an nn.Sequential of torch (the package torch, which no extra of evsim brings)"
    )


def from_sklearn(model: Any, name: str) -> Ann:
    """A trained MLPClassifier; raises EvsimError."""
    kind = type(model).__name__
    if kind != "MLPClassifier":
        raise EvsimError(f"{name} is scikit-learn's {kind}; of scikit-learn, an MLPClassifier can be converted")
    if not hasattr(model, "coefs_"):
        raise EvsimError(f"{name}, an MLPClassifier, is not trained; call its fit first")
    if model.activation not in ("relu", "identity"):
        raise EvsimError(
            f"layer 1 of {name} ({model.activation}) cannot be converted: spikes stand for rectified numbers; train it "
            "with activation='relu'"
        )
    if model.out_activation_ == "logistic" and len(model.classes_) > 2:
        raise EvsimError(f"{name} tells several labels of one image; give one that tells classes apart")
    layers: list[Layer] = []
    for weights, bias in zip(model.coefs_, model.intercepts_, strict=True):
        if layers and model.activation == "relu":
            layers.append(ReLU())
        layers.append(Dense(np.asarray(weights.T, np.float64), np.asarray(bias, np.float64)))
    return Ann(name, (model.coefs_[0].shape[0],), tuple(layers), np.asarray(model.classes_))


def from_torch(model: Any, shape: Shape, classes: np.ndarray, name: str) -> Ann:
    """A trained nn.Sequential, whose outputs stand for the sorted classes; raises EvsimError naming a layer."""
    shape = (1, *shape) if len(shape) == 2 else shape
    layers: list[Layer] = []
    modules = list(_flat(model, name))
    for index, module in enumerate(modules):
        kind = type(module).__name__
        last = index == len(modules) - 1
        if kind in ("Flatten", "Dropout", "Dropout2d", "Identity") or (kind in ("Softmax", "LogSoftmax") and last):
            layers.append(Identity())
            continue
        where = f"layer {index} of {name} ({kind})"
        if kind not in _MAKERS:
            raise EvsimError(f"{where} cannot be converted; {CONVERTED} can")
        layers.append(_MAKERS[kind](module, where))
    return Ann(name, shape, tuple(layers), classes)


def _flat(model: Any, name: str) -> Iterator[Any]:
    """The layers of a Sequential, those of one inside another included."""
    if type(model).__name__ != "Sequential":
        raise EvsimError(f"{name} is torch's {type(model).__name__}; give an nn.Sequential, whose order is its layers'")
    for module in model:
        if type(module).__name__ == "Sequential":
            yield from _flat(module, name)
        else:
            yield module


def _array(tensor: Any, size: int) -> np.ndarray:
    return np.zeros(size) if tensor is None else tensor.detach().cpu().numpy().astype(np.float64)


def _linear(module: Any, where: str) -> Dense:
    return Dense(_array(module.weight, 0), _array(module.bias, module.out_features))


def _conv(module: Any, where: str) -> Conv2d:
    plain = module.groups == 1 and _pair(module.dilation) == (1, 1) and module.padding_mode == "zeros"
    if not plain or isinstance(module.padding, str):
        raise EvsimError(
            f"{where} cannot be converted: groups {module.groups}, dilation {module.dilation}, padding "
            f"{module.padding!r} of {module.padding_mode}; it must have groups 1, dilation 1 and a number of zeros"
        )
    kernel = _array(module.weight, 0)
    return Conv2d(kernel, _array(module.bias, len(kernel)), _pair(module.stride), _pair(module.padding))


def _pool(module: Any, where: str) -> AvgPool:
    padding = _pair(module.padding)
    if module.ceil_mode or module.divisor_override or not (module.count_include_pad or padding == (0, 0)):
        raise EvsimError(
            f"{where} cannot be converted: ceil_mode, divisor_override and count_include_pad must be as they are by "
            "default"
        )
    return AvgPool(_pair(module.kernel_size), _pair(module.stride), padding)


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    first, second = value
    return int(first), int(second)


_MAKERS: dict[str, Callable[[Any, str], Layer]] = {
    "Linear": _linear,
    "Conv2d": _conv,
    "AvgPool2d": _pool,
    "ReLU": lambda module, where: ReLU(),
}
