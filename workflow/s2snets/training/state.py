"""The state of a training: all that its next step depends on."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from lightning_fabric.plugins import Precision
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from s2snets.config import Optimisation
from s2snets.data.order import seeded_generator

Curve = list[dict[str, float]]
"""A learning curve: one dict per check, with ``images``, ``loss`` and ``rate``."""

OPTIMISERS: dict[str, Callable[[Iterable[Tensor], Optimisation], Optimizer]] = {
    "sgd": lambda weights, s: torch.optim.SGD(
        weights,
        s.learning_rate,
        momentum=s.momentum,
        weight_decay=s.weight_decay,
        fused=not s.deterministic or None,
    ),
    "adam": lambda weights, s: torch.optim.Adam(
        weights,
        s.learning_rate,
        betas=(s.momentum, 0.999),
        weight_decay=s.weight_decay,
        fused=not s.deterministic or None,
    ),
    "adadelta": lambda weights, s: torch.optim.Adadelta(
        weights, s.learning_rate, rho=s.momentum, eps=1e-8, weight_decay=s.weight_decay
    ),  # Keras's ε; torch's own is 1e-6
}


def step_count(settings: Optimisation) -> int:
    """Return the number of whole batches in the images to be seen, at least one."""
    return max(1, settings.images // settings.batch)


def step_seed(seed: int, seen: int) -> int:
    """Return the seed of one step's random numbers, such as dropout's."""
    return int(seeded_generator(seed, seen, 3).integers(2**63))


class TrainingState:
    """All that the next step depends on.

    Args:
        model: in its mode of training, with ``requires_grad`` set.
        settings: the optimiser, its schedule and the interval of checks.
        steps: in all.
        precision: Fabric's plugin, which scales the losses of half precision.
    """

    def __init__(
        self,
        model: nn.Module,
        settings: Optimisation,
        steps: int,
        precision: Precision | None = None,
    ) -> None:
        self.weights = [one for one in model.parameters() if one.requires_grad]
        self.model, self.precision = model, precision
        self.optimiser = OPTIMISERS[settings.optimiser](self.weights, settings)
        self.step_schedule: LRScheduler | None = None
        self.check_schedule: ReduceLROnPlateau | None = None
        if settings.schedule == "one_cycle":
            self.step_schedule = OneCycleLR(
                self.optimiser,
                settings.learning_rate,
                total_steps=steps,
                cycle_momentum=False,
            )
        elif settings.schedule == "plateau":
            # torch counts the checks without improvement that it still tolerates, the
            # paper those after which the rate falls.
            self.check_schedule = ReduceLROnPlateau(
                self.optimiser,
                factor=settings.factor,
                patience=settings.patience - 1,
                threshold=0,
            )
        self.total, self.check_every = steps * settings.batch, settings.check_every
        self.seen = 0  # images
        self.saved = 0  # images seen at the last checkpoint
        self.since_check = 0  # images seen since the last check
        self.sums: dict[str, Tensor | float] = {}  # of this process, since the check
        self.measured = 0  # images in these sums
        self.curve: Curve = []

    def stateful(self) -> dict[str, Any]:
        """Return the parts that have a state dict, by their key in a checkpoint."""
        parts = {
            "model": self.model,
            "optimiser": self.optimiser,
            "per_step": self.step_schedule,
            "per_check": self.check_schedule,
            "precision": self.precision,
        }
        return {key: part for key, part in parts.items() if part is not None}

    def state_dict(self, sums: Mapping[str, Tensor | float]) -> dict[str, Any]:
        """Return the content of a checkpoint, with the sums of all processes."""
        return {
            "seen": self.seen,
            "since": self.since_check,
            "curve": self.curve,
            "sums": {name: float(value) for name, value in sums.items()},
            **{key: part.state_dict() for key, part in self.stateful().items()},
        }

    def load_state_dict(self, state: Mapping[str, Any], is_first: bool = True) -> None:
        """Resume from a checkpoint; the first process takes over the sums."""
        self.seen, self.since_check = state["seen"], state["since"]
        self.curve, self.saved = state["curve"], self.seen
        self.sums = {name: is_first * value for name, value in state["sums"].items()}
        self.measured = is_first * self.since_check
        for key, part in self.stateful().items():
            part.load_state_dict(state[key])

    @property
    def check_due(self) -> bool:
        """Whether a check is due, also where a job was killed just before one."""
        ended = self.seen == self.total
        before = self.seen - self.since_check
        passed = self.seen // self.check_every > before // self.check_every
        return self.since_check > 0 and (ended or passed)

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.optimiser.param_groups[0]["lr"]

    def measure(self, values: Mapping[str, Tensor], images: int) -> None:
        """Add values that are means over this process's images to the sums."""
        for name, mean in values.items():
            # float64: a sum over a million images must not lose the last ones
            part = mean.detach().double() * images
            self.sums[name] = self.sums.get(name, 0.0) + part
        self.measured += images

    def running_means(self) -> dict[str, float]:
        """Return the measured values' means over this process since the last check."""
        return {name: float(value) / self.measured for name, value in self.sums.items()}

    def advance(self, images: int) -> None:
        """Count the images of a step, and move a schedule that goes by steps."""
        if self.step_schedule:
            self.step_schedule.step()
        self.seen += images
        self.since_check += images

    def add_check(
        self, sums: Mapping[str, Tensor | float], values: Mapping[str, float]
    ) -> None:
        """Add a row to the learning curve, and move a schedule that goes by checks.

        Args:
            sums: of all processes.
            values: further values of the row, such as validation errors.
        """
        means = {name: float(sum) / self.since_check for name, sum in sums.items()}
        self.curve.append({"images": self.seen, **means, **values, "rate": self.rate})
        if self.check_schedule:
            self.check_schedule.step(means["loss"])
        self.sums, self.since_check, self.measured = {}, 0, 0
