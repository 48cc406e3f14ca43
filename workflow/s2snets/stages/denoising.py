"""Classical and learned denoisers in the autoencoders' place."""

from s2snets.config import Autoencoder, Denoising, Reference, Settings, Study
from s2snets.config.base import Part
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Stage,
    TrainingStage,
    select,
)


class DenoiserSettings(Settings):
    """What ``TrainDenoiser`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    training: Denoising
    clip: bool


class TrainDenoiser(TrainingStage):
    """Train SegNet to map noisy photographs to clean ones."""

    settings: DenoiserSettings

    @classmethod
    def settings_for(cls, study: Study) -> DenoiserSettings:
        """Return the settings of the training, and of the noise it removes."""
        training, clip = study.denoise.training, study.predict.clip[0]
        return select(DenoiserSettings, study, training=training, clip=clip)

    def run(self) -> None:
        """Train from random weights."""
        import torch

        from s2snets.data.imageset import ImageSet
        from s2snets.networks.checkpoints import save_weights
        from s2snets.networks.segnet import SegNet
        from s2snets.training.job import start_engine, train
        from s2snets.training.objectives import denoising
        from s2snets.training.state import step_seed

        settings = self.settings
        engine = start_engine(self, settings.training)
        torch.manual_seed(step_seed(self.seed, 0))
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        model = SegNet(settings.autoencoder.width, settings.autoencoder.stages)
        train(
            self,
            engine,
            model,
            images,
            denoising(settings.training.loss_space, settings.clip, engine.share),
            settings.training,
            cache_key=self.cache_key(images=images.fingerprint),
            save=lambda: save_weights(model, self.weights),
        )


class TabulateDenoising(Stage):
    """Tabulate the accuracy under noise of every denoiser beside the autoencoders."""

    predictions: list[InputFile]
    denoised: list[InputFile]
    table: OutputFile
    classifiers: list[str]
    denoisers: list[str]
    part: Part
    reference: Reference = "labels"

    def run(self) -> None:
        """Write the table."""
        from s2snets.measure.accuracy import tag_agreement
        from s2snets.measure.denoising import compare
        from s2snets.runtime.tables import SCORED_COLUMNS, read_rows, write_csv

        table = compare(
            read_rows(self.predictions, SCORED_COLUMNS),
            read_rows(self.denoised, SCORED_COLUMNS),
            self.classifiers,
            self.denoisers,
            self.part,
            self.reference,
        )
        write_csv(tag_agreement(table, self.reference), self.table)
