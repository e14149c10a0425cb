"""Networks of scikit-learn and torch, against what the packages themselves compute."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.ann.models import from_model, from_sklearn
from evsim.errors import EvsimError


def trained(**options):
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    images = rng.random((60, 6))
    labels = np.array(["x", "y", "z"])[(images[:, 0] > 0.5).astype(int) + (images[:, 1] > 0.5)]
    return neural.MLPClassifier((8, 5), max_iter=300, random_state=0, **options).fit(images, labels), images, labels


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("two", [False, True])
def test_an_mlp_says_what_scikit_learn_says(two):
    model, images, labels = trained()
    if two:
        model.fit(images, labels == "x")
    ann = from_model(model, images, labels, "mlp")
    assert (ann.choose(ann.outputs(images)) == model.predict(images)).all()


@pytest.mark.filterwarnings("ignore")
def test_what_of_scikit_learn_cannot_be_converted_is_said():
    model, images, _ = trained(activation="tanh")
    with pytest.raises(EvsimError, match=r"layer 1 of mlp \(tanh\) cannot be converted"):
        from_sklearn(model, "mlp")
    neural = pytest.importorskip("sklearn.neural_network")
    with pytest.raises(EvsimError, match="not trained"):
        from_sklearn(neural.MLPClassifier(), "mlp")
    with pytest.raises(EvsimError, match="MLPRegressor"):
        from_sklearn(neural.MLPRegressor(), "mlp")
    several = neural.MLPClassifier((4,), max_iter=5).fit(images, np.random.default_rng(1).integers(0, 2, (60, 3)))
    with pytest.raises(EvsimError, match="several labels"):
        from_sklearn(several, "mlp")


def test_another_model_is_refused():
    with pytest.raises(EvsimError, match=r"builtins.dict; give a trained MLPClassifier"):
        from_model({}, np.zeros((1, 4)), np.zeros(1), "mine")


def test_a_sequential_computes_what_torch_computes():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(3, 4, (2, 3), stride=(1, 2), bias=False), nn.ReLU())
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Dropout(0.5), nn.AvgPool2d(2), inner,
        nn.AvgPool2d((2, 1), stride=1), nn.Flatten(), nn.Linear(8, 5), nn.Softmax(dim=1),
    )  # fmt: skip
    model.eval()
    images = np.random.default_rng(0).random((7, 2, 8, 8))
    labels = np.arange(7) % 5
    ann = from_model(model, images, labels, "net")
    with torch.no_grad():
        expected = model[:-1](torch.tensor(images, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(ann.outputs(ann.inputs(images)), expected, atol=1e-5)


def test_a_layer_of_torch_that_cannot_be_converted_is_named_with_its_index():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    images, labels = np.zeros((4, 1, 8, 8)), np.arange(4)
    for layer, said in (
        (nn.MaxPool2d(2), r"layer 2 of net \(MaxPool2d\) cannot be converted; Linear"),
        (nn.Conv2d(2, 2, 3, dilation=2), r"layer 2 of net \(Conv2d\) cannot be converted: groups 1, dilation \(2, 2\)"),
        (nn.AvgPool2d(2, ceil_mode=True), r"layer 2 of net \(AvgPool2d\) cannot be converted: ceil_mode"),
        (nn.Softmax(dim=1), r"layer 2 of net \(Softmax\) cannot be converted"),
    ):
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), layer, nn.Flatten(), nn.Linear(2, 4))
        with pytest.raises(EvsimError, match=said):
            from_model(model, images, labels, "net")
    beyond = nn.Sequential(nn.Identity(), nn.Conv2d(1, 2, 9))
    with pytest.raises(EvsimError, match=r"layer 1 of net \(Conv2d\): its window of 9 x 9 is larger"):
        from_model(beyond, images, labels, "net")
    with pytest.raises(EvsimError, match=r"give an nn\.Sequential"):
        from_model(nn.Linear(64, 4), images, labels, "net")
