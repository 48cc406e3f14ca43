"""Deep generator networks: a companion study (Despraz et al. 2017)."""

from s2snets.config import (
    Ascent,
    Bootstrap,
    Decoding,
    Filters,
    PretrainedAscent,
    Reference,
    Settings,
    Study,
)
from s2snets.config.base import Mode
from s2snets.config.synthesis import Synthesis
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Seed,
    Stage,
    Threads,
    TrainingStage,
    select,
)


def synthesis_of(study: Study) -> Synthesis:
    """Return the settings of the companion study, in a study that has it."""
    assert study.synthesis is not None
    return study.synthesis


class GeneratorSettings(Settings):
    """What ``TrainGenerator`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    training: Decoding


class TrainGenerator(TrainingStage):
    """Train a denoising autoencoder, whose decoder is the pretrained G."""

    settings: GeneratorSettings

    @classmethod
    def settings_for(cls, study: Study) -> GeneratorSettings:
        """Return the settings of the training, at the size of the preferred images."""
        synthesis = synthesis_of(study)
        return select(
            GeneratorSettings,
            study,
            image_size=synthesis.size or study.image_size,
            training=synthesis.decoder,
        )

    def run(self) -> None:
        """Train from random weights."""
        import torch

        from s2snets.data.class_subset import ClassSubset
        from s2snets.data.imageset import ImageSet, LabelledImageSet
        from s2snets.networks.checkpoints import save_weights
        from s2snets.networks.generator import Autoencoder
        from s2snets.training.job import start_engine, train
        from s2snets.training.objectives import gaussian_denoising
        from s2snets.training.state import step_seed

        settings = self.settings
        engine = start_engine(self, settings.training)
        source = self.images, settings.image_size, settings.resize_mode
        names = settings.training.classes
        images: ImageSet | ClassSubset = (
            ImageSet(*source)
            if names is None
            else ClassSubset(LabelledImageSet(*source), names)
        )
        torch.manual_seed(step_seed(self.seed, 0))
        model = Autoencoder(settings.image_size)
        train(
            self,
            engine,
            model,
            images,
            gaussian_denoising(settings.training.noise, engine.share),
            settings.training,
            cache_key=self.cache_key(images=images.fingerprint),
            save=lambda: save_weights(model, self.weights),
        )


class Targets(Settings):
    """What ``Synthesise`` reads of the section ``synthesis``."""

    scratch: Ascent
    pretrained: PretrainedAscent
    classes: list[str] | None
    filters: dict[str, list[Filters]]
    compounds: list[list[str]]
    batch: int


class SynthesiseSettings(Settings):
    """What ``Synthesise`` reads of a study's settings."""

    image_size: int
    synthesis: Targets


class Synthesise(Stage):
    """Seek the preferred images of one network, through one kind of G."""

    images: InputFile
    classifier: InputFile
    judge: InputFile
    generator: InputFile | None = None
    preferred: OutputFile
    scores: OutputFile
    record: OutputFile
    name: str
    mode: Mode
    seed: Seed = 0
    threads: Threads = 1
    settings: SynthesiseSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> SynthesiseSettings:
        """Return the settings of one network."""
        synthesis = synthesis_of(study)
        return SynthesiseSettings(
            image_size=synthesis.size or study.image_size,
            synthesis=Targets(
                scratch=synthesis.scratch,
                pretrained=synthesis.pretrained,
                classes=synthesis.classes,
                filters={classifier: synthesis.filters.get(classifier, [])},
                compounds=synthesis.compounds,
                batch=synthesis.batch,
            ),
        )

    def run(self) -> None:
        """Write the images, and a row of measures for each; resume what is there."""
        from s2snets.data.imageset import ImageSet
        from s2snets.networks.checkpoints import classifier_digest, load_classifier
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device
        from s2snets.runtime.errors import UserError
        from s2snets.runtime.files import hidden_table, replacing
        from s2snets.runtime.tables import read_rows, write_arrays
        from s2snets.synthesis.ascent import group_targets
        from s2snets.synthesis.preferred import (
            Searcher,
            load_generator,
            picture_arrays,
            search_groups,
        )
        from s2snets.synthesis.targets import sweep_targets

        if (self.mode == "pretrained") is (self.generator is None):
            raise UserError(
                "--generator: give it with --mode pretrained, and only then"
            )
        device, _ = use_device(self.threads)
        side, sought = self.settings.image_size, self.settings.synthesis
        images = ImageSet(self.images, side)
        classifier, judge = (
            load_classifier(weights.parent, device, images.classes)
            for weights in (self.classifier, self.judge)
        )
        targets = sweep_targets(classifier, images.classes, sought, self.name, side)
        groups = group_targets(targets, sought.batch)
        ascent = getattr(sought, self.mode)
        searcher = Searcher(
            self.name,
            self.mode,
            classifier,
            judge,
            images.classes,
            load_generator(self.generator, side).to(device),
            ascent,
            self.seed,
        )
        # The targets stand for the settings, and the classes for the images.
        key = self.cache_key(
            images=images.classes,
            classifier=classifier_digest(self.classifier),
            judge=classifier_digest(self.judge),
            settings={
                "ascent": ascent.model_dump(mode="json"),
                "image_size": side,
                "batch": sought.batch,
                "targets": [list(target) for group in groups for target in group],
            },
        )
        path = hidden_table(self.preferred)
        chunks = ChunkedParquet(path, len(groups), key)
        chunks.write(search_groups(searcher, groups, chunks.missing))
        table = read_rows([path])
        write_arrays(self.preferred, picture_arrays(table, side))
        with replacing(self.scores) as draft:
            table.drop(columns="picture").to_parquet(draft, index=False)


class RankSettings(Settings):
    """What ``RankImages`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    size: int  # of the pictures, pixels
    beside: int
    ranked: int | None = None
    reference: Reference = "labels"


class RankImages(Stage):
    """Find the training images that a network itself ranks highest."""

    images: InputFile
    classifier: InputFile
    ranked: OutputFile
    record: OutputFile
    name: str
    seed: Seed = 0
    threads: Threads = 1
    settings: RankSettings

    @classmethod
    def settings_for(cls, study: Study) -> RankSettings:
        """Return the settings of the ranking."""
        synthesis = synthesis_of(study)
        return select(
            RankSettings,
            study,
            size=synthesis.size or study.image_size,
            beside=synthesis.beside,
            ranked=synthesis.ranked,
        )

    def run(self) -> None:
        """Write the images of every class."""
        import numpy as np

        from s2snets.data.imageset import READERS, ImageSet
        from s2snets.data.order import sample
        from s2snets.evaluation import iterate_batches
        from s2snets.networks.checkpoints import classifier_digest, load_classifier
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device
        from s2snets.runtime.files import hidden_table
        from s2snets.runtime.tables import read_rows, write_arrays
        from s2snets.synthesis.ranking import (
            create_batches,
            merge_rankings,
            rank_group,
            ranking_arrays,
        )

        settings, (device, workers) = self.settings, use_device(self.threads)
        read = READERS[settings.reference]
        images = read(self.images, settings.image_size, settings.resize_mode)
        classifier = load_classifier(self.classifier.parent, device, images.classes)
        # The same images for every network.
        numbers = np.sort(sample(len(images), settings.ranked, 0))
        batches = create_batches(images, numbers)
        key = self.cache_key(
            images=[images.fingerprint, images.classes],
            classifier=classifier_digest(self.classifier),
        )
        path = hidden_table(self.ranked)
        table = ChunkedParquet(path, len(batches.groups()), key)
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        table.write(rank_group(classifier, group, settings.beside) for group in groups)
        rows = merge_rankings(read_rows([path]), settings.beside)
        pictures = ImageSet(self.images, settings.size, settings.resize_mode)
        arrays = ranking_arrays(self.name, rows, images, pictures)
        write_arrays(self.ranked, arrays)


class TabulateSynthesis(Stage):
    """Tabulate activation, rank, confidence, smoothness and the judge's opinion."""

    scores: list[InputFile]
    table: OutputFile
    settings: Bootstrap

    def run(self) -> None:
        """Write means and intervals."""
        from s2snets.measure.modes import summarise
        from s2snets.runtime.tables import read_rows, write_csv

        resampling = self.settings
        table = summarise(read_rows(self.scores), resampling.resamples, resampling.seed)
        write_csv(table, self.table)


class CollectSynthesis(Stage):
    """Collect the preferred images that figures show, of the first seed."""

    preferred: list[InputFile]
    ranked: list[InputFile]
    gallery: OutputFile
    names: list[str]

    def run(self) -> None:
        """Write one gallery."""
        from s2snets.runtime.tables import read_arrays, write_arrays
        from s2snets.synthesis.gallery import select_pictures

        arrays = select_pictures(
            [read_arrays(path) for path in self.preferred],
            self.names,
            [read_arrays(path) for path in self.ranked],
        )
        write_arrays(self.gallery, arrays)
