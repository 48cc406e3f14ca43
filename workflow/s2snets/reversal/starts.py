"""Start tensors p of a reversed network: what of a layer's output is shown.

Each takes y, (N, C) or (N, C, H, W), and gives p of its shape, for every image as if
it were alone. The centre is row H // 2, column W // 2.
"""

import numpy as np
import torch

from s2snets.data.order import generator
from s2snets.runtime.errors import UserError

RANDOM, MIXTURE = 0, 1  # what a seed draws


def at_centre(y):
    """The activations (N, C) at the central position."""
    while y.ndim > 2:
        y = y.select(-1, y.shape[-1] // 2)
    return y


def central(y, p):
    """(N, C) -> the tensor that has it at the centre and is 0 elsewhere."""
    if y.ndim == 2:
        return p
    start = torch.zeros_like(y)
    start[(..., *(side // 2 for side in y.shape[2:]))] = p
    return start


def seeds(seed, count):
    """One seed an image."""
    given = np.ravel(seed)
    if len(given) not in (1, count):
        raise ValueError(f"{len(given)} seeds for {count} images")
    return np.broadcast_to(given, count).tolist()


def strongest(y):
    """1 at the most active neuron, 0 elsewhere (section 3.1); the first of equals."""
    flat = y.flatten(1)
    p = torch.zeros_like(flat).scatter_(1, flat.argmax(1, keepdim=True), 1)
    return p.view_as(y)


def strongest_central(y):
    """1 at the most active neuron of the central position (figure 4)."""
    return central(y, strongest(at_centre(y)))


def neuron(y, indices):
    """1 at given neurons.

    Args:
        indices: integers (C) or (C, H, W): one neuron for all images; or (N, 1) or
            (N, 3), an image's own; or (N,) for y (N, C).

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


def random_neuron(y, seed, attempt=0):
    """1 at a random neuron of the central position, not the most active (figure 4).

    Active ones come first, whose response a rectifier's mask can leave non-zero.

    Args:
        seed: an integer, or one an image.
        attempt: which draw; every neuron comes once.
    """
    centre = at_centre(y)
    count = centre.shape[1]
    drawn = np.stack([
        generator(one, RANDOM).permutation(count) for one in seeds(seed, len(y))
    ])  # fmt: skip
    drawn = torch.from_numpy(drawn).to(y.device)
    active = centre.gather(1, drawn)
    rank = (active <= 0).int() + 2 * (drawn == centre.argmax(1, keepdim=True)).int()
    order = rank.argsort(dim=1, stable=True)[:, attempt % count]
    chosen = drawn.gather(1, order[:, None])
    return central(y, torch.zeros_like(centre).scatter_(1, chosen, 1))


def mixture(y, seed):
    """|N(0, 1)| in every channel at the central position (figure 4, bottom).

    Args:
        seed: an integer, or one an image.
    """
    count = y.shape[1]
    drawn = np.stack([
        np.abs(generator(one, MIXTURE).standard_normal(count))
        for one in seeds(seed, len(y))
    ])  # fmt: skip
    return central(y, torch.from_numpy(drawn).to(y.device, y.dtype))


def channel(y):
    """1 wherever the channel of the most active neuron is positive (section 3.5)."""
    best = y.flatten(2).amax(2) if y.ndim > 2 else y
    chosen = strongest(best).view(*best.shape, *(1,) * (y.ndim - 2))
    return chosen * (y > 0)


DETERMINED = {
    start.__name__: start for start in (strongest, strongest_central, channel)
}
DRAWN = {start.__name__: start for start in (random_neuron, mixture)}


def resolved(start, y, seed):
    """p for a start: a name, a function of y, or a tensor.

    Raises:
        UserError: no such start, or a tensor of another shape.
    """
    if isinstance(start, torch.Tensor):
        if start.shape not in (y.shape, y.shape[1:]):
            raise UserError(
                f"start: {tuple(start.shape)} for a layer's {tuple(y.shape)}"
            )
        return start.to(y).expand_as(y)
    if start in DRAWN:
        return DRAWN[start](y, seed)
    if start in DETERMINED:
        return DETERMINED[start](y)
    if callable(start):
        return start(y)
    raise UserError(
        f"start: there is no {start!r}; choose {', '.join((*DETERMINED, *DRAWN))}"
    )
