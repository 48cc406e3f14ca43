"""Fine-tuning of A_S through each frozen classifier."""

from s2snets.config import Autoencoder, Finetune, Reference, Settings, Study
from s2snets.config.base import Part
from s2snets.study.stage import InputFile, TrainingStage, select


class FinetuneSettings(Settings):
    """What ``FinetuneAutoencoder`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    finetune: Finetune
    reference: Reference = "labels"


class FinetuneAutoencoder(TrainingStage):
    """Tune one part of A_S by the loss of one classifier's output."""

    pretrained: InputFile
    classifier: InputFile
    part: Part
    settings: FinetuneSettings

    @classmethod
    def settings_for(cls, study: Study) -> FinetuneSettings:
        """Return the settings of one training, without the lists of trainings.

        One more part or replicate trains no other again.
        """
        fields = ("parts", "replicates")
        defaults = {name: Finetune.model_fields[name].default for name in fields}
        finetune = study.finetune.model_copy(update=defaults)
        return select(FinetuneSettings, study, finetune=finetune)

    def run(self) -> None:
        """Train the part; the classifier and the rest of A_S stay as they are."""
        from torch import nn

        from s2snets.data.imageset import READERS
        from s2snets.networks.checkpoints import (
            load_autoencoder,
            load_classifier,
            save_weights,
        )
        from s2snets.networks.segnet import Tuned
        from s2snets.training.job import start_engine, train
        from s2snets.training.objectives import (
            classification,
            divergence,
            imitation,
        )

        settings = self.settings
        engine = start_engine(self, settings.finetune)
        read = READERS[settings.reference]
        images = read(self.images, settings.image_size, settings.resize_mode)
        classifier = load_classifier(self.classifier.parent, classes=images.classes)
        autoencoder = load_autoencoder(self.pretrained, settings.autoencoder)
        if settings.finetune.target == "probabilities":
            loss = divergence(classifier)
        elif settings.reference == "predictions":
            loss = imitation(classifier)
        else:
            loss = classification
        train(
            self,
            engine,
            nn.Sequential(Tuned(autoencoder, self.part), classifier),
            images,
            loss,
            settings.finetune,
            cache_key=self.cache_key(images=images.fingerprint),
            save=lambda: save_weights(autoencoder, self.weights),
        )
