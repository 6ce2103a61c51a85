"""The bridge between coroutines and Rust futures, and the references that detached code holds."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest

import data_bridge
from data_bridge import _native

testing = _native.testing


def test_rust_spawns_ten_thousand_sleeping_coroutines_without_a_thread() -> None:
    async def main() -> tuple[int, int]:
        async def nap() -> None:
            await asyncio.sleep(0.5)

        before = threading.active_count()
        everyone = testing.spawn_many(asyncio.get_running_loop(), nap, 10_000)
        await asyncio.sleep(0.1)
        during = threading.active_count()
        assert during <= before
        begun = time.monotonic()
        well = await everyone
        return well, int(time.monotonic() - begun)

    well, seconds = data_bridge.run(main())
    assert well == 10_000
    assert seconds < 20, "they slept at once: one after the other would be 5,000 s"


def test_a_coroutine_that_never_suspends_and_one_that_raises() -> None:
    async def main() -> tuple[int, int]:
        async def quick() -> None:
            return None

        async def broken() -> None:
            raise ValueError("on purpose")

        loop = asyncio.get_running_loop()
        return await testing.spawn_many(loop, quick, 3), await testing.spawn_many(loop, broken, 3)

    assert data_bridge.run(main()) == (3, 0)


def test_a_foreign_thread_spawns_a_coroutine_and_gets_its_value() -> None:
    async def main() -> tuple[str, bool]:
        async def work() -> str:
            await asyncio.sleep(0)
            return f"{type(asyncio.current_task()).__name__} of {threading.current_thread().name}"

        value = await testing.spawn_from_thread(asyncio.get_running_loop(), work)
        return value, threading.current_thread() is threading.main_thread()

    assert data_bridge.run(main()) == ("Task of MainThread", True)


def test_a_foreign_thread_gets_the_coroutines_exception() -> None:
    async def main() -> None:
        async def work() -> None:
            raise ValueError("on purpose")

        with pytest.raises(ValueError, match="on purpose"):
            await testing.spawn_from_thread(asyncio.get_running_loop(), work)

    data_bridge.run(main())


def test_other_threads_run_while_a_rust_future_is_awaited() -> None:
    async def main() -> int:
        counted = 0
        stop = threading.Event()

        def count() -> None:
            nonlocal counted
            while not stop.is_set():
                counted += 1

        thread = threading.Thread(target=count)
        thread.start()
        meanwhile = 0
        while meanwhile < 10_000:  # on a busy machine it may not be the thread's turn at all for as long
            before = counted
            assert await testing.sleep(asyncio.get_running_loop(), 0.3) == 0.3
            meanwhile = counted - before
        stop.set()
        thread.join()
        return meanwhile

    assert data_bridge.run(main()) >= 10_000


def test_an_awaited_rust_future_can_be_cancelled() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await testing.sleep(loop, 3600)
        results = await asyncio.gather(*(testing.sleep(loop, 0.01) for _ in range(100)))
        assert len(results) == 100

    data_bridge.run(main())


def test_a_kept_reference_may_be_dropped_detached() -> None:
    class Thing:
        pass

    async def main() -> None:
        before = testing.detached_drops()
        thing = Thing()
        gone = weakref.ref(thing)
        testing.drop_detached(thing)
        assert testing.detached_drops() == before + 1
        del thing
        await asyncio.sleep(0.01)
        gc.collect()
        assert gone() is None, "the next attached tick gives the reference back"

    data_bridge.run(main())


def test_the_test_build_aborts_on_any_other_detached_drop() -> None:
    code = "from data_bridge import _native\n_native.testing.drop_detached_without_wrapper(object())\nprint('survived')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "survived" not in ended.stdout


def test_a_panic_in_a_job_is_a_log_line_and_the_loop_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    async def main() -> str:
        testing.panic_in_job()
        await asyncio.sleep(0.01)
        return "alive"

    assert data_bridge.run(main()) == "alive"
    assert "injected into a job" in capfd.readouterr().err
