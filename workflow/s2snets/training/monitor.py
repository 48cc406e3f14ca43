"""What a user sees of a training while it runs, written by the first process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from s2snets.runtime.progress import Progress
from s2snets.runtime.tables import write_csv

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from s2snets.training.state import TrainingState


class Monitor:
    """A line of progress every few seconds, ``curve.csv`` and TensorBoard's events.

    Args:
        training: the state, resumed.
        curve_path: where the learning curve is written; None: nowhere.
        events_dir: folder of TensorBoard's events; None: none are written.
    """

    def __init__(
        self,
        training: TrainingState,
        curve_path: Path | None = None,
        events_dir: Path | None = None,
    ) -> None:
        self.training, self.curve_path = training, curve_path
        self.events: SummaryWriter | None = None
        if events_dir is not None:
            # Imported late: it takes a while, and only the first process needs it.
            from torch.utils.tensorboard import SummaryWriter

            # Events of a killed job that are newer than its checkpoint come again.
            purge_step = training.seen + (not training.check_due)
            self.events = SummaryWriter(events_dir, purge_step=purge_step)
        self.progress = Progress(training.total, training.seen)
        self.write_curve()

    def after_step(self) -> None:
        """Report on a step; wait for the device only when a line is due."""
        training = self.training
        printed = self.progress(
            training.seen,
            loss=lambda: training.running_means()["loss"],
            rate=training.rate,
        )
        if printed and self.events:
            values = {"loss": training.running_means()["loss"], "rate": training.rate}
            self.write_scalars("training", printed | values, training.seen)

    def after_check(self) -> None:
        """Write the learning curve and its newest row's events."""
        self.write_curve()
        row = self.training.curve[-1]
        self.write_scalars("check", row, int(row["images"]))
        if self.events:
            self.events.flush()

    def write_curve(self) -> None:
        """Write ``curve.csv``, once it has a row."""
        if self.curve_path is not None and self.training.curve:
            write_csv(pd.DataFrame(self.training.curve), self.curve_path)

    def write_scalars(self, group: str, values: Mapping[str, float], seen: int) -> None:
        """Write TensorBoard's scalars at a number of images seen."""
        if self.events is None:
            return
        for name, value in values.items():
            if name != "images":
                self.events.add_scalar(f"{group}/{name}", float(value), seen)

    def close(self) -> None:
        """Close TensorBoard's events."""
        if self.events:
            self.events.close()
