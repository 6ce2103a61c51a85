"""What the figures have to show: each target is data. Says held or missed; a missing figure is no success.

A target is an upper limit. Ratios of two medians get the method's tolerance of 3 %, everything else is taken as it is.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.scenarios import SCENARIOS

TOLERANCE = 0.03
Results = dict[str, Any]  # kind ("http", "loops", "json") → the results file


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
        except (KeyError, TypeError, ZeroDivisionError, statistics.StatisticsError):
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


def p99_of_many(peer: str) -> Callable[[Results], float]:
    """The 99th percentile with 5,000 connections, divided by the best of the Python peers."""

    def ratio(results: Results) -> float:
        records = results["http"]["scenarios"]["many"].items()
        found = {name: record["median"]["p99_us"] for name, record in records if "median" in record}
        rivals = (found[name] for name in found if name != "nginx" and not name.endswith("data_bridge"))
        return float(found[peer] / min(rivals, default=0))

    return ratio


def half(peer: str, beside: str | None = None) -> Callable[[Results], float]:
    """The 99th percentile at half of a peer's saturation rate, alone or divided by another's at the same rate."""

    def figure(results: Results) -> float:
        found = results["http"]["half"][peer]
        return float(found[peer]["p99_ms"] / (found[beside]["p99_ms"] if beside else 1.0))

    return figure


def gil(kind: str, case: str, name: str) -> Callable[[Results], float]:
    """A latency of the GIL cases in milliseconds."""
    return lambda results: float(results["http"]["gil"][kind][case][name])


def startup(peer: str, name: str, beside: str | None = None, scale: float = 1.0) -> Callable[[Results], float]:
    """A start-up figure, alone or divided by another entry's."""

    def figure(results: Results) -> float:
        found = results["http"]["startup"]
        return float(found[peer][name] * scale / (found[beside][name] if beside else 1.0))

    return figure


def imported(package: str, beside: str) -> Callable[[Results], float]:
    """What importing a package costs, divided by another's."""
    return lambda results: float(
        results["http"]["imports"][package]["cpu_ms"] / results["http"]["imports"][beside]["cpu_ms"]
    )


def message(peer: str, beside: str) -> Callable[[Results], float]:
    """CPU of the server for a WebSocket's message, divided by another server's."""

    def ratio(results: Results) -> float:
        found = results["http"]["links"]["websocket"]
        return float(found[peer]["median"]["cpu_us"] / found[beside]["median"]["cpu_us"])

    return ratio


def production(group: str, entry: str, beside: str) -> Callable[[Results], float]:
    """CPU per request of one entry of a group, divided by another's."""

    def ratio(results: Results) -> float:
        found = results["http"]["production"][group]
        return float(found[entry]["median"]["cpu_us"] / found[beside]["median"]["cpu_us"])

    return ratio


def added_by_tls(peer: str, beside: str) -> Callable[[Results], float]:
    """What TLS adds to a request's CPU, divided by what it adds to another server's."""

    def ratio(results: Results) -> float:
        found = results["http"]["links"]["tls"]

        def added(name: str) -> float:
            sealed, plain = (float(found[f"{name}/{scheme}"]["median"]["cpu_us"]) for scheme in ("https", "http"))
            return sealed - plain

        return added(peer) / added(beside)

    return ratio


def fastest(case: str, *rivals: str, kind: str = "loops") -> Callable[[Results], float]:
    """CPU per operation of our loop divided by that of the fastest rival that can do it."""

    def ratio(results: Results) -> float:
        found = results[kind]["cases"][case]
        best = min(found[rival]["median"]["ns"] for rival in rivals or RIVALS if "median" in found.get(rival, {}))
        return float(found["data_bridge"]["median"]["ns"] / best)

    return ratio


def busiest(case: str) -> Callable[[Results], float]:
    """Messages per second of the best rival divided by ours."""

    def ratio(results: Results) -> float:
        found = results["loops"]["cases"][case]
        best = max(found[rival]["median"]["per_second"] for rival in RIVALS if "median" in found.get(rival, {}))
        return float(best / found["data_bridge"]["median"]["per_second"])

    return ratio


# Whom a loop is held against unless somebody is named.
RIVALS = ("uvloop", "rloop", "zuvloop")

# What a compiled route may cost, as a share of FastAPI on uvicorn.
PLAN_LIMITS = {
    "json": 0.16,
    "layers": 0.16,
    "query": 0.16,
    "post": 0.16,
    "dependencies": 0.16,
    "sleep": 0.18,
    "sync": 0.25,
    "models": 0.4,
}

# The same for an `App`, where nothing of FastAPI's own takes part.
APP_LIMITS = {
    "json": 0.11,
    "layers": 0.13,
    "query": 0.10,
    "post": 0.12,
    "dependencies": 0.13,
    "sleep": 0.12,
    "sync": 0.15,
    "models": 0.35,
}

LOOP_LIMITS: tuple[tuple[str, float, str, tuple[str, ...]], ...] = (
    ("call_soon chain", 0.9, "call_soon_chain", ()),
    ("call_later + cancel", 0.9, "call_later_cancel", ()),
    ("call_later fire", 0.9, "call_later_fire", ()),
    ("sleep(0)", 0.9, "sleep_zero", ()),
    ("future wake", 0.9, "future_wake", ()),
    ("create_task + gather", 0.95, "tasks", ()),
    ("asyncio.timeout", 1.0, "timeout", ()),
    ("call_soon_threadsafe", 0.8, "call_soon_threadsafe", ()),
    ("executor round trip", 0.6, "run_in_executor", ()),
    ("sock ping-pong", 0.7, "socks", ()),
    ("protocol ping-pong", 1.0, "protocols", ()),
    ("streams ping-pong", 0.85, "streams", ()),
    ("UDP ping-pong", 1.0, "udp", ()),
    ("TLS ping-pong 64 B", 0.95, "tls_small", ("uvloop",)),
    ("TLS ping-pong 64 KiB", 0.95, "tls_large", ("uvloop",)),
    ("connect + close", 0.85, "connect_close", ("uvloop",)),
    ("subprocess", 0.9, "subprocess_wait", ("rloop",)),
    ("subprocess", 0.25, "subprocess_wait", ("uvloop",)),
    ("echo at 32 connections, protocols", 0.9, "echo_1k_32", ("uvloop",)),
    ("echo at 32 connections, streams", 0.9, "echo_streams_32", ("uvloop",)),
    ("echo at 32 connections, sock_*", 0.9, "echo_socks_32", ("uvloop",)),
    ("echo at 32 connections, protocols", 1.0, "echo_1k_32", ("rloop",)),
    ("echo at 32 connections, streams", 1.0, "echo_streams_32", ("rloop",)),
    ("echo at 32 connections, sock_*", 1.0, "echo_socks_32", ("rloop",)),
)


def faster(record: Results, beside: str = "orjson") -> float | None:
    """How many times faster than another library ours is on one document; None where one of them is missing."""
    ours, other = (record["libraries"].get(name, {}).get("median") for name in ("data_bridge", beside))
    return float(other / ours) if ours and other else None


def json(
    direction: str, over: Callable[[list[float]], float], beside: str = "orjson", below: float = float("inf")
) -> Callable[[Results], float]:
    """Time of our JSON divided by another library's, over all documents of one direction of less than ``below`` bytes.

    All of them must be there.
    """

    def judged(results: Results) -> float:
        records = [record for record in results["json"][direction].values() if record["bytes"] < below]
        return over([1 / (faster(record, beside) or 0) for record in records])

    return judged


def json_document(direction: str, document: str, beside: str) -> Callable[[Results], float]:
    """Time of our JSON divided by another library's on one document."""
    return lambda results: 1 / (faster(results["json"][direction][document], beside) or 0)


def json_lost(direction: str) -> Callable[[Results], float]:
    """The share of its pace that a sleeping thread loses beside us."""
    return lambda results: 1 - float(results["json"]["fairness"]["data_bridge"][direction])


TARGETS = (
    Target("raw ASGI, plaintext: CPU against uvicorn", 0.42, cpu("plaintext", "asgi_data_bridge", "asgi_uvicorn")),
    Target("raw ASGI, POST echoed: CPU against uvicorn", 0.42, cpu("echo", "asgi_data_bridge", "asgi_uvicorn")),
    Target("native route: CPU against nginx", 1.0, cpu("native", "native_data_bridge", "nginx")),
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
    Target("5,000 connections: p99 of raw ASGI against the best Python peer's", 1, p99_of_many("asgi_data_bridge")),
    Target("5,000 connections: p99 of `App` against the best Python peer's", 1, p99_of_many("app_data_bridge")),
    Target(
        "WebSocket echo: CPU per message against uvicorn with websockets",
        0.5,
        message("asgi_data_bridge", "asgi_uvicorn"),
    ),
    Target("TLS GET: what TLS adds against what it adds to nginx", 1.1, added_by_tls("asgi_data_bridge", "nginx")),
    *(
        Target(f"HTTP/2, {shape}: CPU against granian", 1.0, production(group, "asgi_data_bridge", "asgi_granian"))
        for group, shape in (("http2-1", "1 connection of 64 streams"), ("http2-8", "8 connections of 8 streams"))
    ),
    Target("Flask: CPU against gunicorn's threads", 0.5, production("wsgi", "flask_data_bridge", "flask_gunicorn")),
    Target("`App` with two workers: CPU against one process", 1.05, production("workers", "two", "one")),
    Target("`App` with its access log: CPU against without", 1.08, production("watched", "access_log", "off")),
    Target("`App` with metrics: CPU against without", 1.03, production("watched", "metrics", "off")),
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
    Target("importing `App` against importing FastAPI: CPU", 0.6, imported("data_bridge", "fastapi")),
    Target("CPU of an idle `App`", 1, startup("app_data_bridge", "idle_cpu", scale=100), "%"),
    Target(
        "`App` with 10,000 routes: CPU against 10 routes",
        1.1,
        cpu("routes-10000", "app_data_bridge", "app_data_bridge", "routes-10"),
    ),
    Target(
        "a FastAPI app with 10,000 routes: CPU against 10 routes",
        1.1,
        cpu("routes-10000", "fastapi_data_bridge", "fastapi_data_bridge", "routes-10"),
    ),
    *(
        Target(
            f"{title}, {SCENARIOS[scenario].title}: CPU against uvicorn", limit, cpu(scenario, peer, "fastapi_uvicorn")
        )
        for peer, title, limits in (
            ("fastapi_data_bridge", "genuine FastAPI", PLAN_LIMITS),
            ("app_data_bridge", "`App`", APP_LIMITS),
        )
        for scenario, limit in limits.items()
    ),
    Target(
        "`App`, sync def, inline: CPU against uvicorn's sync def",
        0.06,
        cpu("inline", "app_data_bridge", "fastapi_uvicorn", "sync"),
    ),
    *(
        Target(
            f"`App`, {SCENARIOS[scenario].title}: CPU against django-bolt",
            1.0,
            cpu(scenario, "app_data_bridge", "django_bolt"),
        )
        for scenario in ("plaintext", "json", "query", "post", "dependencies", "models", "upload", "sleep", "inline")
    ),
    Target(
        "`App`, sync def in the pool: CPU against django-bolt's, at once",
        3.0,
        cpu("sync", "app_data_bridge", "django_bolt", "inline"),
    ),
    *(
        target
        for peer, title in (("fastapi_data_bridge", "genuine FastAPI"), ("app_data_bridge", "`App`"))
        for target in (
            Target(f"{title} at half of its saturation rate, p99", 10.0, half(peer), "ms"),
            Target(f"{title} at half of its saturation rate, p99 against uvicorn", 1.0, half(peer, "fastapi_uvicorn")),
        )
    ),
    *(
        Target(f"loop: {title} against {' and '.join(rivals) or 'the fastest'}", limit, fastest(case, *rivals))
        for title, limit, case, rivals in LOOP_LIMITS
    ),
    Target("loop: echo beside a CPU-bound thread, messages/s of the best against ours", 1.0, busiest("echo_burn")),
    *(
        Target(f"loop on CPython 3.14: {title} against zuvloop", limit, fastest(case, "zuvloop", kind="loops-3.14"))
        for title, limit, case, rivals in LOOP_LIMITS
        if not rivals
    ),
    Target("JSON loads against orjson, geometric mean", 1 / 1.2, json("loads", statistics.geometric_mean)),
    Target("JSON loads against orjson, worst document", 1 / 0.9, json("loads", max)),
    Target("JSON loads against json, 1 MB of records", 0.5, json_document("loads", "records-1mb", "json")),
    Target("JSON dumps against orjson, geometric mean", 1.0, json("dumps", statistics.geometric_mean)),
    Target("JSON dumps against orjson, worst document", 1 / 0.75, json("dumps", max)),
    Target("JSON dumps against json, 1 MB of records", 0.5, json_document("dumps", "records-1mb", "json")),
    Target("JSON into a response against orjson's dumps", 1.0, json("respond", statistics.geometric_mean)),
    Target("the same, documents under 1 KB", 1 / 1.2, json("respond", max, below=1024)),
    Target("JSON of models against to_json", 1 / 3, json("models", max, "pydantic_core")),
    Target("share of its pace that a thread loses beside JSON loads", 0.2, json_lost("loads"), ""),
    Target("share of its pace that a thread loses beside JSON dumps", 0.2, json_lost("dumps"), ""),
)
