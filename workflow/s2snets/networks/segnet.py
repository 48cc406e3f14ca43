"""SegNet as an autoencoder (Palacio et al. 2018, section 3.1).

Two VGG-16 stacks with batch norm, the second reversed; the positions of the maxima in
the encoder's poolings (the *switches*) guide the decoder's unpooling. The decoder ends
in an extra linear 1×1 convolution, as in the authors' published code.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2snets.config.base import Part

Plan = Sequence[Sequence[int]]  # channels of each convolution, stage by stage

PLAN: Plan = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
FULL_WIDTH = PLAN[0][0]
FULL_STAGES = len(PLAN)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

HALVES = ("encoder", "decoder")
TRAINED_HALVES: dict[str, tuple[str, ...]] = {
    part: HALVES if part == "both" else (part,) for part in get_args(Part)
}
"""The halves of a SegNet that fine-tuning of each part trains."""


class Switches(NamedTuple):
    """The positions of a pooling's maxima."""

    positions: Tensor  # (N, C, h, w), flat in the pooled plane
    size: torch.Size  # that plane's (H, W), so that unpooling restores odd sizes


def scaled_plan(width: int = FULL_WIDTH, stages: int = FULL_STAGES) -> Plan:
    """Return the first ``stages`` stages of VGG-16, ``width`` channels in the first.

    Raises:
        ValueError: ``stages`` is not in 1 to 5 or ``width`` is below 1.
    """
    if not 1 <= stages <= len(PLAN) or width < 1:
        raise ValueError(f"no SegNet of width {width} with {stages} stages")
    return tuple(
        tuple(channels * width // FULL_WIDTH for channels in stage)
        for stage in PLAN[:stages]
    )


def conv_stack(channels: int, widths: Sequence[int]) -> nn.Sequential:
    """Return 3×3 convolution, batch norm and ReLU, once per width."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [
            nn.Conv2d(channels, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        channels = width
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """The first half: normalised pixels to a code and one Switches per stage.

    Shapes: (N, 3, H, W) -> (N, C, h, w).
    """

    def __init__(self, plan: Plan = PLAN, channels: int = 3) -> None:
        super().__init__()
        inputs = (channels, *(widths[-1] for widths in plan))
        self.stages = nn.ModuleList(
            conv_stack(width, widths)
            for width, widths in zip(inputs, plan, strict=False)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, list[Switches]]:
        """Return the code and the switches, first stage first."""
        switches = []
        for stage in self.stages:
            x = stage(x)
            size = x.shape[-2:]
            x, positions = F.max_pool2d(x, 2, return_indices=True)
            switches.append(Switches(positions, size))
        return x, switches


class Decoder(nn.Module):
    """The second half: the encoder's code and switches to normalised pixels.

    Shapes: (N, C, h, w) -> (N, 3, H, W).
    """

    def __init__(self, plan: Plan = PLAN, channels: int = 3) -> None:
        super().__init__()
        below = (plan[0][0], *(widths[-1] for widths in plan[:-1]))
        self.stages = nn.ModuleList(
            conv_stack(widths[-1], (*widths[:-1], width))
            for widths, width in zip(plan, below, strict=True)
        )
        self.pixels = nn.Conv2d(plan[0][0], channels, 1)

    def forward(self, x: Tensor, switches: list[Switches]) -> Tensor:
        """Unpool and convolve, last stage first."""
        for stage, maxima in zip(
            reversed(self.stages), reversed(switches), strict=True
        ):
            x = F.max_unpool2d(x, maxima.positions, (2, 2), output_size=maxima.size)
            x = stage(x)
        return self.pixels(x)


class SegNet(nn.Module):
    """An autoencoder of pixels.

    Shapes: (N, 3, H, W) in [0, 1] -> (N, 3, H, W), unbounded: clip before display.
    H and W may be any size of at least 2**stages. As in the published code, pixels are
    standardised with ImageNet's mean and deviation on the way in, and back on the way
    out.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, width: int = FULL_WIDTH, stages: int = FULL_STAGES) -> None:
        super().__init__()
        plan = scaled_plan(width, stages)
        self.encoder = Encoder(plan)
        self.decoder = Decoder(plan)
        for name, value in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1), False)

    def encode(self, pixels: Tensor) -> tuple[Tensor, list[Switches]]:
        """Return the code of pixels (N, 3, H, W), and the switches."""
        return self.encoder((pixels - self.mean) / self.std)

    def decode(self, code: Tensor, switches: list[Switches]) -> Tensor:
        """Return the pixels (N, 3, H, W) of a code."""
        return self.decoder(code, switches) * self.std + self.mean

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the reconstruction."""
        return self.decode(*self.encode(pixels))


class Tuned(nn.Module):
    """A SegNet of which only one part is trained (section 3.3).

    The fixed part has no gradients and keeps its batch-norm statistics, even when a
    parent calls ``train()``: code and switches of a fixed encoder never change.
    """

    def __init__(self, autoencoder: SegNet, part: str) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.trained = TRAINED_HALVES[part]
        for half in HALVES:
            getattr(autoencoder, half).requires_grad_(half in self.trained)

    def train(self, mode: bool = True) -> Self:
        """Set the training mode of the trained part alone."""
        super().train(mode)
        for half in HALVES:
            getattr(self.autoencoder, half).train(mode and half in self.trained)
        return self

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the reconstruction; a fixed encoder records no gradients."""
        trained = "encoder" in self.trained and torch.is_grad_enabled()
        with torch.set_grad_enabled(trained):
            code, switches = self.autoencoder.encode(pixels)
        return self.autoencoder.decode(code, switches)
