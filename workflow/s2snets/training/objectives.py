"""Losses of every training, and the values that its learning curve averages."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from s2snets.data.imageset import ImageSet
from s2snets.runtime.signals import ignore_stop_signals
from s2snets.training.engine import SINGLE, Engine, Share
from s2snets.training.loop import Batch, Loss

Values = tuple[Tensor, dict[str, Tensor]]
"""A loss, and further values by name; means over a batch's images."""


def classification(model: nn.Module, batch: Batch) -> Values:
    """Return the cross-entropy of a network, bare or behind an autoencoder."""
    pixels, labels = batch
    logits = model(pixels)
    hits = (logits.argmax(1) == labels).float().mean()
    return F.cross_entropy(logits, labels), {"accuracy": hits}


def imitation(classifier: nn.Module) -> Loss:
    """Return a loss: cross-entropy to a frozen classifier's own predictions.

    The predictions are those on the original images; they replace missing labels.
    """

    def loss(model: nn.Module, batch: Batch) -> Values:
        pixels, _ = batch
        with torch.no_grad():
            predicted = classifier(pixels).argmax(1)
        value, measured = classification(model, (pixels, predicted))
        return value, {"agreement": measured["accuracy"]}

    return loss


def divergence(classifier: nn.Module) -> Loss:
    """Return a loss: Kullback-Leibler divergence from a frozen classifier's own output.

    The output is its probabilities of all classes for the original images.
    """

    def loss(model: nn.Module, batch: Batch) -> Values:
        pixels, _ = batch
        with torch.no_grad():
            original = classifier(pixels).float().log_softmax(1)
        output = model(pixels).float().log_softmax(1)
        value = F.kl_div(output, original, reduction="batchmean", log_target=True)
        same = (output.argmax(1) == original.argmax(1)).float().mean()
        return value, {"agreement": same}

    return loss


def activation_error(activations: nn.Module, scale: float) -> Loss:
    """Return a loss: squared error of a layer's activations, over their variance.

    1 is what the mean activations give for any image.

    Args:
        activations: a frozen network up to the layer, which the model ends with.
        scale: the activations' variance, summed over units.
    """

    def loss(model: nn.Module, batch: Batch) -> Values:
        pixels, _ = batch
        with torch.no_grad():
            original = activations(pixels).float()
        error = (model(pixels).float() - original).flatten(1)
        return error.square().sum(1).mean() / scale, {}

    return loss


def square_error(model: nn.Module, error: Tensor, loss_space: str) -> Values:
    """Return an autoencoder's mean square error in a space, and its ``mse`` in pixels.

    Args:
        model: the autoencoder.
        error: of pixels, (N, 3, H, W).
        loss_space: ``pixels``, or ``normalised`` for the error over ImageNet's standard
            deviations.
    """
    mse = error.square().mean()
    if loss_space == "pixels":
        return mse, {"mse": mse}
    return (error / torch.as_tensor(model.std)).square().mean(), {"mse": mse}


def reconstruction(loss_space: str) -> Loss:
    """Return a loss: square error between input and output (section 3.2).

    Args:
        loss_space: see ``square_error``.
    """

    def loss(model: nn.Module, batch: Batch) -> Values:
        pixels, _ = batch
        return square_error(model, model(pixels) - pixels, loss_space)

    return loss


def denoising(loss_space: str, clip: bool, share: Share = SINGLE) -> Loss:
    """Return a loss: square error between the output for noisy pixels and clean ones.

    Each image gets uniform noise of a strength drawn from [0, 1].

    Args:
        loss_space: see ``square_error``.
        clip: whether noisy images are clipped to [0, 1].
        share: of this process.
    """

    def uniform(pixels: Tensor, *shape: int) -> Tensor:
        """Draw from [0, 1] for each image."""
        return share.draw(
            lambda images: torch.rand(images, *shape, device=pixels.device),
            len(pixels),
        )

    def loss(model: nn.Module, batch: Batch) -> Values:
        pixels, _ = batch
        strengths = uniform(pixels, 1, 1, 1)
        noisy = pixels + strengths * (2 * uniform(pixels, *pixels.shape[1:]) - 1)
        error = model(noisy.clamp(0, 1) if clip else noisy) - pixels
        return square_error(model, error, loss_space)

    return loss


def gaussian_denoising(deviation: float, share: Share = SINGLE) -> Loss:
    """Return a loss: square error between the output for noisy pixels and clean ones.

    Despraz et al. 2017, section 4.2. The noisy pixels are not clipped: black ones would
    get half the noise.

    Args:
        deviation: of the Gaussian noise, in pixels; 0: plain reconstruction.
        share: of this process.
    """

    def loss(model: nn.Module, batch: Batch) -> Values:
        pixels, _ = batch
        noise = share.draw(
            lambda images: torch.randn(images, *pixels.shape[1:], device=pixels.device),
            len(pixels),
        )
        return (model(pixels + deviation * noise) - pixels).square().mean(), {}

    return loss


def inversion(model: nn.Module, batch: Batch) -> Values:
    """Return the mean square error of pixels of a ``networks.inverse.Inverse``."""
    pixels, _ = batch
    inverted, network_input = model(pixels)
    return (inverted - network_input).square().mean(), {}


@torch.inference_mode()
def mean_square_error(
    model: nn.Module,
    images: ImageSet,
    numbers: np.ndarray,
    *,
    batch: int,
    engine: Engine | None = None,
) -> float:
    """Return an autoencoder's error over some images of a set, in pixels.

    The processes share the images. The model must be in evaluation mode.

    Args:
        model: the autoencoder.
        images: the set.
        numbers: numbers of the images.
        batch: images of a batch.
        engine: the model's; None: this process alone, on a CPU.
    """
    share = engine.share if engine else SINGLE
    device = engine.fabric.device if engine else torch.device("cpu")
    loader = DataLoader(
        # A list of numbers would be copied into every worker.
        Subset(images, numbers[share.rank :: share.world]),  # type: ignore[arg-type]
        batch,
        num_workers=engine.workers if engine else 0,
        worker_init_fn=ignore_stop_signals,
        pin_memory=device.type == "cuda",
    )
    total = torch.zeros((), dtype=torch.float64, device=device)
    for pixels, _ in loader:
        pixels = pixels.to(device, non_blocking=True).float() / 255
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        error = (model(pixels) - pixels).square().mean()
        total = total + error.double() * len(pixels)
    summed = engine.sum({"error": total})["error"] if engine else total
    return float(summed) / len(numbers)
