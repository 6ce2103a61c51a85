"""`run_in_executor` and the default pool."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading

import pytest

import data_bridge


def test_results_and_exceptions_come_back(loop):
    async def main():
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 / 0)
        return await loop.run_in_executor(None, lambda *numbers: (sum(numbers), threading.current_thread().name), 1, 2)

    result, name = loop.run_until_complete(main())
    assert result == 3
    assert name.startswith("asyncio_")


def test_an_executor_of_ones_own(loop):
    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="own") as executor:
        name = loop.run_until_complete(loop.run_in_executor(executor, lambda: threading.current_thread().name))
        assert name.startswith("own")
        loop.set_default_executor(executor)
        name = loop.run_until_complete(loop.run_in_executor(None, lambda: threading.current_thread().name))
        assert name.startswith("own")


def test_the_default_executor_must_be_threads(loop):
    with pytest.raises(TypeError, match=r"^executor must be ThreadPoolExecutor instance$"):
        loop.set_default_executor(object())


def test_a_hundred_calls_at_once(loop):
    async def main():
        return await asyncio.gather(*(loop.run_in_executor(None, pow, number, 2) for number in range(100)))

    assert loop.run_until_complete(main()) == [number**2 for number in range(100)]


def test_shutdown_waits_for_the_threads(loop):
    release, ended = threading.Event(), []

    async def main():
        future = loop.run_in_executor(None, lambda: (release.wait(), ended.append(1)))
        loop.call_later(0.01, release.set)
        await loop.shutdown_default_executor()
        assert ended == [1]
        await future
        with pytest.raises(RuntimeError, match=r"^Executor shutdown has been called$"):
            loop.run_in_executor(None, print)

    loop.run_until_complete(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the timeout came with 3.12")
def test_shutdown_gives_up_after_its_timeout(loop):
    if sys.version_info < (3, 13) and not isinstance(loop, data_bridge.Loop):
        pytest.skip("a known defect of the oracle")
    release = threading.Event()

    async def main():
        future = loop.run_in_executor(None, release.wait)
        with pytest.warns(RuntimeWarning, match=r"did not finishing joining its threads within 0.01 seconds") as warned:
            await loop.shutdown_default_executor(0.01)
        release.set()
        await future
        return warned

    loop.run_until_complete(main())


def test_to_thread_carries_the_context(loop):
    import contextvars

    variable = contextvars.ContextVar("variable")

    async def main():
        variable.set("carried")
        return await asyncio.to_thread(variable.get)

    assert loop.run_until_complete(main()) == "carried"


def test_cancelling_before_it_began(loop):
    release = threading.Event()

    async def main():
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            first = loop.run_in_executor(executor, release.wait)
            second = loop.run_in_executor(executor, pytest.fail)
            second.cancel()
            release.set()
            await first
            with pytest.raises(asyncio.CancelledError):
                await second

    loop.run_until_complete(main())
