"""How far a long work is: a line on standard error every few seconds."""

import sys
import time


def span(seconds):
    """A duration for people: ``45 s``, ``12 min``, ``3.4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Progress:
    """Prints ``1,200/10,000 images, 350 images/s, 25 s left, loss 0.0123``.

    A log gets a line every few seconds, a terminal one line that changes.

    Args:
        total: how many in all; None where nobody knows.
        done: how many an earlier, interrupted job has done.
        every: seconds between lines.
        unit: what is counted.
    """

    def __init__(self, total=None, done=0, every=10.0, unit="images"):
        self.total, self.first, self.every, self.unit = total, done, every, unit
        self.start = self.told = time.monotonic()

    def __call__(self, done, **values):
        """Tell where the work is, unless it was told a moment ago.

        Args:
            done: how many so far.
            values: further numbers, such as the loss; called when they are functions,
                so that a device is waited for only when a line is due.

        Returns:
            None where nothing was told, else ``images_per_second`` (or of another
            unit) in a dict.
        """
        now = time.monotonic()
        if now - self.told < self.every and done != self.total:
            return None
        self.told = now
        rate = (done - self.first) / max(now - self.start, 1e-9)
        parts = [f"{done:,} {self.unit}", f"{rate:,.0f} {self.unit}/s"]
        if self.total is not None:
            parts[0] = f"{done:,}/{self.total:,} {self.unit}"
            parts.append(f"{span((self.total - done) / rate) if rate else '?'} left")
        for name, value in values.items():
            parts.append(f"{name} {value() if callable(value) else value:.4g}")
        line = ", ".join(parts)
        if sys.stderr.isatty():  # to the line's start, and clear it
            end = "\n" if done == self.total else ""
            print(f"\r\x1b[K{line}", end=end, file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
        return {f"{self.unit}_per_second": rate}
