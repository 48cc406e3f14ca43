"""Mutual information through every source, and the example images."""

from s2snets.config import (
    Autoencoder,
    Bootstrap,
    Gallery,
    Information,
    Predict,
    Reference,
    Settings,
)
from s2snets.config.base import Part
from s2snets.study.stage import InputFile, OutputFile, Seed, Stage, Threads

BATCH = 64  # even, so that a pair never straddles two batches


class InformationSettings(Settings):
    """What ``MeasureInformation`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    information: Information


class MeasureInformation(Stage):
    """Measure intra- and inter-class nMI of one source, and the shuffled null."""

    images: InputFile
    autoencoder: InputFile | None = None
    information: OutputFile
    record: OutputFile
    source: str
    seed: Seed = 0
    replicate: int = 0  # of the autoencoder's fine-tuning
    threads: Threads = 1
    settings: InformationSettings

    def run(self) -> None:
        """Write one row per image or pair, measure and bins; resume what is there."""
        from functools import partial

        from s2snets.data.imageset import ImageSet
        from s2snets.data.order import sample
        from s2snets.evaluation import (
            EvaluationBatches,
            load_source,
            write_measurements,
        )
        from s2snets.measure.information import information_rows
        from s2snets.runtime.device import use_device

        settings, (device, workers) = self.settings, use_device(self.threads)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        # The same images for every source, seed and replicate.
        numbers = sample(len(images), settings.information.images, 0)
        origin = {
            "seed": self.seed,
            "replicate": self.replicate,
            "source": self.source,
        }
        write_measurements(
            self.information,
            EvaluationBatches(images, numbers, BATCH),
            load_source(self.autoencoder, settings.autoencoder, device),
            partial(information_rows, settings=settings.information, origin=origin),
            cache_key=self.cache_key(images=images.fingerprint),
            device=device,
            workers=workers,
        )


class TabulateInformation(Stage):
    """Tabulate means, deviations and order of the sources (Figure 9)."""

    information: list[InputFile]
    table: OutputFile
    classifiers: list[str]
    part: Part
    settings: Bootstrap

    def run(self) -> None:
        """Write the table."""
        from s2snets.measure.accuracy import label_sources
        from s2snets.measure.information import summarise
        from s2snets.runtime.tables import read_rows, write_csv

        rows = label_sources(read_rows(self.information), self.classifiers, self.part)
        resampling = self.settings
        table = summarise(rows, resampling.resamples, resampling.seed)
        write_csv(table, self.table)


class GallerySettings(Settings):
    """What ``CollectGallery`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    predict: Predict
    gallery: Gallery
    reference: Reference = "labels"


class CollectGallery(Stage):
    """Pass example images through every source, and measure their LAB histograms."""

    images: InputFile
    autoencoders: list[InputFile]
    gallery: OutputFile
    lab: OutputFile
    record: OutputFile
    sources: list[str]
    labels: list[str]
    seed: Seed = 0
    threads: Threads = 1
    settings: GallerySettings

    def run(self) -> None:
        """Write the images, with noise and without, and the histograms."""
        import numpy as np
        import torch

        from s2snets.data.examples import choose_examples, class_names
        from s2snets.data.imageset import READERS
        from s2snets.data.noise import add_noise, unit_noise
        from s2snets.evaluation import to_uint8
        from s2snets.measure.color import lab_histograms
        from s2snets.networks.checkpoints import load_autoencoder
        from s2snets.runtime.device import use_device
        from s2snets.runtime.tables import write_arrays, write_csv

        settings, (device, _) = self.settings, use_device(self.threads)
        read = READERS[settings.reference]
        images = read(self.images, settings.image_size, settings.resize_mode)
        numbers = choose_examples(images.labels, settings.gallery.images)
        clean, _ = images.batch(numbers)
        noise = unit_noise(numbers, self.seed, images.side)
        strengths = settings.gallery.strengths
        noisy = [
            add_noise(clean, noise, strength, settings.predict.clip[0])
            for strength in strengths
        ]
        originals = np.stack([to_uint8(pixels) for pixels in noisy])
        shape = (len(noisy), len(self.sources), *originals.shape[1:])
        reconstructions = np.empty(shape, np.uint8)
        for column, weights in enumerate(self.autoencoders):
            autoencoder = load_autoencoder(weights, settings.autoencoder, device)
            for row, pixels in enumerate(noisy):
                with torch.inference_mode():
                    reconstruction = autoencoder(pixels.to(device))
                reconstructions[row, column] = to_uint8(reconstruction)
        gallery = {
            "sources": self.sources,
            "labels": self.labels,
            "strengths": strengths,
            "index": numbers,
            "truth": class_names(images, numbers),
            "originals": originals,
            "reconstructions": reconstructions,
        }
        write_arrays(self.gallery, gallery)
        without_noise = strengths.index(0.0)
        pictures = [("original", "original", originals[without_noise])]
        pictures += zip(
            self.sources, self.labels, reconstructions[without_noise], strict=True
        )
        histograms = lab_histograms(pictures, settings.gallery.histogram_bins)
        write_csv(histograms, self.lab)
