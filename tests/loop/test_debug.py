"""Debug mode."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time

import pytest


@pytest.fixture
def debug_loop(loop):
    loop.set_debug(True)
    return loop


def test_set_and_get(loop):
    assert loop.get_debug() is False
    loop.set_debug(True)
    assert loop.get_debug() is True


@pytest.mark.parametrize("switch", [["-X", "dev"], []])
def test_it_is_on_where_python_says_so(loop_factory, switch):
    made_by = f"{loop_factory.__module__}.{loop_factory.__qualname__}"
    module = loop_factory.__module__.split(".")[0]
    environment = os.environ | ({} if switch else {"PYTHONASYNCIODEBUG": "1"})
    code = f"import {module}; l = {made_by}(); print(l.get_debug()); l.close()"
    done = subprocess.run(
        [sys.executable, *switch, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "True\n"


def test_slow_callbacks_are_logged(debug_loop, caplog):
    debug_loop.slow_callback_duration = 0.01
    debug_loop.call_soon(time.sleep, 0.02)
    # No machine is so slow that this is a slow one.
    debug_loop.call_soon(setattr, debug_loop, "slow_callback_duration", 60)
    debug_loop.stop()
    debug_loop.run_forever()
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.name == "asyncio"
    assert record.getMessage().startswith("Executing <Handle sleep(0.02)")
    assert record.msg == "Executing %s took %.3f seconds"


def test_slow_tasks_are_named(debug_loop, caplog):
    debug_loop.slow_callback_duration = 0.01

    async def slow():
        time.sleep(0.02)  # noqa: ASYNC251

    debug_loop.run_until_complete(debug_loop.create_task(slow(), name="tortoise"))
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert any(message.startswith("Executing <Task") and "tortoise" in message for message in messages)


def test_slow_callback_duration_is_a_tenth_of_a_second(loop):
    assert loop.slow_callback_duration == 0.1


@pytest.mark.parametrize("method", ["call_soon", "call_later", "call_at"])
def test_calls_from_another_thread_are_refused(debug_loop, method):
    caught = []

    def call():
        arguments = {"call_soon": (), "call_later": (1,), "call_at": (1,)}[method]
        try:
            getattr(debug_loop, method)(*arguments, print)
        except RuntimeError as error:
            caught.append(str(error))

    async def main():
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    debug_loop.run_until_complete(main())
    assert caught == ["Non-thread-safe operation invoked on an event loop other than the current one"]
    call()  # the loop is not running: any thread may prepare it
    assert len(caught) == 1


async def coroutine_function():
    pass


METHODS = {
    "call_soon": lambda loop, callback: loop.call_soon(callback),
    "call_soon_threadsafe": lambda loop, callback: loop.call_soon_threadsafe(callback),
    "call_at": lambda loop, callback: loop.call_later(1, callback),
    "run_in_executor": lambda loop, callback: loop.run_in_executor(None, callback),
}


@pytest.mark.parametrize("method", METHODS)
def test_coroutines_and_what_cannot_be_called_are_refused(debug_loop, method):
    with pytest.raises(TypeError, match=rf"^coroutines cannot be used with {method}\(\)$"):
        METHODS[method](debug_loop, coroutine_function)
    coroutine = coroutine_function()
    with pytest.raises(TypeError, match=rf"^coroutines cannot be used with {method}\(\)$"):
        METHODS[method](debug_loop, coroutine)
    coroutine.close()
    with pytest.raises(TypeError, match=rf"^a callable object was expected by {method}\(\), got 'spam'$"):
        METHODS[method](debug_loop, "spam")


def test_without_debug_mode_nothing_is_checked(loop):
    handle = loop.call_soon("spam")
    handle.cancel()


@pytest.mark.parametrize("method", METHODS)
def test_handles_know_where_they_were_made(debug_loop, method):
    if method == "run_in_executor":
        return
    handle = METHODS[method](debug_loop, print)
    assert handle._source_traceback[-1].filename == __file__
    handle.cancel()


def test_tasks_know_where_they_were_made(debug_loop):
    async def main():
        task = asyncio.get_running_loop().create_task(coroutine_function())
        await task
        return task._source_traceback

    traceback = debug_loop.run_until_complete(main())
    assert traceback[-1].filename == __file__


def test_coroutine_origins_are_tracked_while_the_loop_runs(debug_loop):
    async def main():
        coroutine = coroutine_function()
        origin = coroutine.cr_origin
        coroutine.close()
        return origin, sys.get_coroutine_origin_tracking_depth()

    origin, depth = debug_loop.run_until_complete(main())
    assert origin[0][0] == __file__
    assert depth > 0
    assert sys.get_coroutine_origin_tracking_depth() == 0


def test_debug_mode_can_be_turned_on_and_off_by_a_running_loop(loop):
    async def main():
        depths = []
        for on in (True, False):
            asyncio.get_running_loop().set_debug(on)
            await asyncio.sleep(0)
            depths.append(sys.get_coroutine_origin_tracking_depth())
        return depths

    depths = loop.run_until_complete(main())
    assert depths[0] > 0
    assert depths[1] == 0


def test_the_default_handler_tells_where_the_current_handle_was_made(debug_loop, caplog):
    def report():
        debug_loop.call_exception_handler({"message": "inside"})

    handler = debug_loop.get_exception_handler()
    debug_loop.set_exception_handler(None)
    debug_loop.call_soon(report)
    debug_loop.stop()
    debug_loop.run_forever()
    debug_loop.set_exception_handler(handler)
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert messages[0].startswith("inside\nhandle_traceback: Handle created at (most recent call last):\n")
    assert "debug_loop.call_soon(report)" in messages[0]
