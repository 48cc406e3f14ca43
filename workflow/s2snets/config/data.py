"""Settings of the image sets: the sources of each."""

from typing import Annotated, TypeVar

from pydantic import Field, model_validator

from s2snets.config.base import (
    Count,
    Distinct,
    Fraction,
    Pattern,
    Seed,
    Settings,
    UserPath,
)

Sided = TypeVar("Sided", "Crops", "Background")


def check_side(settings: Sided) -> Sided:
    """Require the least side first."""
    if not 0 < settings.side[0] <= settings.side[1]:
        raise ValueError("side: give the least side first, above 0")
    return settings


class Crops(Settings):
    """Crops cut from each image of a source."""

    count: Count = Field(100, description="Square crops cut from each image.")
    side: tuple[Fraction, Fraction] = Field(
        (0.1, 0.5),
        description="Least and greatest side of a crop, as a fraction of the image's"
        " short side; drawn uniformly in the logarithm.",
    )
    size: Count | None = Field(
        None,
        description="Side in pixels to which crops are reduced or enlarged, which makes"
        " small sets of many crops; null: they stay as they are cut.",
    )

    check_order = model_validator(mode="after")(check_side)


class Background(Settings):
    """Photographs that a source's images, grey objects on black, are laid on."""

    path: UserPath = Field(
        description="Folder of photographs, searched to any depth. Each image gets a"
        " random crop of one of them, and its object a random colour and place."
    )
    size: Count = Field(description="Side of the composed images, in pixels.")
    side: tuple[Fraction, Fraction] = Field(
        (0.25, 0.75),
        description="Least and greatest side of a crop, as in `crops`.",
    )
    brightness: Fraction = Field(
        0.5,
        description="Factor on the photographs' pixels; an object's are not dimmed.",
    )

    check_order = model_validator(mode="after")(check_side)


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
    group: Pattern | None = Field(
        None,
        description="Regular expression that is found in each image's path. Images of"
        " the same match depend on each other, as frames of a video or photographs of a"
        " patient do, and intervals draw them together. If it has a group in"
        " parentheses, only this is compared. Crops of an image always depend on each"
        " other.",
    )
    background: Background | None = Field(
        None,
        description="Lay each image, a grey object on black such as Fashion-MNIST's, on"
        " a photograph; a repeated image gets another one each time.",
    )

    @property
    def files(self) -> dict[str, str]:
        """What it reads, by the key that names it."""
        behind = self.background.path if self.background else None
        files = {"path": self.path, "labels": self.labels, "background.path": behind}
        return {key: path for key, path in files.items() if path}


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
