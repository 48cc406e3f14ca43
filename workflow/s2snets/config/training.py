"""Settings of the trainings: those of all, and those of each."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from s2snets.config.base import (
    Count,
    Distinct,
    Fraction,
    NonNegative,
    Part,
    Positive,
    Settings,
)


class Optimisation(Settings):
    """Settings that every training has."""

    images: Count = Field(description="Images seen in all.")
    batch: Count = Field(64, description="Images in a step.")
    optimiser: Literal["sgd", "adam"] = Field(
        "sgd", description="SGD with momentum or Adam (paper: SGD; section 3.2)."
    )
    learning_rate: Positive = Field(
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
    freeze_norm: Fraction = Field(
        1.0,
        description="Fraction of the images after which batch norm no longer normalises"
        " by the batch but by its running averages, as in evaluation, and keeps them."
        " 1: never (paper: silent).",
    )
    compile: bool = Field(
        False, description="Let torch.compile fuse the network's operations."
    )
    deterministic: bool = Field(
        True,
        description="Compute the same bits in every run on the same machine. false:"
        " faster on GPUs, with the algorithms that are fastest there, TF32 in place of"
        " float32 in products, and fused optimisers.",
    )

    @model_validator(mode="after")
    def check_micro_batch(self) -> Self:
        """Require a micro batch that divides the batch."""
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
        description="Displacement of the window, uniform in ± this fraction of the room"
        " that magnification leaves (of the border that reduction adds).",
    )
    noise: NonNegative = Field(
        0.03, description="Strength of uniform noise, drawn up to ± this, in pixels."
    )
    blur: NonNegative = Field(
        0.0033,
        description="Greatest deviation of Gaussian blur, as a fraction of the side.",
    )
    brightness: NonNegative = Field(0.5, description="Offset, uniform in ± this / 2.")
    contrast: NonNegative = Field(
        1.0,
        description="Factor 1 + u about mid-grey, u uniform in ± this; above 1 some"
        " images are inverted.",
    )
    color: NonNegative = Field(
        0.5, description="Offset of each channel separately, uniform in ± this / 2."
    )
    mirror: Fraction = Field(0.5, description="Probability of a left-right flip.")
    pixelwise: Fraction = Field(
        0.5,
        description="Probability of each of noise, blur, brightness, contrast, color.",
    )

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Require the least magnification first."""
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale: give the least first, not {list(self.scale)}")
        return self


class Training(Optimisation):
    """Supervised training of the classifiers without weights."""

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
    single_pass: bool = Field(
        False,
        description="Stop, before training, if the corpus has fewer images than"
        " `images`, rather than show some of them again (each photograph is seen once;"
        " section 3.2).",
    )
    loss_space: Literal["normalised", "pixels"] = Field(
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
        Pretraining(), description="On photographs; the result is A_S (section 3.2)."
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
    """Training of the learned denoiser, from noisy to clean photographs."""

    augment: Augmentation | None = Field(
        Augmentation(noise=0.0, blur=0.0),
        description="Augmentation of the clean images, without noise or blur; null:"
        " none.",
    )


class Finetune(Optimisation):
    """Fine-tuning of the autoencoder for one frozen classifier (section 3.3)."""

    images: Count = Field(
        1_281_167, description="Images seen in all (not in print: one epoch)."
    )
    parts: Annotated[list[Part], Distinct] = Field(
        ["decoder"],
        min_length=1,
        description="Parts that are trained; the first is the study's main one, others"
        " are compared with it (decoder; section 3.3).",
    )
    replicates: Count = Field(
        1,
        description="Times that each autoencoder is tuned, from the same A_S through"
        " the same networks, with the images in another order each time. From 2 on,"
        " intervals contain the variance of this training (not in print: 1).",
    )
    target: Literal["class", "probabilities"] = Field(
        "class",
        description="What the loss compares the classifier's output with: by"
        " cross-entropy its label, or without labels the class that it predicts on the"
        " original (section 3.3); or by the Kullback-Leibler divergence all its"
        " probabilities on the original, which says more of each image and needs no"
        " labels.",
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
