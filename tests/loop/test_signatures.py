"""Every public method has the parameters that it has in this interpreter's asyncio, native methods included."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket

import pytest
from tests.loop.wire import turns

import data_bridge


def parameters(method):
    """Names, kinds and defaults."""
    return [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]


def assert_alike(ours, standard):
    differing = {}
    for name in dir(standard):
        method = getattr(standard, name)
        if name.startswith("_") or not callable(method):
            continue
        wanted = parameters(method)
        found = parameters(getattr(ours, name))
        if found != wanted:
            differing[name] = (found, wanted)
    assert not differing


@pytest.fixture
def loops():
    ours, standard = data_bridge.new_event_loop(), asyncio.SelectorEventLoop()
    yield ours, standard
    ours.close()
    standard.close()


def test_the_loop(loops):
    ours, standard = loops
    assert_alike(ours, standard)


def test_what_awaits(loops):
    """A coroutine function stays one, and nothing else becomes one."""
    ours, standard = loops
    for name in dir(standard):
        method = getattr(standard, name)
        if not name.startswith("_") and callable(method):
            assert inspect.iscoroutinefunction(getattr(ours, name)) == inspect.iscoroutinefunction(method), name


def test_a_coroutine_by_name(loop):
    """What the signature promises, the fast call takes."""

    async def answer():
        return 42

    assert loop.run_until_complete(loop.create_task(coro=answer(), name="by name")) == 42


async def stream_transport():
    here, there = socket.socketpair()
    transport, _protocol = await asyncio.get_running_loop().create_unix_connection(asyncio.Protocol, sock=here)
    there.close()
    return transport


async def datagram_transport():
    loop = asyncio.get_running_loop()
    transport, _protocol = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    return transport


async def read_pipe():
    reading, writing = os.pipe()
    os.close(writing)
    transport, _protocol = await asyncio.get_running_loop().connect_read_pipe(
        asyncio.Protocol, os.fdopen(reading, "rb")
    )
    return transport


async def write_pipe():
    reading, writing = os.pipe()
    loop = asyncio.get_running_loop()
    transport, _protocol = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(writing, "wb"))
    os.close(reading)
    return transport


@pytest.mark.parametrize("make", [stream_transport, datagram_transport, read_pipe, write_pipe])
def test_transports(loops, make):
    ours, standard = (loop.run_until_complete(make()) for loop in loops)
    assert_alike(ours, standard)
    for transport, loop in zip((ours, standard), loops, strict=True):
        transport.close()
        loop.run_until_complete(turns())


async def server():
    return await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)


def test_servers(loops):
    ours, standard = (loop.run_until_complete(server()) for loop in loops)
    assert_alike(ours, standard)
    for started in (ours, standard):
        started.close()


def test_the_handles(loops):
    ours, standard = loops
    for schedule in (lambda loop: loop.call_soon(print), lambda loop: loop.call_later(1, print)):
        assert_alike(schedule(ours), schedule(standard))
