"""Cleaning: from published metadata, or a folder, to clean photographs."""

from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt

from s2snets.config import Clean, Count, Settings, Study, Zips
from s2snets.study.stage import InputFile, OutputFile, Stage, Threads


def cleaning_of(study: Study) -> Clean:
    """Return the settings of the cleaning, in a study that cleans photographs."""
    assert study.clean is not None
    return study.clean


class MetadataSettings(Settings):
    """What ``ReadMetadata`` reads of a study's settings."""

    kind: Literal["metadata", "hashes", "folder"]
    part: NonNegativeInt
    shards: Count
    batches: Count


class ReadMetadata(Stage):
    """Deal the rows of one metadata file, or of a folder's listing, out to batches."""

    source: InputFile
    rows: OutputFile
    record: OutputFile
    settings: MetadataSettings

    @classmethod
    def settings_for(cls, study: Study, *, metadata: str = "0") -> MetadataSettings:
        """Return the settings of one file: its kind, and its place among the others."""
        clean = cleaning_of(study)
        kind: Literal["metadata", "hashes", "folder"] = "metadata"
        part = 0
        if metadata == "tree":
            kind = "folder"
        elif metadata == "hashes":
            kind, part = "hashes", len(clean.metadata)
        else:
            part = int(metadata)
        return MetadataSettings(
            kind=kind, part=part, shards=clean.shards, batches=clean.batches
        )

    def run(self) -> None:
        """Write a file of rows for each batch."""
        from s2snets.cleaning.row_batches import write_rows

        write_rows(
            self.source,
            self.settings.kind,
            self.rows,
            shards=self.settings.shards,
            batches=self.settings.batches,
            part=self.settings.part,
        )


class IndexZips(Stage):
    """Index where each photograph lies in the zip files."""

    index: OutputFile
    record: OutputFile
    threads: Threads = 1
    settings: Zips

    @classmethod
    def settings_for(cls, study: Study) -> Zips:
        """Return the settings of the zip files."""
        zips = cleaning_of(study).zips
        assert zips is not None
        return zips

    def run(self) -> None:
        """Write the index."""
        from s2snets.cleaning.zips import index_zips

        zips = self.settings
        index_zips(Path(zips.path), zips.names, self.index, self.threads)


class CleanPhotos(Stage):
    """Fetch, judge and pack one batch of shards; a killed one resumes."""

    rows: list[InputFile]
    hashes: InputFile | None = None
    zips_index: InputFile | None = None
    exclude: InputFile | None = None
    placeholders: InputFile | None = None
    report: OutputFile
    record: OutputFile
    store: Path
    batch: int
    threads: Threads = 1
    settings: Clean

    @classmethod
    def settings_for(cls, study: Study) -> Clean:
        """Return the settings, those of later stages at their defaults."""
        later = ("held_out", "max_rejected")
        defaults = {name: Clean.model_fields[name].default for name in later}
        return cleaning_of(study).model_copy(update=defaults)

    def run(self) -> None:
        """Write the batch's shards that are missing or outdated, and its report."""
        from s2snets.cleaning.batch import clean_batch
        from s2snets.cleaning.exclusion import read_lists
        from s2snets.cleaning.row_batches import check_parts, read_abouts, read_batch
        from s2snets.runtime.files import write_json

        clean = self.settings
        by_line = clean.zips is not None and clean.zips.names == "line"
        check_parts(read_abouts(self.rows), by_line=by_line)
        report = clean_batch(
            read_batch(self.rows, self.hashes, self.batch),
            self.batch,
            store=self.store,
            clean=clean,
            lists=read_lists(self.exclude, self.placeholders),
            zips_index=self.zips_index,
            threads=self.threads,
        )
        write_json(self.report, report)


class AuditSettings(Settings):
    """What ``AuditPhotos`` reads of a study's settings."""

    shards: int
    profile: str
    max_rejected: float


class AuditPhotos(Stage):
    """Count what became of the photographs, beside the paper's counts."""

    reports: list[InputFile]
    rows: list[InputFile]
    validation: InputFile
    outcomes: OutputFile
    totals: OutputFile
    shards: OutputFile
    licences: OutputFile
    proposed: OutputFile
    summary: OutputFile
    store: Path
    settings: AuditSettings

    @classmethod
    def settings_for(cls, study: Study) -> AuditSettings:
        """Return the settings of the audit."""
        clean = cleaning_of(study)
        return AuditSettings(
            shards=clean.shards,
            profile=clean.profile,
            max_rejected=clean.max_rejected,
        )

    def run(self) -> None:
        """Write the tables, or stop where something is wrong with the photographs."""
        from s2snets.cleaning.audit import audit
        from s2snets.cleaning.quality import dhash_of
        from s2snets.cleaning.row_batches import read_abouts
        from s2snets.runtime.files import replacing, write_json
        from s2snets.runtime.tables import write_csv

        self.summary.parent.mkdir(parents=True, exist_ok=True)
        tables, summary = audit(
            self.store,
            self.reports,
            rows=sum(about["rows"] for about in read_abouts(self.rows)),
            validation=self.validation,
            dhash_of=dhash_of,
            folder=self.summary.parent,
            **self.settings.model_dump(),
        )
        for name in ("outcomes", "totals", "shards", "licences"):
            write_csv(tables[name], getattr(self, name))
        with replacing(self.proposed) as draft:
            tables["proposed"].to_csv(draft, sep="\t", index=False)
        write_json(self.summary, summary)


class IndexSettings(Settings):
    """What ``IndexPhotos`` reads of a study's settings."""

    shards: int
    held_out: int


class IndexPhotos(Stage):
    """Index the clean photographs once they have passed the audit; hold some out."""

    reports: list[InputFile]
    exclude: InputFile | None = None
    photos: OutputFile
    validation: OutputFile
    record: OutputFile
    store: Path
    settings: IndexSettings

    @classmethod
    def settings_for(cls, study: Study) -> IndexSettings:
        """Return the settings of the index."""
        clean = cleaning_of(study)
        return IndexSettings(shards=clean.shards, held_out=clean.held_out)

    def run(self) -> None:
        """Write the indexes of both sets."""
        from s2snets.cleaning.exclusion import read_lists
        from s2snets.cleaning.index import write_sets

        write_sets(
            self.store,
            self.reports,
            self.settings.shards,
            held_out=self.settings.held_out,
            photos=self.photos,
            validation=self.validation,
            excluded=read_lists(self.exclude).excluded,
        )
