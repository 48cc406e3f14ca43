"""Settings of the image sets: the sources of each."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from s2snets.config.base import Count, Distinct, Fraction, Seed, Settings, UserPath


class Crops(Settings):
    """Crops cut from each image of a source."""

    count: Count = Field(100, description="Square crops cut from each image.")
    side: tuple[Fraction, Fraction] = Field(
        (0.1, 0.5),
        description="Least and greatest side of a crop, as a fraction of the image's"
        " short side; drawn uniformly in the logarithm.",
    )

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Require the least side first."""
        if not 0 < self.side[0] <= self.side[1]:
            raise ValueError("side: give the least side first, above 0")
        return self


class Source(Settings):
    """A source of images: a folder, tar files, an IDX file or a packed set."""

    path: UserPath = Field(
        description="Folder of images (searched to any depth, links followed, hidden"
        " files left out; in a labelled set its first-level folders are the classes);"
        " a tar of such a folder, a tar of tars or a folder of tars; a packed set's"
        " `index.npz`; or an IDX image file, plain, `.gz` or `.xz`. Relative to the"
        " working directory."
    )
    labels: UserPath | None = Field(
        None,
        description="IDX label file beside an IDX file; beside images without class"
        " folders the devkit of ILSVRC 2012, or a list of files and classes; beside"
        " numbered shards a list of class names.",
    )
    images: Count | None = Field(
        None, description="Number of images used, drawn with the set's seed; null: all."
    )
    repeat: Count = Field(
        1,
        description="Times that each image is entered, to weigh a small source.",
    )
    crops: Crops | None = Field(None, description="Cut each image into crops.")


class Data(Settings):
    """The four image sets of the study."""

    train: list[Source] = Field(
        min_length=1,
        description="Labelled images: classifiers, fine-tuning and the second"
        " pretraining learn from them (ImageNet's training set; sections 3.2, 3.3).",
    )
    validation: list[Source] = Field(
        min_length=1,
        description="Labelled images on which everything is measured (ImageNet's"
        " 50,000 validation images; sections 3.2 to 3.5).",
    )
    photos: list[Source] | None = Field(
        None,
        min_length=1,
        description="Unlabelled photographs: the first pretraining sees each once"
        " (YFCC100m, 92.1 million; section 3.2); null: those that `clean` keeps.",
    )
    photos_validation: list[Source] | None = Field(
        None,
        min_length=1,
        description="Photographs that no training sees (50,000 of YFCC100m;"
        " section 3.2); null: those that `clean` holds out.",
    )
    classes: Annotated[list[str], Field(min_length=2), Distinct] | None = Field(
        None,
        description="Names of the classes in the order of the labels; null: the sorted"
        " names that `train` has.",
    )
    seed: Seed = Field(0, description="Seed of subsets, crops and packing order.")
    shard_images: Count = Field(10_000, description="Images in a tar shard.")
