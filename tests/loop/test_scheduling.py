"""`call_soon` and its relatives: order, arguments, contexts, other threads."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import socket
import threading
import weakref

import pytest

NUMBERS = contextvars.ContextVar("numbers", default=0)


def turns(loop, count=1):
    for _ in range(count):
        loop.stop()
        loop.run_forever()


def test_callbacks_run_once_in_order(loop):
    seen = []
    for number in range(1000):
        loop.call_soon(seen.append, number)
    turns(loop, 3)
    assert seen == list(range(1000))


@pytest.mark.parametrize("count", range(7))
def test_any_number_of_arguments(loop, count):
    seen = []
    arguments = [object() for _ in range(count)]
    loop.call_soon(lambda *got: seen.append(got), *arguments)
    turns(loop)
    assert seen == [tuple(arguments)]


def test_what_a_callback_adds_runs_in_the_next_turn(loop):
    seen = []
    loop.call_soon(lambda: (seen.append("first"), loop.call_soon(seen.append, "third")))
    loop.call_soon(seen.append, "second")
    turns(loop)
    assert seen == ["first", "second"]
    turns(loop)
    assert seen == ["first", "second", "third"]


def test_a_callback_runs_in_a_copy_of_the_context_it_was_scheduled_in(loop):
    seen = []
    NUMBERS.set(1)
    loop.call_soon(lambda: (seen.append(NUMBERS.get()), NUMBERS.set(99)))
    NUMBERS.set(2)
    loop.call_soon(lambda: seen.append(NUMBERS.get()))
    turns(loop)
    assert seen == [1, 2]
    assert NUMBERS.get() == 2


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def test_an_explicit_context_is_used_as_it_is(loop, method):
    context = contextvars.copy_context()
    when = {"call_later": (0,), "call_at": (loop.time(),)}.get(method, ())
    getattr(loop, method)(*when, NUMBERS.set, 5, context=context)
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert context[NUMBERS] == 5


def test_context_none_means_the_current_one(loop):
    NUMBERS.set(3)
    seen = []
    loop.call_soon(lambda: seen.append(NUMBERS.get()), context=None)
    turns(loop)
    assert seen == [3]


@pytest.mark.parametrize(
    "call",
    [
        lambda loop: loop.call_soon(),
        lambda loop: loop.call_soon_threadsafe(),
        lambda loop: loop.call_later(1),
        lambda loop: loop.call_later(),
        lambda loop: loop.call_at(1),
        lambda loop: loop.call_soon(print, other=1),
        lambda loop: loop.call_later(1, print, other=1),
        lambda loop: loop.call_later(None, print),
        lambda loop: loop.call_at(None, print),
        lambda loop: loop.call_later("soon", print),
    ],
)
def test_bad_calls_are_type_errors(loop, call):
    with pytest.raises(TypeError):
        call(loop)


def test_a_keyword_is_known_by_its_letters(loop):
    context = contextvars.copy_context()
    for number in range(3):
        loop.call_soon(NUMBERS.set, number, **{"".join(("con", "text")): context})
    with pytest.raises(TypeError, match="'other'"):
        loop.call_soon(NUMBERS.set, 7, **{"".join(("oth", "er")): context})
    with pytest.raises(TypeError, match="'other'"):
        loop.call_soon(NUMBERS.set, 8, context=context, other=1)
    turns(loop)
    assert context[NUMBERS] == 2


def test_whatever_can_be_called_is_called(loop):
    seen = []

    class Made:
        def __init__(self):
            seen.append("class")

        def __call__(self):
            seen.append("object")

    class Raises:
        def __call__(self):
            raise LookupError

    loop.set_exception_handler(lambda _, context: seen.append(type(context["exception"])))
    made = Made()
    for callback in (made, Made, functools.partial(seen.append, "partial"), made.__call__, Raises(), 5, seen.copy):
        loop.call_soon(callback)
    turns(loop)
    assert seen == ["class", "object", "class", "partial", "object", LookupError, TypeError]


def test_arguments_are_released_after_the_run(loop):
    class Held:
        pass

    held = Held()
    alive = weakref.ref(held)
    loop.call_soon(lambda *_: None, held, held, held, held)
    loop.call_soon(lambda *_: None, held)
    del held
    turns(loop)
    assert alive() is None


def test_a_callback_may_cancel_its_own_handle_and_still_has_its_arguments(loop):
    seen = []

    def callback(first, second):
        handle.cancel()
        handle.cancel()
        seen.append((first, second))

    handle = loop.call_soon(callback, [1], [2])
    turns(loop)
    assert seen == [([1], [2])]
    assert handle.cancelled()


def test_cancelled_callbacks_do_not_run(loop):
    seen = []
    loop.call_soon(seen.append, 1).cancel()
    loop.call_soon_threadsafe(seen.append, 2).cancel()
    loop.call_soon(seen.append, 3)
    turns(loop)
    assert seen == [3]


def test_threadsafe_calls_keep_their_place_among_the_others(loop):
    seen = []
    for number in range(100):
        schedule = loop.call_soon if number % 2 else loop.call_soon_threadsafe
        schedule(seen.append, number)
    turns(loop)
    assert seen == list(range(100))


def test_another_thread_wakes_a_sleeping_loop(loop):
    thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(loop.stop))
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()


def test_many_threads_lose_no_call_and_keep_their_own_order(loop):
    threads, calls = 8, 2000
    seen = {number: [] for number in range(threads)}
    left = threads * calls

    def callback(thread, number):
        nonlocal left
        seen[thread].append(number)
        left -= 1
        if not left:
            loop.stop()

    def post(thread):
        for number in range(calls):
            loop.call_soon_threadsafe(callback, thread, number)

    posting = [threading.Thread(target=post, args=(number,)) for number in range(threads)]
    for thread in posting:
        thread.start()
    loop.run_forever()
    for thread in posting:
        thread.join()
    assert all(numbers == list(range(calls)) for numbers in seen.values())


def test_ping_pong_between_threads_never_sleeps_for_ever(loop):
    there, back = threading.Event(), []

    def post():
        for number in range(300):
            there.wait()
            there.clear()
            loop.call_soon_threadsafe(arrive, number)

    def arrive(number):
        back.append(number)
        if number == 299:
            loop.stop()
        else:
            there.set()

    thread = threading.Thread(target=post)
    thread.start()
    there.set()
    loop.run_forever()
    thread.join()
    assert back == list(range(300))


def test_a_chain_of_callbacks_does_not_keep_timers_from_running(loop):
    turns_taken = 0

    def chain():
        nonlocal turns_taken
        turns_taken += 1
        loop.call_soon(chain)
        if turns_taken == 100:
            loop.call_later(0.02, loop.stop)

    loop.call_soon(chain)
    before = loop.time()
    loop.run_forever()
    assert loop.time() - before >= 0.02
    assert turns_taken > 100


def test_sleep_zero_lets_others_run_in_turn(loop):
    seen = []

    async def walk(name):
        for number in range(3):
            seen.append((name, number))
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(walk("a"), walk("b"))

    loop.run_until_complete(main())
    assert seen == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_futures_belong_to_the_loop(loop):
    future = loop.create_future()
    assert isinstance(future, asyncio.Future)
    assert future.get_loop() is loop


def test_what_was_ready_runs_before_what_has_arrived(loop, run):
    async def connect(protocol, sock):
        transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
        return transport

    class Protocol(asyncio.Protocol):
        def data_received(self, data):
            seen.append(data.decode())

    seen = []
    ours, theirs = socket.socketpair()
    transport = run(connect(Protocol(), ours))
    theirs.send(b"arrived")
    loop.call_soon(seen.append, "ready")
    loop.call_soon(loop.call_soon, seen.append, "later")
    loop.run_until_complete(asyncio.sleep(0.001))
    assert seen == ["ready", "arrived", "later"]
    transport.close()
    theirs.close()
    run(asyncio.sleep(0))
