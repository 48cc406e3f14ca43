"""The one training loop: classifiers, autoencoders and their fine-tuning.

Progress is counted in images, because one pass over 92 million photographs has no
epochs. Everything random in a step follows from the seed and the images seen, so a
training that was killed and resumed ends in the same weights as one that was not.
"""

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from s2snets.config import Optimisation
from s2snets.runtime.signals import Preempted, stop_signals
from s2snets.training import checkpoint
from s2snets.training.engine import Engine, synchronise_modules
from s2snets.training.monitor import Monitor
from s2snets.training.state import Curve, TrainingState, step_count, step_seed

Batch = tuple[Tensor, Tensor]
"""Pixels (N, 3, H, W) in [0, 1] and labels (N,)."""

Loss = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]
"""(model, batch) -> loss to descend, further values to average; means over images."""


Flags = tuple[int, Tensor]
"""Images seen after a step, and on the device what a process found or wants: not
finite, stop, save; nonzero where it is true in any process."""


@dataclass(eq=False)
class Trainer:
    """One training of a model in place; resumes from a checkpoint if there is one.

    Raises:
        UserError: the checkpoint is damaged or of another training.
    """

    model: nn.Module  # what learns has requires_grad
    loss: Loss
    settings: Optimisation
    engine: Engine  # launched
    seed: int
    identity: Mapping[str, Any]  # plain values that a checkpoint must agree on
    checkpoint_path: Path  # removed by whoever has saved the weights
    # Returns values for the learning curve; called in all processes.
    check: Callable[[nn.Module], Mapping[str, float]] = lambda model: {}
    save_every: float = 60.0  # seconds between checkpoints
    # Returns text that names the images from a first to an end position.
    describe_images: Callable[[int, int], str] = lambda first, end: (
        f"{end - first} images"
    )
    curve_path: Path | None = None  # see Monitor
    events_dir: Path | None = None

    def __post_init__(self) -> None:
        fabric, settings = self.engine.fabric, self.settings
        self.model.train()
        synchronise_modules(self.model, self.engine.share)
        self.state = TrainingState(
            self.model, settings, step_count(settings), fabric.strategy.precision
        )
        network: Any = self.model
        if settings.compile:  # with the random numbers of a network that is not
            network = torch.compile(
                self.model,
                options={
                    "fallback_random": True,
                    "deterministic": settings.deterministic,
                },
            )
        self.network, self.optimiser = fabric.setup(network, self.state.optimiser)
        # Now that the weights are on their device: an optimiser's state follows them.
        saved = self.engine.from_first(
            lambda: checkpoint.load(self.checkpoint_path, self.identity)
        )
        if saved is not None:
            self.state.load_state_dict(saved, self.engine.is_first)
        self.monitor = None
        if self.engine.is_first:
            self.monitor = Monitor(self.state, self.curve_path, self.events_dir)
        self.received: list[int] = []  # signals
        self.saved_at, self.check_seconds = time.monotonic(), 0.0

    def fit(self, batches: Callable[[int], Iterable[Batch]]) -> Curve:
        """Train to the end, and leave the model in evaluation mode.

        Args:
            batches: function of the images seen that gives the remaining batches, or
                parts of batches that go through the network at once, each with this
                process's images of it.

        Returns:
            The learning curve.

        Raises:
            Preempted: SIGTERM or SIGUSR1 came; the checkpoint is written.
            UserError: a loss or gradient is not finite; the last checkpoint stays.
        """
        state = self.state
        watching = closing(self.monitor) if self.monitor else nullcontext()
        with stop_signals() as self.received, watching:
            if state.check_due:
                self.run_check()
            stream, pending = iter(batches(state.seen)), None
            while state.seen < state.total:
                not_finite = self.step(stream)
                if self.monitor:
                    self.monitor.after_step()
                # Flags are read a step late: the device need not be waited for.
                pending, previous = self.share_flags(not_finite), pending
                stop, save = self.read_flags(previous)
                if state.check_due or stop or save:
                    stop_now, save_now = self.read_flags(pending)
                    stop, save, pending = stop or stop_now, save or save_now, None
                if stop or save:
                    self.save()
                if stop:
                    self.preempt()
                if state.check_due:
                    self.run_check()
        self.model.eval()
        return state.curve

    def step(self, stream: Iterator[Batch]) -> Tensor:
        """Take one step; return whether it was not finite, bool () on the device."""
        settings = self.settings
        parts = settings.batch // (settings.micro_batch or settings.batch)
        total = torch.zeros((), device=self.engine.fabric.device)
        if self.state.seen >= settings.freeze_norm * self.state.total:
            freeze_norm(self.model)
        self.optimiser.zero_grad(set_to_none=True)
        for part in range(parts):
            batch = next(stream)
            if part == 0:  # after the loader, which draws too when it starts
                torch.manual_seed(step_seed(self.seed, self.state.seen))
            total = total + self.backward(batch, synchronise=part == parts - 1)
        if settings.precision != "16-mixed":  # which skips such steps, by design
            weights = self.state.weights
            gradients = [one.grad for one in weights if one.grad is not None]
            total = total + torch.nn.utils.get_total_norm(gradients)
        self.optimiser.step()
        self.state.advance(settings.batch)
        return ~total.isfinite()

    def backward(self, batch: Batch, synchronise: bool) -> Tensor:
        """Add a part of a batch to the gradients, and return its loss.

        Args:
            batch: this process's images of the part.
            synchronise: whether to average gradients over the processes.
        """
        fabric, images = self.engine.fabric, len(batch[0])
        world = self.engine.share.world
        alone = world > 1 and not synchronise
        with fabric.no_backward_sync(self.network, enabled=alone):
            value, measured = self.loss(self.network, batch)
            # Gradients are averaged over processes, whose parts may differ in size.
            fabric.backward(value * (images * world / self.settings.batch))
        self.state.measure({"loss": value, **measured}, images)
        return value.detach()

    def share_flags(self, not_finite: Tensor) -> Flags:
        """Return what any process found or wants, without waiting for the device."""
        # A check that takes long must not cost what came before it.
        elapsed = time.monotonic() - self.saved_at
        elapsed += self.check_seconds if self.state.check_due else 0
        save = self.engine.is_first and elapsed >= self.save_every
        wishes = torch.tensor([bool(self.received), save], dtype=torch.float32)
        wishes = wishes.to(not_finite.device, non_blocking=True)
        flags = torch.cat([not_finite.float().view(1), wishes])
        return self.state.seen, self.engine.maximum(flags)

    def read_flags(self, flags: Flags | None) -> tuple[bool, bool]:
        """Wait for a step's flags, and return whether to stop and whether to save.

        Raises:
            UserError: the step's loss or gradient was not finite.
        """
        if flags is None:
            return False, False
        seen, values = flags
        not_finite, stop, save = (bool(value) for value in values.tolist())
        if not_finite:
            self.fail_not_finite(seen)
        return stop, save

    def fail_not_finite(self, end: int) -> NoReturn:
        """Raise on a step that ended at a position and was not finite."""
        last = "there is no checkpoint yet, after 0"
        if saved := self.state.saved:
            last = (
                f"the last good checkpoint is {self.checkpoint_path}, after {saved:,}"
            )
        first = end - self.settings.batch
        self.engine.fail(
            f"step {end // self.settings.batch}: loss or gradient is not finite"
            f" (positions {first} to {end - 1}, {self.describe_images(first, end)});"
            f" {last} images; lower rate, or look at these images"
        )

    def save(self) -> None:
        """Write a checkpoint."""
        state = self.state.state_dict(self.engine.sum(self.state.sums))
        if self.engine.is_first:
            checkpoint.save(self.checkpoint_path, self.identity, state)
        self.state.saved, self.saved_at = self.state.seen, time.monotonic()

    def preempt(self) -> NoReturn:
        """Raise that a signal ended the training, once its checkpoint is written."""
        names = " and ".join(signal.Signals(one).name for one in set(self.received))
        raise Preempted(
            f"{names or 'another process'} asked to stop after {self.state.seen:,} of"
            f" {self.state.total:,} images: {self.checkpoint_path} is written; run"
            " again to go on"
        )

    def run_check(self) -> None:
        """Add a row to the learning curve."""
        started = time.monotonic()
        sums = self.engine.sum(self.state.sums)
        self.network.eval()
        values = self.check(self.network)
        self.network.train()
        self.state.add_check(sums, values)
        if self.monitor:
            self.monitor.after_check()
        self.check_seconds = time.monotonic() - started


def freeze_norm(model: nn.Module) -> None:
    """Let batch norm use its running averages, and keep them, in place."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
