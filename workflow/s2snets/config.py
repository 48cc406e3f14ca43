"""Typed settings: the one source of defaults, of the JSON schema and of its docs.

``python -m s2snets.config`` writes ``workflow/schemas/config.schema.json`` and the
table of ``config/README.md`` from the models below. A default is the paper's value
wherever the paper gives one; a description ends with its source in parentheses.
"""

import difflib
import json
import os
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from s2snets.errors import Mistake
from s2snets.files import replacing

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.json"
README = ROOT / "config/README.md"

Part = Literal["decoder", "encoder", "both"]
Reference = Literal["labels", "predictions"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+([_.][A-Za-z0-9]+)*$")]
Triple = tuple[float, float, float]
STATES = (".safetensors", ".pth", ".pt", ".bin", ".tar")  # files of weights
Homely = Annotated[str, AfterValidator(os.path.expanduser)]  # ~ means home


class Settings(BaseModel):
    """Immutable, and closed: a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Crops(Settings):
    """Cut each image of a source into many small ones."""

    count: Count = Field(100, description="Square crops cut from each image.")
    side: tuple[Fraction, Fraction] = Field(
        (0.1, 0.5),
        description="Least and greatest side of a crop, as a part of the image's"
        " short side; drawn uniformly in the logarithm.",
    )

    @model_validator(mode="after")
    def ordered(self):
        if not 0 < self.side[0] <= self.side[1]:
            raise ValueError("side: give the least side first, above 0")
        return self


class Source(Settings):
    """Images that go into a set: a folder, tar files, an IDX file, a packed set."""

    path: Homely = Field(
        description="Folder of images (searched to any depth; in a labelled set its"
        " first-level folders are the classes); a tar, a tar of tars or a folder of"
        " tars; a packed set's `index.npz`; or an IDX image file, plain, `.gz` or"
        " `.xz`. Relative to the working directory."
    )
    labels: Homely | None = Field(
        None,
        description="IDX label file beside an IDX file; beside images without class"
        " folders the devkit of ILSVRC 2012, or a list of files and classes; beside"
        " numbered shards a list of class names.",
    )
    images: Count | None = Field(
        None, description="Use so many images, drawn with the set's seed; null: all."
    )
    repeat: Count = Field(
        1,
        description="Enter each image so many times: weighs a small source in a mix.",
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
    classes: list[str] | None = Field(
        None,
        description="Names of the classes in the order of the labels; null: the sorted"
        " names that `train` has.",
    )
    seed: int = Field(0, ge=0, description="Seed of subsets, crops and packing order.")
    shard_images: Count = Field(10_000, description="Images in a tar shard.")


class Bucket(Settings):
    """Photographs in an S3 bucket, or in any store that speaks its language."""

    bucket: str = Field("multimedia-commons", description="Name of the bucket.")
    prefix: str = Field(
        "data/images", description="What stands before `k[:3]/k[3:6]/k.jpg`."
    )
    endpoint: str | None = Field(
        None, description="Address of another provider's store; null: Amazon's."
    )
    region: str = Field("us-west-2", description="Region of the bucket.")
    unsigned: bool = Field(
        True,
        description="Read without an account; false: with the credentials that boto3"
        " finds.",
    )
    connections: Count = Field(16, description="Photographs fetched at once by a job.")
    tries: Count = Field(6, description="Tries before a photograph counts as failed.")


class Web(Settings):
    """Photographs from where they were published; mind the host's terms."""

    contact: str = Field(
        pattern=r"\S+@\S+|https?://\S+",
        description="Address that the host can complain to: it is sent along.",
    )
    rate: Positive = Field(1.0, description="Requests a second to one host, by a job.")
    connections: Count = Field(2, description="Requests to one host at once, by a job.")
    tries: Count = Field(6, description="Tries before a photograph counts as failed.")
    timeout: Positive = Field(
        30.0, description="Seconds without a byte after which a try has failed."
    )


class Zips(Settings):
    """Photographs in zip files."""

    path: Homely = Field(description="Folder of zip files, searched to any depth.")
    names: Literal["key", "line"] = Field(
        "key",
        description="What a member is called by: its key (`012345abc….jpg`), or its"
        " line of the metadata, in the zip's name and its own (`12/345.zip:678.jpg`).",
    )


Licence = Literal["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"]


class Clean(Settings):
    """From published metadata, or a folder, to clean photographs (section 3.2)."""

    metadata: list[Homely] = Field(
        [],
        description="YFCC100m's metadata: its ten parts of 23 columns, its one file of"
        " 25 columns, both as `.bz2` or unpacked, or the SQLite file. Empty: every"
        " image below `tree` is a photograph.",
    )
    hashes: Homely | None = Field(
        None,
        description="`yfcc100m_hash.bz2`: the keys of the ten parts as published; null:"
        " keys are computed from the addresses, which gives the same.",
    )
    tree: Homely | None = Field(
        None,
        description="Folder of the photographs: `k[:3]/k[3:6]/k.jpg` by key, where"
        " there is metadata; else any folder of images.",
    )
    zips: Zips | None = Field(None, description="Or zip files.")
    s3: Bucket | None = Field(None, description="Or a bucket.")
    http: Web | None = Field(None, description="Or the addresses in the metadata.")
    store: Homely | None = Field(
        None,
        description="Folder of the cleaned shards, which studies may share; null:"
        " `results/NAME/clean`.",
    )
    shards: Count = Field(10_000, description="Tar shards; each has equal chances.")
    batches: Count = Field(250, description="Jobs that share them.")
    profile: Literal["palacio2018", "strict"] = Field(
        "palacio2018",
        description="Rules of rejection: the authors' own, as published with their"
        " loader (`datadings`), or those of this project; `docs/cleaning.md` has both.",
    )
    licences: list[Licence] = Field(
        ["by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd"],
        min_length=1,
        description="Licences to keep (the paper: all).",
    )
    exclude: Homely | None = Field(
        None,
        description="List of photographs that must go, one a line: photo ids, or users'"
        " ids (`12345678@N00`).",
    )
    placeholders: Homely | None = Field(
        None,
        description="List of SHA-256 digests of files that only stand for a deleted"
        " photograph: those proposed by the audit that a person has accepted.",
    )
    held_out: Count = Field(
        50_000, description="Photographs kept for validation (50,000; section 3.2)."
    )
    most_failed: Fraction = Field(
        0.001,
        description="Part of a shard's photographs that may fail to arrive, for other"
        " reasons than being gone; above it the shard waits for the next run.",
    )
    most_rejected: Fraction = Field(
        0.1,
        description="Part of the photographs obtained that may be rejected; above it"
        " something is wrong with the source, and nothing is indexed (paper: 0.0255).",
    )

    @model_validator(mode="after")
    def consistent(self):
        given = [
            name
            for name in ("tree", "zips", "s3", "http")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError(
                "give one of tree, zips, s3 and http,"
                f" not {', '.join(given) or 'none of them'}"
            )
        if not self.metadata and given != ["tree"]:
            raise ValueError(f"metadata: is needed with {given[0]}")
        if self.hashes is not None and not self.metadata:
            raise ValueError("hashes: is of no use without metadata")
        if self.batches > self.shards:
            raise ValueError("batches: no more than shards")
        return self


class Optimisation(Settings):
    """What every training has."""

    images: Count = Field(description="Images seen in all.")
    batch: Count = Field(64, description="Images in a step.")
    optimiser: Literal["sgd", "adam"] = Field(
        "sgd", description="SGD with momentum or Adam (paper: SGD; section 3.2)."
    )
    rate: Positive = Field(
        0.01, description="Learning rate: the first, or one_cycle's peak (section 3.2)."
    )
    momentum: Fraction = Field(
        0.9, description="SGD's momentum; Adam's first beta (section 3.2)."
    )
    weight_decay: NonNegative = Field(0.0, description="L2 penalty (paper: silent).")
    schedule: Literal["plateau", "one_cycle", "constant"] = Field(
        "plateau",
        description="plateau: multiply the rate by `factor` after `patience` checks"
        " without improvement (section 3.2); one_cycle: up, then down to nothing.",
    )
    check_every: Count = Field(
        1_000_000,
        description="Images between checks of the error: a row of the learning curve"
        " (section 3.2).",
    )
    factor: Positive = Field(0.2, description="plateau: η' = factor · η (section 3.2).")
    patience: Count = Field(
        2, description="plateau: consecutive checks without improvement (section 3.2)."
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true",
        description="Arithmetic: float32 throughout, or products in bfloat16 or float16"
        " (a GPU; the loss is scaled) with weights in float32 (not in print).",
    )
    micro_batch: Count | None = Field(
        None,
        description="Images of a batch that go through the network at once, in all"
        " processes; gradients are summed, batch norm sees these. null: the batch.",
    )
    compile: bool = Field(
        False, description="Let torch.compile fuse the network's operations."
    )

    @model_validator(mode="after")
    def divided(self):
        if self.batch % (self.micro_batch or self.batch):
            raise ValueError(
                f"micro_batch: {self.micro_batch} does not divide batch {self.batch}"
            )
        return self


class Augmentation(Settings):
    """The nine operations of section 3.2; their ranges are not in print.

    Defaults are the presets of `crumpets`, the authors' own loader, in a later
    version than theirs. Zero (or [1, 1] for scale) turns an operation off.
    """

    scale: tuple[Positive, Positive] = Field(
        (0.57, 2.29), description="Magnification, uniform in the logarithm."
    )
    rotation: NonNegative = Field(
        15.0, description="Standard deviation of the angle, degrees."
    )
    shift: Fraction = Field(
        1.0,
        description="Displacement of the window, uniform in ± this part of the room"
        " that magnification leaves (of the border that reduction adds).",
    )
    noise: NonNegative = Field(
        0.03, description="Strength of uniform noise, drawn up to ± this, in pixels."
    )
    blur: NonNegative = Field(
        0.0033,
        description="Greatest deviation of Gaussian blur, as a part of the side.",
    )
    brightness: NonNegative = Field(0.5, description="Offset, uniform in ± this / 2.")
    contrast: NonNegative = Field(
        1.0,
        description="Factor 1 + u about mid-grey, u uniform in ± this; above 1 some"
        " images are inverted.",
    )
    color: NonNegative = Field(
        0.5, description="Offset of each channel by itself, uniform in ± this / 2."
    )
    mirror: Fraction = Field(0.5, description="Probability of a left-right flip.")
    pixelwise: Fraction = Field(
        0.5,
        description="Probability of each of noise, blur, brightness, contrast, color.",
    )


class Training(Optimisation):
    """Supervised training of the classifiers that come without weights."""

    images: Count = Field(
        92_200_000, description="Images seen in all (72 epochs of ImageNet)."
    )
    batch: Count = Field(256, description="Images in a step.")
    weight_decay: NonNegative = Field(1e-4, description="L2 penalty.")
    augment: Augmentation | None = Field(
        None, description="Augmentation of the training images; null: none."
    )


class Pretraining(Optimisation):
    """Reconstruction of one corpus (section 3.2)."""

    images: Count = Field(
        92_200_000,
        description="Images seen in all (92.1 million photographs once; 72 epochs of"
        " ImageNet; section 3.2).",
    )
    units: Literal["normalised", "pixels"] = Field(
        "normalised",
        description="Whether the loss weighs channels by ImageNet's deviations, as the"
        " published code's inputs and outputs do, or compares pixels. Curves are in"
        " pixels either way.",
    )
    augment: Augmentation | None = Field(
        Augmentation(), description="The nine operations (section 3.2); null: none."
    )


class Pretrain(Settings):
    """The two pretrainings of Figure 2."""

    photos: Pretraining = Field(
        Pretraining(), description="On photographs: makes A_S (section 3.2)."
    )
    labelled: Pretraining = Field(
        Pretraining(), description="On the labelled set, for comparison (section 3.2)."
    )
    validation_images: Count = Field(
        50_000,
        description="Images of each validation set that a check measures (50,000;"
        " section 3.2).",
    )


class Denoising(Pretraining):
    """Training of the learned denoiser: noisy photographs to clean ones."""

    augment: Augmentation | None = Field(
        Augmentation(noise=0.0, blur=0.0),
        description="Of the clean images, so without noise or blur; null: none.",
    )


class Finetune(Optimisation):
    """Adapting the autoencoder to one frozen classifier (section 3.3)."""

    images: Count = Field(
        1_281_167, description="Images seen in all (not in print: one epoch)."
    )
    parts: list[Part] = Field(
        ["decoder"],
        min_length=1,
        description="Which part learns; the first is the study's own, further ones are"
        " compared with it (decoder; section 3.3).",
    )
    schedule: Literal["plateau", "one_cycle", "constant"] = Field(
        "constant", description="As for pretraining (not in print)."
    )
    check_every: Count = Field(
        100_000, description="Images between rows of the learning curve."
    )
    augment: Augmentation | None = Field(
        None, description="Augmentation of the training images; null: none."
    )

    @model_validator(mode="after")
    def distinct(self):
        if len(set(self.parts)) < len(self.parts):
            raise ValueError("parts: each part once")
        return self


class Autoencoder(Settings):
    """SegNet (section 3.1)."""

    width: int = Field(
        64, ge=4, description="Channels of the first stage (64; section 3.1)."
    )
    stages: int = Field(
        5, ge=1, le=5, description="Pooling stages (5: maps of 1/32; section 3.1)."
    )


class Classifier(Settings):
    """One network of the set C (section 3.3)."""

    architecture: str = Field(
        description="`lenet5`, `small_alexnet`, `small_vgg`, `small_inception` or"
        " `small_resnet`; `small_alexnet_lrn` or `caffe_alexnet`, with local response"
        " normalisation; `torchvision/NAME` or `timm/NAME` for any classifier of these"
        " libraries; or `package.module:function`, a function of yours that returns a"
        " network and its preprocessing."
    )
    weights: Homely | None = Field(
        None,
        description="null: the workflow trains it, and a function's network is as it"
        " comes; a name of the library's, such as `IMAGENET1K_V1`, `DEFAULT` or timm's"
        " tag `a1_in1k`; or the path of a state, `.safetensors` or `.pth`.",
    )
    resize: Count | None = Field(
        None,
        description="Side to which the frozen wrapper resizes images, antialiased;"
        " null: the weights' own where `crop` is null too, else as they come.",
    )
    crop: Count | None = Field(
        None,
        description="Side of the centre crop after that; null: the weights' own where"
        " `resize` is null too, else none (224; table 1).",
    )
    interpolation: Literal["bilinear", "bicubic"] | None = Field(
        None, description="How it resizes; null: as for the weights, else bilinear."
    )
    mean: Triple | None = Field(
        None,
        description="Subtracted from the pixels; null: the weights' own, else"
        " ImageNet's 0.485, 0.456, 0.406.",
    )
    std: tuple[Positive, Positive, Positive] | None = Field(
        None,
        description="The pixels are divided by it; null: the weights' own, else"
        " ImageNet's 0.229, 0.224, 0.225.",
    )

    @model_validator(mode="after")
    def consistent(self):
        if self.named and not self.architecture.startswith(("torchvision/", "timm/")):
            raise ValueError(
                f"weights: {self.weights!r} is neither a file"
                f" ({', '.join(STATES)}) nor has {self.architecture} weights by name"
            )
        return self

    @property
    def function(self):
        """Whether the network is what a user's function returns."""
        return ":" in self.architecture

    @property
    def trained(self):
        """Whether the workflow trains it."""
        return self.weights is None and not self.function

    @property
    def normalises(self):
        """Whether it is one of ours with local response normalisation."""
        return self.architecture in ("caffe_alexnet", "small_alexnet_lrn")

    @property
    def named(self):
        """Whether its weights are a library's, by their name there."""
        return self.weights is not None and not self.weights.endswith(STATES)


class Predict(Settings):
    """Top-5 of every classifier on every source (sections 3.3, 3.3.1, 3.4)."""

    strengths: list[Fraction] = Field(
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        min_length=1,
        description="Noise strengths s: noise uniform in [-s, s] on pixels (figure 5).",
    )
    noisy_images: Count | None = Field(
        None, description="Images measured at s > 0; null: all (figure 5: all)."
    )
    clip: bool = Field(
        True,
        description="Clip noisy images to [0, 1] (not in print; the authors' loader and"
        " ImageNet-C do).",
    )
    batch: Count = Field(64, description="Images in a forward pass.")

    @model_validator(mode="after")
    def has_clean(self):
        if 0.0 not in self.strengths or len(set(self.strengths)) < len(self.strengths):
            raise ValueError("strengths: each once, 0 among them (tables 1 and 2)")
        return self


class Denoise(Settings):
    """Denoisers in the autoencoder's place, under the same noise (not in print)."""

    methods: list[Literal["median", "bilateral", "nlm", "autoencoder"]] = Field(
        ["median", "bilateral", "nlm", "autoencoder"],
        min_length=1,
        description="Denoisers compared with A_S and A_i: median, bilateral filter,"
        " non-local means, a SegNet trained to denoise.",
    )
    images: Count | None = Field(
        1000,
        description="Validation images measured, the first of the noisy ones; null: all"
        " of these.",
    )
    training: Denoising = Field(
        Denoising(), description="Of the SegNet, on photographs (as A_S's)."
    )

    @model_validator(mode="after")
    def distinct(self):
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("methods: each method once")
        return self


class Information(Settings):
    """Normalised mutual information (section 3.5)."""

    bins: list[Annotated[int, Field(ge=2, le=256)]] = Field(
        [256, 32],
        min_length=1,
        description="Histogram bins over the 256 levels; the first is the figure's"
        " (not in print; 256 fits figure 9's axis best).",
    )
    channels: Literal["separate", "together"] = Field(
        "separate",
        description="Mean over the channels, or one histogram (not in print).",
    )
    average_method: Literal["geometric", "arithmetic", "min", "max"] = Field(
        "geometric",
        description="Mean of the entropies in the denominator, named as in scikit-learn"
        " (reference 24: Strehl & Ghosh's is geometric).",
    )
    images: Count | None = Field(
        None, description="Validation images measured; null: all (section 3.5: all)."
    )


class Lattice(Settings):
    """Formal concept analysis of the RRC (section 3.4)."""

    thresholds: list[Fraction] = Field(
        [0.1, 0.2, 0.8, 0.9], min_length=1, description="t of figure 7."
    )


class Bootstrap(Settings):
    """95 % intervals from resampled images (the paper prints none)."""

    resamples: Count = Field(
        10_000,
        description="Times that the validation images are drawn anew, with"
        " replacement; Table 2 of the first 2,000 is kept for RRC and lattices.",
    )
    seed: int = Field(0, ge=0, description="Seed of the draws.")


class Gallery(Settings):
    """The images that Figures 3, 4 and 8 show."""

    images: Annotated[int, Field(ge=2)] = Field(
        6, description="Validation images shown, evenly spaced over the classes."
    )
    strengths: list[Fraction] = Field(
        [0.0, 0.5, 1.0], min_length=1, description="Noise strengths shown (figure 4)."
    )
    histogram_bins: Count = Field(50, description="Bins of the LAB histograms.")

    @model_validator(mode="after")
    def has_clean(self):
        if 0.0 not in self.strengths:
            raise ValueError("strengths: 0 must be among them (figure 3)")
        return self


class Figures(Settings):
    """How the figures look."""

    palette: dict[Name, str] = Field(
        {
            "L": "#c1272d",
            "A": "#0072b2",
            "V": "#009e73",
            "I": "#7b4ea3",
            "R": "#e68a00",
        },
        description="A classifier's colour, as matplotlib names it; others get the next"
        " of a palette (red, blue, green, purple, orange; figure 6).",
    )
    width: Positive = Field(7.0, description="Width of a figure, inches.")
    dpi: Count = Field(200, description="Resolution of the PNGs.")
    noise_example: str | None = Field(
        None,
        description="Classifier whose autoencoder figure 4 shows; null: the first"
        " (V; figure 4).",
    )


class Segmentation(Settings):
    """Saliency -> GrabCut -> foreground (Mahendran & Vedaldi 2016, section 3.5)."""

    path: Homely = Field(
        description="`gtsegs_ijcv.mat`, the ImageNet-Segmentation set as published; or"
        " a folder with `images/CLASS/NAME.*` and `masks/CLASS/NAME.png`."
    )
    images: Count | None = Field(
        None, description="Use so many images, the same for all networks; null: all."
    )
    side: Count = Field(
        256, description="Short side that images are resized to, bicubic (256)."
    )
    foreground: Fraction = Field(
        0.90,
        description="Quantile of the saliency above which a pixel is probably"
        " foreground (0.90; not in print, the published code).",
    )
    foreground_salinet: Fraction = Field(0.95, description="The same for SaliNet.")
    background: Fraction = Field(
        0.30, description="Quantile below which it is probably background (0.30)."
    )
    certain: Fraction = Field(
        0.995,
        description="Quantile above which it is foreground for sure; below the rest to"
        " 1, background (0.995, 0.005).",
    )
    iterations: Count = Field(
        5,
        description="Of GrabCut (not in print; OpenCV's γ is 50, the published code has"
        " 150).",
    )


class Inversion(Optimisation):
    """Inverse networks informed by the bottleneck (Mahendran & Vedaldi 2016, 3.3)."""

    classifier: Name | None = Field(
        None,
        description="Network that is inverted, a chain such as AlexNet or VGG; null:"
        " the first of `classifiers`.",
    )
    layer: str | None = Field(
        None,
        description="Module whose output is inverted; null: the last max-pooling (not"
        " in print).",
    )
    images: Count = Field(1_281_167, description="Images seen in all (not in print).")
    optimiser: Literal["sgd", "adam"] = Field(
        "adam", description="As Dosovitskiy & Brox 2016."
    )
    rate: Positive = Field(0.001, description="Learning rate (not in print).")
    schedule: Literal["plateau", "one_cycle", "constant"] = Field(
        "one_cycle", description="As for pretraining (not in print)."
    )
    augment: Augmentation | None = Field(
        None, description="Augmentation of the training images; null: none."
    )


class Salient(Settings):
    """Reversed networks, and what they show (Mahendran & Vedaldi 2016)."""

    classifiers: list[Name] = Field(
        min_length=1,
        description="Networks with rectifiers to reverse, of `classifiers` or"
        " `companions` (AlexNet, VGG-16; section 3).",
    )
    layers: dict[Name, list[str]] = Field(
        {},
        description="Where responses start, by classifier: names of modules, from the"
        " shallowest on, `logits` the last. Left out: every max-pooling and `logits`"
        " (pool5, fc8; figures 1, 4, 6).",
    )
    examples: Count = Field(
        3, description="Validation images, and photographs, that the figures show."
    )
    side: Count | None = Field(
        None,
        description="Side of the photographs, pixels: a network sees them wherever it"
        " fits (section 3.5); null: `image_size`, or what the network takes if more.",
    )
    measured: Count | None = Field(
        1000,
        description="Validation images on which selectivity is measured; null: all.",
    )
    batch: Count = Field(32, description="Images reversed at once.")
    segmentation: Segmentation | None = Field(
        None, description="Segmentation by saliency; null: none (section 3.5)."
    )
    inversion: Inversion | None = Field(
        None, description="Informed inverse networks; null: none (section 3.3)."
    )

    @property
    def inverted(self):
        """The network that is inverted."""
        return self.inversion.classifier or self.classifiers[0]


class Ascent(Settings):
    """How a preferred image is sought (Despraz et al. 2017, table 1)."""

    optimiser: Literal["adamax", "nesterov"] = Field(
        "adamax", description="AdaMax or Nesterov SGD (AdaMax; table 1)."
    )
    rate: Positive = Field(0.002, description="Learning rate (0.002; table 1).")
    momentum: Fraction = Field(
        0.9, description="AdaMax's first beta or Nesterov's momentum (0.9; table 1)."
    )
    steps: Count = Field(500, description="Steps (published notebooks: 10 × 50).")
    deviation: NonNegative = Field(
        2.0,
        description="Of the Gaussian noise on the feature vector, which is 1: additive"
        " and multiplicative noise are the same (2, additive; table 1).",
    )
    penalty: NonNegative = Field(
        0.01,
        description="λ of the rivals' activations (0.01; published notebooks; eq. 2).",
    )
    regulariser: NonNegative = Field(
        0.01, description="Weight of R(ξ), on the output's gains (0.01; eq. 3)."
    )


class PretrainedAscent(Ascent):
    """The same through a pretrained decoder (Despraz et al. 2017, table 1)."""

    optimiser: Literal["adamax", "nesterov"] = Field(
        "nesterov", description="AdaMax or Nesterov SGD (SGD; table 1)."
    )
    rate: Positive = Field(0.01, description="Learning rate (0.01; table 1).")
    momentum: Fraction = Field(
        0.1, description="Nesterov's momentum or AdaMax's first beta (0.1; table 1)."
    )
    steps: Count = Field(1200, description="Steps (published notebooks: 30 × 40).")
    deviation: NonNegative = Field(
        0.05,
        description="Of the Gaussian noise on the feature vector (0.05, multiplicative;"
        " table 1; the published notebooks' argument of 0.05 amounts to 0.229).",
    )
    regulariser: NonNegative = Field(
        0.1, description="Weight of R(ξ), on α (0.1; eq. 4)."
    )


class Decoding(Optimisation):
    """The denoising autoencoder whose decoder becomes G (Despraz et al. 2017, 4.2)."""

    images: Count = Field(
        9_600_000, description="Images seen in all (400 epochs; published notebooks)."
    )
    batch: Count = Field(24, description="Images in a step (published notebooks).")
    optimiser: Literal["sgd", "adam", "adadelta"] = Field(
        "adadelta", description="As in the published notebooks."
    )
    rate: Positive = Field(1.0, description="Learning rate (Keras's default).")
    momentum: Fraction = Field(
        0.95,
        description="Adadelta's ρ (Keras's default), SGD's momentum, Adam's first"
        " beta.",
    )
    schedule: Literal["plateau", "one_cycle", "constant"] = Field(
        "constant", description="As for pretraining."
    )
    corpus: Literal["photos", "train"] = Field(
        "train", description="Image set it learns (ImageNet's dogs; section 4.2)."
    )
    classes: list[str] | None = Field(
        None, description="Classes of it that are used; null: all (dogs; section 4.2)."
    )
    noise: NonNegative = Field(
        0.1,
        description="Deviation of the Gaussian noise on pixels, not clipped (Gaussian,"
        " section 4.2, no number in print; the published notebooks add none: 0).",
    )
    augment: Augmentation | None = Field(
        None, description="Augmentation of the clean images; null: none."
    )

    @model_validator(mode="after")
    def labelled(self):
        if self.classes is not None and self.corpus == "photos":
            raise ValueError("classes: photos have none; leave out, or set corpus")
        return self


class Filters(Settings):
    """Filters of one layer to maximise (Despraz et al. 2017, figure 8)."""

    layer: str = Field(description="Name of a module with channels.")
    channels: list[int] | Count = Field(
        12, description="The channels, by number, or how many of them, evenly spaced."
    )
    together: bool = Field(
        False, description="All in one image, as a group (section 5.3)."
    )


class Synthesis(Settings):
    """What a network's neurons prefer to see (Despraz et al. 2017)."""

    classifiers: list[Name] = Field(
        min_length=1,
        description="Networks looked into, of `classifiers` or `companions` (VGG-16;"
        " section 4).",
    )
    judge: Name | None = Field(
        None,
        description="Another network, asked what it sees in their images; null: the"
        " first of the study that is not looked into, else the first.",
    )
    size: Annotated[int, Field(ge=8)] | None = Field(
        None,
        description="Side of the images that G makes, pixels; null: `image_size`"
        " (224; table 2).",
    )
    modes: list[Literal["scratch", "pretrained"]] = Field(
        ["scratch", "pretrained"],
        min_length=1,
        description="G with fresh weights, all of them sought (section 4.1), or the"
        " decoder of an autoencoder, where only α is (section 4.2).",
    )
    scratch: Ascent = Field(Ascent(), description="With a fresh G (table 1).")
    pretrained: PretrainedAscent = Field(
        PretrainedAscent(), description="With a pretrained one, α alone (table 1)."
    )
    decoder: Decoding = Field(
        Decoding(), description="Training of the pretrained decoder (section 4.2)."
    )
    classes: list[str] | None = Field(
        None, description="Classes sought; null: all (all 1,000; section 4)."
    )
    filters: dict[Name, list[Filters]] = Field(
        {}, description="Filters sought, by classifier (layers 9, 26; figure 8)."
    )
    compounds: list[Annotated[list[str], Field(min_length=2)]] = Field(
        [], description="Classes sought together in one image (figure 9)."
    )
    batch: Count = Field(16, description="Targets sought at once.")
    ranked: Count | None = Field(
        None, description="Training images that each network ranks; null: all."
    )
    beside: Count = Field(
        3,
        description="Training images shown beside each, those that the network ranks"
        " highest (figures 6, 7).",
    )

    def judge_of(self, classifier, networks):
        """Another network than ``classifier``, of ``networks``, that judges it."""
        unseen = [name for name in networks if name not in self.classifiers]
        named = (self.judge, *unseen, *networks)
        return next(name for name in named if name and name != classifier)


class Study(Settings):
    """One study: its data, its networks, its measurements."""

    study: Name = Field(description="Name; results go to `results/NAME`.")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        [0],
        min_length=1,
        description="One full repetition of the study per seed (not in print: one).",
    )
    image_size: Annotated[int, Field(ge=8)] = Field(
        256, description="Side of the autoencoder's square input, pixels (section 3.2)."
    )
    fit: Literal["squash", "crop", "pad"] = Field(
        "squash",
        description="How an image becomes square: squash, as the published code does;"
        " crop the centre; pad: never enlarge, black border.",
    )
    reference: Reference = Field(
        "labels",
        description="What a prediction is held against: the images' labels, or, where"
        " there are none, what the same classifier says of the original. Fine-tuning"
        " then aims at that too, every accuracy is an agreement, and `data.train` and"
        " `data.validation` are read as unlabelled, however they are laid out.",
    )
    data: Data = Field(description="The image sets.")
    clean: Clean | None = Field(
        None,
        description="Photographs that must be cleaned first; null: `data` has them.",
    )
    classifiers: dict[Name, Classifier] = Field(
        min_length=2,
        description="The set C by name, in the order of the tables: L, A, V, I, R"
        " (section 3.3).",
    )
    train: Training = Field(
        Training(), description="Training of classifiers without weights."
    )
    autoencoder: Autoencoder = Field(Autoencoder(), description="SegNet.")
    lighter: list[Autoencoder] = Field(
        [],
        description="SegNets of other sizes, pretrained as A_S is and compared with it"
        " in error, accuracy and multiply-adds (the future work of section 4).",
    )
    pretrain: Pretrain = Field(Pretrain(), description="Pretraining.")
    finetune: Finetune = Field(Finetune(), description="Fine-tuning.")
    predict: Predict = Field(Predict(), description="Predictions.")
    denoise: Denoise = Field(Denoise(), description="Denoisers for comparison.")
    information: Information = Field(Information(), description="Mutual information.")
    lattice: Lattice = Field(Lattice(), description="Concept lattices.")
    bootstrap: Bootstrap = Field(Bootstrap(), description="Intervals.")
    gallery: Gallery = Field(Gallery(), description="Example images.")
    companions: dict[Name, Classifier] = Field(
        {}, description="Further networks, which only the two sections below look at."
    )
    salient: Salient | None = Field(
        None, description="Salient deconvolutional networks; null: none."
    )
    synthesis: Synthesis | None = Field(
        None, description="Deep generator networks; null: none."
    )
    figures: Figures = Field(Figures(), description="Looks.")

    @property
    def denoised_images(self):
        """Images that denoisers are measured on: at most those that get noise."""
        limits = (self.denoise.images, self.predict.noisy_images)
        return min((one for one in limits if one is not None), default=None)

    @model_validator(mode="after")
    def consistent(self):
        example = self.figures.noise_example
        if example is not None and example not in self.classifiers:
            raise ValueError(
                f"figures.noise_example: {example!r} is none of the classifiers"
                f" {', '.join(self.classifiers)}"
            )
        if self.image_size < 2**self.autoencoder.stages:
            raise ValueError(
                f"autoencoder.stages: {self.autoencoder.stages} stages halve"
                f" {self.image_size} pixels to nothing; use fewer, or a greater"
                " image_size"
            )
        sizes = [(one.width, one.stages) for one in (self.autoencoder, *self.lighter)]
        if len(set(sizes)) < len(sizes):
            raise ValueError("lighter: each size once, and not the autoencoder's own")
        if any(self.image_size < 2**stages for _, stages in sizes):
            raise ValueError(
                f"lighter: too many stages for {self.image_size} pixels; use fewer"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: each seed once")
        for name in ("photos", "photos_validation"):
            if (getattr(self.data, name) is None) is (self.clean is None):
                raise ValueError(
                    f"data.{name}: give it, or the section clean, and not both"
                )
        if self.reference == "predictions":
            self.without_labels()
        if "S" in self.classifiers:
            raise ValueError("classifiers.S: A_S is the pretrained autoencoder; rename")
        self.with_companions()
        return self

    @property
    def networks(self):
        """Every classifier by name, the study's and the companions'."""
        return self.classifiers | self.companions

    def with_companions(self):
        """What the companion studies name must be there."""
        twice = self.classifiers.keys() & self.companions.keys()
        if twice:
            raise ValueError(f"companions.{min(twice)}: is one of classifiers; rename")
        if "baseline" in self.networks:
            raise ValueError(
                "classifiers.baseline: is what segments without a network; rename"
            )
        salient, synthesis = self.salient, self.synthesis
        named = []
        if salient is not None:
            named += [("salient.classifiers", one) for one in salient.classifiers]
            named += [("salient.layers", one) for one in salient.layers]
            if salient.inversion is not None and salient.inversion.classifier:
                named.append(
                    ("salient.inversion.classifier", salient.inversion.classifier)
                )
        if synthesis is not None:
            named += [("synthesis.classifiers", one) for one in synthesis.classifiers]
            named += [("synthesis.filters", one) for one in synthesis.filters]
            if synthesis.judge is not None:
                named.append(("synthesis.judge", synthesis.judge))
        for key, one in named:
            if one not in self.networks:
                raise ValueError(
                    f"{key}: {one!r} is none of the networks {', '.join(self.networks)}"
                )

    def without_labels(self):
        """What a study whose images have no labels cannot have."""
        learning = [name for name, one in self.networks.items() if one.trained]
        if learning:
            own = learning[0] in self.classifiers
            place = "classifiers" if own else "companions"
            raise ValueError(
                f"{place}.{learning[0]}: training it needs labels, which reference:"
                " predictions does without; give it weights, or set reference: labels"
            )
        if self.data.classes is not None:
            raise ValueError(
                "data.classes: of no use with reference: predictions; leave them out"
            )
        if self.finetune.augment is not None:
            raise ValueError(
                "finetune.augment: must be null with reference: predictions, which are"
                " made on the images as they are"
            )


def missing_sources(study):
    """Complain of image sources that are not there, before anything runs.

    Raises:
        Mistake: every missing path with its key, and where to read how to get it.
    """
    named = [
        (f"data.{name}[{number}].{key}", getattr(source, key))
        for name in ("train", "validation", "photos", "photos_validation")
        for number, source in enumerate(getattr(study.data, name) or ())
        for key in ("path", "labels")
    ]
    if study.clean is not None:
        named += [
            (f"clean.{key}", getattr(study.clean, key))
            for key in ("hashes", "tree", "exclude", "placeholders")
        ]
        named += [
            (f"clean.metadata[{number}]", path)
            for number, path in enumerate(study.clean.metadata)
        ]
        if study.clean.zips is not None:
            named.append(("clean.zips.path", study.clean.zips.path))
    if study.salient is not None and study.salient.segmentation is not None:
        named.append(("salient.segmentation.path", study.salient.segmentation.path))
    missing = [
        f"{key}: there is no {path}"
        for key, path in named
        if path and not Path(path).exists()
    ]
    if missing:
        raise Mistake(
            f"{'; '.join(missing)}; put the images there or set the path"
            " (config/README.md, section Data, says how to get them)"
        )


def models_in(annotation):
    """The settings models inside an annotation, such as ``list[Source] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def keys_at(location):
    """The keys that are allowed where a validation error points."""
    model = Study
    for step in location:
        field = model.model_fields.get(step) if isinstance(step, str) else None
        if field is not None:
            model = (models_in(field.annotation) or [model])[0]
    return list(model.model_fields)


def explain(error, origin="config"):
    """A validation error in one line: the key, what is wrong, and the mend."""
    found = []
    for item in error.errors():
        key = ".".join(map(str, item["loc"]))
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            known = keys_at(item["loc"][:-1])
            near = difflib.get_close_matches(item["loc"][-1], known, 1)
            text = (
                f"unknown key; did you mean {near[0]!r}?"
                if near
                else (f"unknown key; known here: {', '.join(known)}")
            )
        elif item["type"] == "missing":
            text = "is missing"
        elif not isinstance(item["input"], dict | list):
            text = f"{text}, not {item['input']!r}"
        found.append(f"{key}: {text}" if key else text)
    return f"{origin}: " + "; ".join(found)


def load(values, origin="config"):
    """Typed settings from what YAML or JSON gave.

    Raises:
        Mistake: every unknown key, missing key and bad value, in one line.
    """
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        raise Mistake(explain(error, origin)) from None


def settings(model):
    """An argparse type: the JSON of one section of the settings."""

    def parse(text):
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            raise Mistake(explain(error, "--settings")) from None

    return parse


def section_json(study, *keys, **values):
    """The JSON of some top-level settings, and further values, in a fixed order.

    What a rule passes to its stage: reordered YAML changes nothing, and a colour
    retrains no network.
    """
    plain = study.model_dump(mode="json", include=set(keys))
    for name, value in values.items():
        is_model = isinstance(value, Settings)
        plain[name] = value.model_dump(mode="json") if is_model else value
    return json.dumps(plain, sort_keys=True)


def type_name(annotation):
    """A type as a reader of YAML would say it."""
    if annotation is type(None):
        return "null"
    if get_origin(annotation) is Annotated:
        return type_name(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return "mapping"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {type_name(arguments[0])}"
    if origin is tuple:
        return f"{len(arguments)} numbers"
    if origin is dict:
        return "mapping by name"
    if arguments:
        return " or ".join(type_name(argument) for argument in arguments)
    names = {int: "integer", float: "number", str: "text", bool: "true/false"}
    return names[annotation]


def sections(model=Study, place=""):
    """Every settings model below one, with the places where it stands.

    Returns:
        dict of model -> list of keys, such as ``pretrain.photos``; the study's own is
        the empty key.
    """
    found = {model: [place]}
    marks = {list: "[]", dict: ".NAME"}
    for name, field in model.model_fields.items():
        mark = marks.get(get_origin(field.annotation), "")
        for inner in models_in(field.annotation):
            key = f"{place}.{name}{mark}".lstrip(".")
            for below, places in sections(inner, key).items():
                found.setdefault(below, []).extend(places)
    return found


def document(model):
    """Rows (key, type, default, description) of one model's own keys."""
    for name, field in model.model_fields.items():
        if field.is_required():
            default = "required"
        elif isinstance(field.default, Settings):
            default = "see there"
        else:
            default = f"`{json.dumps(field.default)}`"
        yield name, type_name(field.annotation), default, field.description


def schema_text():
    """The JSON schema, for editors that complete and check YAML."""
    return json.dumps(Study.model_json_schema(), indent=1) + "\n"


def readme_text(text):
    """``config/README.md`` with the tables between its two marks made anew."""
    start, end = "<!-- settings -->\n", "<!-- /settings -->"
    head, _, rest = text.partition(start)
    lines = []
    for model, places in sections().items():
        places = ", ".join(f"`{place}`" for place in places if place) or "The study"
        lines += [f"### {places}", "", model.__doc__.strip().splitlines()[0], ""]
        lines += ["| key | type | default | meaning (source) |", "|---|---|---|---|"]
        lines += [
            f"| `{key}` | {kind} | {default} | {text} |"
            for key, kind, default, text in document(model)
        ]
        lines += [""]
    return head + start + "\n" + "\n".join(lines) + end + rest.partition(end)[2]


def main():
    for path, text in (
        (SCHEMA, schema_text()),
        (README, readme_text(README.read_text())),
    ):
        with replacing(path) as draft:
            draft.write_text(text)


if __name__ == "__main__":
    main()
