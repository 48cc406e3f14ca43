"""The training loop: resuming, schedules, objectives, checkpoints, weights."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from s2snets.config import (
    Augmentation,
    Autoencoder,
    Denoising,
    Finetune,
    Pretraining,
    Training,
)
from s2snets.data.imageset import ImageSet
from s2snets.data.order import image_order
from s2snets.networks.architectures import small_alexnet
from s2snets.networks.checkpoints import load_autoencoder, load_weights, save_weights
from s2snets.networks.frozen import FrozenClassifier, PixelClassifier
from s2snets.networks.segnet import IMAGENET_STD, SegNet, Tuned
from s2snets.runtime.errors import UserError
from s2snets.training import checkpoint
from s2snets.training.batches import resumable_batches
from s2snets.training.engine import create_engine
from s2snets.training.loop import Trainer
from s2snets.training.objectives import (
    classification,
    denoising,
    mean_square_error,
    reconstruction,
)
from s2snets.training.state import TrainingState

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Twelve images of two classes: bright and dark ones."""
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for number in range(12):
        path = folder / ("dark" if number % 2 else "light") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        pixels = random.integers(0, 128, (32, 32, 3)) + 127 * (number % 2 == 0)
        buffer = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(buffer, "png")
        path.write_bytes(buffer.getvalue())
    return ImageSet(folder, 32)


def classifier():
    torch.manual_seed(1)
    return PixelClassifier(small_alexnet(2), (0.5,) * 3, (0.25,) * 3)


def autoencoder():
    torch.manual_seed(1)
    return SegNet(4, 2)


def tuned():
    torch.manual_seed(1)
    frozen = FrozenClassifier(small_alexnet(2), (0.5,) * 3, (0.25,) * 3)
    return nn.Sequential(Tuned(SegNet(4, 2), "decoder"), frozen)


SHORT = {"images": 40, "batch": 4, "check_every": 12, "augment": Augmentation()}
RUNS = {
    # dropout, Adam, a schedule by steps
    "classifier": (
        classifier,
        classification,
        Training(**SHORT, optimiser="adam", learning_rate=0.01, schedule="one_cycle"),
    ),
    # batch norm, SGD with momentum, a schedule by checks
    "autoencoder": (autoencoder, reconstruction("pixels"), Pretraining(**SHORT)),
    # noise drawn in the step
    "denoiser": (autoencoder, denoising("pixels", True), Denoising(**SHORT)),
    "finetuning": (tuned, classification, Finetune(**SHORT)),
    "frozen norm": (
        autoencoder,
        reconstruction("pixels"),
        Pretraining(**SHORT, freeze_norm=0.5),
    ),
}


class Killed(Exception):
    pass


def killed_after(start, count):
    """Wrap batches so that they kill a training after ``count`` of them."""

    def cut(seen):
        for number, batch in enumerate(start(seen)):
            if number == count:
                raise Killed
            yield batch

    return cut


def train(images, run, path, *, kill=None, seed=0):
    model, loss, settings = run
    model = model()
    start = resumable_batches(images, settings, seed=seed, device=CPU)
    start = killed_after(start, kill) if kill else start
    trainer = Trainer(
        model, loss, settings, create_engine(settings), seed=seed,
        identity={"rate": settings.learning_rate}, checkpoint_path=path, save_every=0,
    )  # fmt: skip
    return model.state_dict(), trainer.fit(start)


def same(one, two):
    return all(value.equal(two[name]) for name, value in one.items())


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("kill", [1, 3, 9])
def test_a_killed_training_resumes_to_the_same_weights(images, tmp_path, kind, kill):
    whole, whole_curve = train(images, RUNS[kind], tmp_path / "whole.pt")
    path = tmp_path / "killed.pt"
    with pytest.raises(Killed):
        train(images, RUNS[kind], path, kill=kill)
    resumed, curve = train(images, RUNS[kind], path)
    assert same(whole, resumed)
    assert curve == whole_curve


@pytest.mark.parametrize("kind", RUNS)
def test_the_seed_decides(images, tmp_path, kind):
    first, _ = train(images, RUNS[kind], tmp_path / "1.pt")
    again, _ = train(images, RUNS[kind], tmp_path / "2.pt")
    other, _ = train(images, RUNS[kind], tmp_path / "3.pt", seed=1)
    assert same(first, again)
    assert not same(first, other)


@pytest.mark.parametrize("kind", ["classifier", "autoencoder"])
def test_fast_arithmetic_differs_by_rounding_alone(images, tmp_path, kind):
    model, loss, settings = RUNS[kind]
    fast = settings.model_copy(update={"deterministic": False, "images": 4})
    slow = settings.model_copy(update={"images": 4})
    state = TrainingState(model(), fast, 1)
    assert state.optimiser.defaults["fused"]
    weights, _ = train(images, (model, loss, slow), tmp_path / "slow.pt")
    other, _ = train(images, (model, loss, fast), tmp_path / "fast.pt")
    for name, value in weights.items():
        assert torch.allclose(value, other[name], atol=1e-5), name


def test_frozen_batch_norm_keeps_the_averages_of_the_images_before(images, tmp_path):
    def averages(freeze_norm, seen):
        settings = Pretraining(
            **SHORT | {"images": seen}, freeze_norm=freeze_norm, schedule="constant"
        )
        run = (autoencoder, reconstruction("pixels"), settings)
        state, _ = train(images, run, tmp_path / f"{freeze_norm} {seen}.pt")
        weights = state["encoder.stages.0.0.weight"]
        return weights, {name: one for name, one in state.items() if "running" in name}

    half, before = averages(1.0, 20)
    weights, after = averages(0.5, 40)
    assert all(one.equal(after[name]) for name, one in before.items())
    assert not half.equal(weights)
    _, moved = averages(1.0, 40)
    assert not any(one.equal(moved[name]) for name, one in before.items())


def test_frozen_batch_norm_trains_what_is_evaluated(images, tmp_path):
    """From the first step on frozen, the last loss of a step is an evaluation's."""
    settings = Pretraining(
        images=4, batch=4, check_every=4, augment=None, freeze_norm=0.0
    )
    run = (autoencoder, reconstruction("pixels"), settings)
    _, curve = train(images, run, tmp_path / "frozen.pt")
    numbers = [place for _, place in image_order(0, 4, images.runs, 0)]
    expected = mean_square_error(autoencoder().eval(), images, numbers, batch=4)
    assert curve[0]["mse"] == pytest.approx(expected)


def test_the_curve_has_a_row_a_check_and_one_at_the_end(images, tmp_path):
    _, curve = train(images, RUNS["autoencoder"], tmp_path / "c.pt")
    assert [row["images"] for row in curve] == [12, 24, 36, 40]
    assert all(row["mse"] == pytest.approx(row["loss"]) for row in curve)


def test_training_learns_what_is_easy(images, tmp_path):
    settings = Training(
        images=600, batch=12, optimiser="adam", learning_rate=1e-3, schedule="constant",
        check_every=120,
    )  # fmt: skip
    _, curve = train(
        images, (classifier, classification, settings), tmp_path / "easy.pt"
    )
    assert curve[-1]["accuracy"] > 0.95
    assert curve[-1]["loss"] < curve[0]["loss"] / 2


def test_the_rate_falls_to_a_fifth_after_two_checks_without_improvement():
    run = TrainingState(nn.Linear(1, 1), Pretraining(), steps=10)
    rates = []
    for loss in (1.0, 0.9, 0.95, 0.9, 0.8, 0.85, 0.81, 0.8, 0.7):
        run.check_schedule.step(loss)
        rates.append(run.rate)
    eta = 0.01
    expected = [eta] * 3 + [eta / 5] * 3 + [eta / 25] * 3
    assert rates == pytest.approx(expected)


def test_one_cycle_ends_near_nothing():
    settings = Training(images=100, batch=10, learning_rate=0.01, schedule="one_cycle")
    run = TrainingState(nn.Linear(1, 1), settings, steps=10)
    rates = []
    for _ in range(10):
        rates.append(run.rate)
        run.optimiser.step()
        run.step_schedule.step()
    assert max(rates) == pytest.approx(0.01, rel=0.01)
    assert rates[-1] < 1e-4


def test_reconstruction_weighs_channels_by_imagenets_deviations():
    model, pixels = autoencoder().eval(), torch.rand(2, 3, 16, 16)
    error = (model(pixels) - pixels).detach().double()
    slow = (
        sum(
            (error[:, channel] / std).square().mean()
            for channel, std in enumerate(IMAGENET_STD)
        )
        / 3
    )
    loss, measured = reconstruction("normalised")(model, (pixels, None))
    assert loss.item() == pytest.approx(slow.item(), rel=1e-5)
    assert float(measured["mse"]) == pytest.approx(
        float(error.square().mean()), rel=1e-5
    )
    loss, _ = reconstruction("pixels")(model, (pixels, None))
    assert loss.item() == pytest.approx(float(error.square().mean()), rel=1e-5)


def test_mean_square_error_does_not_depend_on_the_batch(images):
    model, numbers = autoencoder().eval(), list(range(11))
    errors = [
        mean_square_error(model, images, numbers, batch=batch) for batch in (1, 4, 11)
    ]
    assert errors == pytest.approx([errors[0]] * 3, rel=1e-5)


def test_a_checkpoint_of_another_training_is_refused(images, tmp_path):
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(Killed):
        train(images, RUNS["autoencoder"], path, kill=3)
    settings = RUNS["autoencoder"][2].model_copy(update={"learning_rate": 0.5})
    changed = (*RUNS["autoencoder"][:2], settings)
    with pytest.raises(UserError, match=r"rate was 0\.01, is 0\.5.*delete"):
        train(images, changed, path)


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04cut"])
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"checkpoint\.pt: damaged"):
        checkpoint.load(path, {})


@pytest.mark.parametrize(
    "content", [None, 5, [], "ab", {}, {"identity": 5, "state": 1}]
)
def test_a_checkpoint_of_something_else_is_named(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    torch.save(content, path)
    with pytest.raises(UserError, match=r"checkpoint\.pt: damaged"):
        checkpoint.load(path, {})


def test_weights_come_back_and_others_are_refused(tmp_path):
    path, model = tmp_path / "weights.safetensors", autoencoder()
    save_weights(model, path)
    found = load_autoencoder(path, Autoencoder(width=4, stages=2))
    assert same(model.state_dict(), found.state_dict())
    assert not any(weight.requires_grad for weight in found.parameters())
    with pytest.raises(
        UserError, match=r"weights\.safetensors: weights of another network"
    ):
        load_autoencoder(path, Autoencoder(width=8, stages=2))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"weights\.safetensors: damaged"):
        load_weights(model, path)
    with pytest.raises(UserError, match="no such weights"):
        load_weights(model, tmp_path / "none.safetensors")
