"""What classifiers see through an autoencoder: predictions and reconstructions."""

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from s2snets.data.noise import add_noise, unit_noise
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress

TOP = 5
GROUP = 512  # images whose rows are held until they are written


def identity(pixels):
    """In the place of an autoencoder: the original images."""
    return pixels


def as_bytes(pixels):
    """Pixels (N, 3, H, W), clipped, as uint8 (N, H, W, 3)."""
    levels = pixels.clamp(0, 1).mul(255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def best(logits):
    """Like ``top_classes``, as int32 and float32 tensors where the logits are."""
    found = min(TOP, logits.shape[1])
    probabilities, classes = logits.softmax(1).topk(found)
    padding = (0, TOP - found)
    return (
        torch.nn.functional.pad(classes.int(), padding, value=-1),
        torch.nn.functional.pad(probabilities.float(), padding),
    )


def top_classes(logits):
    """The five best classes and their probabilities; -1 and 0 where there are fewer."""
    return tuple(found.cpu().numpy() for found in best(logits))


class Pass(Dataset):
    """Images in the order in which they are looked at, by whole batches.

    Batch n is pixels uint8 (N, 3, H, W), labels (N,) and the first images' noise.
    Reading and drawing take place where the batch is asked for, in a loader's worker.
    A worker's exception would come wrapped in its traceback: a mistake is returned.

    Args:
        images: an ``ImageSet``.
        numbers: of the images.
        batch: images in a batch.
        noisy: how many of all images, from the first on, get noise.
        seed: of the noise.
    """

    def __init__(self, images, numbers, batch, *, noisy=0, seed=0):
        self.images, self.numbers = images, np.asarray(numbers)
        self.batch, self.noisy, self.seed = batch, noisy, seed

    def __len__(self):
        return -(-len(self.numbers) // self.batch)

    def chosen(self, place):
        """Numbers of a batch's images."""
        return self.numbers[place * self.batch : (place + 1) * self.batch]

    def __getitem__(self, place):
        chosen, side = self.chosen(place), self.images.side
        try:
            read = [self.images[number] for number in chosen]
        except UserError as mistake:
            return mistake
        pixels, labels = zip(*read, strict=True)
        noisy = chosen[: max(0, self.noisy - place * self.batch)]
        noise = torch.empty(0, 3, side, side)
        if len(noisy):
            noise = unit_noise(noisy, self.seed, side)
        return torch.stack(pixels), torch.tensor(labels), noise

    def groups(self):
        """Its batches' places, ``GROUP`` images together: as ranges, in order."""
        each = -(-GROUP // self.batch)
        return [range(len(self))[n : n + each] for n in range(0, len(self), each)]


def shown(images, parts, *, device, workers=0):
    """Batches on the device, read ahead.

    Args:
        images: a ``Pass``.
        parts: which of its groups.
        workers: processes that read; 0: this one does.

    Yields:
        For each group an iterator, to be used up, of numbers, pixels (N, 3, H, W) in
        [0, 1], labels (N,) on the CPU, noise (n, 3, H, W) of the first n images.

    Raises:
        UserError: an unreadable image.
    """
    groups = [images.groups()[part] for part in parts]
    places = [place for group in groups for place in group]
    loader = DataLoader(
        images,
        batch_size=None,
        sampler=places,
        num_workers=workers,
        pin_memory=device.type == "cuda",
    )
    done = len(images.numbers) - sum(len(images.chosen(place)) for place in places)
    report, loaded = Progress(len(images.numbers), done), iter(loader)

    def there(values):
        values = values.to(device, non_blocking=True)
        return values.contiguous(memory_format=torch.channels_last)

    def batches(group):
        nonlocal done
        for place, found in zip(group, loaded, strict=False):
            if isinstance(found, UserError):
                raise found
            pixels, labels, noise = found
            pixels = there(pixels).float() / 255
            yield images.chosen(place), pixels, labels, there(noise)
            done += len(pixels)
            report(done)

    return map(batches, groups)


@torch.inference_mode()
def predictions(groups, autoencoder, classifiers, settings):
    """Top-5 of every classifier for every image at every noise strength.

    An image is read once, passed through the autoencoder once a strength, and what
    comes out feeds every classifier. Noise comes before the autoencoder.

    Args:
        groups: of batches, as ``shown`` gives them.
        autoencoder: (N, 3, H, W) -> (N, 3, H, W), in evaluation mode.
        classifiers: frozen classifiers by name.
        settings: a ``config.Predict``.

    Yields:
        For each group a DataFrame, one row per image, classifier and strength:
        ``image``, ``classifier``, ``strength``, ``label``, ``class_1`` to ``class_5``,
        ``probability_1`` to ``probability_5``.
    """
    for group in groups:
        parts = []
        for numbers, clean, labels, noise in group:
            for strength in settings.strengths:
                count = len(noise) if strength else len(clean)
                if not count:
                    continue
                pixels = add_noise(clean[:count], noise, strength, settings.clip)
                seen = autoencoder(pixels)
                for name, classifier in classifiers.items():
                    keys = name, strength, numbers[:count], labels[:count]
                    parts.append((*keys, *best(classifier(seen))))
        yield frame(parts, sorted(classifiers))


def frame(parts, names):
    """The batches' results as one table; ``names``: of all classifiers."""
    classifiers, strengths, numbers, *found = zip(*parts, strict=True)
    counts = [len(part) for part in numbers]
    # Only here is the device waited for.
    labels, classes, probabilities = (torch.cat(one).cpu().numpy() for one in found)
    columns = {
        "image": np.concatenate(numbers).astype(np.int32),
        "classifier": pd.Categorical(np.repeat(classifiers, counts), names),
        "strength": np.repeat(strengths, counts),
        "label": labels.astype(np.int32),
    }
    for rank in range(TOP):
        columns[f"class_{rank + 1}"] = classes[:, rank]
    for rank in range(TOP):
        columns[f"probability_{rank + 1}"] = probabilities[:, rank]
    return pd.DataFrame(columns)


@torch.inference_mode()
def reconstructed(batches, autoencoder):
    """Numbers, originals and reconstructions, uint8 (N, H, W, 3), batch by batch."""
    for numbers, pixels, _, _ in batches:
        yield numbers, as_bytes(pixels), as_bytes(autoencoder(pixels))
