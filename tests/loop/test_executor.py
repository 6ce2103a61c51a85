"""`run_in_executor` and the default pool."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import queue
import sys
import threading
import weakref

import pytest

import data_bridge
from data_bridge._native import WorkQueue
from data_bridge.executor import DefaultExecutor


async def idle(loop):
    """Waits until a thread of the default pool waits for work again: the result may be here before it does."""
    waiting = loop._default_executor._idle_semaphore
    while not waiting.acquire(timeout=0):  # noqa: ASYNC110 - it says so by this alone
        await asyncio.sleep(0)
    waiting.release()


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


def test_errors_of_futures_become_asyncios(loop):
    async def main():
        def fail(error):
            raise error

        for raised, caught in (
            (concurrent.futures.CancelledError("text"), asyncio.CancelledError),
            (concurrent.futures.InvalidStateError("text"), asyncio.InvalidStateError),
            (OSError(5, "text"), OSError),
        ):
            with pytest.raises(caught) as found:
                await loop.run_in_executor(None, fail, raised)
            assert type(found.value) is caught
            assert found.value.args == raised.args

    loop.run_until_complete(main())


def test_system_exit_in_a_thread_reaches_the_awaiting_task(loop):
    async def main():
        with pytest.raises(SystemExit):
            await loop.run_in_executor(None, sys.exit, 3)

    loop.run_until_complete(main())


def test_cancelling_in_the_default_pool(loop):
    release = threading.Event()

    async def main():
        size = min(32, (os.cpu_count() or 1) + 4)
        blocked = [loop.run_in_executor(None, release.wait) for _ in range(size)]
        never = loop.run_in_executor(None, pytest.fail)
        assert never.cancel()
        begun = blocked.pop()
        assert begun.cancel()
        release.set()
        await asyncio.gather(*blocked)
        with pytest.raises(asyncio.CancelledError):
            await never
        with pytest.raises(asyncio.CancelledError):
            await begun
        assert await loop.run_in_executor(None, str, 1) == "1"

    loop.run_until_complete(main())


def test_the_default_pool_is_a_pool(loop):
    async def main():
        await loop.run_in_executor(None, int)
        pool = loop._default_executor
        assert isinstance(pool, concurrent.futures.ThreadPoolExecutor)
        assert pool.submit(pow, 2, 3).result(10) == 8
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
        names = {thread.name for thread in threading.enumerate() if thread.name.startswith("asyncio_")}
        assert names <= {f"asyncio_{number}" for number in range(32)}
        pool.shutdown()
        with pytest.raises(RuntimeError, match="^cannot schedule new futures after shutdown$"):
            await loop.run_in_executor(None, int)

    loop.run_until_complete(main())


def test_idle_threads_are_used_again(loop):
    async def main():
        for _ in range(20):
            await loop.run_in_executor(None, int)
            await idle(loop)
        return len(loop._default_executor._threads)

    assert loop.run_until_complete(main()) == 1


def test_shutdown_that_cancels_what_waits(loop):
    begun, release = threading.Semaphore(0), threading.Event()

    def block():
        begun.release()
        release.wait()

    async def main():
        size = min(32, (os.cpu_count() or 1) + 4)
        blocked = [loop.run_in_executor(None, block) for _ in range(size)]
        waiting = loop.run_in_executor(None, pytest.fail)
        for _ in blocked:  # what no thread has begun would be cancelled as well
            begun.acquire()
        loop._default_executor.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        release.set()
        await asyncio.gather(*blocked)

    loop.run_until_complete(main())


def test_nothing_is_kept_after_a_call(loop):
    class Thing:
        def fail(self):
            raise ValueError

    async def main():
        thing = Thing()
        gone = weakref.ref(thing)
        await loop.run_in_executor(None, repr, thing)
        await idle(loop)
        with pytest.raises(ValueError, match="^$"):
            await loop.run_in_executor(None, thing.fail)
        del thing
        await idle(loop)
        await loop.run_in_executor(None, int)  # the thread, of which there is one, has let go of the call before
        gc.collect()
        assert gone() is None

    loop.run_until_complete(main())


def test_a_result_for_a_closed_loop_is_dropped(loop_factory, caplog):
    loop = loop_factory()
    release, pools = threading.Event(), []

    async def main():
        future = loop.run_in_executor(None, release.wait)
        pools.append(loop._default_executor)
        return future

    future = loop.run_until_complete(main())
    loop.close()
    release.set()
    pools[0].shutdown()
    assert not caplog.records
    assert not future.done()


def test_a_call_that_answers_by_itself():
    class Call:
        def run(self, *_context):
            ran.append(threading.current_thread().name)
            done.set()

    ran, done = [], threading.Event()
    executor = DefaultExecutor(1, "own", initializer=lambda: ran.append("begun"))
    executor.post(Call())
    assert done.wait(30)
    executor.shutdown()
    assert ran == ["begun", "own_0"]
    with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
        executor.post(Call())


def test_a_thread_that_ends_wakes_the_loop_for_what_it_left():
    loop = data_bridge.new_event_loop()
    try:
        done = loop.create_future()
        thread = threading.Thread(target=WorkQueue.leave, args=(loop, done.set_result, "left"))
        loop.call_soon(thread.start)
        assert loop.run_until_complete(done) == "left"
        thread.join()
    finally:
        loop.close()


def test_items_are_taken_in_order_by_whoever_waits():
    items = WorkQueue()
    with pytest.raises(queue.Empty):
        items.get_nowait()
    taken = []
    thread = threading.Thread(target=lambda: taken.extend(items.get() for _ in range(3)))
    thread.start()
    for item in range(3):
        items.put(item)
    thread.join()
    assert taken == [0, 1, 2]
    assert items.empty()


def test_a_queue_that_holds_itself_is_collected():
    items = WorkQueue()

    class Item:
        pass

    item = Item()
    item.queue = items
    gone = weakref.ref(item)
    items.put(item)
    del item, items
    gc.collect()
    assert gone() is None
