"""SegNet as an autoencoder (Palacio et al. 2018, section 3.1).

Two VGG-16 stacks with batch norm, the second reversed; the places of the maxima
that the encoder's pools took (the *switches*) guide the decoder's unpooling. The
decoder ends in an extra linear 1×1 convolution, as in the authors' published code.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PLAN = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
FULL_WIDTH = PLAN[0][0]
FULL_STAGES = len(PLAN)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Switches(NamedTuple):
    """Where a pool's maxima stood."""

    index: Tensor  # (N, C, h, w), flat positions in the plane below
    size: torch.Size  # that plane's (H, W): odd sizes survive unpooling


def scaled_plan(width=FULL_WIDTH, stages=FULL_STAGES):
    """The first ``stages`` stages of VGG-16's plan, ``width`` channels in the first.

    Raises:
        ValueError: ``stages`` is not in 1 to 5 or ``width`` is below 1.
    """
    if not 1 <= stages <= len(PLAN) or width < 1:
        raise ValueError(f"no SegNet of width {width} with {stages} stages")
    return tuple(
        tuple(channels * width // FULL_WIDTH for channels in stage)
        for stage in PLAN[:stages]
    )


def stack(channels, widths):
    """3×3 convolution, batch norm and ReLU, once per width."""
    layers = []
    for width in widths:
        layers += [
            nn.Conv2d(channels, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        channels = width
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """(N, 3, H, W) normalised pixels -> (N, C, h, w) code and one Switches a stage."""

    def __init__(self, plan=PLAN, channels=3):
        super().__init__()
        inputs = (channels, *(widths[-1] for widths in plan))
        self.stages = nn.ModuleList(
            stack(width, widths) for width, widths in zip(inputs, plan, strict=False)
        )

    def forward(self, x):
        taken = []
        for stage in self.stages:
            x = stage(x)
            size = x.shape[-2:]
            x, index = F.max_pool2d(x, 2, return_indices=True)
            taken.append(Switches(index, size))
        return x, taken


class Decoder(nn.Module):
    """The encoder's code and switches -> (N, 3, H, W) normalised pixels."""

    def __init__(self, plan=PLAN, channels=3):
        super().__init__()
        below = (plan[0][0], *(widths[-1] for widths in plan[:-1]))
        self.stages = nn.ModuleList(
            stack(widths[-1], (*widths[:-1], width))
            for widths, width in zip(plan, below, strict=True)
        )
        self.pixels = nn.Conv2d(plan[0][0], channels, 1)

    def forward(self, x, switches):
        for stage, (index, size) in zip(
            reversed(self.stages), reversed(switches), strict=True
        ):
            x = stage(F.max_unpool2d(x, index, 2, output_size=size))
        return self.pixels(x)


class SegNet(nn.Module):
    """An autoencoder of pixels.

    Shapes: (N, 3, H, W) in [0, 1] -> (N, 3, H, W), unbounded: clip it to show it.
    H and W may be any size of at least 2**stages. The published code standardises
    with ImageNet's mean and deviation on the way in and reverts it on the way out;
    so does this module.
    """

    def __init__(self, width=FULL_WIDTH, stages=FULL_STAGES):
        super().__init__()
        plan = scaled_plan(width, stages)
        self.encoder = Encoder(plan)
        self.decoder = Decoder(plan)
        for name, value in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1), False)

    def encode(self, pixels):
        return self.encoder((pixels - self.mean) / self.std)

    def decode(self, code, switches):
        return self.decoder(code, switches) * self.std + self.mean

    def forward(self, pixels):
        return self.decode(*self.encode(pixels))


PARTS = {
    "encoder": ("encoder",),
    "decoder": ("decoder",),
    "both": ("encoder", "decoder"),
}


class Tuned(nn.Module):
    """A SegNet of which only one part learns (section 3.3).

    The fixed part has no gradients and keeps its batch-norm statistics, also when a
    parent calls ``train()``: code and switches of a fixed encoder never move.

    Args:
        part: ``encoder``, ``decoder`` or ``both``.
    """

    def __init__(self, autoencoder, part):
        super().__init__()
        self.autoencoder = autoencoder
        self.part = part
        self.learns = PARTS[part]
        for name in ("encoder", "decoder"):
            getattr(autoencoder, name).requires_grad_(name in self.learns)

    def train(self, mode=True):
        super().train(mode)
        for name in ("encoder", "decoder"):
            getattr(self.autoencoder, name).train(mode and name in self.learns)
        return self

    def forward(self, pixels):
        learns = "encoder" in self.learns and torch.is_grad_enabled()
        with torch.set_grad_enabled(learns):
            code, switches = self.autoencoder.encode(pixels)
        return self.autoencoder.decode(code, switches)
