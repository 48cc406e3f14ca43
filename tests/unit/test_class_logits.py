"""The logits of a study's classes among all that a classifier gives."""

import importlib.util

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from s2snets.config import Predict
from s2snets.data.imagenet import synsets
from s2snets.data.imageset import ImageSet
from s2snets.evaluation import (
    EvaluationBatches,
    identity,
    iterate_batches,
    prediction_tables,
)
from s2snets.networks.architectures import lenet5
from s2snets.networks.checkpoints import load_classifier, save_classifier
from s2snets.networks.class_logits import (
    SelectLogits,
    logit_positions,
    restrict_classes,
)
from s2snets.networks.factory import build_classifier
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.segnet import SegNet, Tuned
from s2snets.networks.vision import torchvision
from s2snets.runtime.errors import UserError
from s2snets.runtime.files import read_json, write_json
from s2snets.training.objectives import classification

SYNSETS = list(synsets())
IMAGENETTE = ["n01440764", "n02102040", "n02979186", "n03000684", "n03028079",
              "n03394916", "n03417042", "n03425413", "n03445777", "n03888257"]  # fmt: skip
GOLDEN = [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]
CATEGORIES = torchvision.models.AlexNet_Weights.IMAGENET1K_V1.meta["categories"]


def test_synsets_are_sorted_and_torchvisions_names_are_their_lemmas():
    assert sorted(SYNSETS) == SYNSETS
    assert len(set(SYNSETS)) == 1000
    agree = [
        name in lemmas
        for name, lemmas in zip(CATEGORIES, synsets().values(), strict=True)
    ]
    assert agree.count(False) == 2


@pytest.mark.skipif(not importlib.util.find_spec("timm"), reason="timm is optional")
def test_synsets_are_timms():
    folder = importlib.util.find_spec("timm").submodule_search_locations[0]
    with open(f"{folder}/data/_info/imagenet_synsets.txt") as file:
        assert file.read().split() == SYNSETS


@pytest.mark.parametrize(
    "names",
    [None, SYNSETS, CATEGORIES, [", ".join(lemmas) for lemmas in synsets().values()]],
    ids=["nameless", "synsets", "torchvision", "timm"],
)
def test_imagenettes_synsets_find_their_logits(names):
    assert logit_positions(1000, names, IMAGENETTE) == GOLDEN
    assert logit_positions(1000, names, IMAGENETTE[::-1]) == GOLDEN[::-1]
    assert logit_positions(1000, names, SYNSETS) == list(range(1000))


def test_human_names_find_their_logits_where_they_mean_one_class():
    assert logit_positions(1000, CATEGORIES, ["tench", "golf ball", "crane"]) == [
        0,
        574,
        517,
    ]
    with pytest.raises(UserError, match="no class 'crane'"):
        logit_positions(1000, SYNSETS, ["tench", "crane"])


def test_another_order_is_permuted_and_not_believed():
    shuffled = [SYNSETS[n] for n in np.random.default_rng(0).permutation(1000)]
    found = logit_positions(1000, shuffled, SYNSETS)
    assert [shuffled[place] for place in found] == SYNSETS
    assert logit_positions(3, ["c", "a", "b"], ["a", "b", "c"]) == [1, 2, 0]


def test_numbers_and_nameless_classes_go_by_place():
    assert logit_positions(3, None, ["a", "b", "c"]) == [0, 1, 2]
    assert logit_positions(3, ["a", "b", "c"], ["0", "1", "2"]) == [0, 1, 2]
    assert logit_positions(3, ["2", "0", "1"], ["0", "1", "2"]) == [1, 2, 0]


@pytest.mark.parametrize(
    ("count", "names", "classes", "complaint"),
    [
        (3, ["a", "b", "c"], ["a", "x", "y"], "no class 'x' and 1 more"),
        (1000, CATEGORIES, ["n01440764", "n99999999"], "no class 'n99999999'"),
        (1000, SYNSETS, ["tench", "n01440764"], "one class for two"),
        (7, None, ["a", "b"], "tells 7 classes apart, but the data has 2"),
        (1000, CATEGORIES, ["0", "1"], "tells 1000 classes apart"),
    ],
)
def test_classes_that_cannot_be_told_are_one_line(count, names, classes, complaint):
    with pytest.raises(UserError, match=complaint) as caught:
        logit_positions(count, names, classes)
    assert "\n" not in str(caught.value)


def test_probabilities_are_among_the_chosen_classes():
    logits = torch.randn(5, 12, requires_grad=True)
    chosen = SelectLogits([7, 2])(logits)
    whole = logits.softmax(1)[:, [7, 2]]
    assert torch.allclose(chosen.softmax(1), whole / whole.sum(1, keepdim=True))
    chosen.sum().backward()
    assert logits.grad.sum(0).nonzero().ravel().tolist() == [2, 7]


def frozen(classes):
    torch.manual_seed(0)
    return FrozenClassifier(lenet5(classes), (0.5,) * 3, (0.5,) * 3)


def test_all_classes_in_order_leave_the_classifier_as_it_is():
    net = frozen(3)
    restrict_classes(net, 3, ["a", "b", "c"], ["a", "b", "c"])
    assert type(net.after) is nn.Identity


@pytest.fixture
def images(tmp_path):
    random = np.random.default_rng(0)
    for number in range(9):
        path = tmp_path / "images" / "abc"[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    return ImageSet(tmp_path / "images", 32)


def test_predictions_are_labels_of_the_study(images):
    net = frozen(12)
    index = [11, 4, 0]
    groups = iterate_batches(
        EvaluationBatches(images, range(9), 4), [0], device=torch.device("cpu")
    )
    classifiers = {"X": nn.Sequential(net, SelectLogits(index))}
    clean = Predict(strengths=[0.0])
    (tables,) = prediction_tables(groups, identity, classifiers, clean)
    rows = tables["X"]
    pixels, labels = images.batch(range(9))
    truth = net(pixels)[:, index].softmax(1)
    assert rows.class_1.tolist() == truth.argmax(1).tolist()
    assert np.allclose(rows.probability_1, truth.max(1).values.detach(), atol=1e-6)
    assert rows.label.tolist() == labels.tolist()
    assert set(rows.class_4) == {-1}


def test_fine_tuning_descends_the_same_logits(images):
    net = frozen(12)
    autoencoder = SegNet(4, 1)
    model = nn.Sequential(
        Tuned(autoencoder, "decoder"), nn.Sequential(net, SelectLogits([11, 4, 0]))
    )
    pixels, labels = images.batch(range(9))
    loss, _ = classification(model, (pixels, labels))
    logits = net(model[0](pixels))[:, [11, 4, 0]]
    assert float(loss.detach()) == pytest.approx(
        float(nn.functional.cross_entropy(logits, labels))
    )
    loss.backward()
    assert not any(weight.grad is not None for weight in net.parameters())


SPEC = {
    "architecture": "lenet5", "classes": 4, "size": 32, "published": False,
    "mean": [0.5] * 3, "std": [0.5] * 3, "resize": None, "crop": None,
}  # fmt: skip


def test_a_loaded_classifier_answers_in_the_studys_classes(tmp_path):
    spec = {**SPEC, "categories": ["d", "c", "b", "a"]}
    net = build_classifier(spec)
    save_classifier(net, spec, tmp_path / "weights.safetensors", tmp_path / "spec.json")
    pixels = torch.rand(2, 3, 32, 32)
    whole = net(pixels)
    loaded = load_classifier(tmp_path)
    for name, weight in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight)
    # In channels-last order its kernels may add in another order.
    assert torch.allclose(loaded(pixels), whole, atol=1e-6)
    few = load_classifier(tmp_path, classes=["a", "c"])(pixels)
    assert torch.allclose(few, whole[:, [3, 1]], atol=1e-6)
    with pytest.raises(
        UserError, match=rf"classifier {tmp_path.name}: has no class 'x'"
    ):
        load_classifier(tmp_path, classes=["a", "x"])
    write_json(
        tmp_path / "spec.json",
        {**read_json(tmp_path / "spec.json"), "categories": None},
    )
    with pytest.raises(UserError, match="tells 4 classes apart, but the data has 2"):
        load_classifier(tmp_path, classes=["a", "c"])
