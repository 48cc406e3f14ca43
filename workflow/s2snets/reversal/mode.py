"""A context in which forward passes record the reversed network as their graph."""

import threading
from contextlib import contextmanager, nullcontext

import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from s2snets.reversal.pools import POOLS, centre, straight
from s2snets.reversal.rectifiers import RECTIFIERS, rectify, zero
from s2snets.reversal.variants import ARCHITECTURES, named
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
"""Functions with an argument ``training``: its place and default."""

OPAQUE = ("CompiledFunction", "DifferentiableGraph", "CheckpointFunction")
"""Nodes that hide what they compute."""


def saved(*names):
    """Whether a node rectifies: what it has saved by one of the names is 0."""
    return lambda node: any(zero(getattr(node, name, None)) for name in names)


ESCAPED = {
    "ReluBackward": bool,
    "HardtanhBackward": bool,
    "LeakyReluBackward": bool,
    "PreluKernelBackward": bool,
    "RreluWithNoiseBackward": bool,
    "ThresholdBackward": bool,
    "ClampBackward": saved("_saved_min"),
    "ClampMinBackward": saved("_saved_min"),
}
"""Nodes of rectifiers that nothing caught, and whether this one rectifies."""

POOLED = ("MaxPool", "AdaptiveMaxPool", "FractionalMaxPool")


def roots(values):
    """The last autograd nodes of the tensors in nested containers."""
    leaves = tree_leaves(values)
    return {leaf.grad_fn for leaf in leaves if isinstance(leaf, Tensor)} - {None}


def nodes(values, given=()):
    """Every node of the autograd graph of tensors, once.

    Args:
        given: nodes where it ends.
    """
    waiting, met = [*roots(values)], {None, *given}
    while waiting:
        node = waiting.pop()
        if node in met:
            continue
        met.add(node)
        waiting.extend(below for below, _ in node.next_functions)
        yield node


class Reversing(TorchFunctionMode):
    """What ``reversed_as`` turns on; it counts what it catches.

    Attributes:
        rules: the Reversal.
        rectifiers: how many it has caught.
        passed: whether an affine layer ran.
    """

    def __init__(self, rules):
        super().__init__()
        self.rules = rules
        self.rectifiers, self.passed = 0, False

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in RECTIFIERS:
            y = rectify(self.rules.relu, function, args, kwargs)
            if y is not None:
                self.rectifiers += 1
                return y
        elif function in POOLS and self.rules.pool == "centre":
            return centre(function, args, kwargs)
        elif function is F.local_response_norm and self.rules.lrn == "identity":
            return straight(function, args, kwargs)
        elif function in AFFINE:
            self.passed = True
        elif function in TRAINING:
            place, default = TRAINING[function]
            if (*args[place : place + 1], kwargs.get("training", default))[0]:
                raise UserError(
                    f"reversal: {function.__name__} is in training mode, so images"
                    " would depend on each other or on chance; call eval() first"
                )
        return function(*args, **kwargs)

    def check(self, output, given=()):
        """That nothing in an output's graph, down to nodes given, escaped.

        Raises:
            UserError: a rectifier or max pooling is there with its own gradient where
                the rules have another.
        """
        if self.rules != SALINET:  # whose every gradient is its own
            for node in nodes(output, given):
                self.check_node(node)

    def check_node(self, node):
        name = node.name()
        kind = name.removesuffix("0").removesuffix("1")
        rules = self.rules
        hidden = kind.startswith(OPAQUE)
        rectifier = rules.relu != "backprop" and ESCAPED.get(kind)
        pooled = rules.pool != "switches" and kind.startswith(POOLED)
        if hidden or pooled or (rectifier and rectifier(node)):
            raise UserError(
                f"reversal: {name} escaped, so the result would be in part a plain"
                " gradient; give the network itself, neither scripted nor compiled"
            )

    def finish(self):
        """That it was of use.

        Raises:
            UserError: networks ran and had no rectifier, though the rules want one.
        """
        if self.passed and not self.rectifiers and self.rules.relu != "backprop":
            raise UserError(
                "reversal: the network has no piecewise-linear rectifier, so the rule"
                f" {self.rules.relu!r} means nothing to it; take 'salinet' or another"
                " network"
            )


@contextmanager
def checking(reversing):
    """Check what every network returns that runs inside, this thread's alone."""
    thread, depth, given = threading.get_ident(), 0, set()

    def enter(_, inputs):
        nonlocal depth, given
        if threading.get_ident() == thread:
            given = given if depth else roots(inputs)
            depth += 1

    def leave(_, __, output):
        nonlocal depth, given
        if threading.get_ident() == thread:
            depth -= 1
            if not depth:
                reversing.check(output, given)
                given = set()

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
def reversed_as(reversal):
    """Record reversed networks: backward passes are φ†(p, r) of equation 2.

        with reversed_as("desalinet"):
            y = network(x)
        torch.autograd.grad(y, x, p)

    Forward passes inside give what they give outside. The reversed layers are those
    of the forward functions that ran, wherever they are written: modules, functions,
    methods, in place or not, used once or often. Nothing of a network is touched.

    Args:
        reversal: a name of ``rules.ARCHITECTURES`` or a ``Reversal``.

    Yields:
        the mode, whose ``rectifiers`` counts what it caught.

    Raises:
        UserError: no such reversal; a network in training mode; a rectifier that it
            could not catch; or a rule for rectifiers and no rectifier.
    """
    reversing = Reversing(named(reversal))
    checked = nullcontext() if reversing.rules == SALINET else checking(reversing)
    with checked, reversing:
        yield reversing
    reversing.finish()
