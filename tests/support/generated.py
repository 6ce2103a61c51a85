"""How many cases a differential test makes: the same few in `make test`, `GENERATED=20` times as many by chance."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("GENERATED", "0"))


def cases(count: int) -> settings:
    """Give the settings of a test that makes `count` cases."""
    return settings(
        max_examples=count * max(TIMES, 1),
        derandomize=not TIMES,
        deadline=None,
        database=None,
        print_blob=bool(TIMES),
        suppress_health_check=list(HealthCheck),
    )
