"""Functions in threads: their results, their context, and what cancelling means for them."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import sys
import threading

import pytest

from data_bridge.concurrency import THREADS, contextmanager_in_threadpool, iterate_in_threadpool, run_in_threadpool
from tests.support.servers import PATIENCE
from tests.web.twins import OURS, same

variable = contextvars.ContextVar("variable", default=0)


@pytest.fixture
def without_anyio(monkeypatch):
    """As in a program that has not imported AnyIO, whose threads are used where it has."""
    monkeypatch.delitem(sys.modules, "anyio")


def test_results_exceptions_and_context():
    async def use(web):
        def work(a, b=2):
            seen = variable.get()
            variable.set(9)
            return a, b, seen, threading.current_thread() is threading.main_thread()

        def fail():
            raise KeyError("x")

        variable.set(5)
        seen = [await web.concurrency.run_in_threadpool(work, 1, b=3), variable.get()]
        try:
            await web.concurrency.run_in_threadpool(fail)
        except KeyError as error:
            seen.append(str(error))
        steps = [step async for step in web.concurrency.iterate_in_threadpool(iter("abc"))]
        return seen, steps

    same(use)


@pytest.mark.usefixtures("without_anyio")
def test_forty_run_at_once():
    async def run():
        barrier = threading.Barrier(THREADS)
        await asyncio.wait_for(asyncio.gather(*(run_in_threadpool(barrier.wait) for _ in range(THREADS))), PATIENCE)

    asyncio.run(run())


@pytest.mark.usefixtures("without_anyio")
def test_what_a_thread_has_begun_is_waited_for():
    async def run():
        begun, gate, ended = threading.Event(), threading.Event(), []

        def work():
            begun.set()
            gate.wait()
            ended.append(True)

        task = asyncio.create_task(run_in_threadpool(work))
        await run_in_threadpool(begun.wait)
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)
        assert not task.done()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended

    assert asyncio.run(run()) == [True]


@pytest.mark.usefixtures("without_anyio")
def test_what_no_thread_has_begun_is_cancelled_at_once():
    async def run():
        gate, ran = threading.Event(), []
        busy = [asyncio.create_task(run_in_threadpool(gate.wait)) for _ in range(THREADS)]
        await asyncio.sleep(0)
        task = asyncio.create_task(run_in_threadpool(ran.append, 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        await asyncio.gather(*busy)
        await run_in_threadpool(lambda: None)
        return ran

    assert asyncio.run(run()) == []


@contextlib.contextmanager
def manager(seen, swallow=()):
    seen.append("enter")
    try:
        yield "value"
    except swallow:
        seen.append("swallowed")
    except BaseException as error:
        seen.append(type(error).__name__)
        raise
    else:
        seen.append("exit")


@pytest.mark.parametrize("anyio", [True, False])
def test_context_managers(anyio, monkeypatch):
    if not anyio:
        monkeypatch.delitem(sys.modules, "anyio")

    async def run():
        seen = []
        async with contextmanager_in_threadpool(manager(seen)) as value:
            seen.append(value)
        with pytest.raises(ValueError, match="x"):
            async with contextmanager_in_threadpool(manager(seen)):
                raise ValueError("x")
        async with contextmanager_in_threadpool(manager(seen, KeyError)):
            raise KeyError
        return seen

    assert asyncio.run(run()) == ["enter", "value", "exit", "enter", "ValueError", "enter", "swallowed"]


@pytest.mark.usefixtures("without_anyio")
def test_a_context_manager_is_left_while_all_threads_are_busy_and_the_task_is_cancelled():
    async def run():
        seen, gate, entered = [], threading.Event(), asyncio.Event()

        async def use():
            async with contextmanager_in_threadpool(manager(seen)):
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(use())
        await entered.wait()
        busy = [asyncio.create_task(run_in_threadpool(gate.wait)) for _ in range(THREADS)]
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        await asyncio.gather(*busy)
        return seen

    assert asyncio.run(run()) == ["enter", "CancelledError"]


@pytest.mark.parametrize("anyio", [True, False])
def test_an_iterator_that_is_left_is_closed(anyio, monkeypatch):
    if not anyio:
        monkeypatch.delitem(sys.modules, "anyio")

    async def run():
        closed = []

        def steps():
            try:
                yield 1
                yield 2
            finally:
                closed.append(True)

        iterator = iterate_in_threadpool(steps())
        async for _ in iterator:
            break
        await iterator.aclose()
        return closed

    assert asyncio.run(run()) == [True]


def test_the_first_to_end_ends_the_others():
    async def run(web):
        seen = []

        async def wait():
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cancelled")

        async def end(text):
            seen.append(text)

        await web.concurrency.run_until_first_complete((wait, {}), (end, {"text": "ended"}))
        return seen

    same(run)


def test_what_is_awaited():
    class Callable:
        async def __call__(self):
            """A coroutine."""

    class Plain:
        def __call__(self):
            """No coroutine."""

    async def coroutine():
        """One."""

    check = OURS.concurrency.is_async_callable
    for call in (coroutine, functools.partial(coroutine), Callable(), functools.partial(functools.partial(Callable()))):
        assert check(call) is True
    for call in (print, Plain(), functools.partial(print), lambda: 1):
        assert check(call) is False


def test_anyio_finds_its_way_back():
    import anyio.from_thread

    async def run():
        async def answer():
            return 42

        return await run_in_threadpool(anyio.from_thread.run, answer)

    assert asyncio.run(run()) == 42
