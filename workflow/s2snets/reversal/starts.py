"""Start tensors p of a reversed network: which activations of a layer are shown.

Each function takes a layer's output y, (N, C) or (N, C, H, W), and returns p of the
same shape; images of a batch do not influence each other. The central position is row
H // 2, column W // 2.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from s2snets.data.order import seeded_generator
from s2snets.runtime.errors import UserError

STREAM_NEURON, STREAM_MIXTURE = 0, 1  # random streams of an image's seed

Seeds = int | Sequence[int]
"""One seed for all images, or one for each."""

Start = str | Tensor | Callable[[Tensor], Tensor]
"""The name of a start, a tensor that fits y, or a function y -> p."""


def central_activations(y: Tensor) -> Tensor:
    """Return the activations (N, C) at the central position, a view of y."""
    while y.ndim > 2:
        y = y.select(-1, y.shape[-1] // 2)
    return y


def place_at_centre(y: Tensor, values: Tensor) -> Tensor:
    """Return zeros shaped as y, with ``values`` (N, C) at the central position."""
    if y.ndim == 2:
        return values
    p = torch.zeros_like(y)
    central_activations(p).copy_(values)
    return p


def seed_per_image(seed: Seeds, count: int) -> list[int]:
    """Return one seed for each of ``count`` images."""
    given = np.ravel(seed)
    if len(given) not in (1, count):
        raise ValueError(f"{len(given)} seeds for {count} images")
    return np.broadcast_to(given, count).tolist()


def strongest(y: Tensor) -> Tensor:
    """Return 1 at the most active neuron (the first of equals), 0 elsewhere (3.1)."""
    flat = y.flatten(1)
    p = torch.zeros_like(flat).scatter_(1, flat.argmax(1, keepdim=True), 1)
    return p.view_as(y)


def strongest_central(y: Tensor) -> Tensor:
    """Return 1 at the most active neuron of the central position (figure 4)."""
    return place_at_centre(y, strongest(central_activations(y)))


def neuron(y: Tensor, indices: Tensor | Sequence[int]) -> Tensor:
    """Return 1 at the given neurons.

    Args:
        y: a layer's output.
        indices: integers (C) or (C, H, W): one neuron for all images; or (N, 1) or
            (N, 3): one for each image; or (N,) for y (N, C).

    Raises:
        UserError: there is no such neuron.
    """
    indices = torch.as_tensor(indices, device=y.device)
    if indices.ndim < 2 and len(y) == indices.numel() and y.ndim == 2:
        indices = indices.view(-1, 1)
    where = indices.view(-1, y.ndim - 1).expand(len(y), -1)
    sides = torch.tensor(y.shape[1:], device=y.device)
    if ((where < 0) | (where >= sides)).any():
        raise UserError(
            f"neuron: {indices.tolist()} is outside the layer's {tuple(y.shape[1:])}"
        )
    p = torch.zeros_like(y)
    p[(torch.arange(len(y), device=y.device), *where.T)] = 1
    return p


def random_neuron(y: Tensor, seed: Seeds, attempt: int = 0) -> Tensor:
    """Return 1 at a random neuron of the central position, not the most active.

    Figure 4. Active neurons come first, since a rectifier's mask lets their responses
    pass; attempts 0, 1, … draw every neuron once.
    """
    centre = central_activations(y)
    count = centre.shape[1]
    permutations = np.stack([
        seeded_generator(image_seed, STREAM_NEURON).permutation(count)
        for image_seed in seed_per_image(seed, len(y))
    ])  # fmt: skip
    drawn = torch.from_numpy(permutations).to(y.device)
    active = centre.gather(1, drawn)
    rank = (active <= 0).int() + 2 * (drawn == centre.argmax(1, keepdim=True)).int()
    order = rank.argsort(dim=1, stable=True)[:, attempt % count]
    index = drawn.gather(1, order[:, None])
    return place_at_centre(y, torch.zeros_like(centre).scatter_(1, index, 1))


def mixture(y: Tensor, seed: Seeds) -> Tensor:
    """Return |N(0, 1)| in every channel at the central position (figure 4, bottom)."""
    values = np.stack([
        np.abs(seeded_generator(image_seed, STREAM_MIXTURE).standard_normal(y.shape[1]))
        for image_seed in seed_per_image(seed, len(y))
    ])  # fmt: skip
    return place_at_centre(y, torch.from_numpy(values).to(y.device, y.dtype))


def channel(y: Tensor) -> Tensor:
    """Return 1 wherever the channel of the most active neuron is positive (3.5)."""
    best = y.flatten(2).amax(2) if y.ndim > 2 else y
    mask = strongest(best).view(*best.shape, *(1,) * (y.ndim - 2))
    return mask * (y > 0)


FIXED_STARTS: dict[str, Callable[[Tensor], Tensor]] = {
    "strongest": strongest,
    "strongest_central": strongest_central,
    "channel": channel,
}
RANDOM_STARTS: dict[str, Callable[[Tensor, Seeds], Tensor]] = {
    "random_neuron": random_neuron,
    "mixture": mixture,
}


def resolve_start(start: Start, y: Tensor, seed: Seeds) -> Tensor:
    """Return p for a start.

    Raises:
        UserError: no such start, or a tensor of another shape.
    """
    if isinstance(start, Tensor):
        if start.shape not in (y.shape, y.shape[1:]):
            raise UserError(
                f"start: {tuple(start.shape)} for a layer's {tuple(y.shape)}"
            )
        return start.to(y).expand_as(y)
    if callable(start):
        return start(y)
    if start in RANDOM_STARTS:
        return RANDOM_STARTS[start](y, seed)
    if start in FIXED_STARTS:
        return FIXED_STARTS[start](y)
    names = ", ".join((*FIXED_STARTS, *RANDOM_STARTS))
    raise UserError(f"start: there is no {start!r}; choose {names}")
