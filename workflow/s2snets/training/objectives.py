"""What each training descends, and what its learning curve averages beside it."""

import torch
import torch.nn.functional as F


def classification(model, batch):
    """Cross-entropy of a bare network or of a classifier behind an autoencoder."""
    pixels, labels = batch
    logits = model(pixels)
    hits = (logits.argmax(1) == labels).float().mean()
    return F.cross_entropy(logits, labels), {"accuracy": hits}


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
