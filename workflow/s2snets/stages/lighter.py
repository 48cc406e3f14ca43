"""Lighter autoencoders: SegNet's width and depth as an axis."""

from s2snets.config import Autoencoder, Reference, Settings, Study
from s2snets.study.stage import InputFile, OutputFile, Stage, select


class LighterSettings(Settings):
    """What ``TabulateLighter`` reads of a study's settings."""

    image_size: int
    autoencoders: list[Autoencoder]
    reference: Reference = "labels"


class TabulateLighter(Stage):
    """Tabulate accuracy and error of every size, A_S's among them, against its cost."""

    predictions: list[InputFile]
    curves: list[InputFile]
    table: OutputFile
    sources: list[str]
    classifiers: list[str]
    settings: LighterSettings

    @classmethod
    def settings_for(cls, study: Study) -> LighterSettings:
        """Return the settings, with the sizes of all autoencoders, A_S's first."""
        sizes = [study.autoencoder, *study.lighter]
        return select(LighterSettings, study, autoencoders=sizes)

    def run(self) -> None:
        """Write the table."""
        import pandas as pd

        from s2snets.measure.accuracy import apply_reference, tag_agreement
        from s2snets.measure.lighter import against_cost
        from s2snets.networks.cost import count_multiply_adds, count_parameters
        from s2snets.networks.segnet import SegNet
        from s2snets.runtime.tables import (
            SCORED_COLUMNS,
            read_csv,
            read_rows,
            write_csv,
        )

        settings, costs = self.settings, []
        for source, path, size in zip(
            self.sources, self.curves, settings.autoencoders, strict=True
        ):
            model = SegNet(size.width, size.stages)
            curve = read_csv(path, ["validation_labelled"])
            costs.append(
                {
                    "source": source,
                    "width": size.width,
                    "stages": size.stages,
                    "parameters": count_parameters(model),
                    "multiply_adds": count_multiply_adds(model, settings.image_size),
                    "mse": curve["validation_labelled"].iloc[-1],
                }
            )
        rows = read_rows(self.predictions, SCORED_COLUMNS)
        rows = apply_reference(rows, settings.reference)
        table = against_cost(rows, pd.DataFrame(costs), self.classifiers)
        write_csv(tag_agreement(table, settings.reference), self.table)
