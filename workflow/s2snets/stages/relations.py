"""Relations of the networks: RRC, formal contexts and concept lattices."""

from s2snets.config import Bootstrap, Reference, Settings
from s2snets.study.stage import InputFile, OutputFile, Seed, Stage, Threads

BATCH = 64  # images of which features are compared at once


class Relate(Stage):
    """Tabulate the relative rate of change of every autoencoder-classifier pair."""

    table2: InputFile
    bootstrap: InputFile | None = None
    rrc: OutputFile

    def run(self) -> None:
        """Write RRC, with intervals where there are resampled tables."""
        from s2snets.measure.rrc import rrc_table
        from s2snets.runtime.errors import UserError
        from s2snets.runtime.tables import read_arrays, read_csv, write_csv

        table = read_csv(self.table2, ["autoencoder"])
        if self.bootstrap is None:
            write_csv(rrc_table(table), self.rrc)
            return
        arrays = read_arrays(self.bootstrap)
        if list(arrays["classifiers"]) != [
            one for one in table if one != "autoencoder"
        ]:
            raise UserError(
                f"{self.bootstrap}: its classifiers are not the columns of"
                f" {self.table2}; make both anew"
            )
        trainings = arrays["table2_trainings"]  # by seed and replicate
        single = len(trainings) == 1
        rrc = rrc_table(
            table,
            samples=arrays["table2"],
            seeds=trainings[0] if single else trainings.mean(axis=1),
            chance=arrays["chance"],
        )
        write_csv(rrc, self.rrc)


class BuildLattices(Stage):
    """Build the concept lattice at every threshold of the settings."""

    rrc: InputFile
    lattices: OutputFile
    thresholds: list[float]

    def run(self) -> None:
        """Write one lattice per threshold."""
        from s2snets.measure.lattice import build_lattice
        from s2snets.runtime.files import write_json
        from s2snets.runtime.tables import read_csv

        rrc = read_csv(self.rrc, ["autoencoder", "classifier", "rrc"])
        write_json(self.lattices, [build_lattice(rrc, one) for one in self.thresholds])


class SurveyLattices(Stage):
    """Find every distinct lattice, and how often it, its relations and chains recur."""

    rrc: InputFile
    bootstrap: InputFile
    distinct: OutputFile
    table: OutputFile
    relations: OutputFile
    chains: OutputFile
    agreement: OutputFile
    orders: OutputFile
    thresholds: list[float]

    def run(self) -> None:
        """Write the lattices, how often they recur, and what trainings agree on."""
        import numpy as np

        from s2snets.measure import agreement, lattice
        from s2snets.measure.rrc import rrc_matrix
        from s2snets.runtime.files import write_json
        from s2snets.runtime.tables import read_arrays, read_csv, write_csv

        rrc = read_csv(self.rrc, ["autoencoder", "classifier", "rrc"])
        arrays = read_arrays(self.bootstrap)
        trainings = rrc_matrix(np.concatenate(arrays["table2_trainings"]))
        resampled = {
            "samples": rrc_matrix(arrays["table2"]),
            "trainings": trainings,
        }
        survey = lattice.survey(rrc, **resampled)
        write_json(self.distinct, survey)
        write_csv(lattice.tabulate(survey), self.table)
        write_csv(lattice.relations(rrc, self.thresholds, **resampled), self.relations)
        write_csv(lattice.chains(rrc, self.thresholds, **resampled), self.chains)
        agreed = agreement.tabulate(rrc, self.thresholds, trainings)
        write_csv(agreed, self.agreement)
        pairs = agreement.compare_pairs(rrc, self.thresholds, **resampled)
        write_csv(pairs, self.orders)


class FeatureSettings(Settings):
    """What ``CompareFeatures`` reads of a study's settings."""

    image_size: int
    resize_mode: str


class CompareFeatures(Stage):
    """Compare the features that networks have of the same images."""

    images: InputFile
    classifiers: list[InputFile]
    features: OutputFile
    record: OutputFile
    names: list[str]
    seed: Seed = 0
    threads: Threads = 1
    settings: FeatureSettings

    def run(self) -> None:
        """Write HSIC of every two networks, batch by batch; resume what is there."""
        import pandas as pd
        import torch

        from s2snets.data.imageset import ImageSet
        from s2snets.data.order import sample
        from s2snets.evaluation import EvaluationBatches, iterate_batches
        from s2snets.measure.cka import hsic_rows
        from s2snets.networks.checkpoints import load_classifier
        from s2snets.networks.depths import penultimate
        from s2snets.runtime.chunked_parquet import ChunkedParquet
        from s2snets.runtime.device import use_device

        settings, (device, workers) = self.settings, use_device(self.threads)
        images = ImageSet(self.images, settings.image_size, settings.resize_mode)
        networks = {
            name: load_classifier(path.parent, device)
            for name, path in zip(self.names, self.classifiers, strict=True)
        }
        # In random order: neighbours of a class would make batches unlike each other.
        batches = EvaluationBatches(images, sample(len(images), None, 0), BATCH)
        key = self.cache_key(images=images.fingerprint)
        table = ChunkedParquet(self.features, len(batches.groups()), key)
        groups = iterate_batches(batches, table.missing, device=device, workers=workers)
        with torch.inference_mode():
            table.write(
                pd.concat(
                    [
                        hsic_rows(
                            int(numbers[0]),
                            {
                                name: penultimate(network, pixels).float().cpu().numpy()
                                for name, network in networks.items()
                            },
                        )
                        for numbers, pixels, *_ in group
                    ],
                    ignore_index=True,
                ).assign(seed=self.seed)
                for group in groups
            )


class CompareErrors(Stage):
    """Compare RRC with whether networks err on the same images, and see them alike."""

    predictions: list[InputFile]
    features: list[InputFile]
    rrc: InputFile
    pairs: OutputFile
    correlations: OutputFile
    classifiers: list[str]
    reference: Reference = "labels"
    settings: Bootstrap

    def run(self) -> None:
        """Write a row for each pair of networks, and the correlations over pairs."""
        from s2snets.measure import accuracy, cka, consistency
        from s2snets.runtime.tables import (
            SCORED_COLUMNS,
            read_csv,
            read_rows,
            write_csv,
        )

        rows = read_rows(self.predictions, SCORED_COLUMNS)
        rows = accuracy.apply_reference(rows, self.reference)
        rrc = read_csv(self.rrc, ["autoencoder", "classifier", "rrc"])
        pairs = consistency.tabulate(
            rows, self.classifiers, self.settings.resamples, self.settings.seed
        )
        features = read_rows(self.features)
        resampling = self.settings
        pairs = cka.add_cka(pairs, features, resampling.resamples, resampling.seed)
        pairs = consistency.add_rrc(pairs, rrc, self.classifiers)
        write_csv(pairs, self.pairs)
        write_csv(consistency.correlations(pairs, self.classifiers), self.correlations)
