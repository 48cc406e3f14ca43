"""Salient deconvolutional networks: a companion study (Mahendran & Vedaldi 2016)."""

from pydantic import Field

from s2snets.config import (
    Bootstrap,
    Inversion,
    Reference,
    Salient,
    Segmentation,
    Settings,
    Study,
)
from s2snets.config.base import Informed
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Seed,
    Stage,
    Threads,
    TrainingStage,
    select,
)


def salient_of(study: Study) -> Salient:
    """Return the settings of the companion study, in a study that has it."""
    assert study.salient is not None
    return study.salient


def inversion_of(study: Study) -> Inversion:
    """Return the settings of the inverse networks, in a study that has them."""
    inversion = salient_of(study).inversion
    assert inversion is not None
    return inversion


class ReversalSettings(Settings):
    """What ``ReverseNetwork`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    salient: Salient
    layers: list[str] | None
    reference: Reference = "labels"


class ReverseNetwork(Stage):
    """Reverse one network in every way, and measure how selective responses are."""

    images: InputFile
    photos: InputFile
    classifier: InputFile
    responses: OutputFile
    selectivity: OutputFile
    record: OutputFile
    seed: Seed = 0
    threads: Threads = 1
    settings: ReversalSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> ReversalSettings:
        """Return the settings of one network, without those of other stages."""
        salient = salient_of(study)
        return select(
            ReversalSettings,
            study,
            salient=Salient(
                classifiers=[classifier],
                examples=salient.examples,
                side=salient.side,
                measured=salient.measured,
                batch=salient.batch,
            ),
            layers=salient.layers.get(classifier),
        )

    def run(self) -> None:
        """Write the pictures, and a row per image, layer, architecture and pair."""
        from s2snets.data.examples import choose_examples, choose_large, class_names
        from s2snets.data.imageset import READERS, ImageSet
        from s2snets.data.order import sample
        from s2snets.evaluation import with_groups
        from s2snets.networks.checkpoints import load_classifier
        from s2snets.reversal.experiments import selectivity_tables, start_layers
        from s2snets.reversal.gallery import ImageGroup, gallery_arrays, network_view
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device
        from s2snets.runtime.errors import UserError
        from s2snets.runtime.tables import write_arrays

        settings, (device, _) = self.settings, use_device(self.threads)
        salient, folder = settings.salient, self.classifier.parent
        read = READERS[settings.reference]
        images = read(self.images, settings.image_size, settings.resize_mode)
        classifier = load_classifier(folder, device, images.classes)
        # The same images for every network and seed.
        numbers = sample(len(images), salient.measured, 0).tolist()
        if len(numbers) < 2:
            raise UserError("salient.measured: one image; the null needs two, raise it")
        first = images.batch(numbers[:1])[0].to(device)
        layers = start_layers(classifier, first, settings.layers)
        side = network_view(classifier, first).shape[-1]
        photos = ImageSet(
            self.photos, salient.side or max(settings.image_size, side), "crop"
        )
        examples = choose_examples(images.labels, salient.examples)
        large = choose_large(photos, salient.examples)
        groups = {
            "validation": ImageGroup(
                images.batch(examples)[0].to(device),
                examples,
                class_names(images, examples),
                False,
            ),
            "photos": ImageGroup(
                photos.batch(large)[0].to(device),
                large,
                [f"photo {place}" for place, _ in enumerate(large, 1)],
                side,
            ),
        }
        # First what takes seconds and refuses what cannot be reversed.
        arrays = gallery_arrays(classifier, groups, layers, self.seed)
        key = self.cache_key(images=images.fingerprint, photos=None)
        count = -(-len(numbers) // salient.batch)
        table = ChunkedParquet(self.selectivity, count, key)
        tables = selectivity_tables(
            folder.name,
            classifier,
            images,
            numbers,
            layers,
            table.missing,
            salient.batch,
            self.seed,
        )
        table.write(with_groups(images, rows) for rows in tables)
        write_arrays(self.responses, {"classifier": folder.name, **arrays})


class TabulateSelectivity(Stage):
    """Tabulate how similar responses for one neuron, another and a mixture are."""

    selectivity: list[InputFile]
    table: OutputFile
    settings: Bootstrap

    def run(self) -> None:
        """Write means and intervals."""
        from s2snets.measure.similarity import summarise
        from s2snets.runtime.tables import read_rows, write_csv

        resampling = self.settings
        rows = read_rows(self.selectivity)
        table = summarise(rows, resampling.resamples, resampling.seed)
        write_csv(table, self.table)


class InverseSettings(Settings):
    """What ``TrainInverse`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    inversion: Inversion


class TrainInverse(TrainingStage):
    """Train the inverse of a network, informed by masks, switches, both or neither."""

    classifier: InputFile
    informed: Informed
    settings: InverseSettings

    @classmethod
    def settings_for(cls, study: Study) -> InverseSettings:
        """Return the settings of the inverse networks."""
        return select(InverseSettings, study, inversion=inversion_of(study))

    def run(self) -> None:
        """Train from random weights, the same for all four."""
        import torch

        from s2snets.data.imageset import ImageSet
        from s2snets.networks.checkpoints import load_classifier, save_weights
        from s2snets.networks.inverse import Bottleneck, Inverse
        from s2snets.training.job import start_engine, train
        from s2snets.training.objectives import inversion
        from s2snets.training.state import step_seed

        settings = self.settings
        engine = start_engine(self, settings.inversion)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        classifier = load_classifier(self.classifier.parent)
        bottleneck = Bottleneck(classifier, settings.inversion.layer)
        torch.manual_seed(step_seed(self.seed, 0))
        model = Inverse(bottleneck, self.informed)
        train(
            self,
            engine,
            model,
            images,
            inversion,
            settings.inversion,
            cache_key=self.cache_key(images=images.fingerprint),
            save=lambda: save_weights(model.mirror, self.weights),
        )


class MeasureInverseSettings(Settings):
    """What ``MeasureInverse`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    layer: str | None
    batch: int
    images: int | None = None  # only the first so many


class MeasureInverse(Stage):
    """Measure how far the inverses' images are from the originals."""

    images: InputFile
    classifier: InputFile
    inverses: list[InputFile]
    errors: OutputFile
    record: OutputFile
    informed: list[Informed]
    seed: Seed = 0
    threads: Threads = 1
    settings: MeasureInverseSettings

    @classmethod
    def settings_for(cls, study: Study) -> MeasureInverseSettings:
        """Return the settings of the measurement."""
        salient = salient_of(study)
        return select(
            MeasureInverseSettings,
            study,
            layer=inversion_of(study).layer,
            batch=salient.batch,
            images=salient.measured,
        )

    def run(self) -> None:
        """Write one row per image and inverse network; resume what is there."""
        from s2snets.data.imageset import ImageSet
        from s2snets.data.order import sample
        from s2snets.evaluation import (
            EvaluationBatches,
            iterate_batches,
            with_groups,
        )
        from s2snets.networks.checkpoints import (
            classifier_digest,
            load_classifier,
            load_weights,
            to_channels_last,
        )
        from s2snets.networks.inverse import Bottleneck, Mirror
        from s2snets.reversal.inversion import inversion_errors
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device

        settings, (device, workers) = self.settings, use_device(self.threads)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        classifier = load_classifier(self.classifier.parent, device)
        bottleneck = Bottleneck(classifier, settings.layer)
        mirrors: dict[str, Mirror] = {}
        for informed, weights in zip(self.informed, self.inverses, strict=True):
            mirror = load_weights(Mirror(bottleneck.mirrored, informed), weights)
            mirrors[informed] = to_channels_last(mirror.eval(), device)
        # The same images for every seed.
        numbers = sample(len(images), settings.images, 0)
        batches = EvaluationBatches(images, numbers, settings.batch)
        key = self.cache_key(
            images=images.fingerprint, classifier=classifier_digest(self.classifier)
        )
        table = ChunkedParquet(self.errors, len(batches.groups()), key)
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        table.write(
            with_groups(images, inversion_errors(group, bottleneck, mirrors, self.seed))
            for group in groups
        )


class TabulateInverse(Stage):
    """Tabulate the inverses' errors beside the printed 15, 46 and 36 %."""

    errors: list[InputFile]
    printed: InputFile
    table: OutputFile
    settings: Bootstrap

    def run(self) -> None:
        """Write the table."""
        from s2snets.measure.inversion import compare
        from s2snets.runtime.tables import read_csv, read_rows, write_csv

        table = compare(
            read_rows(self.errors),
            read_csv(self.printed, ["informed", "against", "lower"]),
            resamples=self.settings.resamples,
            seed=self.settings.seed,
        )
        write_csv(table, self.table)


class SegmentSettings(Settings):
    """What ``Segment`` reads of a study's settings."""

    segmentation: Segmentation
    examples: int = 3  # images whose pictures are kept


class Segment(Stage):
    """Segment foreground by saliency and GrabCut, or by a Gaussian in its place."""

    images: InputFile
    classifier: InputFile | None = None
    scores: OutputFile
    examples: OutputFile
    record: OutputFile
    name: str
    seed: Seed = 0
    threads: Threads = 1
    settings: SegmentSettings

    @classmethod
    def settings_for(cls, study: Study) -> SegmentSettings:
        """Return the settings of the segmentation."""
        salient = salient_of(study)
        assert salient.segmentation is not None
        return SegmentSettings(
            segmentation=salient.segmentation, examples=salient.examples
        )

    def run(self) -> None:
        """Write one row of scores per image and method, and pictures of examples."""
        import cv2

        from s2snets.data.order import sample
        from s2snets.data.segmentation import read_examples
        from s2snets.networks.checkpoints import classifier_digest, load_classifier
        from s2snets.reversal.segmentation import (
            Segmenter,
            check_side,
            example_arrays,
            group_images,
            score_groups,
        )
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device
        from s2snets.runtime.progress import Progress
        from s2snets.runtime.tables import write_arrays

        settings, (device, _) = self.settings, use_device(self.threads)
        cv2.setNumThreads(1)  # images are segmented in threads
        images = read_examples(self.images)
        # The same images for every network and seed.
        numbers = sample(len(images), settings.segmentation.images, 0).tolist()
        groups, classifier, digest = group_images(numbers), None, None
        if self.classifier is not None:
            classifier = load_classifier(self.classifier.parent, device)
            digest = classifier_digest(self.classifier)
        segmenter = Segmenter(self.name, classifier, device, settings.segmentation)
        check_side(segmenter)
        key = self.cache_key(images=images.fingerprint, classifier=digest)
        table = ChunkedParquet(self.scores, len(groups), key)
        missing = [groups[number] for number in table.missing]
        done = len(numbers) - sum(map(len, missing))
        table.write(
            score_groups(
                segmenter,
                images,
                missing,
                seed=self.seed,
                threads=self.threads,
                report=Progress(len(numbers), done),
            )
        )
        examples = ((n, images[n]) for n in numbers[: settings.examples])
        write_arrays(self.examples, example_arrays(segmenter, examples))


class TabulateSegmentation(Stage):
    """Tabulate per-pixel accuracy and intersection over union beside Table 1."""

    scores: list[InputFile]
    examples: list[InputFile]
    printed: InputFile
    table: OutputFile
    gallery: OutputFile
    names: list[str] = Field([], description="the classifiers' names")
    architectures: list[str] = Field([], description="and their architectures")
    settings: Bootstrap

    def run(self) -> None:
        """Write the table, and the examples of all networks as one gallery."""
        import numpy as np

        from s2snets.data.segmentation import PUBLISHED
        from s2snets.measure.segmentation import SCORES, add_printed, summarise
        from s2snets.runtime.errors import UserError
        from s2snets.runtime.tables import (
            read_arrays,
            read_csv,
            read_rows,
            write_arrays,
            write_csv,
        )

        if len(self.names) != len(self.architectures):
            raise UserError("names: give one architecture for each")
        printed = read_csv(self.printed, ["network", "method", *SCORES])
        printed = printed.fillna({"network": ""})
        printed[SCORES] = (printed[SCORES] / 100).round(4)
        resampling = self.settings
        rows = read_rows(self.scores)
        table = summarise(rows, resampling.resamples, resampling.seed)
        architectures = dict(zip(self.names, self.architectures, strict=True))
        write_csv(add_printed(table, printed, architectures, PUBLISHED), self.table)
        galleries = [read_arrays(path) for path in self.examples]
        arrays = {
            name: np.concatenate([one[name] for one in galleries])
            for name in galleries[0]
        }
        write_arrays(self.gallery, arrays)
