"""A user's own network, and what is said where it cannot be taken."""

from __future__ import annotations

import pytest

from evsim.ann.own import own_network
from evsim.errors import EvsimError

MLP = """
import numpy as np
from sklearn.neural_network import MLPClassifier
rng = np.random.default_rng(0)
x_train = rng.random((80, 5))
y_train = (x_train.sum(axis=1) > 2.5).astype(int)
x_test, y_test = x_train[:20], y_train[:20]
model = MLPClassifier((6,), max_iter=50, random_state=0).fit(x_train, y_train)
"""


@pytest.mark.filterwarnings("ignore")
def test_a_file_with_a_model_is_taken(tmp_path):
    pytest.importorskip("sklearn")
    file = tmp_path / "mine.py"
    file.write_text(MLP)
    ann, task = own_network(str(file))
    assert ann.name == "mine" and ann.shape == (5,)
    assert task.train.shape == (80, 5) and len(task.labels) == 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x_test = [[1.0]]", "does not make model and y_test"),
        ("model, x_test, y_test = 1, [[1.0]], [0, 1]", r"y_test has the shape \(2,\) for 1 images"),
        ("model, x_test, y_test = 1, [[1.0]], [0]", r"builtins.int; give a trained MLPClassifier"),
        ("1 / 0", r"failed: ZeroDivisionError: division by zero \(.*mine.py, line 1\)"),
    ],
)
def test_a_file_that_will_not_do(tmp_path, text, said):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(EvsimError, match=said):
        own_network(str(file))


def test_a_missing_file(tmp_path):
    with pytest.raises(EvsimError, match="there is no file"):
        own_network(str(tmp_path / "none.py"))


@pytest.mark.filterwarnings("ignore")
def test_images_of_the_wrong_shape(tmp_path):
    pytest.importorskip("sklearn")
    file = tmp_path / "mine.py"
    file.write_text(MLP + "x_test = np.zeros((20, 4))\n")
    with pytest.raises(EvsimError, match=r"x_test have the shape \(20, 4\); mine takes one or more, \(images, 5\)"):
        own_network(str(file))
