"""A context in which forward passes record the reversed network as their graph."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch.nn.functional as F
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn.modules import module as hooks
from torch.utils._pytree import tree_leaves

from s2snets.reversal.call_mode import Args, CallMode, Kwargs
from s2snets.reversal.pools import POOLS, pool_to_centres, with_identity_gradient
from s2snets.reversal.rectifiers import RECTIFIERS, is_zero, rectify
from s2snets.reversal.variants import ARCHITECTURES, Reversal, resolve_reversal
from s2snets.runtime.errors import UserError

SALINET = ARCHITECTURES["salinet"]
AFFINE = {F.linear, F.conv1d, F.conv2d, F.conv3d}

TRAINING = {
    F.batch_norm: (5, False),
    F.dropout: (2, True),
    F.dropout1d: (2, True),
    F.dropout2d: (2, True),
    F.dropout3d: (2, True),
    F.alpha_dropout: (2, False),
    F.feature_alpha_dropout: (2, False),
}
"""Functions with an argument ``training``: its position and default."""

OPAQUE = ("CompiledFunction", "DifferentiableGraph", "CheckpointFunction")
"""Names of autograd nodes that hide what they compute."""


UNINTERCEPTED = {
    "ReluBackward", "HardtanhBackward", "LeakyReluBackward", "PreluKernelBackward",
    "RreluWithNoiseBackward", "ThresholdBackward",
}  # fmt: skip
"""Names of the autograd nodes of rectifiers that were not intercepted."""

CLAMPS = {"ClampBackward", "ClampMinBackward"}
"""Names of nodes that are rectifiers where their lower bound is 0."""

POOLED = ("MaxPool", "AdaptiveMaxPool", "FractionalMaxPool")


def graph_roots(values: object) -> set[Node]:
    """Return the last autograd nodes of the tensors in nested containers."""
    leaves = tree_leaves(values)
    nodes = {leaf.grad_fn for leaf in leaves if isinstance(leaf, Tensor)}
    return {node for node in nodes if node is not None}


def graph_nodes(values: object, ends: Iterable[Node] = ()) -> Iterator[Node]:
    """Yield every node of tensors' autograd graph once, down to the nodes ``ends``."""
    waiting, visited = [*graph_roots(values)], {None, *ends}
    while waiting:
        node = waiting.pop()
        if node in visited:
            continue
        visited.add(node)
        waiting.extend(below for below, _ in node.next_functions if below is not None)
        yield node


class ReversingMode(CallMode):
    """The mode of ``reversed_as``: intercepts layers, and counts rectifiers.

    Attributes:
        rules: the rules of the reversal.
        rectifiers: number of rectifiers that were intercepted.
        affine: whether an affine layer ran.
    """

    def __init__(self, rules: Reversal) -> None:
        super().__init__()
        self.rules = rules
        self.rectifiers, self.affine = 0, False

    def call(self, function: Callable, args: Args, kwargs: Kwargs) -> Any:
        """Call the function with the gradient of its rule, if it has one."""
        if function in RECTIFIERS:
            y = rectify(self.rules.relu, function, args, kwargs)
            if y is not None:
                self.rectifiers += 1
                return y
        elif function in POOLS and self.rules.pool == "centre":
            return pool_to_centres(function, args, kwargs)
        elif function is F.local_response_norm and self.rules.lrn == "identity":
            return with_identity_gradient(function, args, kwargs)
        elif function in AFFINE:
            self.affine = True
        elif function in TRAINING:
            place, default = TRAINING[function]
            if (*args[place : place + 1], kwargs.get("training", default))[0]:
                raise UserError(
                    f"reversal: {function.__name__} is in training mode, so images"
                    " would depend on each other or on chance; call eval() first"
                )
        return function(*args, **kwargs)

    def check_output(self, output: object, ends: Iterable[Node] = ()) -> None:
        """Raise if a layer in the output's graph was not intercepted.

        Args:
            output: tensors in nested containers.
            ends: nodes at which the graph ends.

        Raises:
            UserError: the graph has a rectifier or max pooling with its own gradient
                where the rules have another.
        """
        if self.rules != SALINET:  # all of whose gradients are the layers' own
            for node in graph_nodes(output, ends):
                self._check_node(node)

    def _check_node(self, node: Node) -> None:
        name = node.name()
        kind = name.removesuffix("0").removesuffix("1")
        rules = self.rules
        rectifier = kind in UNINTERCEPTED or (
            kind in CLAMPS and is_zero(getattr(node, "_saved_min", None))
        )
        if (
            kind.startswith(OPAQUE)
            or (rules.pool != "switches" and kind.startswith(POOLED))
            or (rules.relu != "backprop" and rectifier)
        ):
            raise UserError(
                f"reversal: {name} was not intercepted, so the result would be in part"
                " a plain gradient; give the network itself, neither scripted nor"
                " compiled"
            )

    def require_rectifiers(self) -> None:
        """Raise if no rectifier was intercepted.

        Raises:
            UserError: networks ran without a rectifier, though the rules change some.
        """
        if self.affine and not self.rectifiers and self.rules.relu != "backprop":
            raise UserError(
                "reversal: the network has no piecewise-linear rectifier, so the rule"
                f" {self.rules.relu!r} means nothing to it; take 'salinet' or another"
                " network"
            )


@contextmanager
def checking_outputs(mode: ReversingMode) -> Iterator[None]:
    """Check the output of every network that this thread runs while it is active."""
    thread, depth = threading.get_ident(), 0
    ends: set[Node] = set()

    def enter(_module: object, inputs: object) -> None:
        nonlocal depth, ends
        if threading.get_ident() == thread:
            ends = ends if depth else graph_roots(inputs)
            depth += 1

    def leave(_module: object, _inputs: object, output: object) -> None:
        nonlocal depth, ends
        if threading.get_ident() == thread:
            depth -= 1
            if not depth:
                mode.check_output(output, ends)
                ends = set()

    handles = (
        hooks.register_module_forward_pre_hook(enter),
        hooks.register_module_forward_hook(leave, always_call=True),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def reversed_as(reversal: str | Sequence[str]) -> Iterator[ReversingMode]:
    """Record reversed networks: backward passes compute φ†(p, r) of equation 2.

        with reversed_as("desalinet"):
            y = network(x)
        torch.autograd.grad(y, x, p)

    Forward passes return what they return elsewhere. The reversed layers are those of
    the forward functions that ran, however they are written: modules, functions or
    methods, in place or not, used once or several times. The network is not changed.

    Args:
        reversal: a name in ``variants.ARCHITECTURES``, or the rules.

    Yields:
        The mode, whose ``rectifiers`` counts the rectifiers that it intercepted.

    Raises:
        UserError: no such reversal; a network in training mode; a rectifier that was
            not intercepted; or a rule for rectifiers and no rectifier.
    """
    mode = ReversingMode(resolve_reversal(reversal))
    with nullcontext() if mode.rules == SALINET else checking_outputs(mode), mode:
        yield mode
    mode.require_rectifiers()
