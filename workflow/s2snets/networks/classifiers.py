"""The classifiers of the study in their authors' design, most at the demo's size.

Each is a function of the number of classes and the input's side in pixels; torch-
vision has the full-size networks, and none of these fits a 32-pixel image. What
defines each design is kept: LeCun's squashing units and average pools, Krizhevsky's
overlapping pools and dropout, Simonyan's stacks of 3×3 (with batch norm), Szegedy's
parallel branches, He's residual adds. AlexNet with local response normalisation, which
torchvision lacks, is here at both sizes.
"""

import torch
import torch.nn.functional as F
from torch import nn

from s2snets.runtime.errors import UserError

LEVELS = 255 * 0.226
"""ImageNet's deviation, the colours' mean, in levels of 0 to 255."""


def after(size, kernel, stride=1, padding=0):
    """Side of a plane after a convolution or pool."""
    return (size + 2 * padding - kernel) // stride + 1


def lenet5(classes=10, size=32):
    """LeNet-5 (LeCun et al. 1998, section II.B): 6-16-120-84, tanh, average pools.

    At 32 pixels C5 sees 5×5 planes, as in print; at other sizes it sees what S4
    leaves, so that 224 pixels give the "modified" LeNet of Palacio et al. 2018. The
    pools have no trained coefficients and the output is linear, not Gaussian.
    """
    side = after(after(size, 5) // 2, 5) // 2
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * side * side, 120), nn.Tanh(),
        nn.Linear(120, 84), nn.Tanh(),
        nn.Linear(84, classes),
    )  # fmt: skip


def small_alexnet(classes=10, size=32, norms=()):
    """AlexNet (Krizhevsky et al. 2012): five convolutions, 3/2 pools, dropout.

    Args:
        norms: layers after the first two rectifiers; none, as in torchvision's.
    """
    side = after(after(after(size, 5, padding=2), 3, 2), 3, 2)
    side = after(side, 3, 2)
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


def response_norms(deviation=1.0):
    """AlexNet's two (Krizhevsky et al. 2012, section 3.3), scaled as Caffe does.

    Args:
        deviation: of an image's values that are 1 here: Caffe's nets see levels of 0 to
            255. At this α they would leave normalised images as they are.
    """
    alpha = 1e-4 * deviation**2
    return [nn.LocalResponseNorm(5, alpha, 0.75, 1) for _ in range(2)]


def small_alexnet_lrn(classes=10, size=32):
    """The same with local response normalisation, as it was published."""
    return small_alexnet(classes, size, response_norms(LEVELS))


def caffe_alexnet(classes=1000, size=227):
    """AlexNet as Caffe has it: two groups, normalised responses, 61 M parameters.

    At 227 pixels weights fit that were trained with Caffe: on levels of 0 to 255, that
    is a ``std`` of 1/255, and blue first, so that the first kernels are to be turned.

    Raises:
        UserError: images too small for its pools.
    """
    side = after(after(after(after(size, 11, 4), 3, 2), 3, 2), 3, 2)
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


def conv_bn(channels, width, kernel, stride=1):
    """Convolution without bias, batch norm, ReLU; 'same' padding at stride 1."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


def small_vgg(classes=10, size=32, plan=((16, 16), (32, 32), (64, 64))):
    """VGG with batch norm (Simonyan & Zisserman 2015): stacks of 3×3, 2/2 pools."""
    layers, channels, side = [], 3, size
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
    """An Inception module (Szegedy et al. 2016, figure 5): four branches, stacked.

    1×1; 1×1 then 3×3; 1×1 then two 3×3; 3×3 average pool then 1×1.
    """

    def __init__(self, channels, one, three, five, pool):
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

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def small_inception(classes=10, size=32):
    """Inception with batch norm (Szegedy et al. 2016): stem, three modules, mean."""
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
    """A basic residual block (He et al. 2016, figure 2); projects where it shrinks."""

    def __init__(self, channels, width, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(channels, width, 3, stride),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.skip = nn.Identity()
        if stride != 1 or channels != width:
            self.skip = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


def small_resnet(classes=10, size=32):
    """ResNet for small images (He et al. 2016, section 4.2), n = 1, widths 16-32-64."""
    return nn.Sequential(
        conv_bn(3, 16, 3),
        Residual(16, 16),
        Residual(16, 32, 2),
        Residual(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, classes),
    )  # fmt: skip


ARCHITECTURES = {
    "lenet5": lenet5,
    "small_alexnet": small_alexnet,
    "small_alexnet_lrn": small_alexnet_lrn,
    "caffe_alexnet": caffe_alexnet,
    "small_vgg": small_vgg,
    "small_inception": small_inception,
    "small_resnet": small_resnet,
}
