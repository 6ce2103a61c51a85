"""`add_reader` and its relatives."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import socket
import weakref

import pytest


@pytest.fixture
def pair():
    first, second = socket.socketpair()
    first.setblocking(False)
    second.setblocking(False)
    yield first, second
    first.close()
    second.close()


def run_for(loop, seconds=0.02):
    loop.call_later(seconds, loop.stop)
    loop.run_forever()


@pytest.mark.parametrize("as_number", [False, True])
def test_a_reader_is_told_until_the_data_is_read(loop, pair, as_number):
    here, there = pair
    told = []

    def readable():
        told.append(1)
        if len(told) == 3:  # level-triggered: it is told again as long as the data lies there
            assert here.recv(10) == b"data"
            loop.stop()

    loop.add_reader(here.fileno() if as_number else here, readable)
    there.send(b"data")
    loop.run_forever()
    assert len(told) == 3
    run_for(loop)
    assert len(told) == 3
    assert loop.remove_reader(here) is True
    assert loop.remove_reader(here) is False


def test_arguments_and_context(loop, pair):
    import contextvars

    variable = contextvars.ContextVar("variable", default="")
    here, there = pair
    seen = []

    def readable(*arguments):
        seen.append((*arguments, variable.get()))
        loop.remove_reader(here)
        loop.stop()

    variable.set("set before")
    loop.add_reader(here, readable, 1, 2, 3, 4)
    variable.set("set after")
    there.send(b"x")
    loop.run_forever()
    assert seen == [(1, 2, 3, 4, "set before")]


def test_a_writer_is_told_while_there_is_room(loop, pair):
    here, _there = pair
    told = []

    def writable():
        told.append(1)
        if len(told) == 2:
            loop.remove_writer(here)
            loop.stop()

    loop.add_writer(here, writable)
    loop.run_forever()
    run_for(loop)
    assert len(told) == 2


def test_reader_and_writer_of_one_descriptor_are_independent(loop, pair):
    here, there = pair
    seen = []
    loop.add_reader(here, lambda: (seen.append("read"), here.recv(1), loop.stop()))
    loop.add_writer(here, lambda: (seen.append("written"), loop.remove_writer(here)))
    run_for(loop)
    assert seen == ["written"]
    there.send(b"x")
    loop.run_forever()
    assert seen == ["written", "read"]
    assert loop.remove_writer(here) is False
    assert loop.remove_reader(here) is True


def test_a_new_callback_replaces_the_old_one(loop, pair):
    here, there = pair
    seen = []
    loop.add_reader(here, seen.append, "old")
    loop.add_reader(here, lambda: (seen.append("new"), here.recv(1), loop.stop()))
    there.send(b"x")
    loop.run_forever()
    assert seen == ["new"]
    loop.remove_reader(here)


def test_the_file_object_is_kept_alive(loop, pair):
    here, there = pair

    class File:
        def __init__(self, sock):
            self.sock = sock

        def fileno(self):
            return self.sock.fileno()

    file = File(here)
    alive = weakref.ref(file)
    loop.add_reader(file, lambda: (here.recv(1), loop.stop()))
    del file
    gc.collect()
    assert alive() is not None
    there.send(b"x")
    loop.run_forever()
    loop.remove_reader(here)
    gc.collect()
    assert alive() is None


def test_removing_works_after_the_file_was_closed(loop):
    here, there = socket.socketpair()
    loop.add_reader(here, pytest.fail)
    here.close()
    assert loop.remove_reader(here) is True
    with pytest.raises(ValueError, match=r"Invalid file descriptor: -1"):
        loop.remove_reader(here)
    there.close()


def test_a_number_used_again_does_not_get_events_of_its_predecessor(loop):
    for _ in range(20):
        here, there = socket.socketpair()
        there.send(b"x")
        seen = []
        loop.add_reader(here, lambda seen=seen: (seen.append(1), loop.stop()))
        loop.run_forever()
        assert seen
        loop.remove_reader(here)
        here.close()
        there.close()


def test_the_peers_end_is_readable(loop, pair):
    here, there = pair
    seen = []
    loop.add_reader(here, lambda: (seen.append(here.recv(10)), loop.stop()))
    there.close()
    loop.run_forever()
    assert seen == [b""]
    loop.remove_reader(here)


def test_a_refused_connection_is_writable(loop):
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    listener.close()
    with socket.socket() as client:
        client.setblocking(False)
        assert client.connect_ex(address) in {0, 115, 111}
        loop.add_writer(client, loop.stop)
        loop.run_forever()
        assert loop.remove_writer(client)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 111


@pytest.mark.parametrize("bad", ["text", object(), 1.5, None])
def test_what_is_no_file_is_refused(loop, bad):
    with pytest.raises(ValueError, match=re.escape(f"Invalid file object: {bad!r}")):
        loop.add_reader(bad, print)


def test_a_negative_number_is_refused(loop):
    with pytest.raises(ValueError, match=r"Invalid file descriptor: -1"):
        loop.add_reader(-1, print)


def test_what_the_kernel_cannot_poll_is_refused(loop, tmp_path):
    with (tmp_path / "file").open("wb") as file, pytest.raises(PermissionError):
        loop.add_writer(file, print)
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    with pytest.raises(OSError, match="Bad file descriptor"):
        loop.add_reader(read, print)


def test_a_cancelled_reader_removes_itself(loop, pair):
    here, there = pair
    there.send(b"x")
    loop.add_reader(here, lambda: loop.remove_reader(here))
    run_for(loop)
    assert loop.remove_reader(here) is False


def test_an_exception_in_a_reader_is_reported_and_the_reader_stays(loop, pair):
    here, there = pair
    reported = []
    loop.set_exception_handler(lambda _loop, context: reported.append(context))

    def readable():
        if len(here.recv(1)) and len(reported) == 1:
            loop.stop()
        raise ValueError("reader")

    loop.add_reader(here, readable)
    there.send(b"ab")
    loop.run_forever()
    loop.remove_reader(here)
    assert [type(context["exception"]) for context in reported] == [ValueError, ValueError]


def test_closing_the_loop_forgets_readers(loop, pair):
    here, there = pair
    loop.add_reader(here, pytest.fail)
    there.send(b"x")
    loop.close()
    assert loop.remove_reader(here) is False


def test_data_flows_while_callbacks_keep_the_loop_busy(loop, pair):
    here, there = pair
    received = bytearray()

    def readable():
        received.extend(here.recv(100))
        if len(received) == 100:
            loop.stop()
        else:
            there.send(b"y")

    def spin():
        loop.call_soon(spin)

    loop.add_reader(here, readable)
    there.send(b"y")
    loop.call_soon(spin)
    loop.run_forever()
    loop.remove_reader(here)


def test_a_pipe_under_load(loop):
    read, write = os.pipe()
    os.set_blocking(read, False)
    total = []

    async def main():
        done = asyncio.get_running_loop().create_future()

        def readable():
            chunk = os.read(read, 65536)
            total.append(len(chunk))
            if not chunk:
                loop.remove_reader(read)  # the end of the stream is reported again and again
                done.set_result(None)

        loop.add_reader(read, readable)
        await loop.run_in_executor(None, produce)
        await done

    def produce():
        for _ in range(100):
            os.write(write, b"z" * 10_000)
        os.close(write)

    loop.run_until_complete(main())
    os.close(read)
    assert sum(total) == 1_000_000
