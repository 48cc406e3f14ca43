"""Predictions of every classifier on every source, and their accuracies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from s2snets.config import Autoencoder, Bootstrap, Reference, Settings, Study
from s2snets.config import Predict as PredictSection
from s2snets.config.base import Part
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Seed,
    Stage,
    Threads,
    select,
)

if TYPE_CHECKING:
    import pandas as pd

TABLE_2_SAMPLES = 2000  # resamples of Table 2 that RRC and lattices read


class PredictSettings(Settings):
    """What ``Predict`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    predict: PredictSection
    reference: Reference = "labels"
    images: int | None = None  # only the first so many


class Predict(Stage):
    """Pass one source's images, clean and noisy, through the classifiers."""

    images: InputFile
    autoencoder: InputFile | None = None
    classifiers: list[InputFile]
    predictions: OutputFile
    record: OutputFile
    source: str
    names: list[str]
    classical: Literal["median", "bilateral", "nlm"] | None = None
    seed: Seed = 0
    replicate: int = 0  # of the autoencoder's fine-tuning
    threads: Threads = 1
    settings: PredictSettings

    @classmethod
    def settings_for(
        cls, study: Study, *, denoiser: str | None = None, size: str | None = None
    ) -> PredictSettings:
        """Return the settings for a source, a denoiser or a lighter autoencoder."""
        if denoiser is not None:
            return select(
                PredictSettings,
                study,
                images=study.denoised_images,
                predict=study.predict.model_copy(
                    update={"clip": study.predict.clip[:1]}
                ),
            )
        if size is None:
            return select(PredictSettings, study, images=None)
        sizes = {one.size: one for one in study.lighter}
        return select(PredictSettings, study, images=None, autoencoder=sizes[size])

    def run(self) -> None:
        """Write one row per image, classifier and noise; resume what is there.

        What one classifier said of some images under the same settings is kept, and
        used again when other classifiers come, go or change.
        """
        from s2snets.data.imageset import READERS
        from s2snets.data.order import sample
        from s2snets.evaluation import (
            EvaluationBatches,
            iterate_batches,
            load_source,
            merge_predictions,
            prediction_tables,
            with_groups,
        )
        from s2snets.measure.sources import classifiers_under_noise
        from s2snets.networks.checkpoints import classifier_digest, load_classifier
        from s2snets.networks.denoisers import classical_denoiser
        from s2snets.runtime.cells import CellTable
        from s2snets.runtime.device import use_device

        settings, (device, workers) = self.settings, use_device(self.threads)
        read = READERS[settings.reference]
        images = read(self.images, settings.image_size, settings.resize_mode)
        weights = dict(zip(self.names, self.classifiers, strict=True))
        # The same images get noise for every source, seed and replicate.
        numbers = sample(len(images), settings.images, 0)
        noisy = settings.predict.noisy_images
        batches = EvaluationBatches(
            images,
            numbers,
            settings.predict.batch,
            noisy=len(numbers) if noisy is None else noisy,
            seed=self.seed,
        )
        under_noise = classifiers_under_noise(self.source, self.names)
        key = self.cache_key(
            images=[images.fingerprint, images.classes], classifiers=None, names=None
        )
        parts = {
            name: key
            | {"classifier": classifier_digest(path), "noise": name in under_noise}
            for name, path in weights.items()
        }
        table = CellTable(self.predictions, [parts] * len(batches.groups()))
        wanted = table.missing
        classifiers = {
            name: load_classifier(path.parent, device, images.classes)
            for name, path in weights.items()
            if any(name in names for names in wanted.values())
        }
        if self.classical is not None:
            transform = classical_denoiser(self.classical)
        else:
            transform = load_source(self.autoencoder, settings.autoencoder, device)

        def merge(cells: dict[str, pd.DataFrame]) -> pd.DataFrame:
            rows = merge_predictions(cells, batches, settings.predict.noises)
            origin = {"seed": self.seed, "replicate": self.replicate}
            rows = rows.assign(**origin, source=self.source)
            return with_groups(images, rows[[*origin, "source", *rows.columns[:-3]]])

        table.write(
            prediction_tables(
                iterate_batches(batches, wanted, device=device, workers=workers),
                transform,
                classifiers,
                settings.predict,
                under_noise,
                wanted.values(),
            ),
            merge,
        )


class TabulateAccuracy(Stage):
    """Tabulate accuracies and their variance: Tables 1 and 2, noise curves, parts."""

    predictions: list[InputFile]
    accuracy: OutputFile
    table1: OutputFile
    table2: OutputFile
    parts: OutputFile
    noise: OutputFile
    variance: OutputFile
    bootstrap: OutputFile
    classifiers: list[str]
    part: Part
    reference: Reference = "labels"
    settings: Bootstrap

    def run(self) -> None:
        """Write the tables and the resampled Table 2."""
        from s2snets.measure import accuracy
        from s2snets.measure.sources import pixel_sources
        from s2snets.measure.variance import components
        from s2snets.runtime.tables import (
            SCORED_COLUMNS,
            read_rows,
            write_arrays,
            write_csv,
        )

        rows = read_rows(self.predictions, SCORED_COLUMNS)
        rows = accuracy.apply_reference(rows, self.reference)
        table = accuracy.tabulate(rows, self.classifiers, self.part)
        samples = accuracy.resample(rows, self.settings.resamples, self.settings.seed)
        table = accuracy.add_intervals(table, samples)
        noisy = accuracy.rows_under_noise(rows, self.part)
        noise = accuracy.noise(
            accuracy.tabulate(noisy, self.classifiers, self.part),
            self.part,
            accuracy.resample(noisy, self.settings.resamples, self.settings.seed),
        )
        for tabulated, path in (
            (table, self.accuracy),
            (accuracy.table1(table, self.part, samples), self.table1),
            (accuracy.parts(table, samples), self.parts),
            (noise, self.noise),
        ):
            write_csv(accuracy.tag_agreement(tabulated, self.reference), path)
        write_csv(accuracy.table2(table, self.part), self.table2)
        known = pixel_sources(self.classifiers, self.part)
        split = components(rows, self.classifiers, known)
        write_csv(accuracy.tag_agreement(split, self.reference), self.variance)
        trainings = accuracy.accuracy_by_training(rows)
        tables = accuracy.cross_samples(trainings, self.classifiers, self.part)
        seeds = trainings.index.unique("seed").size
        first = samples[:TABLE_2_SAMPLES]
        resampled = {
            "classifiers": self.classifiers,
            "chance": accuracy.chance(rows, self.classifiers),
            "table2": accuracy.cross_samples(first, self.classifiers, self.part),
            "table2_trainings": tables.reshape(seeds, -1, *tables.shape[1:]),
        }
        write_arrays(self.bootstrap, resampled, compressed=False)
