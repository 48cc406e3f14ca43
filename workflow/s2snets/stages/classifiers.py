"""Classifiers: the frozen networks of the set C."""

from s2snets.config import Classifier, Settings, Study, Training
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Stage,
    TrainingStage,
    select,
)

CONNECTION_TIMEOUT = 60  # seconds of silence after which a connection has failed


class TrainSettings(Settings):
    """What ``TrainClassifier`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    classifier: Classifier
    train: Training


class TrainClassifier(TrainingStage):
    """Train a classifier that comes without weights."""

    spec: OutputFile
    settings: TrainSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> TrainSettings:
        """Return the settings of one classifier's training."""
        return select(TrainSettings, study, classifier=study.networks[classifier])

    def run(self) -> None:
        """Train from random weights."""
        import torch

        from s2snets.data.imageset import LabelledImageSet
        from s2snets.networks.checkpoints import save_classifier
        from s2snets.networks.export import count_logits
        from s2snets.networks.factory import build_classifier, classifier_spec
        from s2snets.networks.frozen import PixelClassifier
        from s2snets.training.job import start_engine, train
        from s2snets.training.objectives import classification
        from s2snets.training.state import step_seed

        settings = self.settings
        engine = start_engine(self, settings.train)
        images = LabelledImageSet(
            self.images, settings.image_size, settings.resize_mode
        )
        spec = classifier_spec(
            settings.classifier, len(images.classes), settings.image_size
        )
        spec["categories"] = images.classes
        torch.manual_seed(step_seed(self.seed, 0))
        model = build_classifier(spec, PixelClassifier)
        count_logits(model.eval(), settings.image_size, spec["architecture"])
        train(
            self,
            engine,
            model,
            images,
            classification,
            settings.train,
            cache_key=self.cache_key(images=images.fingerprint),
            save=lambda: save_classifier(model, spec, self.weights, self.spec),
        )


class FetchSettings(Settings):
    """What ``FetchWeights`` reads of a study's settings."""

    architecture: str
    weights: str


class FetchWeights(Stage):
    """Find published weights on this machine, or fetch them: jobs may be offline."""

    receipt: OutputFile
    settings: FetchSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> FetchSettings:
        """Return the name of the weights alone."""
        network = study.networks[classifier]
        assert network.weights is not None
        return FetchSettings(architecture=network.architecture, weights=network.weights)

    def run(self) -> None:
        """Write where the weights lie, and their hash."""
        import socket

        from s2snets.networks.fetch import fetch
        from s2snets.networks.published import published_weights
        from s2snets.runtime.files import write_json

        socket.setdefaulttimeout(CONNECTION_TIMEOUT)
        name = self.settings.architecture, self.settings.weights
        write_json(self.receipt, fetch(published_weights(*name)))


class ExportSettings(Settings):
    """What ``ExportClassifier`` reads of a study's settings."""

    image_size: int
    classifier: Classifier


class ExportClassifier(Stage):
    """Wrap a classifier that comes with weights."""

    receipt: InputFile | None = None
    weights: OutputFile
    spec: OutputFile
    record: OutputFile
    settings: ExportSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> ExportSettings:
        """Return the settings of one classifier."""
        return select(ExportSettings, study, classifier=study.networks[classifier])

    def run(self) -> None:
        """Build the network around its weights and write both."""
        from s2snets.networks.checkpoints import save_classifier
        from s2snets.networks.export import export_classifier
        from s2snets.networks.fetch import fetched_file

        settings = self.settings
        model, spec = export_classifier(
            settings.classifier,
            settings.image_size,
            fetched_file(self.receipt) if self.receipt else None,
        )
        save_classifier(model, spec, self.weights, self.spec)
