"""Progress of long work: a line on standard error every few seconds."""

import sys
import time
from collections.abc import Callable


def log(line: str) -> None:
    """Print a line on standard error: a stage's log."""
    print(line, file=sys.stderr, flush=True)


def format_duration(seconds: float) -> str:
    """Return a duration as text: ``45 s``, ``12 min``, ``3.4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Progress:
    """Printer of lines ``1,200/10,000 images, 350 images/s, 25 s left, loss 0.0123``.

    A log gets a line every few seconds, a terminal one line that changes.

    Args:
        total: number of items in all; None where it is unknown.
        done: number of items that an earlier, interrupted job has done.
        every: seconds between lines.
        unit: what is counted, in the plural.
    """

    def __init__(
        self,
        total: int | None = None,
        done: int = 0,
        every: float = 10.0,
        unit: str = "images",
    ) -> None:
        self.total, self.first, self.every, self.unit = total, done, every, unit
        self.start = self.printed = time.monotonic()

    def __call__(
        self, done: int, **values: float | Callable[[], float]
    ) -> dict[str, float] | None:
        """Print a line, unless one was printed a moment ago.

        Args:
            done: number of items done so far.
            values: further numbers, such as the loss. Functions are called only when a
                line is due, so that the device is not waited for at other times.

        Returns:
            The rate as ``images_per_second`` (or another unit); None if nothing was
            printed.
        """
        now = time.monotonic()
        if now - self.printed < self.every and done != self.total:
            return None
        self.printed = now
        rate = (done - self.first) / max(now - self.start, 1e-9)
        parts = [f"{done:,} {self.unit}", f"{rate:,.0f} {self.unit}/s"]
        if self.total is not None:
            left = format_duration((self.total - done) / rate) if rate else "?"
            parts[0] = f"{done:,}/{self.total:,} {self.unit}"
            parts.append(f"{left} left")
        for name, value in values.items():
            parts.append(f"{name} {value() if callable(value) else value:.4g}")
        line = ", ".join(parts)
        if sys.stderr.isatty():  # to the line's start, and clear it
            end = "\n" if done == self.total else ""
            print(f"\r\x1b[K{line}", end=end, file=sys.stderr, flush=True)
        else:
            log(line)
        return {f"{self.unit}_per_second": rate}
