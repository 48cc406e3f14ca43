"""Classifiers that take pixels: learning ones and frozen ones."""

import torch
import torch.nn.functional as F
from torch import nn

from s2snets.runtime.errors import UserError


class Prepared(nn.Module):
    """A classifier with all that happens to pixels before it.

    Shapes: (N, 3, H, W) in [0, 1] -> (N, classes) logits. Resizing, cropping and
    normalisation happen inside, in this order; a choice among the logits, `after`,
    behind the network.

    Args:
        net: takes normalised images, returns logits.
        mean, std: per channel, in pixels.
        resize: side that the images are resized to, antialiased; None: as they come.
        crop: side of the centre crop after that; None: none.
        interpolation: how it resizes, ``bilinear`` or ``bicubic``; the latter may leave
            [0, 1], as it does in torchvision.
        size: side of the images that come, where it is known.
    """

    def __init__(
        self,
        net,
        mean,
        std,
        resize=None,
        crop=None,
        interpolation="bilinear",
        size=None,
    ):
        super().__init__()
        self.net, self.after = net, nn.Identity()
        self.resize, self.crop, self.interpolation = resize, crop, interpolation
        self.size = size
        for name, value in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1), False)

    @property
    def native(self):
        """Side of the images that the network itself sees; None: not known."""
        return self.crop or self.resize or self.size

    def prepare(self, pixels):
        """What the network itself sees of the pixels.

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
        return (pixels - self.mean) / self.std

    def forward(self, pixels):
        return self.after(self.net(self.prepare(pixels)))


class Frozen(Prepared):
    """A classifier whose weights never move.

    Gradients reach the input and never the weights; batch norm and dropout stay in
    evaluation mode whatever a parent does.
    """

    def __init__(self, net, *preprocessing, **named):
        super().__init__(net.requires_grad_(False), *preprocessing, **named)
        self.eval()

    def train(self, mode=True):
        return super().train(False)
