"""The depths of a classifier: layers in order, and which all of its signal passes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from s2snets.config.depth import INPUT
from s2snets.networks.layers import (
    LOGITS,
    evaluation_mode,
    find_layer,
    layer_output,
    split_classifier,
)
from s2snets.runtime.errors import UserError


class Layer(NamedTuple):
    """A module of a network that runs once and returns one tensor.

    Attributes:
        name: of the module.
        sides: height and width of its output's planes; of vectors none.
        passed_by_all: whether every path from the input to the logits goes through it.
    """

    name: str
    sides: tuple[int, ...]
    passed_by_all: bool


class Activations(nn.Module):
    """A classifier up to one layer.

    Shapes: (N, 3, H, W) in [0, 1] -> what the layer returns.

    Args:
        classifier: a classifier of pixels, frozen.
        layer: a module's name, ``logits``, or ``input`` for what the network receives.
    """

    def __init__(self, classifier: nn.Module, layer: str) -> None:
        super().__init__()
        self.classifier, self.layer = classifier, layer

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the layer's activations; nothing above it is computed."""
        if self.layer == LOGITS:
            return self.classifier(pixels)
        prepare, _, net, _ = split_classifier(self.classifier)
        images = prepare(pixels)
        return images if self.layer == INPUT else layer_output(net, images, self.layer)


def all_activations(
    classifier: nn.Module, pixels: Tensor, layers: Sequence[str]
) -> dict[str, Tensor]:
    """Return the activations of several layers, as ``Activations``, in one pass.

    Args:
        classifier: a classifier of pixels, frozen.
        pixels: (N, 3, H, W) in [0, 1].
        layers: names, of ``choose_depths`` or ``input``.
    """
    prepare, _, net, after = split_classifier(classifier)
    found: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        # A copy: the next layer may work in place.
        found.setdefault(name, output.clone())

    handles = [
        find_layer(net, name).register_forward_hook(
            lambda _module, _inputs, output, name=name: keep(name, output)
        )
        for name in layers
        if name not in (INPUT, LOGITS)
    ]
    images = prepare(pixels)
    try:
        logits = after(net(images.clone()))
    finally:
        for handle in handles:
            handle.remove()
    found |= {INPUT: images, LOGITS: logits}
    return {name: found[name] for name in layers}


def path_counts(end: Node) -> dict[Node, int]:
    """Return how many paths of a graph lead through each node.

    Args:
        end: of all paths; they start at the graph's leaves.

    Returns:
        For each node that the end depends on: paths from the leaves to the node times
        those from there to the end. A node on every path has as many as the end.
    """
    order: list[Node] = []  # each node after those that it depends on
    seen: set[Node] = set()
    stack = [(end, False)]
    while stack:
        node, is_done = stack.pop()
        if is_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(below, False) for below, _ in node.next_functions if below]
    to_node: dict[Node, int] = {}
    for node in order:
        edges = [below for below, _ in node.next_functions if below]
        to_node[node] = sum(to_node[below] for below in edges) if edges else 1
    to_end = dict.fromkeys(order, 0) | {end: 1}
    for node in reversed(order):
        for below, _ in node.next_functions:
            if below:
                to_end[below] += to_end[node]
    return {node: to_node[node] * to_end[node] for node in order}


def trace_layers(classifier: nn.Module, pixels: Tensor) -> list[Layer]:
    """Return a classifier's layers in the order in which they run, without the last.

    What a layer that all signal passes discards, nothing above it can bring back. A
    layer in a branch, or beside a residual connection, is none of them. Modules that
    run several times, or return anything but one tensor, are left out: their name does
    not say which output is meant. Of modules with one and the same output the outermost
    counts, such as a block rather than its last layer.

    Args:
        classifier: a classifier of pixels, or a network of images.
        pixels: (N, 3, H, W); one image suffices.
    """
    prepare, _, net, _ = split_classifier(classifier)
    outputs: dict[str, list[tuple[Node, tuple[int, ...]]]] = {}

    def record(name: str, output: object) -> None:
        if isinstance(output, Tensor) and output.grad_fn is not None:
            sides = tuple(output.shape[2:]) if output.ndim == 4 else ()
            outputs.setdefault(name, []).append((output.grad_fn, sides))

    handles = [
        module.register_forward_hook(
            lambda _module, _inputs, output, name=name: record(name, output)
        )
        for name, module in net.named_modules()
        if name
    ]
    x = prepare(pixels).detach().requires_grad_()
    try:
        with evaluation_mode(classifier), torch.enable_grad():
            # A copy: a network may begin with an operation in place.
            end = net(x.clone()).grad_fn
    finally:
        for handle in handles:
            handle.remove()
    counts = path_counts(end)
    layers: dict[Node, Layer] = {}
    for name, calls in outputs.items():
        node, sides = calls[0]
        if len(calls) > 1 or node is end:
            continue
        known = layers.get(node)
        if known is None or name.count(".") < known.name.count("."):
            layers[node] = Layer(name, sides, counts.get(node) == counts[end])
    return list(layers.values())


def stage_ends(layers: Sequence[Layer]) -> list[Layer]:
    """Return the last layer at each resolution, as feature pyramids take them."""
    followers = [*layers[1:], None]
    return [
        layer
        for layer, after in zip(layers, followers, strict=True)
        if layer.sides and (after is None or after.sides != layer.sides)
    ]


def choose_depths(
    classifier: nn.Module,
    pixels: Tensor,
    count: int,
    given: Sequence[str] | None = None,
) -> dict[str, bool]:
    """Return the layers at which signal is measured, and whether all of it passes them.

    Args:
        classifier: a classifier of pixels, or a network of images.
        pixels: (N, 3, H, W); one image suffices.
        count: number of layers, the logits among them.
        given: layers by name, the shallowest first; None: the ends of the stages, where
            there are enough, else layers spread over all that the whole signal passes;
            and the logits.

    Raises:
        UserError: fewer layers than wanted; or of those given one that does not exist,
            that has no single output, or that runs before the one named before it.
    """
    traced = trace_layers(classifier, pixels)
    if given is not None:
        return order_given(classifier, traced, given)
    passed = [layer for layer in traced if layer.passed_by_all]
    ends = stage_ends(passed)
    chosen = ends if len(ends) >= count - 1 else passed
    if len(chosen) < count - 1:
        raise UserError(
            f"depth.number: {count} layers are wanted, and all of the network's signal"
            f" passes {len(chosen) + 1} only; lower it, or name layers"
        )
    # Evenly spread, the last among them.
    places = [(n + 1) * len(chosen) // (count - 1) - 1 for n in range(count - 1)]
    return {chosen[place].name: True for place in places} | {LOGITS: True}


def order_given(
    classifier: nn.Module, traced: Sequence[Layer], given: Sequence[str]
) -> dict[str, bool]:
    """Return the layers that a user names, checked, as ``choose_depths``."""
    net = split_classifier(classifier)[2]
    known: Mapping[str, Layer] = {layer.name: layer for layer in traced}
    places = {name: place for place, name in enumerate([*known, LOGITS])}
    before = ""
    for name in given:
        if name != LOGITS:
            find_layer(net, name)
        if name not in places:
            raise UserError(
                f"depth.layers: {name!r} has no output of its own: it runs never,"
                " several times, returns several tensors, or the same as another layer;"
                f" there are {', '.join(places)}"
            )
        if before and places[name] < places[before]:
            raise UserError(
                f"depth.layers: {name!r} runs before {before!r}; name the shallowest"
                " first"
            )
        before = name
    return {name: name == LOGITS or known[name].passed_by_all for name in given}


def penultimate(classifier: nn.Module, pixels: Tensor) -> Tensor:
    """Return what the last layer with weights receives, flat: (N, units).

    Args:
        classifier: a classifier of pixels, frozen.
        pixels: (N, 3, H, W) in [0, 1].
    """
    prepare, _, net, _ = split_classifier(classifier)
    received: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[object, ...]) -> None:
        # Of all calls the last; nothing after it works on its input in place.
        if inputs and isinstance(inputs[0], Tensor):
            received[:] = [inputs[0]]

    handles = [
        module.register_forward_pre_hook(keep)
        for module in net.modules()
        if next(module.parameters(recurse=False), None) is not None
        and not list(module.children())
    ]
    try:
        net(prepare(pixels))
    finally:
        for handle in handles:
            handle.remove()
    if not received:
        raise UserError("the network has no layer with weights to compare by")
    return received[0].flatten(1)
