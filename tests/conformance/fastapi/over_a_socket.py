"""A pytest plugin: Starlette's TestClient talks to our running server, through a real socket.

    PYTEST_PLUGINS=over_a_socket RECORD=out.json pytest tests

Each app is served by one server, with its plan, on one loop of ours in a thread of its own; its lifespan runs on that
loop too. What the app raises reaches the test through our error log.
"""

from __future__ import annotations

import asyncio
import atexit
import collections
import contextlib
import functools
import json
import logging
import os
from pathlib import Path

import anyio.from_thread
from fastapi import FastAPI
from starlette import testclient
from websocket_session import Session

import data_bridge
from data_bridge import _native
from data_bridge.adapters import adapt
from data_bridge.binds import listen
from data_bridge.settings import Settings

httpx = testclient.httpx
RECORD = os.environ.get("RECORD")
#: Seconds after which a request counts as lost.
PATIENCE = 30
#: Servers that stay open at once.
MOST = 60

counts: collections.Counter[str] = collections.Counter()
records: list[dict[str, object]] = []


class Failures(logging.Handler):
    """What apps raised, as our server logs it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.seen.append(record.exc_info[1])


failures = Failures()
errors = logging.getLogger("data_bridge.error")
errors.addHandler(failures)
errors.propagate = False


start_portal = anyio.from_thread.start_blocking_portal


@functools.cache
def portal():
    """The thread with our loop."""
    options = {"loop_factory": data_bridge.new_event_loop}
    context = start_portal("asyncio", options)
    atexit.register(context.__exit__, None, None, None)
    return context.__enter__()


class Running:
    """A server of one app."""

    def __init__(self, app, root_path) -> None:
        self.app = app  # keeps its identity from being given to another
        self.state: dict[str, object] = {}
        #: WebSockets that are open.
        self.sessions = 0
        self.port = portal().call(self._start, root_path)
        self.connections = httpx.HTTPTransport()
        atexit.register(self.connections.close)
        atexit.register(self.listener.close)

    async def _start(self, root_path):
        loop = asyncio.get_running_loop()
        settings = Settings(port=0, root_path=root_path, access_log=False, lifespan="off")
        (self.listener,) = listen(settings)
        self.server = _native.Server(loop, settings, [self.listener.fileno()])
        served = adapt(self.app, settings, loop)
        obstacle = "no plan for it" if served is None else served.obstacle(root_path)
        counts[f"servers: {obstacle or 'compiled'}"] += 1
        if obstacle is None:
            await self.server.start_adapted(served, root_path, self.state)
        else:
            await self.server.start(self.app, root_path, self.state)
        return self.listener.getsockname()[1]

    async def settle(self) -> None:
        """Wait for what the app does after its response, unless a WebSocket is open."""
        while not self.sessions and (tasks := self.server.tasks()):
            _, late = await asyncio.wait(tasks, timeout=5)
            for task in late:  # as the TestClient's own cancels them
                task.cancel()

    def close(self) -> None:
        self.connections.close()
        portal().call(self.server.close)
        self.listener.close()


servers: collections.OrderedDict[tuple[int, str], Running] = collections.OrderedDict()


def server_of(app, root_path) -> Running:
    key = id(app), root_path
    if key not in servers:
        servers[key] = Running(app, root_path)
        if len(servers) > MOST:
            servers.popitem(last=False)[1].close()
    servers.move_to_end(key)
    return servers[key]


class Received(httpx.SyncByteStream):
    """A response's body; at its end the app's task has ended too."""

    def __init__(self, stream, end) -> None:
        self._stream, self._end = stream, end

    def __iter__(self):
        return iter(self._stream)

    def close(self) -> None:
        self._stream.close()
        self._end()


class Transport(testclient._TestClientTransport):
    """Sends to the server of its app."""

    def handle_request(self, request):
        running = server_of(self.app, self.root_path)
        running.state.clear()
        running.state.update(self.app_state)
        failures.seen.clear()
        if request.url.scheme in {"ws", "wss"}:
            counts["websockets"] += 1
            raise testclient._Upgrade(Session(request, running, lambda: self._ended(running), PATIENCE))
        counts["requests"] += 1
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=running.port)
        sent = httpx.Request(
            request.method,
            url,
            headers=request.headers.raw,
            stream=request.stream,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)},
        )
        answer = running.connections.handle_request(sent)

        def end() -> None:
            self._open_requests.discard(end)
            self._ended(running)

        self._open_requests.add(end)
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=Received(answer.stream, end), request=request
        )

    def _ended(self, running) -> None:
        portal().call(running.settle)
        raised = failures.seen[-1:]
        failures.seen.clear()
        if self.raise_server_exceptions and raised:
            raise raised[0]


original_enter = testclient.TestClient.__enter__


def enter(self):
    server_of(self.app, self._transport.root_path)  # before the lifespan, as `serve()` has it
    return original_enter(self)


@contextlib.contextmanager
def one_portal(**_options):
    yield portal()


original_call = FastAPI.__call__


async def call(self, scope, receive, send):
    if scope["type"] == "http":
        counts["through the app's own stack"] += 1
    await original_call(self, scope, receive, send)


FastAPI.__call__ = call
testclient._TestClientTransport = Transport
testclient.TestClient.__enter__ = enter
anyio.from_thread.start_blocking_portal = one_portal


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        why = "" if report.outcome == "passed" else str(report.longrepr)[-1200:]
        records.append(
            {"id": report.nodeid, "outcome": report.outcome, "xfail": hasattr(report, "wasxfail"), "why": why}
        )


def pytest_terminal_summary(terminalreporter):
    for what, count in counts.most_common():
        terminalreporter.write_line(f"  {count:5d} {what}")


def pytest_sessionfinish():
    if RECORD:
        Path(RECORD).write_text(json.dumps({"counts": counts, "tests": records}, indent=0), encoding="utf-8")
