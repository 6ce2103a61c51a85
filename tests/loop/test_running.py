"""Starting, stopping and closing."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
import weakref

import pytest


async def answer(value=42):
    await asyncio.sleep(0)
    return value


def test_run_until_complete_returns_the_result(loop):
    assert loop.run_until_complete(answer()) == 42
    assert loop.run_until_complete(loop.create_task(answer(7))) == 7


def test_run_until_complete_raises_what_the_coroutine_raised(loop):
    async def fail():
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        loop.run_until_complete(fail())


def test_run_until_complete_refuses_what_is_not_awaitable(loop):
    with pytest.raises(TypeError):
        loop.run_until_complete(42)


def test_the_running_loop_is_known_inside_and_forgotten_outside(loop):
    async def main():
        assert asyncio.get_running_loop() is loop
        assert loop.is_running()

    loop.run_until_complete(main())
    assert not loop.is_running()
    assert asyncio._get_running_loop() is None


def test_stop_lets_the_batch_finish_and_keeps_what_was_added(loop):
    seen = []
    loop.call_soon(loop.stop)
    loop.call_soon(lambda: (seen.append(1), loop.call_soon(seen.append, 2)))
    loop.run_forever()
    assert seen == [1]
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert seen == [1, 2]


def test_stop_before_run_forever_means_one_turn(loop):
    seen = []
    loop.call_soon(seen.append, 1)
    loop.stop()
    loop.run_forever()
    assert seen == [1]


def test_stopping_before_the_future_is_done_is_an_error(loop):
    future = loop.create_future()
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match=r"^Event loop stopped before Future completed\.$"):
        loop.run_until_complete(future)
    future.cancel()


def test_a_running_loop_cannot_be_run(loop):
    async def main():
        coroutine = answer()
        with pytest.raises(RuntimeError, match=r"^This event loop is already running$"):
            loop.run_until_complete(coroutine)
        coroutine.close()
        with pytest.raises(RuntimeError, match=r"^This event loop is already running$"):
            loop.run_forever()

    loop.run_until_complete(main())
    assert loop.run_until_complete(answer()) == 42


def test_another_loop_cannot_run_inside(loop, loop_factory):
    other = loop_factory()

    async def main():
        with pytest.raises(RuntimeError, match=r"^Cannot run the event loop while another loop is running$"):
            other.run_forever()

    loop.run_until_complete(main())
    other.close()


def test_a_running_loop_cannot_be_closed(loop):
    async def main():
        with pytest.raises(RuntimeError, match=r"^Cannot close a running event loop$"):
            loop.close()

    loop.run_until_complete(main())


@pytest.mark.parametrize(
    "use",
    [
        lambda loop: loop.run_forever(),
        lambda loop: loop.call_soon(print),
        lambda loop: loop.call_soon_threadsafe(print),
        lambda loop: loop.call_later(1, print),
        lambda loop: loop.call_at(1, print),
        lambda loop: loop.add_reader(0, print),
        lambda loop: loop.add_writer(0, print),
        lambda loop: loop.run_in_executor(None, print),
    ],
)
def test_a_closed_loop_refuses_work(loop, use):
    loop.close()
    loop.close()
    assert loop.is_closed()
    with pytest.raises(RuntimeError, match=r"^Event loop is closed$"):
        use(loop)


def test_a_closed_loop_makes_no_task(loop):
    loop.close()
    coroutine = answer()
    with pytest.raises(RuntimeError, match=r"^Event loop is closed$"):
        loop.create_task(coroutine)
    coroutine.close()


def test_repr(loop):
    name = type(loop).__name__
    assert repr(loop) == f"<{name} running=False closed=False debug=False>"
    loop.set_debug(True)
    loop.close()
    assert repr(loop) == f"<{name} running=False closed=True debug=True>"


def test_an_unclosed_loop_warns_and_is_collected(loop_factory):
    created = loop_factory()
    alive = weakref.ref(created)
    with pytest.warns(ResourceWarning, match="unclosed event loop"):  # noqa: PT031 - the last reference goes here
        del created
        gc.collect()
    assert alive() is None


def test_callbacks_that_hold_an_unclosed_loop_do_not_keep_it_alive(loop_factory):
    created = loop_factory()
    alive = weakref.ref(created)
    created.call_soon(created.stop)
    created.call_later(1000, lambda held: held, created)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del created
        gc.collect()
    assert alive() is None


def test_closing_drops_what_was_scheduled(loop):
    class Held:
        pass

    held = Held()
    alive = weakref.ref(held)
    loop.call_soon(print, held)
    loop.call_later(1000, print, held)
    del held
    loop.close()
    gc.collect()
    assert alive() is None


def test_loops_in_several_threads_do_not_meet(loop_factory):
    results = {}

    def body(number):
        created = loop_factory()

        async def main():
            for _ in range(50):
                await asyncio.sleep(0.0001)
            return asyncio.get_running_loop() is created

        results[number] = created.run_until_complete(main())
        created.close()

    threads = [threading.Thread(target=body, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(4), True)


def test_a_loop_made_here_can_run_in_another_thread(loop, request):
    if request.node.callspec.params["loop_factory"] == "hosted":
        pytest.skip("native work binds the loop to its thread")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(loop.run_until_complete(answer())))
    thread.start()
    thread.join()
    assert seen == [42]
    assert loop.run_until_complete(answer()) == 42


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_exceptions_that_end_programs_leave_run_forever(loop, kind):
    def leave():
        raise kind

    seen = []
    loop.call_soon(leave)
    loop.call_soon(seen.append, "the rest of the batch")
    with pytest.raises(kind):
        loop.run_forever()
    assert not loop.is_running()
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert seen == ["the rest of the batch"]


def test_a_task_that_raises_system_exit_ends_run_until_complete_once(loop):
    async def leave():
        raise SystemExit(3)

    with pytest.raises(SystemExit) as caught:
        loop.run_until_complete(leave())
    assert caught.value.code == 3


def test_run_many_times(loop):
    for number in range(200):
        assert loop.run_until_complete(answer(number)) == number
