"""Each loop test runs on our loop and on asyncio's, which is the oracle: what asyncio does is what the test expects."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import data_bridge
from data_bridge import _native

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class HostedLoop(data_bridge.Loop):
    """Our loop with native work from its first run on: Tokio waits, and asyncio's descriptors are nested in it."""

    __module__ = data_bridge.Loop.__module__
    __slots__ = ("_occupied",)

    def _run(self) -> None:
        if not getattr(self, "_occupied", False):
            self._occupied = True
            _native.testing.occupy(self)
        super()._run()


HostedLoop.__name__ = HostedLoop.__qualname__ = data_bridge.Loop.__name__

FACTORIES: dict[str, LoopFactory] = {
    "data_bridge": data_bridge.new_event_loop,
    "hosted": HostedLoop,
    "asyncio": asyncio.SelectorEventLoop,
}


def open_descriptors() -> set[str]:
    """What this process has open, by kind: a leak shows as a set that grew."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name}:{os.readlink(entry)}")  # noqa: PTH115 - sockets are no paths
        except OSError:
            continue
    return found


@pytest.fixture(params=list(FACTORIES))
def loop_factory(request: pytest.FixtureRequest) -> LoopFactory:
    """Makes a loop of the kind under test."""
    return FACTORIES[request.param]


@pytest.fixture
def loop(loop_factory: LoopFactory) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that must lose no descriptor, task or exception that nobody asked for, nor count of its attachments."""
    before, sections = open_descriptors(), _native.testing.open_sections()
    created = loop_factory()
    lost: list[dict[str, object]] = []
    created.set_exception_handler(lambda _loop, context: lost.append(context))
    yield created
    left = asyncio.all_tasks(created)
    if not created.is_closed():
        if left:  # some end by themselves, such as those of asyncio's TLS servers
            left = created.run_until_complete(asyncio.wait(left, timeout=10))[1]
        created.run_until_complete(created.shutdown_asyncgens())
        created.run_until_complete(created.shutdown_default_executor())
        created.close()
    del created
    gc.collect()
    assert not lost
    assert not left, "tasks that nobody has awaited"
    assert open_descriptors() <= before
    assert _native.testing.open_sections() == sections, "attached or detached, and never back"


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Callable[..., object]:
    """`run(coroutine)`: its result, on the loop under test."""
    return loop.run_until_complete
