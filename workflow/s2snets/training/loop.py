"""The one training loop: classifiers, autoencoders and their fine-tuning.

Progress is counted in images, because one pass over 92 million photographs has no
epochs. Everything random in a step follows from the seed and the images seen, so a
training that was killed and resumed ends in the very weights of one that was not.
"""

import time

import torch

from s2snets.data.order import generator
from s2snets.progress import Progress
from s2snets.training import checkpoint

OPTIMISERS = {
    "sgd": lambda weights, s: torch.optim.SGD(
        weights, s.rate, momentum=s.momentum, weight_decay=s.weight_decay
    ),
    "adam": lambda weights, s: torch.optim.Adam(
        weights, s.rate, betas=(s.momentum, 0.999), weight_decay=s.weight_decay
    ),
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
    """

    def __init__(self, model, settings, steps):
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.model = model
        self.optimiser = OPTIMISERS[settings.optimiser](weights, settings)
        self.per_step = self.per_check = None
        if settings.schedule in PER_STEP:
            make = PER_STEP[settings.schedule]
            self.per_step = make(self.optimiser, settings, steps)
        elif settings.schedule in PER_CHECK:
            self.per_check = PER_CHECK[settings.schedule](self.optimiser, settings)
        self.seen = 0  # images
        self.since = 0  # images since the last check
        self.sums = {}  # of the measured values over those images
        self.curve = []  # one dict a check

    def stateful(self):
        parts = {
            "model": self.model,
            "optimiser": self.optimiser,
            "per_step": self.per_step,
            "per_check": self.per_check,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def state(self):
        """For a checkpoint."""
        plain = {name: getattr(self, name) for name in ("seen", "since", "curve")}
        sums = {name: float(value) for name, value in self.sums.items()}
        parts = {name: part.state_dict() for name, part in self.stateful().items()}
        return plain | {"sums": sums} | parts

    def resume(self, state):
        """From a checkpoint."""
        for name in ("seen", "since", "curve", "sums"):
            setattr(self, name, state[name])
        for name, part in self.stateful().items():
            part.load_state_dict(state[name])

    @property
    def rate(self):
        return self.optimiser.param_groups[0]["lr"]

    def means(self):
        """Measured values, averaged over the images since the last check."""
        return {name: float(value) / self.since for name, value in self.sums.items()}


def fit(
    model,
    batches,
    loss,
    settings,
    *,
    seed,
    identity,
    saved_at,
    check=dict,
    save_every=60.0,
):
    """Train ``model`` in place; go on from a checkpoint where there is one.

    Args:
        batches: function of the images seen -> iterable of the remaining batches; a
            batch's first element holds its images.
        loss: (model, batch) -> (loss to descend, dict of further values to average),
            each the mean over the batch's images.
        settings: a ``config.Optimisation``.
        identity: plain values by name: what a checkpoint must agree on.
        saved_at: the checkpoint's path; removed by whoever has saved the weights.
        check: () -> dict of values for the learning curve, such as validation errors.
        save_every: seconds between checkpoints.

    Returns:
        The learning curve: one dict a check with ``images``, ``loss``, the averaged and
        the checked values, and ``rate``.
    """
    steps = whole_steps(settings)
    training = Training(model, settings, steps)
    if (state := checkpoint.load(saved_at, identity)) is not None:
        training.resume(state)
    total = steps * settings.batch
    report = Progress(total, training.seen)
    saved = time.monotonic()
    model.train()
    for batch in batches(training.seen):
        torch.manual_seed(step_seed(seed, training.seen))
        value, measured = loss(model, batch)
        training.optimiser.zero_grad(set_to_none=True)
        value.backward()
        training.optimiser.step()
        if training.per_step:
            training.per_step.step()
        images = len(batch[0])
        for name, mean in {"loss": value, **measured}.items():
            # float64: a sum over a million images must not lose the last ones
            part = mean.detach().double() * images
            training.sums[name] = training.sums.get(name, 0.0) + part
        before, training.seen = training.seen, training.seen + images
        training.since += images
        report(training.seen, loss=lambda: training.means()["loss"])
        due = training.seen // settings.check_every > before // settings.check_every
        if due or training.seen == total:
            means = training.means()
            model.eval()
            checked = check()
            model.train()
            training.curve.append(
                {"images": training.seen, **means, **checked, "rate": training.rate}
            )
            if training.per_check:
                training.per_check.step(means["loss"])
            training.sums, training.since = {}, 0
        if time.monotonic() - saved >= save_every and training.seen < total:
            checkpoint.save(saved_at, identity, training.state())
            saved = time.monotonic()
    model.eval()
    return training.curve
