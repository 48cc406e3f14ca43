"""Colours of the images of every source (section 3.3.1)."""

from s2snets.config import Autoencoder, Bootstrap, Settings, Study
from s2snets.config.base import Part
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Seed,
    Stage,
    Threads,
    select,
)

BATCH = 64


class ColorSettings(Settings):
    """What ``MeasureColor`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    histogram_bins: int


class MeasureColor(Stage):
    """Measure the colours of one source's images, and how far they have moved."""

    images: InputFile
    autoencoder: InputFile | None = None
    color: OutputFile
    record: OutputFile
    source: str
    seed: Seed = 0
    threads: Threads = 1
    settings: ColorSettings

    @classmethod
    def settings_for(cls, study: Study) -> ColorSettings:
        """Return the settings, with the bins in which peaks are counted."""
        bins = study.gallery.histogram_bins
        return select(ColorSettings, study, histogram_bins=bins)

    def run(self) -> None:
        """Write a row per image and channel; resume what is there."""
        import numpy as np
        import pandas as pd

        from s2snets.data.imageset import ImageSet
        from s2snets.evaluation import (
            EvaluationBatches,
            identity,
            iterate_batches,
            reconstructions,
        )
        from s2snets.measure.color import color_rows
        from s2snets.networks.checkpoints import load_autoencoder
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device

        settings, (device, workers) = self.settings, use_device(self.threads)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        autoencoder = identity
        if self.autoencoder is not None:
            autoencoder = load_autoencoder(
                self.autoencoder, settings.autoencoder, device
            )
        batches = EvaluationBatches(images, np.arange(len(images)), BATCH)
        key = self.cache_key(images=images.fingerprint)
        table = ChunkedParquet(self.color, len(batches.groups()), key)
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        origin = {"seed": self.seed, "source": self.source}
        table.write(
            pd.concat(
                [
                    color_rows(*batch, settings.histogram_bins, origin)
                    for batch in reconstructions(group, autoencoder)
                ],
                ignore_index=True,
            )
            for group in groups
        )


class TabulateColor(Stage):
    """Tabulate the mean colours of every source, with intervals."""

    color: list[InputFile]
    table: OutputFile
    classifiers: list[str]
    part: Part
    settings: Bootstrap

    def run(self) -> None:
        """Write the table."""
        from s2snets.measure.accuracy import sources
        from s2snets.measure.color import summarise
        from s2snets.runtime.tables import read_rows, write_csv

        labels = sources(self.classifiers, self.part)[["source", "label"]]
        rows = read_rows(self.color)
        rows = rows.merge(labels, on="source", validate="many_to_one")
        resampling = self.settings
        table = summarise(rows, resampling.resamples, resampling.seed)
        write_csv(table, self.table)
