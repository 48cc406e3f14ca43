"""What classifiers see through an autoencoder: predictions and reconstructions."""

import numpy as np
import pandas as pd
import torch

from s2snets.data.noise import add_noise, unit_noise
from s2snets.progress import Progress

TOP = 5


def identity(pixels):
    """In the place of an autoencoder: the original images."""
    return pixels


def as_bytes(pixels):
    """Pixels (N, 3, H, W), clipped, as uint8 (N, H, W, 3)."""
    levels = pixels.clamp(0, 1).mul(255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def top_classes(logits):
    """The five best classes and their probabilities; -1 and 0 where there are fewer."""
    found = min(TOP, logits.shape[1])
    probabilities, classes = logits.softmax(1).topk(found)
    padding = (0, TOP - found)
    return (
        torch.nn.functional.pad(classes, padding, value=-1).cpu().numpy(),
        torch.nn.functional.pad(probabilities, padding).cpu().numpy(),
    )


@torch.inference_mode()
def predictions(images, numbers, autoencoder, classifiers, settings, *, seed, device):
    """Top-5 of every classifier for every image at every noise strength.

    An image is read once, passed through the autoencoder once a strength, and what
    comes out feeds every classifier. Noise comes before the autoencoder.

    Args:
        images: an ``ImageSet``.
        numbers: of the images; the first ``settings.noisy_images`` get noise as well.
        autoencoder: (N, 3, H, W) -> (N, 3, H, W), in evaluation mode.
        classifiers: frozen classifiers by name.
        settings: a ``config.Predict``.
        seed: of the noise.

    Returns:
        DataFrame, one row per image, classifier and strength: ``image``,
        ``classifier``, ``strength``, ``label``, ``class_1`` to ``class_5``,
        ``probability_1`` to ``probability_5``.
    """
    noisy = len(numbers) if settings.noisy_images is None else settings.noisy_images
    report, parts = Progress(len(numbers)), []
    for first in range(0, len(numbers), settings.batch):
        chosen = np.asarray(numbers[first : first + settings.batch])
        clean, labels = images.batch(chosen)
        with_noise = max(0, min(len(chosen), noisy - first))
        noise = (
            unit_noise(chosen[:with_noise], seed, images.side) if with_noise else None
        )
        for strength in settings.strengths:
            count = with_noise if strength else len(chosen)
            if not count:
                continue
            pixels = add_noise(clean[:count], noise, strength, settings.clip)
            pixels = pixels.to(device, memory_format=torch.channels_last)
            seen = autoencoder(pixels)
            for name, classifier in classifiers.items():
                classes, probabilities = top_classes(classifier(seen))
                parts.append(
                    (
                        name,
                        strength,
                        chosen[:count],
                        labels[:count],
                        classes,
                        probabilities,
                    )
                )
        report(first + len(chosen))
    return frame(parts)


def frame(parts):
    """The batches' results as one table."""
    names, strengths, numbers, labels, classes, probabilities = zip(*parts, strict=True)
    counts = [len(part) for part in numbers]
    columns = {
        "image": np.concatenate(numbers).astype(np.int32),
        "classifier": pd.Categorical(np.repeat(names, counts)),
        "strength": np.repeat(strengths, counts),
        "label": np.concatenate(labels).astype(np.int32),
    }
    classes, probabilities = np.concatenate(classes), np.concatenate(probabilities)
    for rank in range(TOP):
        columns[f"class_{rank + 1}"] = classes[:, rank].astype(np.int32)
    for rank in range(TOP):
        columns[f"probability_{rank + 1}"] = probabilities[:, rank].astype(np.float32)
    return pd.DataFrame(columns)


@torch.inference_mode()
def reconstructed(images, numbers, autoencoder, *, batch, device):
    """Originals and reconstructions in batches, uint8 (n, H, W, 3) each."""
    report = Progress(len(numbers))
    for first in range(0, len(numbers), batch):
        pixels, _ = images.batch(numbers[first : first + batch])
        pixels = pixels.to(device, memory_format=torch.channels_last)
        yield as_bytes(pixels), as_bytes(autoencoder(pixels))
        report(min(first + batch, len(numbers)))
