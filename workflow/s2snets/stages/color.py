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

        from s2snets.data.imageset import ImageSet
        from s2snets.evaluation import (
            EvaluationBatches,
            load_source,
            write_measurements,
        )
        from s2snets.measure.color import color_rows
        from s2snets.runtime.device import use_device

        settings, (device, workers) = self.settings, use_device(self.threads)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        origin = {"seed": self.seed, "source": self.source}
        write_measurements(
            self.color,
            EvaluationBatches(images, np.arange(len(images)), BATCH),
            load_source(self.autoencoder, settings.autoencoder, device),
            lambda numbers, originals, reconstructions: [
                color_rows(
                    *(numbers, originals, reconstructions),
                    settings.histogram_bins,
                    origin,
                )
            ],
            cache_key=self.cache_key(images=images.fingerprint),
            device=device,
            workers=workers,
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
        from s2snets.measure.accuracy import label_sources
        from s2snets.measure.color import summarise
        from s2snets.runtime.tables import read_rows, write_csv

        rows = label_sources(read_rows(self.color), self.classifiers, self.part)
        resampling = self.settings
        table = summarise(rows, resampling.resamples, resampling.seed)
        write_csv(table, self.table)
