"""Signal handlers, Ctrl-C, and what else uses signals."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest


def kill(number):
    os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def untouched():
    """A test leaves the process's signals as they were."""
    numbers = (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]
    yield
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_handler_is_called_by_the_loop_with_its_arguments(loop):
    seen = []
    loop.add_signal_handler(signal.SIGUSR1, lambda *got: (seen.append(got), loop.stop()), 1, "x")
    loop.call_later(0.005, kill, signal.SIGUSR1)
    loop.run_forever()
    assert seen == [(1, "x")]
    assert loop.remove_signal_handler(signal.SIGUSR1) is True
    assert loop.remove_signal_handler(signal.SIGUSR1) is False


def test_a_handler_survives_many_signals(loop):
    seen = []

    def handler():
        seen.append(1)
        if len(seen) == 50:
            loop.stop()
        else:
            kill(signal.SIGUSR1)

    loop.add_signal_handler(signal.SIGUSR1, handler)
    loop.call_soon(kill, signal.SIGUSR1)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    assert len(seen) == 50


def test_a_signal_between_two_runs_is_handled_in_the_second(loop):
    seen = []
    loop.add_signal_handler(signal.SIGUSR1, seen.append, 1)
    loop.run_until_complete(asyncio.sleep(0))
    kill(signal.SIGUSR1)
    loop.run_until_complete(asyncio.sleep(0.005))
    loop.remove_signal_handler(signal.SIGUSR1)
    assert seen == [1]


def test_a_new_handler_replaces_the_old_one(loop):
    seen = []
    loop.add_signal_handler(signal.SIGUSR1, seen.append, "old")
    loop.add_signal_handler(signal.SIGUSR1, lambda: (seen.append("new"), loop.stop()))
    loop.call_soon(kill, signal.SIGUSR1)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    assert seen == ["new"]


def test_two_signals(loop):
    seen = []
    loop.add_signal_handler(signal.SIGUSR1, seen.append, 1)
    loop.add_signal_handler(signal.SIGUSR2, lambda: (seen.append(2), loop.stop()))
    loop.call_soon(kill, signal.SIGUSR1)
    loop.call_soon(kill, signal.SIGUSR2)
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)
    loop.remove_signal_handler(signal.SIGUSR2)
    assert seen == [1, 2]


def test_closing_the_loop_removes_its_handlers(loop):
    loop.add_signal_handler(signal.SIGUSR1, print)
    assert signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL
    loop.close()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_removing_sigints_handler_restores_pythons(loop):
    loop.add_signal_handler(signal.SIGINT, print)
    loop.remove_signal_handler(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_bad_signals_are_refused(loop):
    for method in (lambda number: loop.add_signal_handler(number, print), loop.remove_signal_handler):
        with pytest.raises(TypeError, match=r"^sig must be an int, not '9'$"):
            method("9")
        with pytest.raises(ValueError, match=r"^invalid signal number 12345$"):
            method(12345)
    with pytest.raises(RuntimeError, match=r"^sig 9 cannot be caught$"):
        loop.add_signal_handler(signal.SIGKILL, print)


async def coroutine_function():
    pass


def test_coroutines_are_refused(loop):
    coroutine = coroutine_function()
    for bad in (coroutine_function, coroutine):
        with pytest.raises(TypeError, match=r"^coroutines cannot be used with add_signal_handler\(\)$"):
            loop.add_signal_handler(signal.SIGUSR1, bad)
    coroutine.close()


def test_other_threads_cannot_add_handlers(loop):
    caught = []

    def body():
        with pytest.raises(RuntimeError) as error:
            loop.add_signal_handler(signal.SIGUSR1, print)
        caught.append(str(error.value))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert caught[0].startswith("set_wakeup_fd only works in main thread")


def test_pythons_own_handlers_run_while_the_loop_sleeps(loop):
    seen = []

    def handler(_number, _frame):
        seen.append(1)
        loop.call_soon_threadsafe(loop.stop)

    before = signal.signal(signal.SIGUSR1, handler)
    timer = threading.Timer(0.01, kill, (signal.SIGUSR1,))
    loop.call_soon(timer.start)
    loop.run_forever()
    timer.join()
    signal.signal(signal.SIGUSR1, before)
    assert seen == [1]


def test_ctrl_c_leaves_a_sleeping_loop(loop):
    timer = threading.Timer(0.01, kill, (signal.SIGINT,))
    loop.call_soon(timer.start)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    timer.join()
    loop.run_until_complete(asyncio.sleep(0))


def test_ctrl_c_leaves_a_busy_loop(loop):
    def spin():
        loop.call_soon(spin)

    loop.call_soon(spin)
    timer = threading.Timer(0.01, kill, (signal.SIGINT,))
    loop.call_soon(timer.start)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    timer.join()


def test_the_runner_cancels_the_main_task_on_ctrl_c(loop_factory):
    seen = []

    async def main():
        asyncio.get_running_loop().call_later(0.005, kill, signal.SIGINT)
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
    assert seen == ["cancelled"]


def test_an_earlier_wakeup_descriptor_hears_of_signals_and_comes_back(loop):
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    before = signal.signal(signal.SIGUSR1, lambda *_: loop.call_soon_threadsafe(loop.stop))
    loop.call_soon(kill, signal.SIGUSR1)
    loop.run_forever()
    signal.signal(signal.SIGUSR1, before)
    assert signal.set_wakeup_fd(-1) == write
    assert os.read(read, 10) == bytes([signal.SIGUSR1])
    os.close(read)
    os.close(write)


def test_children_may_be_watched_by_sigchld(loop):
    seen = []
    child = subprocess.Popen([sys.executable, "-c", ""])
    loop.add_signal_handler(signal.SIGCHLD, lambda: (seen.append(1), loop.stop()))
    if child.poll() is None:
        loop.run_forever()
        assert seen
    assert child.wait() == 0
    loop.remove_signal_handler(signal.SIGCHLD)


@pytest.mark.parametrize("kind", ["data_bridge", "asyncio"])
def test_ctrl_c_ends_a_program(kind):
    code = f"""
    import asyncio, {kind}
    async def main():
        print("ready", flush=True)
        try:
            await asyncio.sleep(60)
        finally:
            print("cleaned up", flush=True)
    try:
        {kind}.run(main())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    rest, _ = child.communicate(timeout=30)
    assert rest == "cleaned up\ninterrupted\n"
    assert child.returncode == 0
