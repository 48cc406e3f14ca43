"""Comparison of the paper's numbers and sentences with the study's own."""

from s2snets.config import (
    Classifier,
    Information,
    Lattice,
    Reference,
    Settings,
)
from s2snets.study.stage import InputFile, OutputFile, Stage


class ComparisonSettings(Settings):
    """What ``CompareWithPaper`` reads of a study's settings."""

    image_size: int
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
    weights: list[InputFile]
    comparison: OutputFile
    settings: ComparisonSettings

    def run(self) -> None:
        """Write the verdicts."""
        from s2snets.claims.inputs import (
            TABLE_COLUMNS,
            is_comparable,
            printed_tables,
            study_tables,
        )
        from s2snets.claims.verdicts import compare
        from s2snets.runtime.tables import write_csv

        settings = self.settings
        tables = study_tables(
            {name: getattr(self, name) for name in TABLE_COLUMNS},
            self.weights,
            settings.classifiers,
            thresholds=settings.lattice.thresholds,
            bins=settings.information.bins[0],
            reference=settings.reference,
        )
        weights = {
            letter: settings.classifiers[name].weights
            for letter, name in tables.roles.items()
        }
        comparable = is_comparable(weights, settings.image_size)
        write_csv(compare(tables, printed_tables(), comparable), self.comparison)
