"""What the figures have to show: each target is data. Says held or missed; a missing figure is no success.

A target is an upper limit. Ratios of two medians get the method's tolerance of 3 %, everything else is taken as it is.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TOLERANCE = 0.03
Results = dict[str, Any]  # kind ("http", "loops") → the results file


@dataclass(frozen=True)
class Target:
    """One line of the table."""

    title: str
    limit: float
    figure: Callable[[Results], float]
    unit: str = "×"

    def judge(self, results: Results) -> tuple[float | None, str]:
        """The figure and the verdict."""
        try:
            figure = self.figure(results)
        except (KeyError, TypeError, statistics.StatisticsError):
            return None, "not measured"
        if figure <= self.limit:
            return figure, "held"
        if self.unit == "×" and figure <= self.limit * (1 + TOLERANCE):
            return figure, "held within 3 %"
        return figure, "**missed**"


def cpu(scenario: str, peer: str, beside: str, other: str | None = None) -> Callable[[Results], float]:
    """CPU per request of `peer` divided by that of `beside` (in the same scenario unless another is named)."""

    def ratio(results: Results) -> float:
        scenarios = results["http"]["scenarios"]
        mine = scenarios[scenario][peer]["median"]["cpu_us"]
        return float(mine / scenarios[other or scenario][beside]["median"]["cpu_us"])

    return ratio


def median(scenario: str, peer: str, name: str) -> Callable[[Results], float]:
    """A median of one peer in one scenario."""
    return lambda results: float(results["http"]["scenarios"][scenario][peer]["median"][name])


def syscalls(scenario: str, peer: str) -> Callable[[Results], float]:
    """All system calls per request."""
    return lambda results: sum(results["http"]["scenarios"][scenario][peer]["syscalls"].values())


def failures(*peers: str) -> Callable[[Results], float]:
    """Socket errors, time-outs and error answers over all repetitions with 5,000 connections."""
    return lambda results: sum(results["http"]["scenarios"]["many"][peer]["failed"] for peer in peers)


def gil(kind: str, case: str, name: str) -> Callable[[Results], float]:
    """A latency of the GIL cases in milliseconds."""
    return lambda results: float(results["http"]["gil"][kind][case][name])


def startup(peer: str, name: str, beside: str | None = None, scale: float = 1.0) -> Callable[[Results], float]:
    """A start-up figure, alone or divided by another entry's."""

    def figure(results: Results) -> float:
        found = results["http"]["startup"]
        return float(found[peer][name] * scale / (found[beside][name] if beside else 1.0))

    return figure


def loop(case: str, beside: str) -> Callable[[Results], float]:
    """CPU per operation of our loop divided by another's."""

    def ratio(results: Results) -> float:
        found = results["loops"]["cases"][case]
        return float(found["data_bridge"]["median"]["ns"] / found[beside]["median"]["ns"])

    return ratio


TARGETS = (
    Target("raw ASGI, plaintext: CPU against uvicorn", 0.42, cpu("plaintext", "asgi_data_bridge", "asgi_uvicorn")),
    Target(
        "`App`, async JSON: CPU against FastAPI on uvicorn", 0.13, cpu("json", "app_data_bridge", "fastapi_uvicorn")
    ),
    Target("native route: CPU against nginx", 1.0, cpu("native", "native_data_bridge", "nginx")),
    Target("genuine FastAPI, JSON: CPU against uvicorn", 1.0, cpu("json", "fastapi_data_bridge", "fastapi_uvicorn")),
    Target("system calls per request, 64 connections: native", 2.1, syscalls("native", "native_data_bridge"), ""),
    Target("system calls per request, 64 connections: raw ASGI", 2.1, syscalls("plaintext", "asgi_data_bridge"), ""),
    Target("system calls per request, 64 connections: `App`", 2.1, syscalls("json", "app_data_bridge"), ""),
    Target("threads at work on `App`'s async JSON", 1, median("json", "app_data_bridge", "threads"), ""),
    Target("native route beside a CPU-bound thread, p50", 0.3, gil("beside", "app_data_bridge/native", "p50_ms"), "ms"),
    Target(
        "native route while the GIL is held for 2 s, slowest", 5, gil("held", "app_data_bridge/native", "max_ms"), "ms"
    ),
    Target(
        "5,000 connections: errors and time-outs",
        0,
        failures("asgi_data_bridge", "app_data_bridge", "native_data_bridge"),
        "",
    ),
    Target("memory of a minimal `App`", 50, startup("app_data_bridge", "rss", scale=1 / 1e6), "MB"),
    Target(
        "cold start of a minimal `App` against importing asyncio and pydantic",
        1.6,
        startup("app_data_bridge", "cold_start_ms", "reference"),
    ),
    Target(
        "cold start of a minimal `App` against FastAPI on uvicorn",
        0.4,
        startup("app_data_bridge", "cold_start_ms", "fastapi_uvicorn"),
    ),
    Target("CPU of an idle `App`", 1, startup("app_data_bridge", "idle_cpu", scale=100), "%"),
    Target(
        "`App` with 10,000 routes: CPU against 10 routes",
        1.1,
        cpu("routes-10000", "app_data_bridge", "app_data_bridge", "routes-10"),
    ),
    Target("loop: call_soon chain against rloop", 1.0, loop("call_soon_chain", "rloop")),
    Target("loop: sleep(0) against rloop", 1.0, loop("sleep_zero", "rloop")),
    Target("loop: future wake against rloop", 1.0, loop("future_wake", "rloop")),
    Target("loop: call_later + cancel against rloop", 1.0, loop("call_later_cancel", "rloop")),
    Target("loop: call_later fire against rloop", 1.0, loop("call_later_fire", "rloop")),
)
