"""`call_later`, `call_at` and what sleeps: never early, in order, and cheap to cancel."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest


def test_time_is_the_monotonic_clock(loop):
    before, now, after = time.monotonic(), loop.time(), time.monotonic()
    assert before <= now <= after


@pytest.mark.parametrize("delay", [0, -1, 1e-9, 0.0003, 0.001, 0.0124, 0.03])
def test_a_timer_is_never_early(loop, delay):
    fired = []

    def fire():
        fired.append(loop.time())
        loop.stop()

    timer = loop.call_later(delay, fire)
    loop.run_forever()
    assert fired[0] >= timer.when() - 1e-9  # the resolution of asyncio's own clock


def test_our_timers_are_precise():
    import data_bridge

    async def main():
        late = []
        for _ in range(50):
            before = time.monotonic()
            await asyncio.sleep(0.0003)
            late.append(time.monotonic() - before - 0.0003)
        return late

    late = data_bridge.run(main())
    assert min(late) >= 0
    assert min(late) < 0.0005, "none was rounded to milliseconds"


def test_order_of_deadlines_then_of_arrival(loop):
    seen = []
    base = loop.time() + 0.01
    for when, name in [(2, "c"), (1, "a"), (1, "b"), (3, "d")]:
        loop.call_at(base + when / 1000, seen.append, name)
    loop.call_at(base + 0.01, loop.stop)
    loop.run_forever()
    assert seen == ["a", "b", "c", "d"]


def test_due_timers_run_after_callbacks_that_are_ready(loop):
    seen = []
    loop.call_at(loop.time() - 1, seen.append, "timer")
    loop.call_soon(seen.append, "soon")
    loop.stop()
    loop.run_forever()
    assert seen == ["soon", "timer"]


def test_a_delay_of_zero_gives_a_timer(loop):
    assert isinstance(loop.call_later(0, print), asyncio.TimerHandle)


def test_integers_and_whatever_becomes_a_float(loop):
    from fractions import Fraction

    assert loop.call_at(5, print).when() == 5
    before, timer, after = loop.time(), loop.call_later(Fraction(1, 2), print), loop.time()
    assert before <= timer.when() - 0.5 <= after


def test_infinity_never_comes(loop):
    loop.call_later(float("inf"), pytest.fail)
    loop.call_later(1e18, pytest.fail)
    loop.call_later(0.001, loop.stop)
    loop.run_forever()


def test_cancelled_timers_do_not_run(loop):
    loop.call_later(0.001, pytest.fail).cancel()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()


def test_a_timer_may_cancel_another_that_is_due_in_the_same_turn(loop):
    now = loop.time()
    loop.call_at(now, lambda: other.cancel())  # noqa: PLW0108 - `other` is made later
    other = loop.call_at(now, pytest.fail)
    loop.call_later(0.005, loop.stop)
    loop.run_forever()


def test_cancelling_many_timers_frees_them(loop):
    import weakref

    class Held:
        pass

    held = Held()
    alive = weakref.ref(held)
    handles = [loop.call_later(1000 + number, print, held) for number in range(1000)]
    del held
    for handle in handles:
        handle.cancel()
    del handle
    assert alive() is None
    references = [weakref.ref(handle) for handle in handles]
    del handles
    loop.stop()
    loop.run_forever()
    left = sum(reference() is not None for reference in references)
    assert left <= 100  # asyncio's bound below which it does not sweep


def test_a_hundred_thousand_time_outs_leave_no_heap_behind(loop):
    async def main():
        running = asyncio.get_running_loop()
        before = sys.getallocatedblocks()
        for _ in range(100_000):
            running.call_later(60, print).cancel()
        await asyncio.sleep(0)
        return sys.getallocatedblocks() - before

    assert loop.run_until_complete(main()) < 1000


def test_many_sleepers_wake_in_order_of_their_deadlines(loop):
    async def main():
        woken = []

        base = loop.time() + 0.01

        async def sleeper(number):
            done = loop.create_future()
            loop.call_at(base + number % 17 / 1000, done.set_result, None)
            await done
            woken.append(number % 17)

        await asyncio.gather(*(sleeper(number) for number in range(500)))
        return woken

    woken = loop.run_until_complete(main())
    assert woken == sorted(woken)


def test_timeout_and_wait_for(loop):
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.sleep(10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(10), 0.005)
        return await asyncio.wait_for(asyncio.sleep(0, "done"), 10)

    assert loop.run_until_complete(main()) == "done"
