"""What a user sees of a training while it runs; the first process shows it."""

import pandas as pd

from s2snets.runtime.progress import Progress
from s2snets.runtime.tables import write_csv


class Watch:
    """A line every few seconds, ``curve.csv`` and TensorBoard's events.

    Args:
        training: a ``loop.Training``, resumed.
        curve_at, events_at: file and folder; None: none.
    """

    def __init__(self, training, curve_at=None, events_at=None):
        self.curve_at, self.events = curve_at, None
        if events_at is not None:
            # Imported late: it takes a while, and one process needs it.
            from torch.utils.tensorboard import SummaryWriter

            # What a killed job had told beyond its checkpoint is told again.
            again = training.seen + (not training.due)
            self.events = SummaryWriter(events_at, purge_step=again)
        self.progress = Progress(training.total, training.seen)
        self.keep_curve(training)

    def step(self, training):
        """After a step; waits for the device only when a line is due."""
        told = self.progress(
            training.seen,
            loss=lambda: training.running()["loss"],
            rate=training.rate,
        )
        if told and self.events:
            told |= {"loss": training.running()["loss"], "rate": training.rate}
            self.write("training", told, training.seen)

    def check(self, training):
        """After a check."""
        self.keep_curve(training)
        if self.events:
            row = training.curve[-1]
            self.write("check", row, row["images"])
            self.events.flush()

    def keep_curve(self, training):
        if self.curve_at is not None and training.curve:
            write_csv(pd.DataFrame(training.curve), self.curve_at)

    def write(self, group, values, seen):
        for name, value in values.items():
            if name != "images":
                self.events.add_scalar(f"{group}/{name}", float(value), seen)

    def close(self):
        if self.events:
            self.events.close()
