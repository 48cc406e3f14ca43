"""Classifiers that take pixels: one that can be trained, and one that is frozen."""

from collections.abc import Sequence
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2snets.runtime.errors import UserError


class PixelClassifier(nn.Module):
    """A classifier together with its preprocessing.

    Shapes: (N, 3, H, W) in [0, 1] -> (N, classes) logits. Pixels are resized, cropped
    and normalised, in this order; ``after`` may select among the logits.

    Args:
        net: takes normalised images, returns logits.
        mean: subtracted from the pixels, per channel.
        std: divides the pixels, per channel.
        resize: side to which images are resized, antialiased; None: not resized.
        crop: side of the centre crop after that; None: not cropped.
        interpolation: ``bilinear`` or ``bicubic``; the latter may leave [0, 1], as it
            does in torchvision.
        size: side of the images that are given, if known.
    """

    frozen = False
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        net: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        resize: int | None = None,
        crop: int | None = None,
        interpolation: str = "bilinear",
        size: int | None = None,
    ) -> None:
        super().__init__()
        self.net: nn.Module = net
        self.after: nn.Module = nn.Identity()
        self.resize, self.crop, self.interpolation = resize, crop, interpolation
        self.size = size
        for name, value in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1), False)
        if self.frozen:
            self.requires_grad_(False).eval()

    @property
    def input_side(self) -> int | None:
        """Side of the images that the network itself receives; None: not known."""
        return self.crop or self.resize or self.size

    def normalise(self, pixels: Tensor) -> Tensor:
        """Return pixels less ``mean``, over ``std``, at their own size."""
        return (pixels - self.mean) / self.std

    def prepare(self, pixels: Tensor) -> Tensor:
        """Return the images that the network itself receives.

        Raises:
            UserError: the crop is larger than the images.
        """
        if self.resize and pixels.shape[-2:] != (self.resize, self.resize):
            pixels = F.interpolate(
                pixels,
                (self.resize, self.resize),
                mode=self.interpolation,
                antialias=True,
            )
        if self.crop:
            height, width = pixels.shape[-2:]
            if min(height, width) < self.crop:
                raise UserError(
                    f"classifier: crop {self.crop} is larger than its {height}×{width}"
                    " images; lower crop, or set resize"
                )
            # as torchvision rounds
            top, left = (round((side - self.crop) / 2) for side in (height, width))
            pixels = pixels[..., top : top + self.crop, left : left + self.crop]
        return self.normalise(pixels)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the logits."""
        return self.after(self.net(self.prepare(pixels)))


class FrozenClassifier(PixelClassifier):
    """A classifier whose weights never change.

    Gradients reach the input and never the weights; batch norm and dropout stay in
    evaluation mode even when a parent calls ``train()``.
    """

    frozen = True

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode."""
        return super().train(False)
