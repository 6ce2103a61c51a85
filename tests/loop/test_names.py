"""`getaddrinfo` and `getnameinfo`."""

from __future__ import annotations

import logging
import socket
import threading

import pytest


@pytest.mark.parametrize(
    ("host", "port", "options"),
    [
        ("127.0.0.1", 80, {}),
        ("127.0.0.1", None, {"type": socket.SOCK_STREAM}),
        ("127.0.0.1", "80", {"type": socket.SOCK_STREAM}),
        ("127.0.0.1", "http", {"type": socket.SOCK_STREAM}),
        ("::1", 80, {"type": socket.SOCK_DGRAM}),
        ("fe80::1%lo", 80, {"type": socket.SOCK_STREAM}),
        ("fe80::1%1", 80, {"type": socket.SOCK_STREAM}),
        (None, 80, {"flags": socket.AI_PASSIVE}),
        ("localhost", 80, {"family": socket.AF_INET}),
        (b"127.0.0.1", 80, {"proto": socket.IPPROTO_TCP}),
        ("127.1", 80, {"type": socket.SOCK_STREAM}),
    ],
    ids=str,
)
def test_the_answer_is_that_of_the_socket_module(loop, host, port, options):
    answer = loop.run_until_complete(loop.getaddrinfo(host, port, **options))
    assert answer == socket.getaddrinfo(host, port, **options)


def test_a_zone_reaches_the_socket_address(loop):
    """uvloop loses it."""
    ((*_, address),) = loop.run_until_complete(loop.getaddrinfo("fe80::1%lo", 80, type=socket.SOCK_STREAM))
    assert address[3] == socket.if_nametoindex("lo")


@pytest.mark.parametrize(
    ("host", "options"),
    [
        ("127.0.0.1", {"family": socket.AF_INET6}),
        ("fe80::1%nowhere", {}),
        ("127.0.0.1", {"type": socket.SOCK_STREAM, "proto": socket.IPPROTO_UDP}),
    ],
)
def test_what_does_not_resolve(loop, host, options):
    with pytest.raises(socket.gaierror) as expected:
        socket.getaddrinfo(host, 80, **options)
    with pytest.raises(socket.gaierror) as caught:
        loop.run_until_complete(loop.getaddrinfo(host, 80, **options))
    assert caught.value.args == expected.value.args


def test_names_are_resolved_in_another_thread(loop, monkeypatch):
    threads = []

    def resolve(*arguments):
        threads.append(threading.current_thread())
        return list(arguments)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert loop.run_until_complete(loop.getaddrinfo("name.invalid", 80, family=1, type=2, proto=3, flags=4)) == [
        "name.invalid",
        80,
        1,
        2,
        3,
        4,
    ]
    assert threads != [threading.current_thread()]


def test_debug_mode_tells_how_long_it_took(loop, caplog):
    loop.set_debug(True)
    with caplog.at_level(logging.DEBUG, "asyncio"):
        loop.run_until_complete(loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))
    assert "Get address info 127.0.0.1:80, type=" in caplog.text
    assert "Getting address info 127.0.0.1:80, type=" in caplog.text


def test_getnameinfo(loop):
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    assert loop.run_until_complete(loop.getnameinfo(("127.0.0.1", 80), flags)) == ("127.0.0.1", "80")
