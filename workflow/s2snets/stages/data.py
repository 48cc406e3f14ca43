"""Image sets: every set as tar shards and one index."""

from s2snets.config import Settings, Source, Study
from s2snets.study.stage import InputFile, OutputFile, Stage, Threads


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


class NamedClasses(Settings):
    """What ``CheckClasses`` reads of a study's settings: classes by setting."""

    named_classes: dict[str, list[str]]


class CheckClasses(Stage):
    """Check that a packed set has the classes that settings name."""

    description: InputFile
    checked: OutputFile
    settings: NamedClasses

    def run(self) -> None:
        """Write the classes of the set, or raise."""
        from s2snets.config.study import missing_class
        from s2snets.runtime.errors import UserError
        from s2snets.runtime.files import read_json, write_json

        classes = read_json(self.description)["classes"]
        if text := missing_class(self.settings.named_classes, classes):
            raise UserError(text)
        write_json(self.checked, classes)
