"""What a training step costs, and what the document on the paper's study says of it."""

from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from s2snets.config import load
from s2snets.networks.architectures import lenet5
from s2snets.networks.cost import count_multiply_adds, count_operations
from s2snets.networks.frozen import FrozenClassifier
from s2snets.networks.segnet import TRAINED_HALVES, SegNet, Tuned
from s2snets.training.objectives import classification, reconstruction

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cost(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import cost

    return cost


def test_going_forward_costs_two_operations_a_multiply_add():
    model, counts = SegNet(8, 2), []
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(
                lambda layer, _, planes: counts.append(
                    layer.weight.numel() * planes.shape[-2] * planes.shape[-1]
                )
            )
    model(torch.zeros(1, 3, 32, 32))
    assert count_operations(SegNet(8, 2), None, 32) == 2 * sum(counts)
    assert count_multiply_adds(SegNet(8, 2), 32) == sum(counts)


def test_a_step_costs_thrice_what_going_forward_does_save_gradients_of_pixels():
    net = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 2, 1, stride=2),
        nn.Flatten(), nn.Linear(2 * 8 * 8, 7),
    )  # fmt: skip
    first, second, third = 16**2 * 5 * 3 * 9, 8**2 * 2 * 5, 7 * 2 * 8 * 8
    assert count_operations(net, None, 16) == 2 * (first + second + third)
    assert count_operations(net, classification, 16) == 2 * (
        2 * first + 3 * (second + third)
    )


def test_counting_leaves_no_trace():
    model = SegNet(4, 2).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count_operations(model, reconstruction("pixels"), 16)
    assert not model.training
    assert all(weight.grad is None for weight in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("part", TRAINED_HALVES)
def test_a_frozen_classifier_costs_a_step_twice_what_going_forward_does(part):
    classifier = FrozenClassifier(lenet5(size=32), (0.5,) * 3, (0.5,) * 3)
    tuned = Tuned(SegNet(4, 2), part)
    step = count_operations(nn.Sequential(tuned, classifier), classification, 32)
    alone = count_operations(tuned, reconstruction("pixels"), 32)
    assert step == alone + 2 * count_operations(classifier, None, 32)


def test_the_document_on_cost_is_what_its_script_writes(cost):
    text = cost.DOC.read_text()
    assert cost.document(text) == text, "run benchmarks/cost.py"


def test_stages_of_the_paper_count_its_images(cost):
    study = load(yaml.safe_load(cost.STUDY.read_text()))
    found = {stage.name: stage.images for stage in cost.stages(study)}
    # 93 checks, one of them at the end, of 50,000 images of each validation set.
    assert found["pretraining, photos"] == 92_039_479 + 93 * 2 * 50_000
    assert found["fine-tuning, decoder, 5 classifiers"] == 5 * 1_281_167
    assert (
        found["predictions, 17 sources × 5 classifiers"] == 17 * 21 * 50_000
    )  # two kinds
