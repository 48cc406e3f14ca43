"""The report: what the study found and what it cost, in one file."""

from s2snets.config import Study
from s2snets.study.stage import InputFile, OutputFile, Stage


class TabulateCosts(Stage):
    """Tabulate time and memory of every job that takes time."""

    benchmarks: list[InputFile]
    records: list[InputFile]
    table: OutputFile

    def run(self) -> None:
        """Write one row for each job: Snakemake's wall time, the stage's own costs.

        Snakemake's benchmarks have what it saw when it last looked at the processes.
        """
        import pandas as pd

        from s2snets.runtime.files import read_json
        from s2snets.runtime.tables import write_csv

        rows = []
        for path, made in zip(self.benchmarks, self.records, strict=True):
            # Laid out as RULE/…WILDCARDS….tsv below the folder of benchmarks.
            rule, *job = path.parts[path.parts.index("benchmarks") + 1 :]
            record = read_json(made)
            rows.append(
                {
                    "rule": rule,
                    "job": "/".join(job).removesuffix(".tsv"),
                    "seconds": pd.read_csv(path, sep="\t")["s"].item(),
                    "cpu_seconds": record["cpu_seconds"],
                    "peak_mb": record["memory_mb"],
                }
            )
        write_csv(pd.DataFrame(rows), self.table)


class Report(Stage):
    """Write one self-contained HTML file: question, answer, figures, tables, costs."""

    accuracy: InputFile
    table1: InputFile
    table2: InputFile
    parts: InputFile
    rrc: InputFile
    information: InputFile
    chains: InputFile
    agreement: InputFile
    orders: InputFile
    correlations: InputFile
    variance: InputFile
    comparison: InputFile
    costs: InputFile
    depth_losses: InputFile | None = None
    depth_orders: InputFile | None = None
    depth_pairs: InputFile | None = None
    depth_layers: InputFile | None = None
    selectivity: InputFile | None = None
    inversion: InputFile | None = None
    segmentation: InputFile | None = None
    synthesis: InputFile | None = None
    lattices: InputFile
    distinct: InputFile
    gallery: InputFile
    cleaning: InputFile | None = None
    deviations: InputFile
    pretraining: InputFile
    figures: list[InputFile]
    html: OutputFile
    record: OutputFile
    settings: Study

    def run(self) -> None:
        """Read everything that the report shows, and write it."""
        import time

        from s2snets.report.companions import TABLES as COMPANION_TABLES
        from s2snets.report.depth import TABLES as DEPTH_TABLES
        from s2snets.report.figures import describe_figures
        from s2snets.report.page import TABLES, ReportInputs, write
        from s2snets.runtime.files import read_json
        from s2snets.runtime.records import make_record
        from s2snets.runtime.tables import read_arrays, read_csv

        started = time.monotonic()
        settings = self.settings.model_dump(mode="json")
        known = TABLES | DEPTH_TABLES | COMPANION_TABLES
        inputs = ReportInputs(
            tables={
                name: read_csv(path, columns)
                for name, columns in known.items()
                if (path := getattr(self, name))
            },
            lattices=read_json(self.lattices),
            distinct=read_json(self.distinct),
            gallery=read_arrays(self.gallery),
            deviations=self.deviations.read_text(encoding="utf-8"),
            figures=describe_figures(self.figures, self.settings),
            study=self.settings,
            record=make_record(
                self.command_name(), settings, None, self.code(), started
            )
            | {"images of A_S": read_json(self.pretraining)["images_seen"]},
            cleaning=read_json(self.cleaning) if self.cleaning else None,
        )
        write(self.html, inputs)
