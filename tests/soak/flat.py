"""Whether a process stays as it is: its memory and descriptors, looked at twenty times. Knows nothing of loops."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

SAMPLES = 20
#: What the allocator may do in the second half of a run, in KiB, without anything being lost.
SLACK = 1024
_PAGE = os.sysconf("SC_PAGE_SIZE") // 1024


def memory() -> int:
    """Resident memory of this process in KiB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def descriptors() -> int:
    """How many descriptors are open, the one of this look included."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - one descriptor, always


class Watch:
    """Looks at the process as the work proceeds, from `begin` on."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total = what, total
        self._began = time.monotonic()
        self._seen: list[tuple[int, int]] = []

    def done(self, count: int) -> None:
        """So much of the total is done; call it often."""
        if count * SAMPLES >= (len(self._seen) + 1) * self.total:
            gc.collect()
            self._seen.append((memory(), descriptors()))

    def close(self) -> None:
        """Print the figures; `AssertionError` if the second half of the work has left something."""
        assert len(self._seen) == SAMPLES, f"{self.what}: {len(self._seen)} looks, not {SAMPLES}"
        first, second = self._seen[: SAMPLES // 2], self._seen[SAMPLES // 2 :]
        half, end = first[-1][0], second[-1][0]
        # What is under way at a look has descriptors too: a leak shows where even the least is more than ever before.
        most, least = max(look[1] for look in first), min(look[1] for look in second)
        print(
            f"{self.what}: {self.total:,} in {time.monotonic() - self._began:.0f} s; at half {half:,} KiB, at the end "
            f"{end:,} KiB; at most {most} descriptors before, at least {least} after",
            flush=True,
        )
        assert end - half <= SLACK, f"{self.what}: memory grew by {end - half} KiB over the second half"
        assert least <= most, f"{self.what}: descriptors grew"
