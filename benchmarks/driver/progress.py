"""Progress on a terminal: what runs and about how much time is left. Knows nothing of what it reports."""

import sys
import time


class Progress:
    """Counts steps of about equal length."""

    def __init__(self, steps: int, title: str) -> None:
        self._steps = max(steps, 1)
        self._done = 0
        self._title = title
        self._started = time.monotonic()

    def step(self, what: str) -> None:
        """One step done. Terminals get a line that is overwritten, logs one line for every tenth of the way."""
        self._done += 1
        spent = time.monotonic() - self._started
        left = spent / self._done * (self._steps - self._done)
        line = f"{self._title} {self._done}/{self._steps} {what} (about {left:.0f} s left)"
        if sys.stderr.isatty():
            end = "\n" if self._done >= self._steps else ""
            print(f"\r\033[K{line[:118]}", end=end, file=sys.stderr, flush=True)
        elif self._done % max(self._steps // 10, 1) == 0:
            print(line, file=sys.stderr, flush=True)


def say(line: str) -> None:
    """A line that stays."""
    print(line, file=sys.stderr, flush=True)
