"""`read`, `readexactly`, `readuntil` and `readline` over a transport: as asyncio's, whatever comes."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import inspect
import random
import socket
import struct
import termios
from typing import Any

import pytest
from tests.loop.wire import end_feeding, fed_by, turns

READS = ("read", "readexactly", "readuntil", "readline")


async def outcome(read: Any) -> Any:
    try:
        return await read
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, TypeError) as error:
        return type(error), str(error), getattr(error, "partial", None), getattr(error, "consumed", None)


def some_read(dice: random.Random) -> tuple[str, tuple[Any, ...]]:
    name = dice.choice(READS)
    if name == "readline":
        return name, ()
    if name == "readuntil":
        return name, (dice.choice([b"\n", b"\n\n", b"ab", b"", bytearray(b"b\n"), "text"]),)
    return name, (dice.choice([0, 1, 2, 3, 7, 40, 90, -1, True, 10**30 if name == "read" else 5]),)


def some_bytes(dice: random.Random) -> bytes:
    return bytes(dice.choices(b"ab\n", k=dice.choice([1, 2, 3, 10, 45])))


class ByHand:
    """Feeds a reader by calling it."""

    def __init__(self, reader, _transport, _there):
        self.send = reader.feed_data
        self.end = reader.feed_eof

    async def arrive(self):
        await turns()


class BySocket:
    """Feeds a reader from the other end of its transport's socket."""

    def __init__(self, _reader, transport, there):
        self.send = there.sendall
        self.transport, self.there = transport, there

    def end(self):
        self.there.shutdown(socket.SHUT_WR)

    async def arrive(self):
        while self.transport.is_reading() and unread(self.transport.get_extra_info("socket")):
            await turns()
        await turns()


def unread(sock) -> int:
    return struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))[0]


@pytest.mark.parametrize("feeder", [ByHand, BySocket])
@pytest.mark.parametrize("seed", range(40))
def test_any_sequence_of_reads_has_asyncios_results(run, seed, feeder):
    """The same bytes, in the same pieces, to this reader and to one that has asyncio's own methods."""

    async def main():
        dice = random.Random(seed)
        limit = dice.choice([5, 20, 1000])
        reader, protocol, transport, there = await fed_by(limit=limit)
        plain, *other = await fed_by(limit=limit)
        for name in READS:
            vars(plain).pop(name, None)
        feeders = feeder(reader, transport, there), feeder(plain, *other[1:])
        ended = False
        for _ in range(40):
            name, arguments = some_read(dice)
            reads = [asyncio.create_task(outcome(getattr(each, name)(*arguments))) for each in (reader, plain)]
            await turns()
            while not all(read.done() for read in reads):
                assert not any(read.done() for read in reads)
                data, ends = some_bytes(dice), dice.random() < 0.02 or (name, arguments) == ("read", (-1,))
                if not ended:
                    for each in feeders:
                        each.send(data)
                        if ends:
                            each.end()
                    ended = ends
                for each in feeders:
                    await each.arrive()
            assert reads[0].result() == reads[1].result(), (name, arguments)
            assert reader._buffer == plain._buffer
            assert reader._paused == plain._paused
            assert transport.is_reading() == other[1].is_reading()
            assert reader._waiter is plain._waiter is None
        await end_feeding(transport, protocol, there)
        await end_feeding(other[1], other[0], other[2])

    run(main())


def test_they_are_asyncios_coroutine_functions(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        for name in READS:
            method, original = getattr(reader, name), getattr(asyncio.StreamReader, name)
            assert inspect.iscoroutinefunction(method)
            assert method.__doc__ == original.__doc__
            assert inspect.signature(method) == inspect.signature(original.__get__(reader))
            coroutine = method(*(1,) * (name == "readexactly"))
            assert inspect.iscoroutine(coroutine)
            assert coroutine.__qualname__ == f"StreamReader.{name}"
            coroutine.close()
        assert type(reader) is asyncio.StreamReader
        await end_feeding(transport, protocol, there)

    run(main())


@pytest.mark.parametrize("name", READS)
def test_what_is_replaced_is_called(run, monkeypatch, name):
    async def main():
        reader, protocol, transport, there = await fed_by()
        calls = []

        async def replaced(*arguments):
            calls.append(arguments)
            return b"replaced"

        arguments = (1,) if name in {"read", "readexactly"} else ()
        with monkeypatch.context() as patch:
            patch.setattr(asyncio.StreamReader, name, replaced)
            assert await getattr(reader, name)(*arguments) == b"replaced"
            assert calls.pop()[0] is reader
        with monkeypatch.context() as patch:
            patch.setattr(reader, name, replaced)
            assert await getattr(reader, name)(*arguments) == b"replaced"
            assert calls.pop() == arguments
        there.sendall(b"\n")
        assert await getattr(reader, name)(*arguments) == b"\n"
        await end_feeding(transport, protocol, there)

    run(main())


@pytest.mark.parametrize("name", READS)
def test_what_a_program_has_put_on_the_reader_stays(run, name):
    async def main():
        async def own():
            return b"own"

        def with_own(**options):
            reader = asyncio.StreamReader(**options)
            setattr(reader, name, own)
            return reader

        reader, protocol, transport, there = await fed_by(with_own)
        assert await getattr(reader, name)() == b"own"
        await end_feeding(transport, protocol, there)

    run(main())


def test_data_that_came_before_an_error_is_read(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        waiting = asyncio.create_task(reader.readexactly(4))
        await turns()
        reader.feed_data(b"data")
        reader.set_exception(OSError("late"))
        assert await waiting == b"data"
        with pytest.raises(OSError, match="late"):
            await reader.readexactly(4)
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_reader_with_its_attributes_in_another_order_is_read(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        usual, *other = await fed_by()
        for name, value in reversed(list(vars(reader).items())):
            delattr(reader, name)
            setattr(reader, name, value)
        for source, target in ((there, reader), (other[2], usual), (there, reader)):
            waiting = asyncio.create_task(target.readexactly(4))
            await turns()
            source.sendall(b"data")
            assert await waiting == b"data"
            assert target._waiter is None
        await end_feeding(transport, protocol, there)
        await end_feeding(other[1], other[0], other[2])

    run(main())


def test_a_replaced_create_future_is_called(run, monkeypatch):
    async def main():
        reader, protocol, transport, there = await fed_by()
        loop = asyncio.get_running_loop()
        create, made = loop.create_future, []

        def replaced(*_loop):
            made.append(create())
            return made[-1]

        for owner in (loop, type(loop)):
            with monkeypatch.context() as patch:
                patch.setattr(owner, "create_future", replaced, raising=False)
                waiting = asyncio.create_task(reader.readexactly(4))
                await turns()
                assert reader._waiter is made.pop()
            there.sendall(b"data")
            assert await waiting == b"data"
            waiting = asyncio.create_task(reader.readexactly(4))
            await turns()
            there.sendall(b"data")
            assert await waiting == b"data"
            assert not made
        await end_feeding(transport, protocol, there)

    run(main())


def act_when_data_has_come(monkeypatch, act):
    """Has `act()` called after data has come for the next read that waits, and before that read goes on."""
    loop = asyncio.get_running_loop()
    create = loop.create_future

    def replaced():
        monkeypatch.undo()
        future = create()
        future.add_done_callback(lambda _: act())
        return future

    monkeypatch.setattr(loop, "create_future", replaced, raising=False)


def test_what_came_for_a_cancelled_read_is_there_for_the_next(run, monkeypatch):
    async def main():
        reader, protocol, transport, there = await fed_by()
        waiting = asyncio.create_task(reader.readexactly(4))
        act_when_data_has_come(monkeypatch, waiting.cancel)
        await turns()
        there.sendall(b"data and more")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await reader.readexactly(13) == b"data and more"
        await end_feeding(transport, protocol, there)

    run(main())


def test_what_came_for_one_read_may_be_taken_by_another(run, monkeypatch):
    async def main():
        reader, protocol, transport, there = await fed_by()

        def take():
            with pytest.raises(StopIteration) as taken:
                reader.read(2).send(None)
            assert taken.value.value == b"da"

        act_when_data_has_come(monkeypatch, take)
        waiting = asyncio.create_task(reader.readexactly(4))
        await turns()
        there.sendall(b"data")
        await turns()
        there.sendall(b"da")
        assert await waiting == b"tada"
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_reader_is_not_at_its_end_before_the_last_read_has_gone_on(run, monkeypatch):
    async def main():
        reader, protocol, transport, there = await fed_by()
        ends = []
        act_when_data_has_come(monkeypatch, lambda: ends.append(reader.at_eof()))
        waiting = asyncio.create_task(reader.read(100))
        await turns()
        there.sendall(b"data")
        there.close()
        assert await waiting == b"data"
        assert ends == [False]
        assert await reader.read(100) == b""
        assert reader.at_eof()
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_protocol_that_is_set_again_hands_data_to_the_reads_that_its_reader_has(run, monkeypatch):
    async def main():
        reader, protocol, transport, there = await fed_by()
        transport.set_protocol(protocol)
        buffered = []
        act_when_data_has_come(monkeypatch, lambda: buffered.append(bytes(reader._buffer)))
        waiting = asyncio.create_task(reader.readexactly(4))
        await turns()
        there.sendall(b"data")
        assert await waiting == b"data"
        is_asyncios = isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
        assert buffered == [b"data" if is_asyncios else b""]
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_wait_holds_its_reader(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        waiting = asyncio.create_task(reader.readexactly(4))
        await turns()
        del reader
        gc.collect()
        there.sendall(b"data")
        assert await waiting == b"data"
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_task_that_waits_for_ever_is_collected_with_its_reader(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        collected = asyncio.get_running_loop().create_future()

        async def wait(reader):
            try:
                await reader.read(1)
            finally:
                collected.set_result(None)

        task = asyncio.create_task(wait(reader))
        task._log_destroy_pending = False
        await turns()
        del task, reader
        gc.collect()
        assert collected.done()
        await end_feeding(transport, protocol, there)

    run(main())
