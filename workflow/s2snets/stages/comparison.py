"""Comparison of the paper's numbers and sentences with the study's own."""

from s2snets.config import (
    Classifier,
    Information,
    Lattice,
    Reference,
    Settings,
)
from s2snets.config.data import Data
from s2snets.config.training import Pretrain
from s2snets.study.stage import InputFile, OutputFile, Stage


class ComparisonSettings(Settings):
    """What ``CompareWithPaper`` reads of a study's settings."""

    image_size: int
    data: Data
    pretrain: Pretrain
    classifiers: dict[str, Classifier]
    information: Information
    lattice: Lattice
    reference: Reference = "labels"


class CompareWithPaper(Stage):
    """Give every printed number and every testable sentence a verdict."""

    accuracy: InputFile
    table1: InputFile
    table2: InputFile
    parts: InputFile
    noise: InputFile
    rrc: InputFile
    information: InputFile
    curves: InputFile
    colors: InputFile
    depth: InputFile | None = None
    bootstrap: InputFile
    validation: InputFile
    weights: list[InputFile]
    comparison: OutputFile
    settings: ComparisonSettings

    def run(self) -> None:
        """Write the verdicts."""
        from s2snets.claims.inputs import (
            OPTIONAL_COLUMNS,
            TABLE_COLUMNS,
            is_comparable,
            printed_tables,
            study_tables,
        )
        from s2snets.claims.null import null_rates
        from s2snets.claims.verdicts import compare
        from s2snets.runtime.files import read_json
        from s2snets.runtime.tables import read_arrays, write_csv

        settings = self.settings
        tables = study_tables(
            {
                name: path
                for name in TABLE_COLUMNS | OPTIONAL_COLUMNS
                if (path := getattr(self, name))
            },
            self.weights,
            settings.classifiers,
            data=settings.data,
            single_pass=settings.pretrain.photos.single_pass,
            thresholds=settings.lattice.thresholds,
            bins=settings.information.bins[0],
            reference=settings.reference,
            samples=read_arrays(self.bootstrap)["table2"],
        )
        validation = read_json(self.validation)
        comparable = is_comparable(
            {
                letter: settings.classifiers[name].weights
                for letter, name in tables.roles.items()
            },
            settings.image_size,
            len(validation["classes"] or ()),
            validation["images"],
        )
        table = compare(tables, printed_tables(), comparable, null_rates(tables))
        write_csv(table, self.comparison)
