"""`loop.sock_*`: results, waiting, errors, cancellation, and descriptors that change their meaning."""

from __future__ import annotations

import array
import asyncio
import gc
import os
import socket
import ssl
import weakref

import pytest
from tests.loop.wire import reset, tcp_pair, turns

import data_bridge


@pytest.fixture
def pair():
    """Two connected TCP sockets that do not block."""
    here, there = tcp_pair()
    here.setblocking(False)
    there.setblocking(False)
    yield here, there
    here.close()
    there.close()


def test_receiving_what_is_there_and_what_comes_later(loop, pair):
    here, there = pair

    async def main():
        there.send(b"early")
        assert await loop.sock_recv(here, 100) == b"early"
        waiting = asyncio.create_task(loop.sock_recv(here, 100))
        await turns()
        assert not waiting.done()
        there.send(b"late")
        assert await waiting == b"late"
        there.send(b"in pieces")
        assert [await loop.sock_recv(here, 3) for _ in range(3)] == [b"in ", b"pie", b"ces"]
        there.close()
        assert await loop.sock_recv(here, 100) == b""
        assert await loop.sock_recv(here, 100) == b""

    loop.run_until_complete(main())


def test_receiving_into_buffers(loop, pair):
    here, there = pair

    async def main():
        buffer = bytearray(8)
        there.send(b"abc")
        assert await loop.sock_recv_into(here, buffer) == 3
        waiting = asyncio.create_task(loop.sock_recv_into(here, memoryview(buffer)[3:5]))
        await turns()
        there.send(b"defg")
        assert await waiting == 2
        assert bytes(buffer) == b"abcde\0\0\0"
        integers = array.array("i", [0])
        there.send(b"hi")
        assert await loop.sock_recv_into(here, integers) == 4
        assert integers.tobytes() == b"fghi"
        with pytest.raises(TypeError, match="read-write bytes-like object"):
            await loop.sock_recv_into(here, b"immutable")

    loop.run_until_complete(main())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_sending_more_than_fits(loop, pair, kind):
    here, there = pair
    data = os.urandom(3 << 20)

    async def main():
        sending = asyncio.create_task(loop.sock_sendall(here, kind(data)))
        received = bytearray()
        while len(received) < len(data):
            received += await loop.sock_recv(there, 1 << 20)
        assert await sending is None
        assert received == data
        await loop.sock_sendall(here, b"")

    loop.run_until_complete(main())


def test_wrong_arguments_are_told_in_the_sockets_own_words(loop, pair):
    here, _there = pair

    async def main():
        with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
            await loop.sock_sendall(here, "text")
        with pytest.raises(ValueError, match="negative buffersize in recv"):
            await loop.sock_recv(here, -1)
        with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
            await loop.sock_recv(here, "1")
        here.close()
        with pytest.raises(OSError, match=r"\[Errno 9\] Bad file descriptor"):
            await loop.sock_recv(here, 1)
        with pytest.raises(OSError, match=r"\[Errno 9\] Bad file descriptor"):
            await loop.sock_sendall(here, b"x")

    loop.run_until_complete(main())


def test_datagrams(loop):
    async def main():
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
            for sock in (one, two):
                sock.setblocking(False)
                sock.bind(("127.0.0.1", 0))
            waiting = asyncio.create_task(loop.sock_recvfrom(two, 100))
            await turns()
            assert await loop.sock_sendto(one, b"first", two.getsockname()) == 5
            assert await waiting == (b"first", one.getsockname())
            await loop.sock_sendto(one, b"second", two.getsockname())
            buffer = bytearray(3)
            assert await loop.sock_recvfrom_into(two, buffer) == (3, one.getsockname())
            assert buffer == b"sec"
            await loop.sock_sendto(one, b"third", two.getsockname())
            assert await loop.sock_recvfrom_into(two, buffer, 2) == (2, one.getsockname())
            await loop.sock_sendto(one, b"fourth", two.getsockname())
            assert await loop.sock_recv(two, 2) == b"fo", "the rest of a datagram is lost"
            waiting = asyncio.create_task(loop.sock_recv(two, 100))
            await turns()
            await loop.sock_sendto(one, b"fifth", two.getsockname())
            assert await waiting == b"fifth"

    loop.run_until_complete(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_connecting_and_accepting(loop, host):
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
            listener.setblocking(False)
            client.setblocking(False)
            accepting = asyncio.create_task(loop.sock_accept(listener))
            await turns()
            await loop.sock_connect(client, (host, listener.getsockname()[1]))
            accepted, address = await accepting
            with accepted:
                assert address == client.getsockname()
                assert accepted.gettimeout() == 0
                await loop.sock_sendall(accepted, b"welcome")
                assert await loop.sock_recv(client, 100) == b"welcome"

    loop.run_until_complete(main())


def test_a_refused_connection(loop):
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
        with socket.socket() as client:
            client.setblocking(False)
            with pytest.raises(ConnectionRefusedError) as caught:
                await loop.sock_connect(client, address)
            assert caught.value.args == (111, f"Connect call failed {address}")

    loop.run_until_complete(main())


def test_connecting_again_after_a_refusal(loop):
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
        with socket.socket() as client:
            client.setblocking(False)
            with pytest.raises(ConnectionRefusedError):
                await loop.sock_connect(client, address)
            with socket.create_server(address), pytest.raises(ConnectionAbortedError):
                # Linux reports the first failure once more.
                await loop.sock_connect(client, address)

    loop.run_until_complete(main())


def test_unix_sockets_need_no_resolution(loop, tmp_path):
    async def main():
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind(str(tmp_path / "listener"))
            listener.listen()
            client.setblocking(False)
            await loop.sock_connect(client, str(tmp_path / "listener"))
            with socket.socket(socket.AF_UNIX) as other, pytest.raises(FileNotFoundError):
                await loop.sock_connect(other, str(tmp_path / "missing"))

    loop.run_until_complete(main())


def test_a_reset_is_an_error_for_both_directions(loop, pair):
    here, there = pair

    async def main():
        receiving = asyncio.create_task(loop.sock_recv(here, 1))
        sending = asyncio.create_task(loop.sock_sendall(here, bytes(16 << 20)))
        await turns()
        reset(there)
        with pytest.raises(ConnectionResetError):
            await receiving
        with pytest.raises(OSError):  # noqa: PT011 - EPIPE, or ECONNRESET where it is reported twice
            await sending

    loop.run_until_complete(main())


def test_cancelling_loses_nothing(loop, pair):
    here, there = pair

    async def main():
        for _ in range(3):
            waiting = asyncio.create_task(loop.sock_recv(here, 100))
            await turns()
            waiting.cancel()
            there.send(b"kept")
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await loop.sock_recv(here, 100) == b"kept"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await loop.sock_recv(here, 100)
        assert not loop.remove_reader(here)

    loop.run_until_complete(main())


def test_a_closed_coroutine_waits_no_longer(loop, pair):
    here, there = pair

    async def main():
        waiting = loop.sock_recv(here, 100)
        waiting.send(None)
        waiting.close()
        there.send(b"kept")
        assert await loop.sock_recv(here, 100) == b"kept"

    loop.run_until_complete(main())


def test_a_number_that_is_used_again(loop):
    async def exchange():
        here, there = tcp_pair()
        with here, there:
            here.setblocking(False)
            waiting = asyncio.create_task(loop.sock_recv(here, 100))
            await turns()
            there.send(b"x")
            assert await waiting == b"x"
            waiting = asyncio.create_task(loop.sock_recv(here, 100))
            await turns()
            there.send(b"y")
            assert await waiting == b"y"
            return here.fileno()

    async def main():
        numbers = [await exchange() for _ in range(5)]
        assert len(set(numbers)) < 5, "the kernel gives the lowest free number"

    loop.run_until_complete(main())


def test_two_objects_of_one_descriptor(loop, pair):
    here, there = pair

    async def main():
        twin = socket.socket(fileno=here.fileno())
        try:
            for sock in (here, twin, here):
                waiting = asyncio.create_task(loop.sock_recv(sock, 100))
                await turns()
                there.send(b"x")
                assert await waiting == b"x"
            receiving = asyncio.create_task(loop.sock_recv(here, 100))
            await turns()
            sending = asyncio.create_task(loop.sock_sendall(twin, bytes(8 << 20)))
            await turns()
            there.send(b"x")
            assert await receiving == b"x", "not hurt by the other object's call"
            left = 8 << 20
            while left:
                left -= len(await loop.sock_recv(there, 1 << 20))
            await sending
        finally:
            twin.detach()

    loop.run_until_complete(main())


def test_beside_add_reader_and_add_writer(loop, pair):
    here, there = pair

    async def main():
        ready = asyncio.Event()
        sending = asyncio.create_task(loop.sock_sendall(here, bytes(8 << 20)))
        await turns()
        assert not sending.done()
        loop.add_reader(here, ready.set)
        there.send(b"x")
        await ready.wait()
        assert here.recv(10) == b"x"
        left = 8 << 20
        while left:
            left -= len(await loop.sock_recv(there, 1 << 20))
        await sending
        assert loop.remove_reader(here)
        assert not loop.remove_reader(here)
        assert not loop.remove_writer(here)

        writable = asyncio.Event()
        loop.add_writer(here, writable.set)
        receiving = asyncio.create_task(loop.sock_recv(here, 100))
        await writable.wait()
        assert loop.remove_writer(here)
        there.send(b"y")
        assert await receiving == b"y"

    loop.run_until_complete(main())


def test_a_transports_descriptor_is_refused(loop, pair):
    here, there = pair

    async def main():
        transport, _protocol = await loop.create_connection(asyncio.Protocol, sock=here)
        with pytest.raises(RuntimeError, match=rf"^File descriptor {here.fileno()} is used by transport <.*>$"):
            await loop.sock_recv(here, 1)
        there.send(b"x")
        transport.abort()
        await turns()

    loop.run_until_complete(main())


def test_a_descriptor_becomes_a_transports(loop, pair):
    here, there = pair

    async def main():
        waiting = asyncio.create_task(loop.sock_recv(here, 100))
        await turns()
        there.send(b"greeting")
        assert await waiting == b"greeting"
        reader, writer = await asyncio.open_connection(sock=here)
        there.send(b"more")
        assert await reader.readexactly(4) == b"more"
        writer.close()
        await writer.wait_closed()

    loop.run_until_complete(main())


def test_tls_sockets_are_refused(loop):
    async def main():
        context = ssl.create_default_context()
        context.check_hostname = False
        with context.wrap_socket(socket.socket(), do_handshake_on_connect=False) as sock:
            for call in (
                loop.sock_recv(sock, 1),
                loop.sock_recv_into(sock, bytearray(1)),
                loop.sock_recvfrom(sock, 1),
                loop.sock_recvfrom_into(sock, bytearray(1)),
                loop.sock_sendall(sock, b"x"),
                loop.sock_sendto(sock, b"x", ("127.0.0.1", 1)),
                loop.sock_accept(sock),
                loop.sock_connect(sock, ("127.0.0.1", 1)),
            ):
                with pytest.raises(TypeError, match="^Socket cannot be of type SSLSocket$"):
                    await call

    loop.run_until_complete(main())


def test_debug_mode_refuses_sockets_that_block(loop):
    loop.set_debug(True)

    async def main():
        with socket.socket() as sock:
            for call in (
                loop.sock_recv(sock, 1),
                loop.sock_recv_into(sock, bytearray(1)),
                loop.sock_recvfrom(sock, 1),
                loop.sock_recvfrom_into(sock, bytearray(1)),
                loop.sock_sendall(sock, b"x"),
                loop.sock_sendto(sock, b"x", ("127.0.0.1", 1)),
                loop.sock_accept(sock),
                loop.sock_connect(sock, ("127.0.0.1", 1)),
            ):
                with pytest.raises(ValueError, match="^the socket must be non-blocking$"):
                    await call

    loop.run_until_complete(main())


class Chatty(socket.socket):
    """A class of one's own, whose methods the loop must call."""

    def recv(self, *arguments):
        return b"<" + super().recv(*arguments) + b">"

    def send(self, data, *flags):
        return super().send(data[:3], *flags)


def test_overridden_methods_are_called(loop, pair):
    here, there = pair

    async def main():
        chatty = Chatty(fileno=os.dup(here.fileno()))
        with chatty:
            chatty.setblocking(False)
            waiting = asyncio.create_task(loop.sock_recv(chatty, 100))
            await turns()
            there.send(b"x")
            assert await waiting == b"<x>"
            await loop.sock_sendall(chatty, b"in small parts")
            assert await loop.sock_recv(there, 100) == b"in small parts"

    loop.run_until_complete(main())


def test_urgent_data_does_not_hide_what_follows(loop, pair):
    here, there = pair

    async def main():
        there.send(b"before")
        assert await loop.sock_recv(here, 100) == b"before"
        waiting = asyncio.create_task(loop.sock_recv(here, 100))
        await turns()
        there.send(b"one")
        there.send(b"!", socket.MSG_OOB)
        there.send(b"two")
        received = await waiting
        while len(received) < 6:  # without the urgent byte
            received += await loop.sock_recv(here, 100)
        assert received == b"onetwo"

    loop.run_until_complete(main())


def test_messages_with_descriptors_do_not_hide_what_follows(loop):
    here, there = socket.socketpair()

    async def main():
        here.setblocking(False)
        waiting = asyncio.create_task(loop.sock_recv(here, 1))
        await turns()
        there.send(b"x")
        assert await waiting == b"x"
        there.send(b"plain")
        socket.send_fds(there, [b"with a descriptor"], [here.fileno()])
        there.send(b"plain again")
        received = b""
        while len(received) < 33:
            received += await loop.sock_recv(here, 100)
        assert received == b"plainwith a descriptorplain again"

    with here, there:
        loop.run_until_complete(main())


def test_several_calls_wait_in_turn():
    """asyncio lets the later call take the earlier one's place, for ever."""
    loop = data_bridge.new_event_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)

    async def main():
        accepting = [asyncio.create_task(loop.sock_accept(listener)) for _ in range(3)]
        await turns()
        clients = [socket.create_connection(listener.getsockname()) for _ in accepting]
        for client, (accepted, address) in zip(clients, await asyncio.gather(*accepting), strict=True):
            assert client.getsockname() == address
            accepted.close()
            client.close()

    with listener:
        loop.run_until_complete(main())
    loop.close()


def test_a_forgotten_socket_closes(loop):
    async def main():
        here, there = tcp_pair()
        here.setblocking(False)
        waiting = asyncio.create_task(loop.sock_recv(here, 1))
        await turns()
        there.send(b"x")
        await waiting
        del waiting
        gone = weakref.ref(here)
        with pytest.warns(ResourceWarning, match="unclosed <socket"):  # noqa: PT031 - the deletion is what warns
            del here
            gc.collect()
        assert gone() is None
        there.close()

    loop.run_until_complete(main())


def test_waiting_when_the_loop_is_closed(loop_factory):
    loop = loop_factory()
    here, there = tcp_pair()
    with here, there:
        here.setblocking(False)
        waiting = loop.sock_recv(here, 1)
        loop.call_soon(waiting.send, None)
        loop.call_later(0.001, loop.stop)
        loop.run_forever()
        loop.close()
        waiting.close()
