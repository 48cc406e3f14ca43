"""Deep generator networks (Despraz et al. 2017, table 2, and their published code).

A feature vector, weighted by α, becomes a small plane, and blocks of upsampling and
convolutions make an image of it. The published network is that of 224 pixels; others
follow the rule of ``plan``.

Where the code left the image in its classifier's units (BGR levels less their mean),
this one ends in a sigmoid, so that pixels are in [0, 1] for any classifier. The last
batch norm starts with gain 1 and offset 0, which a sigmoid turns into mean 0.5 and
deviation 0.21: the contrast of photographs. Greater gains saturate, which is what the
regulariser on them is for.
"""

from math import prod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

SIZE = 224
WIDTHS = (512, 256, 256, 128, 128)  # of table 2, without its last block
CHANNELS = 128  # of the first plane
PAIR = 64  # of the block that only the autoencoder's decoder has
SMALLEST = 5  # side of the first plane, at most
ENCODER = (32, 64, 128, 256, 512)
HIDDEN = 2048


class Plan(NamedTuple):
    """What a generator of some image size is made of."""

    code: tuple[int, int, int]  # the first plane: channels, height, width
    blocks: tuple[tuple[int, int], ...]  # width and kernel of each
    kernel: int  # of the convolution that makes the image's size exact
    pair: int  # channels of the decoder's last block


def kernel_onto(side):
    """Kernel of the valid convolution that leaves ``side`` of a doubled plane."""
    if side % 2 == 0:
        return 3
    return 2 if side < 2 * SMALLEST else 4


def scaled(width, size):
    """A width of the published network at another image size: a multiple of eight."""
    return max(16, 8 * round(width * min(size, SIZE) / SIZE / 8))


def plan(size=SIZE):
    """The generator's plan for square images of ``size`` pixels.

    From the image backwards: each plane is what a valid convolution leaves of one
    twice as large as the plane before, until that is at most 5 × 5. The kernel is
    3 × 3, or of even side where the plane's is odd: 224 pixels give the published
    5, 9, 16, 30, 58, 113 with kernels 2, 3, 3, 3, 4. Smaller images have the last of
    the published blocks, in proportion narrower; greater ones repeat the first.

    Raises:
        ValueError: fewer than 8 pixels.
    """
    if size < 8:
        raise ValueError(f"no generator of images of {size} pixels, fewer than 8")
    last = 3 if size % 2 == 0 else 4
    side, kernels = (size + last - 1) // 2, []
    while not kernels or side > SMALLEST:
        kernels.insert(0, kernel_onto(side))
        side = (side + kernels[0] - 1) // 2
    widths = (WIDTHS[:1] * len(kernels) + WIDTHS)[-len(kernels) :]
    blocks = tuple(
        (scaled(width, size), kernel)
        for width, kernel in zip(widths, kernels, strict=True)
    )
    return Plan((scaled(CHANNELS, size), side, side), blocks, last, scaled(PAIR, size))


class ImageNorm(nn.BatchNorm2d):
    """Batch norm by each image's own statistics, in training and after it.

    That is how the published code works, with its batches of one; and an image does
    not depend on the others of its batch. The state is that of a batch norm.
    """

    def forward(self, x):
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


class Conv(nn.Conv2d):
    """A convolution as Keras has it: even kernels pad 'same' by one more at the end."""

    def __init__(self, channels, width, kernel, padding):
        super().__init__(channels, width, kernel)
        before, after = (kernel - 1) // 2, kernel // 2
        self.pads = (before, after) * 2 if padding == "same" else (0,) * 4
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x):
        return super().forward(F.pad(x, self.pads) if any(self.pads) else x)


def block(channels, width, kernel, norm):
    """Twice the plane, less a kernel; two convolutions, each with ReLU, then norm."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        Conv(channels, width, kernel, "valid"), nn.ReLU(), norm(width),
        Conv(width, width, kernel, "same"), nn.ReLU(), norm(width),
    )  # fmt: skip


class Decoder(nn.Module):
    """Codes (N, C·h·w) -> pixels (N, 3, size, size) in [0, 1].

    Args:
        size: of the images, pixels.
        pair: with the block of 64 channels, as in the published autoencoder. Without,
            its upsampled plane goes to the image at once, through a ReLU, as in the
            code that starts from scratch; with it the image's convolution is linear.
        norm: a batch norm.
    """

    def __init__(self, size=SIZE, pair=False, norm=ImageNorm):
        super().__init__()
        self.plan = chosen = plan(size)
        channels, blocks = chosen.code[0], []
        for width, kernel in chosen.blocks:
            blocks.append(block(channels, width, kernel, norm))
            channels = width
        if pair:
            blocks.append(block(channels, chosen.pair, chosen.kernel, norm))
            image = [Conv(chosen.pair, 3, 3, "same")]
        else:
            blocks.append(nn.Upsample(scale_factor=2))
            image = [Conv(channels, 3, chosen.kernel, "valid"), nn.ReLU()]
        self.blocks = nn.Sequential(*blocks)
        self.image = nn.Sequential(*image)
        self.norm = norm(3)

    def forward(self, codes):
        planes = self.blocks(codes.unflatten(1, self.plan.code))
        return self.norm(self.image(planes)).sigmoid()


class Generator(nn.Module):
    """Feature vectors (N, ``length``), with their noise -> pixels (N, 3, size, size).

    The published network G: 5,240,841 parameters, all of which are sought from
    scratch; with a pretrained decoder 5,350,089, of which α's 3,200 are.

    Args:
        size: of the images, pixels.
        pretrained: its decoder is an autoencoder's: with the 64-channel pair, without
            gradients, and its code is not negative (a ReLU follows α).
    """

    def __init__(self, size=SIZE, pretrained=False):
        super().__init__()
        self.size, self.pretrained = size, pretrained
        self.decoder = Decoder(size, pair=pretrained).requires_grad_(not pretrained)
        self.length = prod(self.decoder.plan.code)
        self.alpha = nn.Parameter(torch.empty(self.length))
        if pretrained:
            nn.init.ones_(self.alpha)
        else:  # Glorot's limit, as Keras reckons it for a layer of this shape
            limit = (3 / self.length**0.5) ** 0.5
            nn.init.uniform_(self.alpha, -limit, limit)

    def forward(self, features):
        codes = features * self.alpha
        return self.decoder(codes.relu() if self.pretrained else codes)

    @property
    def trainable(self):
        """What is sought, by name."""
        parameters = self.named_parameters()
        return {name: value for name, value in parameters if value.requires_grad}


class Encoder(nn.Module):
    """Pixels (N, 3, size, size) -> codes (N, C·h·w), unbounded.

    Pairs of 3 × 3 convolutions, each with ReLU, then norm, and pools, as many of the
    published five as leave a plane; two dense layers. Convolutions keep their plane's
    size, so that small images survive; the published ones are valid.
    """

    def __init__(self, size=SIZE):
        super().__init__()
        chosen = plan(size)
        channels, side, layers = 3, size, []
        for full in ENCODER[: len(chosen.blocks)]:
            width = scaled(full, size)
            for entering in (channels, width):
                layers += [
                    Conv(entering, width, 3, "same"), nn.ReLU(), nn.BatchNorm2d(width),
                ]  # fmt: skip
            layers.append(nn.MaxPool2d(2))
            channels, side = width, side // 2
        hidden = scaled(HIDDEN, size)
        self.planes = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * side**2, hidden), nn.ReLU(),
            nn.Linear(hidden, prod(chosen.code)),
        )  # fmt: skip

    def forward(self, pixels):
        return self.dense(self.planes(2 * pixels - 1))


class Autoencoder(nn.Module):
    """Pixels (N, 3, size, size) in [0, 1] -> pixels, through a generator's code.

    Learns with batch norm over the batch; ``decoder`` has the state of a pretrained
    ``Generator``'s decoder. Noise on the pixels is the objective's (section 4.2).
    """

    def __init__(self, size=SIZE):
        super().__init__()
        self.encoder = Encoder(size)
        self.decoder = Decoder(size, pair=True, norm=nn.BatchNorm2d)

    def forward(self, pixels):
        return self.decoder(self.encoder(pixels))
