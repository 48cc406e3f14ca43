"""What each training descends, and what its learning curve averages beside it."""

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Subset

from s2snets.runtime.signals import deaf
from s2snets.training.engine import ALONE


def classification(model, batch):
    """Cross-entropy of a bare network or of a classifier behind an autoencoder."""
    pixels, labels = batch
    logits = model(pixels)
    hits = (logits.argmax(1) == labels).float().mean()
    return F.cross_entropy(logits, labels), {"accuracy": hits}


def imitation(classifier):
    """Cross-entropy to what a frozen classifier itself says of the images as they are.

    Takes the place of labels where there are none.
    """

    def loss(model, batch):
        pixels, _ = batch
        with torch.no_grad():
            own = classifier(pixels).argmax(1)
        value, measured = classification(model, (pixels, own))
        return value, {"agreement": measured["accuracy"]}

    return loss


def reconstruction(loss_space):
    """Mean square error between an autoencoder's input and output (section 3.2).

    Args:
        loss_space: ``pixels``, or ``normalised`` for the differences over ImageNet's
            deviations; ``mse`` on the curve is in pixels either way.
    """

    def loss(model, batch):
        pixels, _ = batch
        error = model(pixels) - pixels
        mse = error.square().mean()
        if loss_space == "pixels":
            return mse, {"mse": mse}
        return (error / model.std).square().mean(), {"mse": mse}

    return loss


def denoising(loss_space, clip, share=ALONE):
    """Mean square error between an autoencoder's output and its input before noise.

    Each image gets uniform noise of a strength of its own, drawn from [0, 1].

    Args:
        loss_space: as for ``reconstruction``.
        clip: whether noisy images are clipped to [0, 1].
        share: of this process.
    """

    def uniform(pixels, *shape):
        """Drawn in [0, 1] for each image."""
        return share.own(
            lambda images: torch.rand(images, *shape, device=pixels.device),
            len(pixels),
        )

    def loss(model, batch):
        pixels, _ = batch
        strengths = uniform(pixels, 1, 1, 1)
        noisy = pixels + strengths * (2 * uniform(pixels, *pixels.shape[1:]) - 1)
        error = model(noisy.clamp(0, 1) if clip else noisy) - pixels
        mse = error.square().mean()
        if loss_space == "pixels":
            return mse, {"mse": mse}
        return (error / model.std).square().mean(), {"mse": mse}

    return loss


def inversion(model, batch):
    """Mean square error of pixels between what a network saw and its inverse's answer.

    Args:
        model: a ``models.inverse.Inverse``.
    """
    pixels, _ = batch
    found, seen = model(pixels)
    return (found - seen).square().mean(), {}


@torch.inference_mode()
def mean_square_error(model, images, numbers, *, batch, engine=None):
    """An autoencoder's error over some images of a set, in pixels.

    The processes share the images. The model must be in evaluation mode.

    Args:
        engine: that the model was set up by; None: this process alone, on a CPU.
    """
    share = engine.share if engine else ALONE
    device = engine.fabric.device if engine else torch.device("cpu")
    loader = DataLoader(
        Subset(images, numbers[share.rank :: share.world]),
        batch,
        num_workers=engine.workers if engine else 0,
        worker_init_fn=deaf,
        pin_memory=device.type == "cuda",
    )
    total = 0.0
    for pixels, _ in loader:
        pixels = pixels.to(device, non_blocking=True).float() / 255
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        error = (model(pixels) - pixels).square().mean()
        total = total + error.double() * len(pixels)
    if engine:
        total = engine.sum({"error": total})["error"]
    return float(total) / len(numbers)


def gaussian_denoising(deviation, share=ALONE):
    """Mean square error between an autoencoder's output and its input before noise.

    Despraz et al. 2017, section 4.2. The noisy pixels are not clipped: black ones would
    get half the noise.

    Args:
        deviation: of the Gaussian noise, in pixels; 0: plain reconstruction.
        share: of this process.
    """

    def loss(model, batch):
        pixels, _ = batch
        noise = share.own(
            lambda images: torch.randn(images, *pixels.shape[1:], device=pixels.device),
            len(pixels),
        )
        return (model(pixels + deviation * noise) - pixels).square().mean(), {}

    return loss
