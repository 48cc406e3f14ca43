"""Lighter autoencoders: their cost, and their table."""

import pandas as pd
import pytest
from torch import nn

from s2snets.measure.lighter import against_cost
from s2snets.networks.cost import count_multiply_adds, count_parameters
from s2snets.networks.segnet import SegNet
from s2snets.runtime.errors import UserError


def test_the_published_segnet_has_as_many_parameters_as_published():
    assert count_parameters(SegNet()) == 29_480_259


@pytest.mark.parametrize("side", [16, 17])
def test_multiply_adds_are_those_of_every_output_pixel(side):
    half = (side + 1) // 2
    net = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.Conv2d(5, 2, 1, stride=2)
    )
    assert count_multiply_adds(net, side) == side**2 * 5 * 3 * 9 + half**2 * 2 * 5
    assert not any(layer._forward_hooks for layer in net)


def test_a_wider_and_a_deeper_segnet_cost_more():
    small, wide, deep = (
        count_multiply_adds(SegNet(*size), 32) for size in ((8, 2), (16, 2), (8, 3))
    )
    assert small < deep < wide
    assert wide == pytest.approx(4 * small, rel=0.1)


def predictions(source, right, strengths=(0.0,)):
    """Four images: so many of them right, for two classifiers."""
    rows = [
        (0, source, image, name, strength, 1, 1 if image < right else 2)
        for name in "LR"
        for strength in strengths
        for image in range(4)
    ]
    columns = ["seed", "source", "image", "classifier", "strength", "label", "class_1"]
    table = pd.DataFrame(rows, columns=columns)
    noise = table["strength"].map({0.0: "none", 0.5: "clipped"})
    table = table.assign(noise=noise, replicate=0)
    return table.assign(class_2=3, class_3=-1, class_4=-1, class_5=-1)


COSTS = pd.DataFrame(
    [("pretrained", 16, 2, 500, 9e6, 0.1), ("8x2", 8, 2, 100, 2e6, 0.2)],
    columns=["source", "width", "stages", "parameters", "multiply_adds", "mse"],
)


def test_accuracies_stand_beside_costs_from_light_to_heavy():
    rows = pd.concat(
        [
            predictions("pretrained", 2, (0.0, 0.5)),
            predictions("original", 4, (0.0, 0.5)),
            predictions("8x2", 1),
        ]
    )
    table = against_cost(rows, COSTS, ["R", "L"])
    assert (
        table["source"].tolist() == ["original"] * 2 + ["8x2"] * 2 + ["pretrained"] * 2
    )
    assert table["classifier"].tolist() == ["R", "L"] * 3
    assert table["top1"].tolist() == [1, 1, 0.25, 0.25, 0.5, 0.5]
    assert table["images"].tolist() == [4] * 6
    assert table["multiply_adds"].isna().tolist() == [True] * 2 + [False] * 4
    assert table.loc[2, "width"] == 8


def test_a_size_that_was_never_predicted_is_told():
    rows = pd.concat([predictions("original", 4), predictions("8x2", 1)])
    with pytest.raises(UserError, match="no L on pretrained; predict it again"):
        against_cost(rows, COSTS, ["L", "R"])
