"""Pretraining of SegNet on photographs, and on the labelled set."""

from s2snets.config import Autoencoder, Pretraining, Settings, Study
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Stage,
    TrainingStage,
    select,
)

CURVE_COLUMNS = {
    "images": "images",
    "mse": "training",
    "validation_photos": "validation_photos",
    "validation_labelled": "validation_labelled",
    "rate": "rate",
}
"""Column of a learning curve -> its name in the table of both."""


class PretrainSettings(Settings):
    """What ``PretrainAutoencoder`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    pretraining: Pretraining
    validation_images: int


class PretrainAutoencoder(TrainingStage):
    """Train SegNet to reconstruct one corpus; on photographs this makes A_S."""

    validation_photos: InputFile
    validation_labelled: InputFile
    settings: PretrainSettings

    @classmethod
    def settings_for(
        cls, study: Study, *, corpus: str = "photos", size: str | None = None
    ) -> PretrainSettings:
        """Return the settings for a corpus, or for a lighter autoencoder."""
        sizes = {one.size: one for one in study.lighter}
        return select(
            PretrainSettings,
            study,
            autoencoder=study.autoencoder if size is None else sizes[size],
            pretraining=getattr(study.pretrain, corpus),
            validation_images=study.pretrain.validation_images,
        )

    def run(self) -> dict[str, str]:
        """Train from random weights; check on photographs and on the labelled set.

        Returns:
            How often images were seen, for the record.
        """
        import torch

        from s2snets.data.imageset import ImageSet
        from s2snets.data.order import check_single_pass, sample
        from s2snets.networks.checkpoints import save_weights
        from s2snets.networks.segnet import SegNet
        from s2snets.training.job import start_engine, train
        from s2snets.training.objectives import mean_square_error, reconstruction
        from s2snets.training.state import step_seed

        settings = self.settings
        engine = start_engine(self, settings.pretraining)
        images, photos, labelled = (
            ImageSet(path, settings.image_size, settings.resize_mode)
            for path in (self.images, self.validation_photos, self.validation_labelled)
        )
        if settings.pretraining.single_pass:
            check_single_pass(settings.pretraining.images, images.runs)
        torch.manual_seed(step_seed(self.seed, 0))
        model = SegNet(settings.autoencoder.width, settings.autoencoder.stages)

        def error(model: torch.nn.Module, held_out: ImageSet) -> float:
            # The same sample for every corpus and seed.
            numbers = sample(len(held_out), settings.validation_images, 0)
            batch = settings.pretraining.batch
            return mean_square_error(
                model, held_out, numbers, batch=batch, engine=engine
            )

        images_seen = train(
            self,
            engine,
            model,
            images,
            reconstruction(settings.pretraining.loss_space),
            settings.pretraining,
            cache_key=self.cache_key(
                images=images.fingerprint,
                validation_photos=photos.fingerprint,
                validation_labelled=labelled.fingerprint,
            ),
            save=lambda: save_weights(model, self.weights),
            check=lambda model: {
                "validation_photos": error(model, photos),
                "validation_labelled": error(model, labelled),
            },
        )
        return {"images_seen": images_seen}


class TabulateCurves(Stage):
    """Tabulate the learning curves of both corpora (Figure 2)."""

    curves: list[InputFile]
    table: OutputFile
    corpora: list[str]
    seeds: list[int]

    def run(self) -> None:
        """Write the curves one below the other."""
        from itertools import product

        import pandas as pd

        from s2snets.runtime.tables import read_csv, write_csv

        parts = []
        trainings = product(self.corpora, self.seeds)
        for (corpus, seed), path in zip(trainings, self.curves, strict=True):
            curve = read_csv(path, CURVE_COLUMNS)[list(CURVE_COLUMNS)]
            curve = curve.rename(columns=CURVE_COLUMNS)
            curve.insert(0, "corpus", corpus)
            curve.insert(1, "seed", seed)
            parts.append(curve)
        write_csv(pd.concat(parts, ignore_index=True), self.table)
