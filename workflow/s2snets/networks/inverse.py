"""Networks that invert a frozen one, told more or less of what it let through.

Mahendran & Vedaldi 2016, section 3.3, "Informativeness of bottleneck": the method is
that of Dosovitskiy & Brox 2016, but the inverse sees, beside the layer that it inverts,
the rectifiers' masks, the pooling switches, or both. No architecture is in print; here
the inverse mirrors the network, layer by layer, so that all of that has its place.
"""

import torch
import torch.nn.functional as F
from torch import fx, nn

from s2snets.networks.layers import centres
from s2snets.networks.segnet import Switches
from s2snets.runtime.errors import UserError

INFORMED = {
    "neither": (False, False),
    "masks": (True, False),
    "switches": (False, True),
    "both": (True, True),
}
"""What an inverse is told, by name: (ReLU masks, pooling switches)."""

MIRRORED = (nn.Conv2d, nn.ReLU, nn.MaxPool2d)
PASSED = (nn.BatchNorm2d, nn.LocalResponseNorm, nn.Dropout, nn.Dropout2d, nn.Identity)
"""What may stand between those, and has no mirror."""

INVERTIBLE = (
    "only chains of convolutions, ReLUs and max-poolings, as modules, can be inverted,"
    " such as AlexNet and VGG"
)


def chain(net, layer=None):
    """The modules through which images pass up to a layer, in this order.

    Args:
        net: a bare classifier.
        layer: name of a module of it; None: the last max-pooling.

    Raises:
        UserError: no such layer, or something else than a chain up to there.
    """
    try:
        nodes = list(fx.symbolic_trace(net).graph.nodes)
    except Exception as error:  # whatever a network's own code makes of a tracer
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"salient.inversion.classifier: cannot be traced ({reason}); {INVERTIBLE}"
        ) from None
    called = [
        net.get_submodule(node.target) if node.op == "call_module" else None
        for node in nodes
    ]
    if layer is None:
        ends = [n for n, one in enumerate(called) if isinstance(one, nn.MaxPool2d)]
        told = f"salient.inversion.classifier: no max-pooling; {INVERTIBLE}"
    else:  # of a block, what ends it
        ends = [
            n for n, one in enumerate(nodes) if f"{one.target}.".startswith(f"{layer}.")
        ]
        told = f"salient.inversion.layer: the network has no {layer!r}"
    if not ends:
        raise UserError(told)
    end = ends[-1] + 1
    if layer is None and any(isinstance(one, nn.Conv2d) for one in called[end:]):
        raise UserError(
            "salient.inversion.layer: convolutions follow the last max-pooling; name"
            f" one; {INVERTIBLE}"
        )
    steps = called[1:end]  # the first node is the input
    for place, module in enumerate(steps, 1):
        node = nodes[place]
        if (
            not isinstance(module, MIRRORED + PASSED)
            or node.all_input_nodes != [nodes[place - 1]]
            or isinstance(getattr(module, "padding", 0), str)
        ):
            raise UserError(
                f"salient.inversion.classifier: {node.name} is no link of a chain up to"
                f" {nodes[end - 1].target}; {INVERTIBLE}"
            )
    if not any(isinstance(one, nn.Conv2d) for one in steps):
        raise UserError(
            f"salient.inversion.layer: no convolution up to {layer!r}; name a later one"
        )
    return steps


def pair(value):
    """A module's size as (rows, columns)."""
    return value if isinstance(value, tuple) else (value, value)


def at_centres(pool, shape, size):
    """Where unpooling puts values that came without switches: the windows' centres.

    That is section 2.2's; with the convolution after it, this is an up-convolution of
    Dosovitskiy & Brox.

    Args:
        shape: (N, C, h, w) of the values.
        size: (H, W) of the plane below.

    Returns:
        int64 (N, C, h, w), flat positions in that plane.
    """
    geometry = (pool.kernel_size, pool.stride, pool.padding, pool.dilation)
    rows, columns = (
        centres(*axis)
        for axis in zip(size, shape[2:], *map(pair, geometry), strict=True)
    )
    return (rows[:, None] * size[1] + columns).expand(shape)


def unpool(x, index, size):
    """Values at their switches, added up where windows overlap (section 2.2, eq. 9).

    Shapes: (N, C, h, w) -> (N, C, H, W).
    """
    plane = x.new_zeros(*x.shape[:2], size[0] * size[1])
    return plane.scatter_add(2, index.flatten(2), x.flatten(2)).unflatten(2, size)


class Bottleneck(nn.Module):
    """A frozen classifier up to a layer, and what it let through on the way.

    Shapes: pixels (N, 3, H, W) in [0, 1] -> the pixels that the network saw, resized
    and cropped; the layer's output (N, C, h, w); for each mirrored step what its mirror
    needs: a convolution's input size (H, W), a ReLU's mask, a pooling's ``Switches``.

    Args:
        classifier: a ``Frozen``.
        layer: see ``chain``.

    Raises:
        UserError: this classifier cannot be inverted.
    """

    def __init__(self, classifier, layer=None):
        super().__init__()
        self.classifier = classifier
        self.steps = chain(classifier.net, layer)

    @property
    def mirrored(self):
        """The steps that have a mirror."""
        return [step for step in self.steps if isinstance(step, MIRRORED)]

    @torch.no_grad()
    def forward(self, pixels):
        x, taken = self.classifier.prepare(pixels), []
        seen = x * self.classifier.std + self.classifier.mean
        for step in self.steps:
            size = x.shape[-2:]
            if isinstance(step, nn.MaxPool2d):
                x, index = F.max_pool2d(
                    x, step.kernel_size, step.stride, step.padding, step.dilation,
                    step.ceil_mode, return_indices=True,
                )  # fmt: skip
                taken.append(Switches(index, size))
                continue
            x = step(x)
            if isinstance(step, nn.ReLU):
                taken.append(x > 0)
            elif isinstance(step, nn.Conv2d):
                taken.append(size)
        return seen, x, taken


class Learnt(nn.Module):
    """A convolution's mirror: it transposed, dense, with weights of its own.

    At stride 1 that is a convolution of the same kernel; at others it comes back to the
    size that it is told. All but the last are followed by batch norm and a leaky ReLU.
    """

    def __init__(self, conv, last):
        super().__init__()
        self.conv = nn.ConvTranspose2d(
            conv.out_channels,
            conv.in_channels,
            conv.kernel_size,
            conv.stride,
            conv.padding,
            dilation=conv.dilation,
            bias=last,
        )
        self.after = nn.Identity()
        if not last:
            self.after = nn.Sequential(
                nn.BatchNorm2d(conv.in_channels), nn.LeakyReLU(0.2, inplace=True)
            )

    def forward(self, x, size):
        return self.after(self.conv(x, output_size=size))


class Mirror(nn.Module):
    """A bottleneck back to pixels.

    Shapes: what ``Bottleneck`` gives -> (N, 3, H, W), unbounded: clip it to show it.
    The weights are alike whatever it is told, so that nothing else differs.

    Args:
        steps: ``Bottleneck.mirrored``.
        informed: a name of ``INFORMED``.
    """

    def __init__(self, steps, informed):
        super().__init__()
        self.masks, self.switches = INFORMED[informed]
        self.steps = steps[::-1]
        convs = [step for step in self.steps if isinstance(step, nn.Conv2d)]
        self.learnt = nn.ModuleList(Learnt(conv, conv is convs[-1]) for conv in convs)

    def forward(self, x, taken):
        learnt = iter(self.learnt)
        for step, told in zip(self.steps, reversed(taken), strict=True):
            if isinstance(step, nn.MaxPool2d):
                index, size = told
                if not self.switches:
                    index = at_centres(step, x.shape, size).to(x.device)
                x = unpool(x, index, size)
            elif isinstance(step, nn.Conv2d):
                x = next(learnt)(x, told)
            elif self.masks:
                x = x * told
        return x


class Inverse(nn.Module):
    """What learns: pixels -> (reconstruction, the pixels that the network saw)."""

    def __init__(self, bottleneck, informed):
        super().__init__()
        self.bottleneck = bottleneck
        self.mirror = Mirror(bottleneck.mirrored, informed)

    def forward(self, pixels):
        seen, code, taken = self.bottleneck(pixels)
        return self.mirror(code, taken), seen
