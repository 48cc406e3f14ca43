"""Networks that invert a frozen one, given more or less of what it discarded.

Mahendran & Vedaldi 2016, section 3.3, "Informativeness of bottleneck": the method is
that of Dosovitskiy & Brox 2016, but the inverse receives, beside the output of the
layer that it inverts, the rectifiers' masks, the pooling switches, or both. No
architecture is in print; here the inverse mirrors the network, layer by layer, so that
masks and switches apply at the mirrored position.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from s2snets.networks.frozen import PixelClassifier
from s2snets.networks.layers import window_centres
from s2snets.networks.segnet import Switches
from s2snets.runtime.errors import UserError

INVERSE_INPUTS = {
    "neither": (False, False),
    "masks": (True, False),
    "switches": (False, True),
    "both": (True, True),
}
"""What an inverse receives beside the layer, by name: (ReLU masks, switches)."""

MIRRORED = (nn.Conv2d, nn.ReLU, nn.MaxPool2d)
SKIPPED = (nn.BatchNorm2d, nn.LocalResponseNorm, nn.Dropout, nn.Dropout2d, nn.Identity)
"""Layers that may stand between mirrored ones, and have no mirror."""

INVERTIBLE = (
    "only chains of convolutions, ReLUs and max-poolings, as modules, can be inverted,"
    " such as AlexNet and VGG"
)

Trace = torch.Size | Tensor | Switches
"""What a mirror needs of a convolution (input size), a ReLU (mask) or a pooling."""


class ChainTracer(fx.Tracer):
    """Traces a network down to the layers of a chain, or subclasses of these."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return whether a module is one node of the graph."""
        chained = isinstance(m, MIRRORED + SKIPPED)
        return chained or super().is_leaf_module(m, module_qualified_name)


def traced(net: nn.Module) -> tuple[list[fx.Node], list[nn.Module | None]]:
    """Return the nodes of a network's graph, and the module that each one calls.

    Raises:
        UserError: its code cannot be traced.
    """
    try:
        nodes = list(ChainTracer().trace(net).nodes)
    except Exception as error:  # whatever a network's own code makes of a tracer
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"salient.inversion.classifier: cannot be traced ({reason}); {INVERTIBLE}"
        ) from None
    return nodes, [
        net.get_submodule(str(node.target)) if node.op == "call_module" else None
        for node in nodes
    ]


def chain_end(
    nodes: list[fx.Node], modules: list[nn.Module | None], layer: str | None
) -> int:
    """Return the position after a layer's last node; see ``module_chain``.

    Raises:
        UserError: no such layer, or convolutions after the last max-pooling.
    """
    if layer is None:
        ends = [
            n for n, module in enumerate(modules) if isinstance(module, nn.MaxPool2d)
        ]
        missing = f"salient.inversion.classifier: no max-pooling; {INVERTIBLE}"
    else:  # a block ends with the last node inside it
        ends = [
            n
            for n, node in enumerate(nodes)
            if f"{node.target}.".startswith(f"{layer}.")
        ]
        missing = f"salient.inversion.layer: the network has no {layer!r}"
    if not ends:
        raise UserError(missing)
    end = ends[-1] + 1
    if layer is None and any(isinstance(one, nn.Conv2d) for one in modules[end:]):
        raise UserError(
            "salient.inversion.layer: convolutions follow the last max-pooling; name"
            f" one; {INVERTIBLE}"
        )
    return end


def module_chain(net: nn.Module, layer: str | None = None) -> list[nn.Module]:
    """Return the modules through which images pass up to a layer, in order.

    Without a layer's name they end with the last max-pooling.

    Raises:
        UserError: no such layer, or something else than a chain up to there.
    """
    nodes, modules = traced(net)
    end = chain_end(nodes, modules, layer)
    steps: list[nn.Module] = []
    for place, module in enumerate(modules[1:end], 1):  # the first node is the input
        if (
            not isinstance(module, MIRRORED + SKIPPED)
            or nodes[place].all_input_nodes != [nodes[place - 1]]
            or isinstance(getattr(module, "padding", 0), str)
        ):
            raise UserError(
                f"salient.inversion.classifier: {nodes[place].name} is no link of a"
                f" chain up to {nodes[end - 1].target}; {INVERTIBLE}"
            )
        steps.append(module)
    if not any(isinstance(step, nn.Conv2d) for step in steps):
        raise UserError(
            f"salient.inversion.layer: no convolution up to {layer!r}; name a later one"
        )
    return steps


def pair(size: int | tuple[int, ...]) -> tuple[int, int]:
    """Return a layer's kernel, stride, padding or dilation as (rows, columns)."""
    rows, columns = size if isinstance(size, tuple) else (size, size)
    return rows, columns


def centre_positions(
    pool: nn.MaxPool2d, shape: Sequence[int], size: torch.Size
) -> Tensor:
    """Return the windows' centres, where unpooling without switches puts values.

    That is section 2.2's; with the convolution after it, this is an up-convolution of
    Dosovitskiy & Brox.

    Returns:
        int64 of ``shape`` (N, C, h, w), flat positions in the plane of ``size`` (H, W).
    """
    windows = (pool.kernel_size, pool.stride, pool.padding, pool.dilation)
    rows, columns = (
        window_centres(*axis)
        for axis in zip(size, shape[2:], *map(pair, windows), strict=True)
    )
    return (rows[:, None] * size[1] + columns).expand(*shape)


def unpool(x: Tensor, positions: Tensor, size: torch.Size) -> Tensor:
    """Put values at their switches, summed where windows overlap (section 2.2, eq. 9).

    Shapes: (N, C, h, w) -> (N, C, H, W).
    """
    plane = x.new_zeros(*x.shape[:2], size[0] * size[1])
    return plane.scatter_add(2, positions.flatten(2), x.flatten(2)).unflatten(2, size)


class Bottleneck(nn.Module):
    """A frozen classifier up to a layer, with the traces that its mirror needs.

    Shapes: pixels (N, 3, H, W) in [0, 1] -> the pixels that the network received,
    resized and cropped; the layer's output (N, C, h, w); one ``Trace`` per mirrored
    step.

    Raises:
        UserError: the classifier cannot be inverted; see ``module_chain``.
    """

    def __init__(self, classifier: PixelClassifier, layer: str | None = None) -> None:
        super().__init__()
        self.classifier = classifier
        self.steps = module_chain(classifier.net, layer)

    @property
    def mirrored(self) -> list[nn.Module]:
        """The steps that have a mirror."""
        return [step for step in self.steps if isinstance(step, MIRRORED)]

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, list[Trace]]:
        """Return the pixels received, the layer's output, and the traces."""
        x = self.classifier.prepare(pixels)
        received = x * self.classifier.std + self.classifier.mean
        traces: list[Trace] = []
        for step in self.steps:
            size = x.shape[-2:]
            if isinstance(step, nn.MaxPool2d):
                x, positions = F.max_pool2d(
                    x, step.kernel_size, step.stride, step.padding, step.dilation,
                    step.ceil_mode, return_indices=True,
                )  # fmt: skip
                traces.append(Switches(positions, size))
                continue
            x = step(x)
            if isinstance(step, nn.ReLU):
                traces.append(x > 0)
            elif isinstance(step, nn.Conv2d):
                traces.append(size)
        return received, x, traces


class MirroredConv(nn.Module):
    """A convolution's mirror: a dense transposed convolution with its own weights.

    At stride 1 that is a convolution of the same kernel; at others it restores the
    given size. All but the last are followed by batch norm and a leaky ReLU.
    """

    def __init__(self, conv: nn.Conv2d, last: bool) -> None:
        super().__init__()
        assert not isinstance(conv.padding, str)  # see ``module_chain``
        self.conv = nn.ConvTranspose2d(
            conv.out_channels,
            conv.in_channels,
            pair(conv.kernel_size),
            pair(conv.stride),
            pair(conv.padding),
            dilation=pair(conv.dilation),
            bias=last,
        )
        self.after: nn.Module = nn.Identity()
        if not last:
            self.after = nn.Sequential(
                nn.BatchNorm2d(conv.in_channels), nn.LeakyReLU(0.2, inplace=True)
            )

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        """Return planes of the given (H, W)."""
        return self.after(self.conv(x, output_size=size))


class Mirror(nn.Module):
    """The decoder of a bottleneck: its code and traces back to pixels.

    Shapes: what ``Bottleneck`` returns -> (N, 3, H, W), unbounded: clip before display.
    ``steps`` are ``Bottleneck.mirrored``, ``inputs`` a name of ``INVERSE_INPUTS``; the
    weights have the same shapes whatever the inputs, so that nothing else differs.
    """

    def __init__(self, steps: list[nn.Module], inputs: str) -> None:
        super().__init__()
        self.masks, self.switches = INVERSE_INPUTS[inputs]
        self.steps = steps[::-1]
        convs = [step for step in self.steps if isinstance(step, nn.Conv2d)]
        self.learnt = nn.ModuleList(
            MirroredConv(conv, conv is convs[-1]) for conv in convs
        )

    def forward(self, x: Tensor, traces: list[Trace]) -> Tensor:
        """Undo the steps, last first."""
        convs = iter(self.learnt)
        for step, trace in zip(self.steps, reversed(traces), strict=True):
            if isinstance(trace, Switches):
                positions, size = trace
                if not self.switches:
                    assert isinstance(step, nn.MaxPool2d)
                    positions = centre_positions(step, x.shape, size).to(x.device)
                x = unpool(x, positions, size)
            elif isinstance(trace, torch.Size):
                x = next(convs)(x, trace)
            elif self.masks:
                x = x * trace
        return x


class Inverse(nn.Module):
    """A bottleneck and its mirror, which is what learns.

    Shapes: pixels (N, 3, H, W) -> the reconstruction, and the pixels that the network
    received.
    """

    def __init__(self, bottleneck: Bottleneck, inputs: str) -> None:
        super().__init__()
        self.bottleneck = bottleneck
        self.mirror = Mirror(bottleneck.mirrored, inputs)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction, and the pixels that it should equal."""
        received, code, traces = self.bottleneck(pixels)
        return self.mirror(code, traces), received
