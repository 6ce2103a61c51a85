"""Every operation that is measured. A case is one function in one of these files; a new file is one name here."""

from benchmarks.loop import programs, scheduling, tls, wire
from benchmarks.loop.registry import CASES

__all__ = ["CASES", "programs", "scheduling", "tls", "wire"]
