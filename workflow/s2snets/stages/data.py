"""Image sets: every set as tar shards and one index."""

from s2snets.config import Settings, Source, Study
from s2snets.study.stage import OutputFile, Stage, Threads


class PackSettings(Settings):
    """What ``PackImages`` reads of a study's settings."""

    sources: list[Source]
    labelled: bool
    classes: list[str] | None
    named_by: list[Source] | None = None  # the set that names the classes; None: itself
    seed: int
    shard_images: int


class PackImages(Stage):
    """Check one image set and pack it into tar shards."""

    index: OutputFile
    shards: OutputFile
    record: OutputFile
    threads: Threads = 1
    settings: PackSettings

    @classmethod
    def settings_for(cls, study: Study, *, set: str = "train") -> PackSettings:
        """Return the settings of one set; the training set names all classes."""
        named_by = None
        if set == "validation" and study.data.classes is None:
            named_by = [
                Source(path=one.path, labels=one.labels) for one in study.data.train
            ]
        return PackSettings(
            sources=getattr(study.data, set),
            labelled=set in study.labelled_sets,
            classes=study.data.classes,
            named_by=named_by,
            seed=study.data.seed,
            shard_images=study.data.shard_images,
        )

    def run(self) -> None:
        """Write the shards, then the index."""
        from s2snets.data.packing import pack, set_classes, set_items

        settings, classes = self.settings, None
        if settings.labelled:
            classes = set_classes(settings.sources, settings.classes, settings.named_by)
        pack(
            set_items(settings.sources, classes, settings.seed),
            self.shards,
            self.index,
            classes=classes,
            shard_images=settings.shard_images,
            threads=self.threads,
        )
