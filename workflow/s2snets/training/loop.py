"""The one training loop: classifiers, autoencoders and their fine-tuning.

Progress is counted in images, because one pass over 92 million photographs has no
epochs. Everything random in a step follows from the seed and the images seen, so a
training that was killed and resumed ends in the very weights of one that was not.
"""

import signal
import time
from contextlib import closing, nullcontext

import torch

from s2snets.data.order import generator
from s2snets.runtime.signals import Preempted, listening
from s2snets.training import checkpoint
from s2snets.training.engine import share_modules, start
from s2snets.training.monitor import Watch

OPTIMISERS = {
    "sgd": lambda weights, s: torch.optim.SGD(
        weights, s.rate, momentum=s.momentum, weight_decay=s.weight_decay
    ),
    "adam": lambda weights, s: torch.optim.Adam(
        weights, s.rate, betas=(s.momentum, 0.999), weight_decay=s.weight_decay
    ),
    "adadelta": lambda weights, s: torch.optim.Adadelta(
        weights, s.rate, rho=s.momentum, eps=1e-8, weight_decay=s.weight_decay
    ),  # Keras's ε; torch's own is 1e-6
}

# Schedules that move after every step, by the number of steps.
PER_STEP = {
    "one_cycle": lambda optimiser, s, steps: torch.optim.lr_scheduler.OneCycleLR(
        optimiser, s.rate, total_steps=steps, cycle_momentum=False
    ),
}

# Schedules that move after every check, by its loss. torch counts the checks without
# improvement that it still forgives, the paper those that it does not.
PER_CHECK = {
    "plateau": lambda optimiser, s: torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=s.factor, patience=s.patience - 1, threshold=0
    ),
}


def whole_steps(settings):
    """Whole batches in the images to be seen, at least one."""
    return max(1, settings.images // settings.batch)


def step_seed(seed, seen):
    """The seed of one step's randomness, dropout for one."""
    return int(generator(seed, seen, 3).integers(2**63))


class Training:
    """All that the next step depends on.

    Args:
        model: in the mode and with the gradients it is to be trained with.
        settings: a ``config.Optimisation``.
        steps: in all.
        precision: Fabric's, which scales the losses of half precision.
    """

    def __init__(self, model, settings, steps, precision=None):
        self.weights = [one for one in model.parameters() if one.requires_grad]
        self.model, self.precision = model, precision
        self.optimiser = OPTIMISERS[settings.optimiser](self.weights, settings)
        self.per_step = self.per_check = None
        if settings.schedule in PER_STEP:
            make = PER_STEP[settings.schedule]
            self.per_step = make(self.optimiser, settings, steps)
        elif settings.schedule in PER_CHECK:
            self.per_check = PER_CHECK[settings.schedule](self.optimiser, settings)
        self.total, self.every = steps * settings.batch, settings.check_every
        self.seen = 0  # images
        self.since = 0  # images since the last check
        self.sums = {}  # of the values measured in this process over those images
        self.own = 0  # images that went into these sums
        self.curve = []  # one dict a check
        self.saved = None  # images seen by the last checkpoint

    def stateful(self):
        names = ("model", "optimiser", "per_step", "per_check", "precision")
        parts = {name: getattr(self, name) for name in names}
        return {name: part for name, part in parts.items() if part is not None}

    def state(self, sums):
        """For a checkpoint; with the sums of all processes."""
        plain = {name: getattr(self, name) for name in ("seen", "since", "curve")}
        sums = {name: float(value) for name, value in sums.items()}
        parts = {name: part.state_dict() for name, part in self.stateful().items()}
        return plain | {"sums": sums} | parts

    def resume(self, state, first=True):
        """From a checkpoint; the first process takes its sums."""
        for name in ("seen", "since", "curve"):
            setattr(self, name, state[name])
        self.sums = {name: first * value for name, value in state["sums"].items()}
        self.own, self.saved = first * self.since, self.seen
        for name, part in self.stateful().items():
            part.load_state_dict(state[name])

    @property
    def due(self):
        """Whether a check is: also where a job was killed between step and check."""
        ended = self.seen == self.total
        passed = self.seen // self.every > (self.seen - self.since) // self.every
        return self.since > 0 and (ended or passed)

    @property
    def rate(self):
        return self.optimiser.param_groups[0]["lr"]

    def add(self, values, images):
        """Values measured in a step, averaged over this process's images."""
        for name, mean in values.items():
            # float64: a sum over a million images must not lose the last ones
            part = mean.detach().double() * images
            self.sums[name] = self.sums.get(name, 0.0) + part
        self.own += images

    def running(self):
        """Measured values, averaged over this process's images since the last check."""
        return {name: float(value) / self.own for name, value in self.sums.items()}

    def checked(self, sums, values):
        """A row of the learning curve, and a move of the rate."""
        means = {name: float(value) / self.since for name, value in sums.items()}
        self.curve.append({"images": self.seen, **means, **values, "rate": self.rate})
        if self.per_check:
            self.per_check.step(means["loss"])
        self.sums, self.since, self.own = {}, 0, 0


def fit(
    model,
    batches,
    loss,
    settings,
    *,
    seed,
    identity,
    saved_at,
    engine=None,
    check=lambda model: {},
    save_every=60.0,
    numbers=lambda first, last: f"{last - first} images",
    **shown,
):
    """Train ``model`` in place; go on from a checkpoint where there is one.

    Args:
        batches: function of the images seen -> iterable of the remaining batches, or
            parts of batches that go through the network at once; the first element of
            each holds this process's images of it.
        loss: (model, batch) -> (loss to descend, dict of further values to average),
            each the mean over the batch's images.
        settings: a ``config.Optimisation``.
        identity: plain values by name: what a checkpoint must agree on.
        saved_at: the checkpoint's path; removed by whoever has saved the weights.
        engine: launched; None: this process alone.
        check: (model) -> dict of values for the learning curve, such as validation
            errors; called in all processes.
        save_every: seconds between checkpoints.
        numbers: (first, last position) -> text that names the images there.
        shown: see ``watch.Watch``.

    Returns:
        The learning curve: one dict a check with ``images``, ``loss``, the averaged and
        the checked values, and ``rate``.

    Raises:
        Preempted: SIGTERM or SIGUSR1 came; the checkpoint is written.
        UserError: a loss or gradient that is no number; the last checkpoint stays.
    """
    engine = engine or start(settings)
    fabric, world = engine.fabric, engine.share.world
    model.train()
    share_modules(model, engine.share)
    training = Training(
        model, settings, whole_steps(settings), fabric.strategy.precision
    )
    prepared = model
    if settings.compile:  # with the random numbers of a network that is not compiled
        same = {"fallback_random": True, "deterministic": True}
        prepared = torch.compile(model, options=same)
    prepared, optimiser = fabric.setup(prepared, training.optimiser)
    # Now that the weights are on their device: an optimiser's state follows them.
    state = engine.from_first(lambda: checkpoint.load(saved_at, identity))
    if state is not None:
        training.resume(state, engine.first)
    parts = settings.batch // (settings.micro_batch or settings.batch)
    watch = Watch(training, **shown) if engine.first else None
    saved, checking = time.monotonic(), 0.0

    def save():
        nonlocal saved
        state = training.state(engine.sum(training.sums))
        if engine.first:
            checkpoint.save(saved_at, identity, state)
        training.saved, saved = training.seen, time.monotonic()

    def check_now():
        nonlocal checking
        started = time.monotonic()
        sums = engine.sum(training.sums)
        prepared.eval()
        values = check(prepared)
        prepared.train()
        training.checked(sums, values)
        if watch:
            watch.check(training)
        checking = time.monotonic() - started

    def step(stream):
        """One step; whether a value in it is no number, still on the device."""
        descended = 0.0
        optimiser.zero_grad(set_to_none=True)
        for part in range(parts):
            batch = next(stream)
            if part == 0:  # after the loader, which draws too when it starts
                torch.manual_seed(step_seed(seed, training.seen))
            images = len(batch[0])
            last = part == parts - 1
            with fabric.no_backward_sync(prepared, enabled=world > 1 and not last):
                value, measured = loss(prepared, batch)
                # Gradients are averaged over processes, whose parts may differ.
                fabric.backward(value * (images * world / settings.batch))
            training.add({"loss": value, **measured}, images)
            descended = descended + value.detach()
        if settings.precision != "16-mixed":  # there they are skipped, by design
            gradients = [one.grad for one in training.weights if one.grad is not None]
            descended = descended + torch.nn.utils.get_total_norm(gradients)
        optimiser.step()
        if training.per_step:
            training.per_step.step()
        training.seen += settings.batch
        training.since += settings.batch
        return ~descended.isfinite()

    def wishes(bad):
        """What the processes want together: flags, still on the device."""
        # A check that takes long must not cost what came before it.
        elapsed = time.monotonic() - saved + (checking if training.due else 0)
        own = [bool(heard), engine.first and elapsed >= save_every]
        own = torch.tensor(own, dtype=torch.float32).to(bad.device, non_blocking=True)
        return training.seen, engine.greatest(torch.cat([bad.float().view(1), own]))

    def read(wished):
        """The flags, once the device has come to them."""
        seen, flags = wished
        bad, stopping, saving = (bool(flag) for flag in flags.tolist())
        if bad:
            last = f"the last good checkpoint is {saved_at}, after {training.saved:,}"
            if not training.saved:
                last = "there is no checkpoint yet, after 0"
            first = seen - settings.batch
            engine.fail(
                f"step {seen // settings.batch}: loss or gradient is not finite"
                f" (positions {first} to {seen - 1}, {numbers(first, seen)}); {last}"
                " images; lower rate, or look at these images"
            )
        return stopping, saving

    with listening() as heard, closing(watch) if watch else nullcontext():
        if training.due:
            check_now()
        stream, earlier = iter(batches(training.seen)), None
        while training.seen < training.total:
            bad = step(stream)
            if watch:
                watch.step(training)
            # Flags are read a step late: the device need not be waited for.
            earlier, now = wishes(bad), earlier
            stopping, saving = read(now) if now else (False, False)
            if training.due or stopping or saving:
                (more, too), earlier = read(earlier), None
                stopping, saving = stopping or more, saving or too
            if stopping or saving:
                save()
            if stopping:
                names = " and ".join(signal.Signals(one).name for one in set(heard))
                raise Preempted(
                    f"{names or 'another process'} asked to stop after"
                    f" {training.seen:,} of {training.total:,} images:"
                    f" {saved_at} is written; run again to go on"
                )
            if training.due:
                check_now()
    model.eval()
    return training.curve
