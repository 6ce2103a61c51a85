"""What a server's monitor shows, read by Prometheus's own parser."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.servers import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.servers import Server


class Figures:
    """One reading: samples by name and labels."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        samples = [sample for family in self.families.values() for sample in family.samples]
        self.samples = {(each.name, frozenset(each.labels.items())): each.value for each in samples}
        assert len(self.samples) == len(samples), "no series twice"

    def get(self, name: str, **labels: str) -> float:
        """One sample; 0 where there is none."""
        return self.samples.get((f"data_bridge_{name}", frozenset(labels.items())), 0)

    def answered(self) -> dict[tuple[str, str, str], int]:
        """Requests by method, route and status."""
        return {
            (labels["method"], labels["route"], labels["status"]): int(value)
            for (name, pairs), value in self.samples.items()
            if name == "data_bridge_requests_total" and (labels := dict(pairs))
        }


def monitor(server: Server) -> str:
    """Where the monitor answers."""
    found = re.search(r"Metrics on (http://\S+)/metrics", server.output)
    assert found, server.output
    return found[1]


def read(server: Server) -> Figures:
    """Ask the monitor."""
    answer = httpx.get(monitor(server) + "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Figures(answer.text)


def await_figures(server: Server, holds: Callable[[Figures], bool]) -> Figures:
    """Read until `holds(figures)`: a response is counted once the server is done with it; the client may be earlier."""
    end = time.monotonic() + PATIENCE
    while not holds(figures := read(server)):
        assert time.monotonic() < end, sorted(figures.answered().items())
    return figures
