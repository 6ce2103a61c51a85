"""`loop.sock_sendfile()` and `loop.sendfile()`: what is sent, where the file stands afterwards, and every refusal."""

from __future__ import annotations

import asyncio
import io
import os
import socket

import pytest
from tests.loop.wire import Recorder, connect, in_thread, receive_all, receive_exactly, reset, tcp_pair, turns

import data_bridge
from data_bridge import sendfile

SIZE = 5 << 20


@pytest.fixture(scope="module")
def content():
    return os.urandom(SIZE)


@pytest.fixture
def file(tmp_path, content):
    """A file that is too long for the buffers of a connection."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as opened:
        yield opened


@pytest.fixture
def pair():
    """A socket that does not block, and the other end of its connection, which does."""
    here, there = tcp_pair()
    here.setblocking(False)
    yield here, there
    here.close()
    there.close()


def test_a_whole_file(loop, pair, file, content):
    here, there = pair

    async def main():
        receiving = asyncio.create_task(in_thread(receive_exactly, there, SIZE))
        assert await loop.sock_sendfile(here, file) == SIZE
        assert await receiving == content
        assert file.tell() == SIZE

    loop.run_until_complete(main())


@pytest.mark.parametrize(
    ("offset", "count", "sent"), [(0, 10, 10), (1000, 2000, 2000), (SIZE - 5, 10, 5), (SIZE, 1, 0)]
)
def test_a_part_of_a_file(loop, pair, file, content, offset, count, sent):
    here, there = pair

    async def main():
        assert await loop.sock_sendfile(here, file, offset, count) == sent
        assert file.tell() == (offset + sent if sent or sendfile._ALWAYS_MOVES else 0)
        here.shutdown(socket.SHUT_WR)
        assert receive_all(there) == content[offset : offset + sent]

    loop.run_until_complete(main())


def test_an_empty_file(loop, pair, tmp_path):
    here, _there = pair
    (tmp_path / "empty").touch()

    async def main():
        with (tmp_path / "empty").open("rb") as empty:
            assert await loop.sock_sendfile(here, empty) == 0

    loop.run_until_complete(main())


def test_what_is_no_file_is_read_and_sent(loop, pair):
    here, there = pair

    async def main():
        memory = io.BytesIO(b"0123456789")
        with pytest.raises(asyncio.SendfileNotAvailableError, match="not a regular file"):
            await loop.sock_sendfile(here, memory, fallback=False)
        assert await loop.sock_sendfile(here, memory, 2, 5) == 5
        assert memory.tell() == 7
        assert receive_exactly(there, 5) == b"23456"

    loop.run_until_complete(main())


def test_arguments_are_checked(loop, pair, file, tmp_path):
    here, _there = pair

    async def main():
        with pytest.raises(ValueError, match="count must be a positive integer"):
            await loop.sock_sendfile(here, file, 0, 0)
        with pytest.raises(TypeError, match="count must be a positive integer"):
            await loop.sock_sendfile(here, file, 0, 1.5)
        with pytest.raises(ValueError, match="offset must be a non-negative integer"):
            await loop.sock_sendfile(here, file, -1)
        with (tmp_path / "file").open() as text, pytest.raises(ValueError, match="binary mode"):
            await loop.sock_sendfile(here, text)
        with socket.socket(type=socket.SOCK_DGRAM) as datagram, pytest.raises(ValueError, match="SOCK_STREAM"):
            await loop.sock_sendfile(datagram, file)

    loop.run_until_complete(main())


def test_cancelling_leaves_the_file_behind_what_was_sent(loop, pair, file):
    here, there = pair

    async def main():
        sending = asyncio.create_task(loop.sock_sendfile(here, file))
        await turns(10)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        here.shutdown(socket.SHUT_WR)
        received = len(receive_all(there))
        assert 0 < received < SIZE
        if isinstance(loop, data_bridge.Loop):  # asyncio's documentation says so, its code forgets
            assert file.tell() == received

    loop.run_until_complete(main())


def test_a_peer_that_goes_away(loop, pair, file):
    here, there = pair

    async def main():
        sending = asyncio.create_task(loop.sock_sendfile(here, file))
        await turns(10)
        receive_exactly(there, 1000)
        reset(there)
        with pytest.raises(ConnectionError):
            await sending
        assert 0 < file.tell() < SIZE

    loop.run_until_complete(main())


def test_through_a_transport_behind_its_own_output(loop, file, content):
    async def main():
        recorder = Recorder()
        transport, there = await connect(recorder)
        head = bytes(3 << 20)
        receiving = asyncio.create_task(in_thread(receive_exactly, there, len(head) + SIZE + 4))
        transport.write(head)
        sending = asyncio.create_task(loop.sendfile(transport, file))
        await turns(1)
        with pytest.raises(RuntimeError, match="^unable to write; sendfile is in progress$"):
            transport.write(b"meanwhile")
        with pytest.raises(RuntimeError, match="^unable to write(lines)?; sendfile is in progress$"):
            transport.writelines([b"meanwhile"])
        assert not transport.is_reading()
        assert await sending == SIZE
        assert transport.is_reading()
        transport.write(b"tail")
        assert await receiving == head + content + b"tail"
        there.sendall(b"heard again")
        while recorder.data() != b"heard again":
            await recorder.happened("data_received")
        transport.close()
        await recorder.happened("connection_lost")
        there.close()

    loop.run_until_complete(main())


def test_a_paused_transport_stays_paused(loop, file):
    async def main():
        recorder = Recorder()
        transport, there = await connect(recorder)
        await turns()
        transport.pause_reading()
        assert await loop.sendfile(transport, file, 10, 20) == 20
        assert not transport.is_reading()
        transport.abort()
        await recorder.happened("connection_lost")
        there.close()

    loop.run_until_complete(main())


def test_a_transport_whose_peer_goes_away(loop, file):
    async def main():
        recorder = Recorder()
        transport, there = await connect(recorder)
        sending = asyncio.create_task(loop.sendfile(transport, file))
        await turns(10)
        receive_exactly(there, 1000)
        lost = recorder.happened("connection_lost")
        reset(there)
        with pytest.raises(ConnectionError):
            await sending
        transport.abort()
        await lost

    loop.run_until_complete(main())


def test_aborting_ends_a_sendfile(file):
    """asyncio's call never ends."""
    loop = data_bridge.new_event_loop()

    async def main():
        recorder = Recorder()
        transport, there = await connect(recorder)
        sending = asyncio.create_task(loop.sendfile(transport, file))
        await turns(10)
        transport.abort()
        with pytest.raises(ConnectionError, match="Connection is closed by peer"):
            await sending
        there.close()

    loop.run_until_complete(main())
    loop.close()


def test_from_a_server_in_debug_mode(loop, file, content):
    loop.set_debug(True)

    async def main():
        accepted = loop.create_future()

        class Accepted(asyncio.Protocol):
            def connection_made(self, transport):
                accepted.set_result(transport)

        server = await loop.create_server(Accepted, "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            transport = await accepted
            assert transport.get_extra_info("socket").gettimeout() == 0
            receiving = asyncio.create_task(in_thread(receive_all, client))
            assert await loop.sendfile(transport, file) == SIZE
            transport.close()
            assert await receiving == content
        server.close()
        await server.wait_closed()

    loop.run_until_complete(main())


class Unfit(asyncio.Transport):
    """A transport of somebody else's."""

    def is_closing(self):
        return False


def test_transports_that_cannot(loop, file):
    async def main():
        transport, there = await connect(Recorder())
        transport.close()
        with pytest.raises(RuntimeError, match="^Transport is closing$"):
            await loop.sendfile(transport, file)
        with pytest.raises(RuntimeError, match="^sendfile is not supported for transport"):
            await loop.sendfile(Unfit(), file)
        there.close()
        await turns()

    loop.run_until_complete(main())


def test_memory_through_a_transport(loop):
    async def main():
        recorder = Recorder()
        transport, there = await connect(recorder)
        with pytest.raises(asyncio.SendfileNotAvailableError):
            await loop.sendfile(transport, io.BytesIO(b"x"), fallback=False)
        assert await loop.sendfile(transport, io.BytesIO(bytes(100_000))) == 100_000
        transport.close()
        assert await in_thread(receive_all, there) == bytes(100_000)
        there.close()

    loop.run_until_complete(main())
