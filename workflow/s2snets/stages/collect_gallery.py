"""Command line of rule ``collect_gallery``: example images through every source."""

import numpy as np
import pandas as pd
import torch

from s2snets.config import Autoencoder, Gallery, Predict, Reference, Settings
from s2snets.data.examples import choose_examples, class_names
from s2snets.data.imageset import READERS
from s2snets.data.noise import add_noise, unit_noise
from s2snets.evaluation import to_uint8
from s2snets.measure.color import lab_histogram
from s2snets.networks.checkpoints import load_autoencoder
from s2snets.runtime.device import use_device
from s2snets.runtime.files import replacing
from s2snets.stages.base import SEED, THREADS, arguments, recorded, run


class Job(Settings):
    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    predict: Predict
    gallery: Gallery
    reference: Reference = "labels"


def histograms(shown, bins):
    """LAB histograms of every source's images: (label, source, images) -> one table."""
    parts = [
        lab_histogram(images, bins).assign(source=source, label=label)
        for source, label, images in shown
    ]
    columns = ["image", "source", "label", "channel", "low", "high", "fraction"]
    return pd.concat(parts, ignore_index=True)[columns]


def main(argv=None):
    job = arguments(
        __doc__,
        paths=("images", "gallery", "lab", "record"),
        lists=("autoencoders", "sources", "labels"),
        model=Job,
        seed=SEED,
        threads=THREADS,
    ).parse_args(argv)
    chosen, (device, _) = job.settings, use_device(job.threads)
    with recorded(job.record, "s2snets.stages.collect_gallery", chosen, job.seed):
        read = READERS[chosen.reference]
        images = read(job.images, chosen.image_size, chosen.resize_mode)
        numbers = choose_examples(images.labels, chosen.gallery.images)
        clean, _ = images.batch(numbers)
        noise = unit_noise(numbers, job.seed, images.side)
        noisy = [
            add_noise(clean, noise, strength, chosen.predict.clip)
            for strength in chosen.gallery.strengths
        ]
        originals = np.stack([to_uint8(pixels) for pixels in noisy])
        reconstructions = np.empty(
            (len(noisy), len(job.sources), *originals.shape[1:]), np.uint8
        )
        for column, weights in enumerate(job.autoencoders):
            autoencoder = load_autoencoder(weights, chosen.autoencoder, device)
            for row, pixels in enumerate(noisy):
                with torch.inference_mode():
                    seen = autoencoder(pixels.to(device))
                reconstructions[row, column] = to_uint8(seen)
        with replacing(job.gallery) as draft:
            np.savez_compressed(
                draft,
                sources=np.array(job.sources),
                labels=np.array(job.labels),
                strengths=np.array(chosen.gallery.strengths),
                index=np.array(numbers),
                truth=np.array(class_names(images, numbers)),
                originals=originals,
                reconstructions=reconstructions,
            )
        clean_row = chosen.gallery.strengths.index(0.0)
        shown = [("original", "original", originals[clean_row])]
        shown += zip(job.sources, job.labels, reconstructions[clean_row], strict=True)
        with replacing(job.lab) as draft:
            histograms(shown, chosen.gallery.histogram_bins).to_csv(draft, index=False)


if __name__ == "__main__":
    run(main)
