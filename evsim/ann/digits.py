"""Networks trained here, on scikit-learn's 8 x 8 digits (Alpaydin and Kaynak 1998): nothing is downloaded.

Of the 1,797 digits 360, chosen with a fixed seed, are for judging, and none of them is seen in training.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.ann.cnn import train_cnn
from evsim.ann.layers import Ann, Floats
from evsim.ann.models import from_sklearn, sklearn_part

N_TEST, SPLIT_SEED = 360, 0
MOST = 16.0  # of a pixel


@dataclass(frozen=True, eq=False)
class Task:
    """Images with labels, to train on and to judge by.

    Attributes:
        train, test: (images, ...) of any shape that the network takes.
        labels: (images,) of ``test``.
    """

    name: str
    train: Floats
    test: Floats
    labels: NDArray


def digits() -> tuple[Task, NDArray]:
    """The task, with pixels of 0 to 1, and the labels of the images to train on; raises MissingPartError."""
    bunch = sklearn_part("datasets").load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(bunch.target))
    images, labels = bunch.data[order] / MOST, bunch.target[order]
    return Task("digits", images[N_TEST:], images[:N_TEST], labels[:N_TEST]), labels[N_TEST:]


def trained_mlp(task: Task, labels: NDArray) -> Ann:
    """64 inputs, 64 hidden neurons, 10 outputs, by scikit-learn with a fixed seed."""
    network = sklearn_part("neural_network").MLPClassifier((64,), max_iter=200, random_state=1, learning_rate_init=5e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it could be trained for longer
        network.fit(task.train, labels)
    return from_sklearn(network, "MLP")


def trained_cnn(task: Task, labels: NDArray) -> Ann:
    """Like LeNet-5, for 8 x 8 pixels: two convolutions, each with a pool behind it, and a dense layer."""
    return train_cnn(task.train.reshape(-1, 1, 8, 8), labels, np.unique(labels))
