"""Signal by depth: where in a network it is lost (the question of section 4)."""

from typing import Any

from s2snets.config import (
    Autoencoder,
    Bootstrap,
    Depth,
    Gallery,
    Information,
    Reference,
    Settings,
    Study,
)
from s2snets.config.depth import INPUT, Weights
from s2snets.study.stage import (
    InputFile,
    OutputFile,
    Seed,
    Stage,
    Threads,
    TrainingStage,
    select,
)

BATCH = 50
SCALED = 64  # images by which the loss of a layer is scaled
SETTLED = 256  # images whose statistics batch norm takes with random weights
SHOWN = 2  # images whose reconstructions are kept


def depth_of(study: Study, classifier: str) -> Depth:
    """Return what is set for one network, in a study that has the section.

    One more network, layer of another one or replicate tunes nothing again.
    """
    depth = study.depth
    assert depth is not None
    return depth.model_copy(
        update={
            "classifiers": [classifier],
            "layers": {
                name: layers
                for name, layers in depth.layers.items()
                if name == classifier
            },
            "replicates": 1,
        }
    )


class ChooseSettings(Settings):
    """What ``ChooseLayers`` reads of a study's settings."""

    image_size: int
    number: int
    layers: list[str] | None


class ChooseLayers(Stage):
    """Choose the layers of a network, or check those that settings name."""

    classifier: InputFile
    chosen: OutputFile
    settings: ChooseSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> ChooseSettings:
        """Return the settings of one network's layers."""
        depth = depth_of(study, classifier)
        return select(
            ChooseSettings,
            study,
            layers=depth.layers.get(classifier),
            number=depth.count(classifier),
        )

    def run(self) -> None:
        """Write each layer, and whether all of the network's signal passes it."""
        import torch

        from s2snets.networks.checkpoints import load_classifier
        from s2snets.networks.depths import choose_depths
        from s2snets.runtime.errors import UserError
        from s2snets.runtime.files import write_json

        settings, folder = self.settings, self.classifier.parent
        pixels = torch.rand(1, 3, settings.image_size, settings.image_size)
        try:
            layers = choose_depths(
                load_classifier(folder), pixels, settings.number, settings.layers
            )
        except UserError as error:
            raise UserError(f"classifier {folder.name}: {error}") from None
        write_json(self.chosen, layers)


class DrawSettings(Settings):
    """What ``DrawClassifier`` reads of a study's settings."""

    image_size: int
    resize_mode: str


class DrawClassifier(Stage):
    """Draw random weights for a classifier's architecture: the null of its depths."""

    images: InputFile
    spec: InputFile
    weights: OutputFile
    drawn_spec: OutputFile
    record: OutputFile
    seed: Seed = 0
    threads: Threads = 1
    settings: DrawSettings

    def run(self) -> None:
        """Write the weights, and the spec beside them."""
        from s2snets.data.examples import sample_batches
        from s2snets.data.imageset import ImageSet
        from s2snets.networks.checkpoints import read_spec, save_classifier
        from s2snets.networks.random_weights import random_classifier
        from s2snets.runtime.device import use_device

        use_device(self.threads)
        settings, spec = self.settings, read_spec(self.spec)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        pixels = sample_batches(images, SETTLED, BATCH)
        classifier = random_classifier(spec, pixels, self.seed)
        save_classifier(classifier, spec, self.weights, self.drawn_spec)


class TuneSettings(Settings):
    """What ``TuneForLayer`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    depth: Depth


class TuneForLayer(TrainingStage):
    """Tune the decoder of A_S so that one layer of a network notices no difference."""

    pretrained: InputFile
    classifier: InputFile
    layers: InputFile
    depth: int  # 0: the images themselves
    settings: TuneSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> TuneSettings:
        """Return the settings of a training, without those of the measurements."""
        measuring = ("layers", "number", "measured", "bands")
        defaults = {name: Depth.model_fields[name].default for name in measuring}
        depth = depth_of(study, classifier).model_copy(update=defaults)
        return select(TuneSettings, study, depth=depth)

    def run(self) -> dict[str, object]:
        """Descend the squared error of the layer's activations over their variance."""
        from torch import nn

        from s2snets.data.examples import sample_batches
        from s2snets.data.imageset import ImageSet
        from s2snets.depth import variance
        from s2snets.networks.checkpoints import (
            load_autoencoder,
            load_classifier,
            save_weights,
        )
        from s2snets.networks.depths import Activations
        from s2snets.networks.segnet import Tuned
        from s2snets.runtime.files import read_json
        from s2snets.training.job import start_engine, train
        from s2snets.training.objectives import activation_error

        settings = self.settings
        engine = start_engine(self, settings.depth)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        classifier = load_classifier(self.classifier.parent)
        pixels = sample_batches(images, SCALED, BATCH)
        layer = [INPUT, *read_json(self.layers)][self.depth]
        activations = Activations(classifier, layer)
        autoencoder = load_autoencoder(self.pretrained, settings.autoencoder)
        train(
            self,
            engine,
            nn.Sequential(Tuned(autoencoder, "decoder"), activations),
            images,
            activation_error(activations, variance(activations, pixels)),
            settings.depth,
            cache_key=self.cache_key(images=images.fingerprint),
            save=lambda: save_weights(autoencoder, self.weights),
        )
        return {"layer": layer}


class MeasureSettings(Settings):
    """What ``MeasureDepths`` reads of a study's settings."""

    image_size: int
    resize_mode: str
    autoencoder: Autoencoder
    depth: Depth
    information: Information
    gallery: Gallery
    reference: Reference = "labels"


class MeasureDepths(Stage):
    """Measure what the autoencoders of a network's layers leave of images."""

    images: InputFile
    tuned: list[InputFile]
    others: list[InputFile]
    classifier: InputFile
    layers: InputFile
    judges: list[InputFile]
    rows: OutputFile
    pictures: OutputFile
    record: OutputFile
    names: list[str]
    weights: Weights
    seed: Seed = 0
    replicate: int = 0
    threads: Threads = 1
    settings: MeasureSettings

    @classmethod
    def settings_for(cls, study: Study, *, classifier: str = "") -> MeasureSettings:
        """Return the settings, of the section those of one network."""
        return select(MeasureSettings, study, depth=depth_of(study, classifier))

    def run(self) -> None:
        """Write a row per image, autoencoder and measure; resume what is there."""
        import numpy as np
        import torch

        from s2snets.data.examples import choose_examples
        from s2snets.data.imageset import READERS
        from s2snets.data.order import sample
        from s2snets.depth import depth_tables
        from s2snets.evaluation import (
            EvaluationBatches,
            iterate_batches,
            to_uint8,
            with_groups,
        )
        from s2snets.measure.depth import PREDICTION, PRETRAINED
        from s2snets.networks.checkpoints import load_autoencoder, load_classifier
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device
        from s2snets.runtime.files import read_json
        from s2snets.runtime.tables import write_arrays

        settings, (device, workers) = self.settings, use_device(self.threads)
        depth, folder = settings.depth, self.classifier.parent
        name = depth.classifiers[0]
        read = READERS[settings.reference]
        images = read(self.images, settings.image_size, settings.resize_mode)
        classifier = load_classifier(folder, device)
        numbers = sample(len(images), depth.measured, 0)
        layers = [INPUT, *read_json(self.layers)]
        sources = dict(zip(layers, self.tuned, strict=True))
        sources |= dict(zip((PRETRAINED, PREDICTION), self.others, strict=False))
        autoencoders = {
            source: load_autoencoder(path, settings.autoencoder, device)
            for source, path in sources.items()
        }
        batches = EvaluationBatches(images, numbers, BATCH)
        key = self.cache_key(images=[images.fingerprint, images.classes])
        table = ChunkedParquet(self.rows, len(batches.groups()), key)
        tables = depth_tables(
            iterate_batches(batches, table.missing, device=device, workers=workers),
            autoencoders,
            classifier,
            layers,
            {
                judge: load_classifier(path.parent, device, images.classes)
                for judge, path in zip(self.names, self.judges, strict=True)
            },
            own_labels=settings.reference == "predictions",
            bands=depth.bands,
            information=settings.information,
            histogram_bins=settings.gallery.histogram_bins,
        )
        origin: dict[str, Any] = {
            "seed": self.seed,
            "replicate": self.replicate,
            "weights": self.weights,
            "classifier": name,
        }
        table.write(with_groups(images, rows.assign(**origin)) for rows in tables)
        pixels = images.batch(choose_examples(images.labels, SHOWN))[0].to(device)
        with torch.inference_mode():
            shown = [pixels, *(each(pixels) for each in autoencoders.values())]
        pictures = np.stack([to_uint8(each) for each in shown])
        write_arrays(
            self.pictures, {"sources": ["original", *sources], "pictures": pictures}
        )


class TabulateDepth(Stage):
    """Tabulate the signal by depth: where it is lost, and what deep layers need."""

    rows: list[InputFile]
    layers: list[InputFile]
    pictures: list[InputFile]
    table: OutputFile
    losses: OutputFile
    orders: OutputFile
    pairs: OutputFile
    layer_table: OutputFile
    gallery: OutputFile
    classifiers: list[str]
    settings: Bootstrap

    def run(self) -> None:
        """Write the tables, with intervals."""
        from s2snets.measure import depth
        from s2snets.runtime.files import read_json
        from s2snets.runtime.tables import (
            read_arrays,
            read_rows,
            write_arrays,
            write_csv,
        )

        found = [read_json(path) for path in self.layers]
        layers = dict(zip(self.classifiers, map(list, found), strict=True))
        rows = read_rows(self.rows)
        draws = depth.Draws(rows, self.settings.resamples, self.settings.seed)
        write_csv(depth.summarise(rows, draws, layers), self.table)
        write_csv(depth.losses(draws, layers), self.losses)
        write_csv(depth.orders(draws, layers), self.orders)
        write_csv(depth.triangle(draws, layers), self.pairs)
        passed = dict(zip(self.classifiers, found, strict=True))
        write_csv(depth.list_layers(passed), self.layer_table)
        pictures = zip(self.classifiers, map(read_arrays, self.pictures), strict=True)
        gallery = {
            f"{name}.{key}": array
            for name, arrays in pictures
            for key, array in arrays.items()
        }
        write_arrays(self.gallery, gallery)
