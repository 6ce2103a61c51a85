"""What is asked: each scenario is data. Every peer's answer is compared with `expected` before anything is timed.

A scenario is one entry of `SCENARIOS`; peers name those they can answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.apps.records import RECORDS

TEXT = "text/plain"
JSON = "application/json"


@dataclass(frozen=True)
class Scenario:
    """One request, the exact answer to it, and how many connections ask it at once."""

    name: str
    title: str
    path: str
    expected: bytes
    answers: str = JSON  # media type of the answer
    method: str = "GET"
    body: bytes = b""
    sends: str = JSON  # media type of the body, if there is one
    headers: Mapping[str, str] = field(default_factory=dict)  # beside those of the body
    connections: int = 64
    env: Mapping[str, str] = field(default_factory=dict)  # for the server


def compact(value: object) -> bytes:
    """JSON as every peer writes it: UTF-8, no spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


HELLO = b"Hello, World!"
MESSAGE = compact({"message": "Hello, World!"})
ITEM = compact(
    {
        "name": "Portable lamp",
        "price": 34.5,
        "in_stock": True,
        "tags": ["light", "travel", "gift"],
        "maker": {"name": "Lumen & Sons", "country": "DK"},
    }
)
ECHO = b"0123456789" * 20
UPLOAD = bytes(range(256)) * 4096  # 1 MiB

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("plaintext", "GET plaintext", "/plaintext", HELLO, TEXT),
        Scenario("json", "GET JSON", "/json", MESSAGE),
        Scenario(
            "layers",
            "GET JSON behind CORS, gzip, hosts",
            "/json",
            MESSAGE,
            headers={"Origin": "https://example.com", "Accept-Encoding": "gzip"},
            env={"BENCH_LAYERS": "1"},
        ),
        Scenario(
            "query", "GET path + query", "/items/42?q=lamp&limit=10", compact({"item_id": 42, "q": "lamp", "limit": 10})
        ),
        Scenario(
            "echo",
            "POST 200 bytes, echoed",
            "/echo",
            ECHO,
            "application/octet-stream",
            method="POST",
            body=ECHO,
            sends="application/octet-stream",
        ),
        Scenario("post", "POST JSON model", "/items", ITEM, method="POST", body=ITEM),
        Scenario(
            "dependencies",
            "GET, two dependencies",
            "/dependencies?skip=20&limit=10",
            compact({"user": "anonymous", "skip": 20, "limit": 10}),
        ),
        Scenario("models", "100 KB from models", "/models", compact(RECORDS)),
        Scenario(
            "upload",
            "POST 1 MiB",
            "/upload",
            compact({"size": len(UPLOAD)}),
            method="POST",
            body=UPLOAD,
            sends="application/octet-stream",
            connections=8,
        ),
        Scenario("sleep", "sleep 10 ms × 512", "/sleep", MESSAGE, connections=512),
        Scenario("sync", "sync def", "/sync", MESSAGE),
        Scenario("inline", "sync def, inline", "/inline", MESSAGE),
        Scenario("native", "native route", "/native", HELLO, TEXT),
        Scenario("many", "5,000 connections", "/plaintext", HELLO, TEXT, connections=5000),
        Scenario("routes-10", "the last of 10 routes", "/route/9/x", MESSAGE, env={"BENCH_ROUTES": "10"}),
        Scenario("routes-10000", "the last of 10,000 routes", "/route/9999/x", MESSAGE, env={"BENCH_ROUTES": "10000"}),
    )
}
