"""Denoisers in place of autoencoders: what they remove, and their table."""

import numpy as np
import pandas as pd
import pytest
import torch
from skimage import restoration
from skimage.data import astronaut
from skimage.transform import resize
from torch import nn

from s2snets.measure.denoising import compare
from s2snets.networks.denoisers import (
    CLASSICAL,
    bilateral,
    classical_denoiser,
    noise_deviation,
)
from s2snets.networks.segnet import IMAGENET_STD
from s2snets.runtime.errors import UserError
from s2snets.training.objectives import denoising


@pytest.fixture(scope="module")
def photograph():
    """Pixels (1, 3, 96, 96)."""
    image = resize(astronaut(), (96, 96), anti_aliasing=True)
    return torch.from_numpy(image).float().permute(2, 0, 1)[None]


def noisy(pixels, strength, seed=0):
    random = torch.Generator().manual_seed(seed)
    noise = 2 * torch.rand(pixels.shape, generator=random) - 1
    return (pixels + strength * noise).clamp(0, 1)


@pytest.mark.parametrize("strength", [0.05, 0.1, 0.3])
def test_noise_is_estimated_from_the_image_alone(strength):
    ramp = np.linspace(0.35, 0.65, 64)
    image = np.stack([ramp[:, None] * np.ones(64)] * 3, -1)
    assert noise_deviation(image) < 1e-12
    noise = np.random.default_rng(0).uniform(-strength, strength, image.shape)
    assert noise_deviation(image + noise) == pytest.approx(strength / 3**0.5, rel=0.05)


def test_median_is_that_of_nine_neighbours(photograph):
    found = classical_denoiser("median")(photograph)
    window = photograph[0, 1, 10:13, 20:23]
    assert found[0, 1, 11, 21] == window.median()


def test_bilateral_treats_grey_as_published_for_one_channel(photograph):
    grey = noisy(photograph, 0.2)[0, 0].double().numpy()
    colour = np.stack([grey] * 3, -1)
    noise = noise_deviation(colour)
    alone = restoration.denoise_bilateral(
        grey, sigma_color=2 * noise, sigma_spatial=1.8, mode="edge"
    )
    assert bilateral(colour)[..., 0] == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("strength", [0.3, 0.5])
def test_denoisers_bring_noisy_images_nearer_to_clean_ones(name, strength, photograph):
    given = noisy(photograph, strength)
    before, after = (
        float((image - photograph).square().mean())
        for image in (given, classical_denoiser(name)(given))
    )
    assert after < 0.9 * before


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_plain_image_stays_as_it_is(name, value):
    plain = torch.full((2, 3, 8, 9), value)
    assert torch.equal(classical_denoiser(name)(plain), plain)


@pytest.mark.parametrize("name", CLASSICAL)
def test_images_of_a_batch_are_denoised_apart(name, photograph):
    batch = torch.cat([noisy(photograph, strength) for strength in (0.1, 0.4)])
    batch = batch.contiguous(memory_format=torch.channels_last)
    whole = classical_denoiser(name)(batch)
    assert whole.shape == batch.shape
    assert whole.dtype == batch.dtype
    assert torch.equal(whole[1:], classical_denoiser(name)(batch[1:]))


@pytest.mark.parametrize("name", CLASSICAL)
def test_unclipped_pixels_are_denoised_too(name, photograph):
    given = photograph + 0.4 * (2 * torch.rand(photograph.shape) - 1)
    assert classical_denoiser(name)(given).isfinite().all()


class Model(nn.Module):
    """Gives back one image, and keeps what it was given."""

    std = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, pixels):
        self.given = pixels
        return self.answer


def test_the_denoising_loss_compares_with_the_clean_image():
    torch.manual_seed(0)
    clean = torch.rand(64, 3, 16, 16)
    for clip in (True, False):
        model = Model(clean + 0.1)
        value, measured = denoising("pixels", clip)(model, (clean, None))
        assert float(value) == pytest.approx(0.01, rel=1e-4)
        assert float(measured["mse"]) == pytest.approx(0.01, rel=1e-4)
        inside = (model.given >= 0) & (model.given <= 1)
        assert bool(inside.all()) is clip
    strengths = (model.given - clean).abs().amax((1, 2, 3))  # of the unclipped
    assert 0 <= strengths.min() < 0.1
    assert 0.9 < strengths.max() <= 1
    weighed, measured = denoising("normalised", True)(model, (clean, None))
    assert float(weighed) == pytest.approx(
        0.01 * np.mean(np.square(IMAGENET_STD) ** -1.0), rel=1e-3
    )
    assert float(measured["mse"]) == pytest.approx(0.01, rel=1e-4)


def predictions(source, images, strengths=(0.0, 0.5), right=lambda *_: True):
    """Rows of two classifiers; ``right`` of (classifier, image, strength)."""
    rows = [
        (0, source, image, name, strength, 1, 1 if right(name, image, strength) else 2)
        for name in "LR"
        for strength in strengths
        for image in images
    ]
    columns = ["seed", "source", "image", "classifier", "strength", "label", "class_1"]
    table = pd.DataFrame(rows, columns=columns)
    noise = np.where(table["strength"] > 0, "clipped", "none")
    table = table.assign(noise=noise, replicate=0)
    return table.assign(class_2=3, class_3=-1, class_4=-1, class_5=-1)


def study(images=(4, 2, 9, 7)):
    """The originals are right on image 4 alone; A_L with L, and A_R with R, always."""
    return pd.concat(
        [
            predictions("original", images, right=lambda _, image, __: image == 4),
            predictions("pretrained", images),
            predictions("decoder-L", images, right=lambda name, *_: name == "L"),
            predictions("decoder-R", images, right=lambda name, *_: name == "R"),
        ]
    )


def test_every_input_is_measured_on_the_denoised_images_alone():
    denoised = predictions("median", [4, 2], right=lambda *a: a[2] == 0)
    table = compare(study(), denoised, ["R", "L"], ["median"], "decoder")
    assert list(table.columns) == [
        "source",
        "classifier",
        "strength",
        "images",
        "seeds",
        "top1",
        "top5",
    ]
    assert list(table["source"].unique()) == ["original", "A_S", "A_i", "median"]
    assert list(table["classifier"].unique()) == ["R", "L"]
    assert (table["images"] == 2).all()
    means = table.groupby(["source", "strength"])["top1"].mean()
    assert means["original"].tolist() == [0.5, 0.5]
    assert means["A_i"].tolist() == [1, 1]
    assert means["median"].tolist() == [1, 0]


def test_an_input_that_lacks_images_is_told():
    denoised = predictions("median", [4, 2, 11])
    with pytest.raises(
        UserError, match=r"original, L, strength 0: 2 rows where others have 3"
    ):
        compare(study(), denoised, ["L", "R"], ["median"], "decoder")


def test_an_input_that_was_never_predicted_is_told():
    some = study()[lambda rows: rows["source"] != "decoder-R"]
    with pytest.raises(UserError, match=r"A_i, R, strength 0: 0 rows"):
        compare(some, predictions("nlm", [4]), ["L", "R"], ["nlm"], "decoder")
