"""What each training descends, and what its learning curve averages beside it."""

import torch
import torch.nn.functional as F


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


def reconstruction(units):
    """Mean square error between an autoencoder's input and output (section 3.2).

    Args:
        units: ``pixels``, or ``normalised`` for the differences over ImageNet's
            deviations; ``mse`` on the curve is in pixels either way.
    """

    def loss(model, batch):
        pixels, _ = batch
        error = model(pixels) - pixels
        mse = error.square().mean()
        if units == "pixels":
            return mse, {"mse": mse}
        return (error / model.std).square().mean(), {"mse": mse}

    return loss


def denoising(units, clip):
    """Mean square error between an autoencoder's output and its input before noise.

    Each image gets uniform noise of a strength of its own, drawn from [0, 1].

    Args:
        units: as for ``reconstruction``.
        clip: whether noisy images are clipped to [0, 1].
    """

    def loss(model, batch):
        pixels, _ = batch
        strengths = torch.rand(len(pixels), 1, 1, 1, device=pixels.device)
        noisy = pixels + strengths * (2 * torch.rand_like(pixels) - 1)
        error = model(noisy.clamp(0, 1) if clip else noisy) - pixels
        mse = error.square().mean()
        if units == "pixels":
            return mse, {"mse": mse}
        return (error / model.std).square().mean(), {"mse": mse}

    return loss


@torch.inference_mode()
def mean_square_error(model, images, numbers, *, batch, device):
    """An autoencoder's error over some images of a set, in pixels.

    The model must be in evaluation mode.
    """
    total = 0.0
    for first in range(0, len(numbers), batch):
        pixels, _ = images.batch(numbers[first : first + batch])
        pixels = pixels.to(device, memory_format=torch.channels_last)
        total += float((model(pixels) - pixels).square().mean()) * len(pixels)
    return total / len(numbers)
