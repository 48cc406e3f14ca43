"""Deep generator networks (Despraz et al. 2017, table 2, and their published code).

A feature vector, weighted by α, becomes a small plane; blocks of upsampling and
convolutions turn it into an image. The published network makes 224 pixels; other sizes
follow the rule of ``make_plan``.

The published code leaves the image in its classifier's units (BGR levels less their
mean); this network ends in a sigmoid, so that pixels are in [0, 1] for any classifier.
The last batch norm starts with gain 1 and offset 0, which a sigmoid turns into mean 0.5
and deviation 0.21: the contrast of photographs. Greater gains saturate, hence the
regulariser on them.
"""

from math import prod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FULL_SIZE = 224
DECODER_WIDTHS = (512, 256, 256, 128, 128)  # of table 2, without its last block
CODE_CHANNELS = 128
PAIR_WIDTH = 64  # of the block that only the autoencoder's decoder has
MAX_CODE_SIDE = 5
ENCODER_WIDTHS = (32, 64, 128, 256, 512)
ENCODER_HIDDEN = 2048


class Plan(NamedTuple):
    """The sizes of a generator's planes, blocks and kernels."""

    code: tuple[int, int, int]  # the first plane: channels, height, width
    blocks: tuple[tuple[int, int], ...]  # width and kernel of each
    kernel: int  # of the convolution that makes the image's size exact
    pair: int  # channels of the decoder's last block


def kernel_for(side: int) -> int:
    """Return the kernel that leaves ``side`` of a doubled plane, unpadded."""
    if side % 2 == 0:
        return 3
    return 2 if side < 2 * MAX_CODE_SIDE else 4


def scaled_width(width: int, size: int) -> int:
    """Return a width of the published network at another image size, in eights."""
    return max(16, 8 * round(width * min(size, FULL_SIZE) / FULL_SIZE / 8))


def make_plan(size: int = FULL_SIZE) -> Plan:
    """Return the plan of a generator of square images of ``size`` pixels.

    From the image backwards: each plane is what a valid convolution leaves of one
    twice as large as the plane before, until that is at most 5 × 5. The kernel is
    3 × 3, or of even side where the plane's is odd: 224 pixels give the published
    5, 9, 16, 30, 58, 113 with kernels 2, 3, 3, 3, 4. Smaller images have the last of
    the published blocks, narrower in proportion; larger ones repeat the first.

    Raises:
        ValueError: fewer than 8 pixels.
    """
    if size < 8:
        raise ValueError(f"no generator of images of {size} pixels, fewer than 8")
    last = 3 if size % 2 == 0 else 4
    side, kernels = (size + last - 1) // 2, list[int]()
    while not kernels or side > MAX_CODE_SIDE:
        kernels.insert(0, kernel_for(side))
        side = (side + kernels[0] - 1) // 2
    widths = (DECODER_WIDTHS[:1] * len(kernels) + DECODER_WIDTHS)[-len(kernels) :]
    blocks = tuple(
        (scaled_width(width, size), kernel)
        for width, kernel in zip(widths, kernels, strict=True)
    )
    code = (scaled_width(CODE_CHANNELS, size), side, side)
    return Plan(code, blocks, last, scaled_width(PAIR_WIDTH, size))


class ImageNorm(nn.BatchNorm2d):
    """Batch norm by each image's own statistics, in training and in evaluation.

    The published code does this, with its batches of one; an image does not depend on
    the others of its batch. The state is that of a batch norm.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) image by image."""
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


class KerasConv(nn.Conv2d):
    """A convolution as in Keras: even kernels pad 'same' by one more at the end."""

    def __init__(self, channels: int, width: int, kernel: int, padding: str) -> None:
        super().__init__(channels, width, kernel)
        assert self.bias is not None
        before, after = (kernel - 1) // 2, kernel // 2
        self.pads = (before, after) * 2 if padding == "same" else (0,) * 4
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve."""
        return super().forward(F.pad(x, self.pads) if any(self.pads) else x)


def upsampling_block(
    channels: int, width: int, kernel: int, norm: type[nn.BatchNorm2d]
) -> nn.Sequential:
    """Return twofold upsampling and two convolutions, each with ReLU, then norm."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        KerasConv(channels, width, kernel, "valid"), nn.ReLU(), norm(width),
        KerasConv(width, width, kernel, "same"), nn.ReLU(), norm(width),
    )  # fmt: skip


class Decoder(nn.Module):
    """A decoder of codes (N, C·h·w) to pixels (N, 3, size, size) in [0, 1].

    With ``pair`` it has the published autoencoder's block of 64 channels, and its last
    convolution is linear. Without, as in the code that starts from scratch, the last
    upsampled plane becomes the image at once, through a ReLU.
    """

    def __init__(
        self,
        size: int = FULL_SIZE,
        pair: bool = False,
        norm: type[nn.BatchNorm2d] = ImageNorm,
    ) -> None:
        super().__init__()
        self.plan = plan = make_plan(size)
        channels, blocks = plan.code[0], list[nn.Module]()
        for width, kernel in plan.blocks:
            blocks.append(upsampling_block(channels, width, kernel, norm))
            channels = width
        if pair:
            blocks.append(upsampling_block(channels, plan.pair, plan.kernel, norm))
            image: list[nn.Module] = [KerasConv(plan.pair, 3, 3, "same")]
        else:
            blocks.append(nn.Upsample(scale_factor=2))
            image = [KerasConv(channels, 3, plan.kernel, "valid"), nn.ReLU()]
        self.blocks = nn.Sequential(*blocks)
        self.image = nn.Sequential(*image)
        self.norm = norm(3)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the pixels."""
        planes = self.blocks(codes.unflatten(1, self.plan.code))
        return self.norm(self.image(planes)).sigmoid()


class Generator(nn.Module):
    """The published network G: noisy features (N, ``length``) to (N, 3, size, size).

    It has 5,240,841 parameters, all of which are optimised from scratch; with a
    pretrained decoder 5,350,089, of which only α's 3,200 are.

    A pretrained decoder is an autoencoder's: with the 64-channel pair, without
    gradients, and its code is not negative (a ReLU follows α).
    """

    def __init__(self, size: int = FULL_SIZE, pretrained: bool = False) -> None:
        super().__init__()
        self.size, self.pretrained = size, pretrained
        self.decoder = Decoder(size, pair=pretrained).requires_grad_(not pretrained)
        self.length = prod(self.decoder.plan.code)
        self.alpha = nn.Parameter(torch.empty(self.length))
        if pretrained:
            nn.init.ones_(self.alpha)
        else:  # Glorot's limit, as Keras computes it for a layer of this shape
            limit = (3 / self.length**0.5) ** 0.5
            nn.init.uniform_(self.alpha, -limit, limit)

    def forward(self, features: Tensor) -> Tensor:
        """Return the pixels."""
        codes = features * self.alpha
        return self.decoder(codes.relu() if self.pretrained else codes)

    @property
    def trainable(self) -> dict[str, nn.Parameter]:
        """The optimised parameters by name."""
        parameters = self.named_parameters()
        return {name: value for name, value in parameters if value.requires_grad}


class Encoder(nn.Module):
    """The autoencoder's encoder: pixels (N, 3, size, size) to codes (N, C·h·w).

    Pairs of 3 × 3 convolutions, each with ReLU, then norm, and pools, as many of the
    published five as leave a plane; two dense layers. Convolutions keep the size of the
    plane, so that small images survive; the published ones are valid.
    """

    def __init__(self, size: int = FULL_SIZE) -> None:
        super().__init__()
        plan = make_plan(size)
        channels, side, layers = 3, size, list[nn.Module]()
        for full_width in ENCODER_WIDTHS[: len(plan.blocks)]:
            width = scaled_width(full_width, size)
            for inputs in (channels, width):
                layers += [
                    KerasConv(inputs, width, 3, "same"), nn.ReLU(),
                    nn.BatchNorm2d(width),
                ]  # fmt: skip
            layers.append(nn.MaxPool2d(2))
            channels, side = width, side // 2
        hidden = scaled_width(ENCODER_HIDDEN, size)
        self.planes = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * side**2, hidden), nn.ReLU(),
            nn.Linear(hidden, prod(plan.code)),
        )  # fmt: skip

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the codes, unbounded."""
        return self.dense(self.planes(2 * pixels - 1))


class Autoencoder(nn.Module):
    """An autoencoder of pixels (N, 3, size, size) in [0, 1] through a generator's code.

    It is trained with batch norm over the batch; its ``decoder`` has the state of a
    pretrained ``Generator``'s decoder. The objective adds noise to the pixels
    (section 4.2).
    """

    def __init__(self, size: int = FULL_SIZE) -> None:
        super().__init__()
        self.encoder = Encoder(size)
        self.decoder = Decoder(size, pair=True, norm=nn.BatchNorm2d)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the reconstruction."""
        return self.decoder(self.encoder(pixels))
