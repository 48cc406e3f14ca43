"""The study's own classifiers: their authors' designs, most of them for small images.

Each is a function of the number of classes and the input's side in pixels. torchvision
has the full-size networks, none of which fits a 32-pixel image. What defines each
design is kept: LeCun's squashing units and average pools, Krizhevsky's overlapping
pools and dropout, Simonyan's stacks of 3×3 (with batch norm), Szegedy's parallel
branches, He's residual sums. AlexNet with local response normalisation, which
torchvision lacks, is here at both sizes.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2snets.runtime.errors import UserError

LEVELS = 255 * 0.226
"""ImageNet's deviation, averaged over the colours, in levels of 0 to 255."""


def output_side(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Return the side of a plane after a convolution or pool."""
    return (size + 2 * padding - kernel) // stride + 1


def lenet5(classes: int = 10, size: int = 32) -> nn.Sequential:
    """Return LeNet-5 (LeCun et al. 1998, section II.B): 6-16-120-84, tanh, mean pools.

    At 32 pixels C5 receives 5×5 planes, as in print; at other sizes whatever S4
    leaves, so that 224 pixels give the "modified" LeNet of Palacio et al. 2018. The
    pools have no trained coefficients and the output is linear, not Gaussian.
    """
    side = output_side(output_side(size, 5) // 2, 5) // 2
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * side * side, 120), nn.Tanh(),
        nn.Linear(120, 84), nn.Tanh(),
        nn.Linear(84, classes),
    )  # fmt: skip


def small_alexnet(
    classes: int = 10, size: int = 32, norms: Sequence[nn.Module] = ()
) -> nn.Sequential:
    """Return AlexNet (Krizhevsky et al. 2012): five convolutions, 3/2 pools, dropout.

    ``norms`` follow the first two rectifiers; by default none, as in torchvision.
    """
    side = output_side(output_side(output_side(size, 5, padding=2), 3, 2), 3, 2)
    side = output_side(side, 3, 2)
    return nn.Sequential(
        nn.Conv2d(3, 24, 5, padding=2), nn.ReLU(inplace=True), *norms[:1],
        nn.MaxPool2d(3, 2),
        nn.Conv2d(24, 64, 5, padding=2), nn.ReLU(inplace=True), *norms[1:],
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 96, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(96, 64, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(64 * side * side, 256), nn.ReLU(inplace=True),
        nn.Dropout(0.5), nn.Linear(256, 256), nn.ReLU(inplace=True),
        nn.Linear(256, classes),
    )  # fmt: skip


class ResponseNorm(nn.LocalResponseNorm):
    """AlexNet's local response normalisation (Krizhevsky et al. 2012, section 3.3).

    While training, the channels' windows are summed by a 1×1 convolution and the power
    3/4 is taken by square roots, which is faster on a CPU than torch's function. In
    evaluation that function is called, so that what intercepts functions finds it.

    Args:
        alpha: of the sum of squares over five channels.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__(5, alpha, 0.75, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return x / (1 + α/5 · sum of the squares of five channels)^(3/4)."""
        if not self.training:
            return super().forward(x)
        channel = torch.arange(x.shape[1], device=x.device)
        near = (channel[:, None] - channel).abs() <= self.size // 2
        window = near.to(x.dtype)[:, :, None, None] * (self.alpha / self.size)
        inverse_root = (F.conv2d(x.square(), window) + self.k).rsqrt()
        return x * inverse_root * inverse_root.sqrt()


def response_norms(deviation: float = 1.0) -> list[nn.Module]:
    """Return AlexNet's two response norms, with α as in Caffe.

    Args:
        deviation: levels of 0 to 255, which Caffe's networks receive, per unit of the
            input here. Without it this α would hardly change normalised images.
    """
    alpha = 1e-4 * deviation**2
    return [ResponseNorm(alpha) for _ in range(2)]


def small_alexnet_lrn(classes: int = 10, size: int = 32) -> nn.Sequential:
    """Return ``small_alexnet`` with local response normalisation, as published."""
    return small_alexnet(classes, size, response_norms(LEVELS))


def caffe_alexnet(classes: int = 1000, size: int = 227) -> nn.Sequential:
    """Return Caffe's AlexNet: two groups, response norms, 61 M parameters.

    At 227 pixels it fits weights that were trained with Caffe: on levels of 0 to 255,
    that is a ``std`` of 1/255, and blue first, so that the first kernels' channels must
    be reversed.

    Raises:
        UserError: images too small for its pools.
    """
    side = output_side(
        output_side(output_side(output_side(size, 11, 4), 3, 2), 3, 2), 3, 2
    )
    if side < 1:
        raise UserError(f"caffe_alexnet: {size} pixels are too few; 67 at least")
    first, second = response_norms()
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, 4), nn.ReLU(inplace=True), first, nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(inplace=True), second,
        nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Linear(256 * side * side, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, classes),
    )  # fmt: skip


def conv_bn(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return convolution without bias, batch norm, ReLU; 'same' padding at stride 1."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


def small_vgg(
    classes: int = 10,
    size: int = 32,
    plan: Sequence[Sequence[int]] = ((16, 16), (32, 32), (64, 64)),
) -> nn.Sequential:
    """Return VGG with batch norm (Simonyan & Zisserman 2015): 3×3 stacks, 2/2 pools."""
    layers, channels, side = list[nn.Module](), 3, size
    for widths in plan:
        for width in widths:
            layers.append(conv_bn(channels, width, 3))
            channels = width
        layers.append(nn.MaxPool2d(2))
        side //= 2
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(channels * side * side, 128), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(128, classes),
    )  # fmt: skip


class Branches(nn.Module):
    """An Inception module (Szegedy et al. 2016, figure 5): four branches side by side.

    1×1; 1×1 then 3×3; 1×1 then two 3×3; 3×3 average pool then 1×1.
    """

    def __init__(
        self, channels: int, one: int, three: int, five: int, pool: int
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList([
            conv_bn(channels, one, 1),
            nn.Sequential(
                conv_bn(channels, three // 2, 1),
                conv_bn(three // 2, three, 3),
            ),
            nn.Sequential(
                conv_bn(channels, five // 2, 1),
                conv_bn(five // 2, five, 3),
                conv_bn(five, five, 3),
            ),
            nn.Sequential(nn.AvgPool2d(3, 1, 1), conv_bn(channels, pool, 1)),
        ])  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return the branches' channels, concatenated."""
        return torch.cat([branch(x) for branch in self.branches], 1)


def small_inception(classes: int = 10, size: int = 32) -> nn.Sequential:
    """Return Inception with batch norm (Szegedy et al. 2016): three modules."""
    return nn.Sequential(
        conv_bn(3, 16, 3), conv_bn(16, 32, 3), nn.MaxPool2d(2),
        Branches(32, 16, 24, 16, 8),
        nn.MaxPool2d(2),
        Branches(64, 24, 48, 24, 16),
        Branches(112, 32, 64, 32, 16),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(144, classes),
    )  # fmt: skip


class Residual(nn.Module):
    """A basic residual block (He et al. 2016, figure 2), which may shrink the plane."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(channels, width, 3, stride),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or channels != width:
            self.skip = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the rectified sum of the convolutions and the shortcut."""
        return F.relu(self.body(x) + self.skip(x))


def small_resnet(classes: int = 10, size: int = 32) -> nn.Sequential:
    """Return ResNet for small images (He et al. 2016, section 4.2) with n = 1."""
    return nn.Sequential(
        conv_bn(3, 16, 3),
        Residual(16, 16),
        Residual(16, 32, 2),
        Residual(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, classes),
    )  # fmt: skip


ARCHITECTURES: dict[str, Callable[[int, int], nn.Module]] = {
    "lenet5": lenet5,
    "small_alexnet": small_alexnet,
    "small_alexnet_lrn": small_alexnet_lrn,
    "caffe_alexnet": caffe_alexnet,
    "small_vgg": small_vgg,
    "small_inception": small_inception,
    "small_resnet": small_resnet,
}
